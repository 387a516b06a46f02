"""Charts of waiting times draw what their results hold, and their words say it."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from send_analysis import reads
from send_analysis.waits import (
    charts,
    control,
    mental_health,
    views,
    views_control,
    views_since,
)

mpl.use("agg")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def drawn(ax):
    """All heights and texts drawn."""
    ys = np.concatenate([np.asarray(line.get_ydata(), float) for line in ax.get_lines()])
    return ys, [text.get_text() for text in ax.texts]


@pytest.fixture
def chart():
    months = pd.date_range("2023-01-01", periods=12, freq="MS", name="month")
    values = pd.Series([30.0, 22, 21, 23, 22, 21, 22, 23, 21, 22, 23, 22], months)
    return control.xmr(values).reset_index().assign(service="audiology", organisation="North")


def test_control_chart_draws_values_limits_and_signals(chart):
    (made,) = charts.control(chart)
    ys, texts = drawn(made.axes())
    for column in ("value", "mean", "upper", "lower"):
        assert np.isin(chart[column], ys).all()
    assert {"beyond limits", "upper limit", "mean", "lower limit"} <= set(texts)
    assert made.title == "Audiology: 1 of 12 months signal more than noise (beyond limits)"
    assert made.subtitle == "Share of children waiting over 18 weeks, per cent, North, 2023"
    assert "30.0 in January 2023" in made.alt
    assert "special cause: 1 (beyond limits)" in made.alt


def test_a_chart_without_a_signal_and_one_a_service(chart):
    calm = chart.assign(signal="", service="physiotherapy")
    titles = [made.title for made in charts.control(pd.concat([chart, calm]))]
    assert titles[1] == "Physiotherapy: no month stands out from the month-to-month noise"


def test_months_without_a_figure_are_not_counted_and_not_told(chart):
    values = chart.set_index("month")["value"].mask(lambda known: known.index.month == 12)
    frame = control.xmr(values).reset_index().assign(service="audiology", organisation="North")
    (made,) = charts.control(frame)
    assert "of 11 months" in made.title
    assert "23.0 in November 2023" in made.alt
    assert "nan" not in made.alt


def test_rebased_chart_has_two_means(chart):
    values = chart.set_index("month")["value"]
    rebased = control.xmr(values, rebase=[values.index[4]]).reset_index()
    (made,) = charts.control(rebased.assign(service="audiology", organisation="North"))
    means = {round(float(m), 6) for m in rebased["mean"]}
    assert means <= {round(float(y), 6) for y in drawn(made.axes())[0]}
    assert len(means) == 2


@pytest.fixture
def funnel():
    rng = np.random.default_rng(1)
    size = pd.Series(rng.integers(100, 2000, 20), [f"Q{i}" for i in range(20)])
    found = control.funnel((0.3 * size).round(), size).rename_axis("organisation_code")
    found = found.reset_index().assign(service="audiology", month=pd.Timestamp("2023-10-01"))
    return found.assign(organisation=found["organisation_code"], own=False)


def test_funnel_names_the_board(funnel):
    own = funnel["organisation_code"] == "Q3"
    (made,) = charts.funnels(funnel.assign(own=own))
    ys, texts = drawn(made.axes())
    assert "Q3" in texts
    assert np.isin(funnel["share"], ys).all()
    assert "20 boards" in made.alt
    size = funnel.loc[own, "size"].item()
    assert f"Q3: 30 per cent of {size:,.0f}, within the 99.8 per cent limits." in made.alt
    assert made.title.endswith("within the 99.8 per cent limits for a list of its size")
    assert "others" not in made.title  # no rank


def test_a_funnel_says_nought_per_cent_of_no_list():
    every = views_control.boards("Leicester")  # October 2023: 2 of 640 wait over 18 weeks
    for code in every["organisation_code"].unique():
        own = every.assign(own=every["organisation_code"] == code)
        for made in charts.funnels(own[own["service"].isin(own.loc[own["own"], "service"])]):
            assert " 0 per cent of" not in made.title + made.alt
            assert " 100 per cent of" not in made.title + made.alt
    titles = [made.title for made in charts.funnels(every)]
    assert "Leicester, Leicestershire and Rutland 2 of 640 wait" in titles[0]


def test_a_funnel_without_the_areas_board_says_where_boards_lie(funnel):
    (made,) = charts.funnels(funnel)
    assert "in four boards of five between 30 and 30 per cent" in made.title


def test_strips_draw_every_change_and_the_claim():
    found = pd.DataFrame({
        "service": "physiotherapy", "area": "Bury", "claimed": -56,
        "measure": ["children waiting", "children waiting", "median wait"],
        "change": [-75.0, 400.0, 5.0],
    })  # fmt: skip
    (made,) = charts.strips(found)
    ax = made.axes()
    marks = np.concatenate([np.asarray(one.get_offsets())[:, 0] for one in ax.collections])
    assert sorted(marks) == [-75.0, 5.0, 150.0]
    assert -56 in np.concatenate([line.get_xdata() for line in ax.get_lines()])
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["Children waiting", "Median wait"]
    assert "a fall of 56 % or more in 1 of 3 comparisons" in made.title
    assert "children waiting from -75 to +400" in made.alt
    assert "claims" in made.source


def test_projection_draws_medians_bands_and_target():
    found = views.futures("Bury")
    made = charts.projection(found)
    ax = made.axes()
    ys, texts = drawn(ax)
    assert {"as now", "relief", "half the relief", "target size"} <= set(texts)
    assert found["target_size"].iloc[0] in ys
    assert len(ax.collections) == 3
    end = found.query("future == 'relief' and week == 52 and quantile == 0.5")["size"].item()
    assert f"relief: {end:,.0f} children after 52 weeks" in made.alt


def test_later_shares_leave_gaps_open_and_name_every_line():
    made, paediatrics = charts.later(views_since.charted("Bury"))
    lines = [line for line in made.axes().lines if len(line.get_xdata()) == 15]
    assert len(lines) == 4
    assert all(np.isnan(np.asarray(line.get_ydata(), float)[[12, 13]]).all() for line in lines)
    assert "23.7 in August 2024, 6.4 in October 2025" in made.alt
    # Bury's provider is one list at both ends.
    assert "Northern Care Alliance 23.7 → 6.4 %" in made.title
    assert paediatrics.title.startswith("Community paediatrics, over 18 weeks")
    assert reads.of(made.data) == ("nhs_area_links", "nhs_waits")
    title = charts.later(views_since.charted("Isles of Scilly"))[0].title
    assert "Cornwall and The Isles Of Scilly 43.3 % in October 2025" in title


def test_services_are_a_map_of_every_known_share():
    found = views_since.services("Bury")
    made = charts.services(found)
    texts = [text.get_text() for text in made.axes().texts]
    board = found[found["level"] == "icb"].dropna(subset="over 18 weeks")
    cells = found["over 18 weeks"].notna().sum() + len(board)  # England's beside each
    assert sum(text.isdigit() for text in texts) == cells
    top = board.loc[board["over 18 weeks"].idxmax()]
    assert f"{top['service']}: in Greater Manchester {top['over 18 weeks']:.0f} %" in made.title


@pytest.mark.parametrize("area", ["Bury", "Camden", "England"])
def test_outcomes_draw_every_share_and_say_them_in_words(area):
    table = mental_health.referred(area)
    made = charts.outcomes(table)
    ax = made.axes()
    widths = sorted(bar.get_width() for container in ax.containers for bar in container)
    np.testing.assert_allclose(widths, sorted(table[list(charts.OUTCOMES)].to_numpy().ravel()))
    assert "2021-22, England: second contact 33" in made.alt
    assert "57 " in made.title  # 24 without contact, 32 closed of England's, not rounded before
