"""Figures and words of why demand grew carry the numbers of the results they are given."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from send_analysis.growth import account as pipeline
from send_analysis.growth import alt_texts_why, breaks, charts_why, decomposition, panel
from send_analysis.growth import words as narrative_why

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
    ax = charts_why.decomposition(parts, off)
    widths = sorted(bar.get_width() for bar in ax.patches)
    shown = parts.query("age_band == 'all' and component in @decomposition.COMPONENTS")["plans"]
    np.testing.assert_allclose(widths, sorted(shown))
    assert "+1,187" in ax.get_title(loc="left")
    assert "age not recorded" not in _texts(ax)
    assert "range" not in _texts(ax)
    text = alt_texts_why.decomposition(parts, off)
    assert f"{shown.max():+,.0f}" in text
    assert text == alt_texts_why.decomposition(parts)


def test_decomposition_draws_the_range_of_estimated_residents(parts, off):
    plain = off[off["variant"] == "ages as published"]
    edges = [
        plain.assign(variant=variant, plans=plain["plans"] + shift)
        for variant, shift in (("fewest residents", -50.0), ("most residents", 50.0))
    ]
    leaning = pd.concat([off, *edges])
    ax = charts_why.decomposition(parts, leaning)
    assert "range of estimated residents" in _texts(ax)
    most = plain.set_index("component")["plans"]["prevalence"]
    text = alt_texts_why.decomposition(parts, leaning)
    assert f"{most - 50:+,.0f} to {most + 50:+,.0f}" in text


def test_account_is_drawn_step_by_step_to_the_stock_at_the_end():
    account = pipeline.stock_account("Bury")
    ax = charts_why.account(account)
    bars = sorted(ax.patches, key=lambda bar: -bar.get_y())
    end, last_step = bars[-1], bars[-2]
    assert end.get_width() == 2804
    # The last step (the remainder) ends where the stock of the January at the end does.
    assert last_step.get_x() + last_step.get_width() == pytest.approx(2804)
    assert "2,027 plans were new" in ax.get_title(loc="left")
    assert "new plans +2,027" in alt_texts_why.account(account)


def test_prevalence_names_the_age_that_rose_most_where_the_series_holds():
    broken = decomposition.prevalence("Bury")
    wide = broken.query("area == 'Bury'").pivot(index="age_band", columns="year", values="rate")
    said = charts_why.prevalence(broken).get_title(loc="left")
    assert (
        said
        == f"Of 1,000 aged {wide[2025].idxmax()} in Bury, {wide[2025].max():.0f} had a plan in 2025"
    )
    assert "breaks" in alt_texts_why.prevalence(broken)
    found = broken.assign(caveat="")
    wide = found.query("area == 'Bury'").pivot(index="age_band", columns="year", values="rate")
    band = (wide[2025] - wide[2019]).idxmax()
    assert f"aged {band}" in charts_why.prevalence(found).get_title(loc="left")
    assert f"Bury aged {band} {wide.loc[band, 2019]:.0f} to" in alt_texts_why.prevalence(found)


def test_ratios_have_a_panel_each_with_the_area_and_its_comparators():
    found = pipeline.ratios("Bury")
    axs = charts_why.ratios(found)
    for ax, measure in zip(np.ravel(axs), charts_why.PANELS, strict=True):
        lines = {line.get_label(): line for line in ax.get_lines()}
        own = found[(found["role"] == "area") & (found["measure"] == measure)].sort_values("year")
        drawn = lines["Bury"].get_ydata()
        np.testing.assert_allclose(drawn[np.isfinite(drawn)], own["value"])
        # a gap at every step across a break
        assert (~np.isfinite(drawn)).sum() == (own["caveat"] != "").sum()
        assert {"England", "North West", "ten neighbours"} <= set(lines)
    assert "ten neighbours" in alt_texts_why.ratios(found)


@pytest.mark.parametrize(("low", "words"), [(0.97, "not different"), (1.01, "is different")])
def test_growth_ratios_title_follows_the_interval(low, words):
    found = panel.growth_ratios(draws=50)
    bury = found["area_code"] == "E08000002"
    found.loc[bury, ["low", "ratio", "high"]] = [low, 1.015, 1.03]
    assert words in charts_why.growth_ratios(found, "E08000002").get_title(loc="left")
    assert "1.015" in alt_texts_why.growth_ratios(found, "E08000002")


def test_counterfactuals_say_more_or_fewer():
    found = pipeline.counterfactuals("Bury")
    ax = charts_why.counterfactuals(found)
    assert "114 fewer" in ax.get_title(loc="left")  # 2,804 against 1,617 · 638,745 / 353,995
    assert "114 more" in charts_why.counterfactuals(
        found.assign(difference=-found["difference"])
    ).get_title(loc="left")
    assert "2,918" in alt_texts_why.counterfactuals(found)


def test_causes_sum_up_what_was_found(off):
    parts, requests, chance = narrative_why.causes("Bury")
    prevalence = off.query("component == 'prevalence' and variant == 'ages as published'")["plans"]
    assert f"added {prevalence.item():,.0f}" in parts
    assert "estimated" not in parts
    assert "9.1 requests" in requests  # 560 for 61,599 residents
    assert "no clear difference" in chance


def test_causes_leave_out_what_an_area_has_no_figures_for():
    assert len(narrative_why.causes("England")) == 1
    assert narrative_why.causes("Cumberland", start=2019)[-1].startswith("Plans in Cumberland and")


def test_ratio_sentences_follow_the_interval():
    found = pipeline.ratios("Bury")
    asked, *_ = narrative_why.pipeline_in_words(found)
    assert "a year's ordinary ups and downs could be the whole difference" in asked
    narrow = found.assign(low=found["value"] - 0.01, high=found["value"] + 0.01)
    assert "above England by more than the ordinary" in narrative_why.pipeline_in_words(narrow)[0]
    wide = found.assign(low=0.0, high=1000.0)
    assert all("whole difference" in one for one in narrative_why.pipeline_in_words(wide))
    below = found.assign(high=found["high"].where(found["role"] != "area", 0.1), low=0.0)
    assert all("below England" in one for one in narrative_why.pipeline_in_words(below))


def test_tables_for_readers():
    variants = narrative_why.variants("Bury")
    assert list(variants.columns) == list(decomposition.COMPONENTS)
    assert list(variants.index) == ["ages as published", "ages in January"]
    assert list(narrative_why.compared("Bury").index) == list(panel.REFERENCES)
    broke = narrative_why.broke(breaks.breaks("Bury"))
    assert list(broke.index[:2]) == ["England", "Bury against England"]
