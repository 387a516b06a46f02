"""Charts of why demand grew carry the numbers of the results they are given."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from send_analysis.growth import (
    account,
    cause_charts,
    counterfactuals,
    decomposition,
    panel,
    stages,
)

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _close():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(scope="module")
def parts():
    return decomposition.decompose("Bury")


@pytest.fixture(scope="module")
def off():
    return decomposition.sensitivity("Bury")


def _texts(ax):
    return " ".join(text.get_text() for text in ax.figure.findobj(mpl.text.Text))


def test_decomposition_draws_its_parts(parts, off):
    chart = cause_charts.decomposition(parts, off)
    ax = chart.axes()
    widths = sorted(bar.get_width() for bar in ax.patches)
    shown = parts.query("age_band == 'all' and component in @decomposition.COMPONENTS")["plans"]
    np.testing.assert_allclose(widths, sorted(shown))
    assert "+1,187" in chart.title
    assert f"larger share with a plan, age for age, added {shown.max():,.0f} plans" in chart.title
    assert "age not recorded" not in _texts(ax)
    assert "range" not in _texts(ax)
    assert f"{shown.max():+,.0f}" in chart.alt
    assert chart.alt == cause_charts.decomposition(parts).alt


def test_decomposition_draws_the_range_of_estimated_residents(parts, off):
    plain = off[off["variant"] == "ages as published"]
    edges = [
        plain.assign(variant=variant, plans=plain["plans"] + shift)
        for variant, shift in (("fewest residents", -50.0), ("most residents", 50.0))
    ]
    leaning = pd.concat([off, *edges])
    chart = cause_charts.decomposition(parts, leaning)
    assert "range of estimated residents" in " ".join(_texts(chart.axes()).split())
    most = plain.set_index("component")["plans"]["prevalence"]
    assert f"{most - 50:+,.0f} to {most + 50:+,.0f}" in chart.alt


def test_account_is_drawn_step_by_step_to_the_stock_at_the_end():
    found = account.stock_account("Bury")
    chart = cause_charts.account(found)
    bars = sorted(chart.axes().patches, key=lambda bar: -bar.get_y())
    end, last_step = bars[-1], bars[-2]
    assert end.get_width() == 2804
    # The last step (the remainder) ends where the stock of the January at the end does.
    assert last_step.get_x() + last_step.get_width() == pytest.approx(2804)
    assert "2,027 plans were new" in chart.title
    assert "new plans +2,027" in chart.alt


def test_prevalence_names_the_age_that_rose_most_where_the_series_holds():
    broken = decomposition.prevalence("Bury")
    wide = broken.query("area == 'Bury'").pivot(index="age_band", columns="year", values="rate")
    said = cause_charts.prevalence(broken).title
    assert (
        said
        == f"Of 1,000 aged {wide[2025].idxmax()} in Bury, {wide[2025].max():.0f} had a plan in 2025"
    )
    assert "breaks" in cause_charts.prevalence(broken).alt
    found = broken.assign(caveat="")
    wide = found.query("area == 'Bury'").pivot(index="age_band", columns="year", values="rate")
    band = (wide[2025] - wide[2019]).idxmax()
    assert f"aged {band}" in cause_charts.prevalence(found).title
    assert f"Bury aged {band} {wide.loc[band, 2019]:.0f} to" in cause_charts.prevalence(found).alt


def test_ratios_have_a_panel_each_with_the_area_and_its_comparators():
    found = stages.ratios("Bury")
    chart = cause_charts.ratios(found)
    axs = chart.axes()
    for ax, measure in zip(np.ravel(axs), cause_charts.PANELS, strict=True):
        lines = {line.get_label(): line for line in ax.get_lines()}
        own = found[(found["role"] == "area") & (found["measure"] == measure)].sort_values("year")
        drawn = lines["Bury"].get_ydata()
        np.testing.assert_allclose(drawn[np.isfinite(drawn)], own["value"])
        # a gap at every step across a break
        assert (~np.isfinite(drawn)).sum() == (own["caveat"] != "").sum()
        assert {"England", "North West", "ten neighbours"} <= set(lines)
    assert "ten neighbours" in chart.alt


@pytest.mark.parametrize(("low", "words"), [(0.97, "not different"), (1.01, "is different")])
def test_growth_ratios_title_follows_the_interval(low, words):
    found = panel.growth_ratios(draws=50)
    bury = found["area_code"] == "E08000002"
    found.loc[bury, ["low", "ratio", "high"]] = [low, 1.015, 1.03]
    chart = cause_charts.growth_ratios(found, "E08000002")
    assert words in chart.title
    assert "1.015" in chart.alt


def test_counterfactuals_say_more_or_fewer():
    found = counterfactuals.counterfactuals("Bury")
    chart = cause_charts.counterfactuals(found)
    assert "114 fewer" in chart.title  # 2,804 against 1,617 · 638,745 / 353,995
    turned = found.assign(difference=-found["difference"])
    assert "114 more" in cause_charts.counterfactuals(turned).title
    assert "2,918" in chart.alt
