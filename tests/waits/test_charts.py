"""Figures of waiting times draw what the frames hold, and their texts say it."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from send_analysis.waits import charts, control, queues

mpl.use("agg")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def drawn(ax):
    """All numbers and texts drawn."""
    ys = np.concatenate([np.asarray(line.get_ydata(), float) for line in ax.get_lines()])
    return ys, [text.get_text() for text in ax.texts]


@pytest.fixture
def chart():
    months = pd.date_range("2023-01-01", periods=12, freq="MS")
    return control.xmr(pd.Series([30.0, 22, 21, 23, 22, 21, 22, 23, 21, 22, 23, 22], months))


def test_control_chart_draws_values_limits_and_signals(chart):
    ax = charts.control_chart(chart, finding="It fell", subtitle="Share, per cent")
    ys, texts = drawn(ax)
    for column in ("value", "mean", "upper", "lower"):
        assert np.isin(chart[column], ys).all()
    assert "beyond limits" in texts
    assert {"upper limit", "mean", "lower limit"} <= set(texts)
    alt = charts.control_chart_alt(chart, subtitle="share, per cent")
    assert "30.0 in January 2023" in alt
    assert "special cause: 1 (beyond limits)" in alt


def test_rebased_chart_has_two_means(chart):
    rebased = control.xmr(chart["value"], rebase=[chart.index[4]])
    ax = charts.control_chart(rebased, finding="It fell", subtitle="Share")
    means = {round(float(m), 6) for m in rebased["mean"]}
    assert means <= {round(float(y), 6) for y in drawn(ax)[0]}
    assert len(means) == 2


def test_funnel_plot_names_the_board(chart):
    rng = np.random.default_rng(1)
    size = pd.Series(rng.integers(100, 2000, 20), [f"Q{i}" for i in range(20)])
    funnel = control.funnel((0.3 * size).round(), size)
    names = {"Q3": "Third"}
    ax = charts.funnel_plot(funnel, highlight=names, finding="All alike", subtitle="Share")
    ys, texts = drawn(ax)
    assert "Third" in texts
    assert np.isin(funnel["share"], ys).all()
    alt = charts.funnel_plot_alt(funnel, highlight=names, subtitle="share over 18 weeks")
    assert "20 boards" in alt
    assert f"Third: 30 per cent of {size['Q3']:,}, within the limits" in alt


def test_change_strip_draws_every_change_and_the_claim():
    changes = pd.DataFrame(
        {"measure": ["waiting", "waiting", "median_wait"], "change": [-75.0, 400.0, 5.0]}
    )
    ax = charts.change_strip(changes, claimed=-56, finding="Few", subtitle="Changes")
    xs = np.concatenate([np.asarray(line.get_xdata(), float) for line in ax.get_lines()])
    assert {-75.0, 150.0, 5.0, -56.0} <= set(xs)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "Median wait",
        "Children waiting",
    ]
    alt = charts.change_strip_alt(changes, claimed=-56, subtitle="changes")
    assert "children waiting from -75 to +400" in alt


def test_projection_draws_medians_bands_and_target():
    paths = {
        "as now": queues.simulate_list(500, 10, 10, draws=200),
        "relief": queues.simulate_list(500, 10, 17, draws=200),
    }
    ax = charts.list_projection(paths, target=150, finding="It clears", subtitle="List")
    ys, texts = drawn(ax)
    assert {"as now", "relief", "target size"} <= set(texts)
    assert 150 in ys
    assert len(ax.collections) == 2
    alt = charts.list_projection_alt(paths, target=150, subtitle="list by week")
    end = paths["relief"].query("week == 52 and quantile == 0.5")["size"].item()
    assert f"relief: {end:,.0f} children after 52 weeks" in alt


def test_later_shares_leave_gaps_open_and_name_every_line():
    from send_analysis.waits import since, words_since

    rows = since.shares("Bury").query("service == 'speech and language'")
    measure = "over 52 weeks"
    ends = since.ends("Bury").query("service == 'speech and language'")
    ax = charts.later_shares(
        rows, measure=measure, finding=words_since.later_finding(ends, measure), subtitle="S"
    )
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 15]
    assert len(drawn) == 4
    assert all(np.isnan(np.asarray(line.get_ydata(), float)[[12, 13]]).all() for line in drawn)
    alt = charts.later_shares_alt(rows, measure=measure, subtitle="share")
    assert "23.7 in August 2024, 6.4 in October 2025" in alt
