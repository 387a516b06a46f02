"""The evidence as its page shows it: thresholds, wording, tables that hold every claim."""

import re

import numpy as np
import pytest

from send_analysis.evidence import verdicts as evidence
from send_analysis.evidence import words as narrative
from send_analysis.growth import alt_texts, charts, series


@pytest.fixture(scope="module")
def bury():
    return narrative.percentages("Bury")


def test_a_threshold_is_drawn_as_a_bar_and_not_as_a_distance(bury):
    ax = charts.claimed_and_official(bury)
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
    assert "claimed more than 50 %, official 74.1 %" in alt_texts.claimed_and_official(bury)


def test_every_cross_is_a_claim_and_every_dot_an_official_figure(bury):
    ax = charts.claimed_and_official(bury)
    drawn = {
        marker: sorted(x for line in ax.get_lines() if line.get_marker() == marker
                       for x in line.get_xdata())
        for marker in ("X", "o")
    }  # fmt: skip
    assert drawn["X"] == sorted(bury.loc[bury["compare"] == "equal", "claimed"])
    assert drawn["o"] == pytest.approx(sorted(bury["official"]))


def test_a_claim_that_restates_another_is_drawn_and_not_counted(bury):
    assert (bury["same_as"] != "").sum() == 1  # "most" says again what 75 % says
    ax = charts.claimed_and_official(bury)
    texts = [child.get_text() for child in ax.get_children() if hasattr(child, "get_text")]
    assert "2 of 5 claims that are percentages are reproduced" in texts
    assert len(ax.get_yticks()) == 6


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (["reproduced"], "The one claim that is a percentage is reproduced"),
        (["not reproduced"], "The one claim that is a percentage is not reproduced"),
        (["reproduced", "x"], "1 of 2 claims that are percentages is reproduced"),
        (["x", "x"], "0 of 2 claims that are percentages are reproduced"),
    ],
)
def test_the_title_counts_in_words(bury, verdicts, words):
    frame = bury.head(len(verdicts)).assign(verdict=verdicts)
    ax = charts.claimed_and_official(frame)
    texts = [child.get_text() for child in ax.get_children() if hasattr(child, "get_text")]
    assert words in texts


def test_marks_of_thresholds_are_triangles():
    frame = evidence.mark(series.timeliness("Bury"), "timeliness", "Bury")
    ax = charts.timeliness(frame)
    marks = {line.get_marker(): list(line.get_ydata()) for line in ax.get_lines()
             if line.get_marker() in {"X", "^"}}  # fmt: skip
    assert marks["^"] == [50]
    assert "more than 50 % in 2023" in alt_texts.timeliness(frame)


def test_tables_of_the_page_hold_every_claim_once():
    for area in ("Bury", "England", "Cornwall", "Lancashire"):
        made = evidence.claims(area)
        shown = [len(narrative.untestable(area, word)) for word in evidence.UNTESTABLE]
        assert len(narrative.ledger(area)) + sum(shown) == len(made)
        assert len(narrative.said(area)) == len(made)
        for table in (narrative.ledger(area), narrative.said(area)):
            assert not table.isna().any(axis=None)
            assert not re.search(r"\bnan\b", table.to_string())


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (66.1101, "per cent", "66.1 %"), (60.0, "per cent", "60 %"), (5.3, "per cent of pupils",
         "5.3 % of pupils"), (-65.0, "per cent", "−65 %"), (4.0, "place among authorities",
         "place 4"), (3.0, "grade, 3 the lowest", "grade 3"), (1233.0, "plans", "1,233 plans"),
        (1.4, "£ million", "£1.4 million"), (2026.0, "year", "2026"), (49.96, "per cent", "50.0 %"),
    ],
)  # fmt: skip
def test_figures_in_words(value, unit, words):
    assert evidence.words(value, unit) == words
