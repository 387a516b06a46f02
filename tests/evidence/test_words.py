"""The evidence as its page shows it: thresholds, wording, tables that hold every claim."""

import re

import numpy as np
import pandas as pd
import pytest

from send_analysis import areas
from send_analysis.errors import MissingDataError
from send_analysis.evidence import charts, verdicts, views, words


@pytest.fixture(scope="module")
def bury():
    return views.percentages("Bury")


def test_a_threshold_is_drawn_as_a_bar_and_not_as_a_distance(bury):
    chart = charts.claimed_and_official(bury)
    ax = chart.axes()
    threshold = bury.iloc[::-1].reset_index(drop=True)["compare"] != "equal"
    place = int(np.flatnonzero(threshold)[0])
    crosses = [line for line in ax.get_lines() if line.get_marker() == "X"]
    assert place not in np.concatenate([line.get_ydata() for line in crosses])
    bars = [line for line in ax.get_lines() if line.get_marker() == "|"]
    assert [list(bar.get_xdata()) for bar in bars] == [[50.0]]
    ends = [tuple(segment[:, 0]) for lines in ax.collections for segment in lines.get_segments()]
    official = bury.loc[bury["compare"] == "above", "official"].iloc[0]
    assert (50.0, official) not in ends
    assert "more than 50 %" in [text.get_text() for text in ax.texts]
    assert "claimed more than 50 %, official 74.1 %" in chart.alt


def test_every_cross_is_a_claim_and_every_dot_an_official_figure(bury):
    ax = charts.claimed_and_official(bury).axes()
    drawn = {
        marker: sorted(x for line in ax.get_lines() if line.get_marker() == marker
                       for x in line.get_xdata())
        for marker in ("X", "o")
    }  # fmt: skip
    assert drawn["X"] == sorted(bury.loc[bury["compare"] == "equal", "claimed"])
    assert drawn["o"] == pytest.approx(sorted(bury["official"]))


def test_a_claim_that_restates_another_is_drawn_and_not_counted(bury):
    assert (bury["same_as"] != "").sum() == 1  # "most" says again what 75 % says
    chart = charts.claimed_and_official(bury)
    assert chart.title == "2 of 5 claims that are percentages are reproduced"
    assert len(chart.axes().get_yticks()) == 6


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (["reproduced"], "The one claim that is a percentage is reproduced"),
        (["not reproduced"], "The one claim that is a percentage is not reproduced"),
        (["reproduced", "x"], "1 of 2 claims that are percentages is reproduced"),
        (["x", "x"], "0 of 2 claims that are percentages are reproduced"),
    ],
)
def test_the_title_counts_in_words(bury, found, words):
    frame = bury.head(len(found)).assign(verdict=found)
    assert charts.claimed_and_official(frame).title == words


def test_marks_of_thresholds_are_triangles():
    chart = charts.timeliness(views.times("Bury"))
    ax = chart.axes()
    marks = {line.get_marker(): list(line.get_ydata()) for line in ax.get_lines()
             if line.get_marker() in {"X", "^"}}  # fmt: skip
    assert marks["^"] == [50]
    assert "more than 50 % in 2023" in chart.alt


def _rows(view, *given):
    try:
        return view(*given)
    except MissingDataError:
        return pd.DataFrame()


def test_tables_of_the_page_hold_every_claim_once():
    for area in ("Bury", "England", "Cornwall", "Lancashire"):
        made = verdicts.claims(area)
        shown = [len(_rows(views.untestable, area, word)) for word in verdicts.UNTESTABLE]
        ledger, said = _rows(views.ledger, area), views.said(area)
        assert len(ledger) + sum(shown) == len(made)
        assert len(said) == len(made)
        for table in (ledger, said):
            assert not table.isna().any(axis=None)
            assert not re.search(r"\bnan\b", table.to_string())


def test_an_area_without_claims_says_how_they_are_recorded():
    with pytest.raises(MissingDataError, match="a file like Bury's"):
        views.said("Leeds")


@pytest.mark.parametrize(
    "area", [it for it in areas.current() if verdicts.claims_file(it).is_file()]
)
def test_no_tile_counts_none_as_what_could_not_be_tested(area):
    ledger = views.recorded(area)
    untested = ledger[ledger["same_as"] == ""]["verdict"].isin(verdicts.UNTESTABLE).sum()
    tile = words.things(area)[1]
    assert tile.value == (
        f"{untested} of {(ledger['same_as'] == '').sum()} claims"
        if untested
        else "Waits for health services"
    )
