"""Claims tested against figures that were worked out by hand from the official files."""

import pandas as pd
import pytest
import yaml

from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.models import evidence

IDS = [
    "growth-national",
    "growth-bury",
    "timeliness-now",
    "timeliness-before",
    "wait-camhs",
    "wait-paediatrics",
    "wait-physio",
    "wait-ot",
    "invest-camhs",
    "invest-health-visitors",
    "special-schools",
    "places-short",
    "all-areas-struggle",
    "waits-too-long",
    "plans-poor",
    "health-timeliness",
    "outcome",
    "earlier-failures",
    "report-outcome",
    "report-slt-wait",
    "report-paediatrics-wait",
    "report-autism-under-5",
    "report-autism-adhd-over-5",
    "report-medication-wait",
    "report-20-weeks",
    "report-physio",
    "report-plans-out-of-date",
    "report-resourced-provision",
]


@pytest.fixture(scope="module")
def ledger():
    return evidence.ledger("Bury").set_index("id")


def write(tmp_path, claim, **more):
    claim = {"id": "c", "statement": "s", "source": "x", "said": "2024-05", "claimed": 60,
             "unit": "per cent", **claim}  # fmt: skip
    content = {"area": "Bury", "sources": {"x": "X"}, "claims": [claim], **more}
    path = tmp_path / "claims.yml"
    path.write_text(yaml.safe_dump(content))
    return path


GROWTH = {"test": {"kind": "growth", "area": "England", "start": 2019, "end": 2024}}


def test_every_claim_is_in_the_ledger(ledger):
    assert list(ledger.index) == IDS
    assert set(ledger["verdict"]) <= {
        "reproduced", "reproduced on another definition", "not reproduced", "not testable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "official", "verdict"),
    [
        ("growth-national", 100 * (576_474 / 353_995 - 1), "reproduced"),
        ("growth-bury", 100 * (2686 / 1617 - 1), "not reproduced"),
        ("timeliness-now", 100 * 323 / 436, "reproduced"),
        ("timeliness-before", 100 * 90 / 259, "not reproduced"),
        ("outcome", 3, "reproduced"),
        ("report-20-weeks", 100 * 323 / 436, "reproduced"),
        # 0 + 1 + 5 + 0 plans in January 2023, 12 + 3 + 20 + 1 in January 2024
        ("report-resourced-provision", 100 * (36 / 6 - 1), "reproduced"),
    ],
)
def test_figures_and_verdicts(ledger, claim, official, verdict):
    assert ledger.loc[claim, "official"] == pytest.approx(official, rel=1e-12)
    assert ledger.loc[claim, "verdict"] == verdict


def test_the_note_says_what_was_counted_and_what_could_explain_it(ledger):
    note = ledger.loc["growth-bury", "note"]
    assert "1,617 → 2,686" in note
    assert "aged under 16" in note  # 1,102 → 2,027: +83.9 % on the same window
    assert "possibility, not a test" in note
    assert "353,995 → 576,474" in ledger.loc["growth-national", "note"]


def test_what_cannot_be_tested_says_what_would_be_needed(ledger):
    untestable = ledger[ledger["verdict"] == "not testable"]
    assert untestable["note"].str.startswith("Would need").all()
    assert untestable["official"].isna().all()
    # annual_reviews.csv 2024: 1,304 of 2,422 in Bury, 318,369 of 524,654 in England
    assert "53.8; the same in England, in %: 60.7" in ledger.loc["plans-poor", "note"]


def test_all_windows_and_definitions_are_tried():
    found = evidence.tried(evidence.claims("Bury")[1])
    januaries = found[found["definition"] == "plans (and statements) in January"]
    assert len(januaries) == 16 * 15 / 2
    assert set(found["role"]) == {"plain", "reading", "exploratory"}
    reading = found[found["role"] == "reading"].set_index("window")["official"]
    assert reading["January 2018 to January 2023"] == pytest.approx(100 * (2241 / 1479 - 1))


def test_exploratory_matches_never_decide_a_verdict():
    rows = pd.DataFrame({"role": ["plain", "reading", "exploratory"], "within": [False] * 3})
    assert evidence.verdict(rows) == "not reproduced"
    assert evidence.verdict(rows.assign(within=[False, False, True])) == "not reproduced"
    assert evidence.verdict(rows.assign(within=[False, True, True])) == (
        "reproduced on another definition"
    )
    assert evidence.verdict(rows.assign(within=[True, False, False])) == "reproduced"
    assert evidence.verdict(rows.iloc[:0]) == "not testable"


@pytest.mark.parametrize(("figure", "tolerance"), [(85, 3), (-65, 3), (22, 0.5), (1.4, 0.5)])
def test_tolerance_follows_from_the_rounding_of_the_claim(tmp_path, figure, tolerance):
    claim = evidence.claims(file=write(tmp_path, {**GROWTH, "claimed": figure}))[0]
    assert claim["tolerance"] == tolerance
    assert claim["tolerance_reason"]


@pytest.mark.parametrize(
    ("claimed", "verdict"),
    [(63, "reproduced"), (61.7, "reproduced on another definition"), (40, "not reproduced")],
)
def test_claims_of_another_area_are_tested_the_same_way(tmp_path, claimed, verdict):
    found = evidence.ledger("Oldham", file=write(tmp_path, {**GROWTH, "claimed": claimed}))
    assert found["verdict"].tolist() == [verdict]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"test": {"kind": "grwth"}}, "test.kind: must be growth, "),
        ({**GROWTH, "claimed": "sixty"}, "claimed is 'sixty'"),
        ({**GROWTH, "source": "y"}, "source 'y'"),
        ({**GROWTH, "claimd": 60}, "key 'claimd' is unknown. Did you mean 'claimed'"),
        ({**GROWTH, "compare": "less"}, "compare: must be equal, above, rise or fall, not 'less'"),
        ({}, "key 'test' is missing"),
    ],
)
def test_a_spoilt_claim_is_refused_by_name(tmp_path, change, says):
    with pytest.raises(ParameterError, match=r"claims\.yml, claim 'c'") as refused:
        evidence.ledger(file=write(tmp_path, change))
    assert says in str(refused.value)


def test_a_window_without_figures_is_refused(tmp_path):
    test = {"kind": "growth", "area": "Cumberland", "start": 2019, "end": 2024}
    with pytest.raises(MissingDataError, match="end 2024, start 2019"):
        evidence.ledger(file=write(tmp_path, {"test": test}))


def test_an_area_without_claims_says_where_to_write_them():
    with pytest.raises(MissingDataError, match=r"claims/st-helens\.yml"):
        evidence.ledger("St Helens")


def test_marks_stand_at_the_claims_own_area_and_year():
    frame = pd.DataFrame({"area_code": ["E08000002", "E92000001", "E08000002"],
                          "year": [2024, 2024, 2023]})  # fmt: skip
    assert evidence.mark(frame, "growth")["claimed"].fillna(0).tolist() == [85, 60, 0]
