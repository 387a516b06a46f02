"""Claims on waits in the ledger: not testable, with the nearest figures beside the verdict."""

from pathlib import Path

import pytest
import yaml

from send_analysis.errors import UnknownNameError
from send_analysis.evidence import verdicts
from send_analysis.waits import changes, words_claims

ROOT = Path(__file__).parents[2]
WAITS = {"wait-camhs": -65, "wait-paediatrics": -50, "wait-physio": -48, "wait-ot": -56}
NAMED = {*WAITS, "health-timeliness", "report-slt-wait", "waits-too-long", "invest-camhs",
         "report-autism-under-5"}  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """The ledger of Bury's claims on waits alone."""
    every = yaml.safe_load((ROOT / "data" / "claims" / "bury.yml").read_text(encoding="utf-8"))
    every["claims"] = [one for one in every["claims"] if one["id"] in NAMED]
    file = tmp_path_factory.mktemp("claims") / "bury.yml"
    file.write_text(yaml.safe_dump(every, sort_keys=False), encoding="utf-8")
    return verdicts.ledger("Bury", file=file).set_index("id")


@pytest.fixture(scope="module")
def claims():
    return {claim["id"]: claim for claim in verdicts.claims("Bury")}


@pytest.mark.parametrize(("name", "claimed"), WAITS.items())
def test_no_claim_on_waits_is_testable_for_bury_alone(ledger, name, claimed):
    row = ledger.loc[name]
    assert row["verdict"] == "not testable: no public series exists"
    assert row["claimed"] == claimed
    assert "Would need" in row["note"]


def test_nearest_figures_are_the_boards_and_the_providers(ledger):
    note = ledger.loc["wait-ot", "note"]
    # 5,603 and 1,409 children: read off the workbooks of January and October 2023.
    assert "children waiting, Greater Manchester: 5,603 → 1,409" in note
    assert "Northern Care Alliance" in note
    assert "January 2023 to October 2023" in note


def test_camhs_has_the_figures_of_burys_own_group_as_nearest(ledger):
    note = ledger.loc["wait-camhs", "note"]
    assert "33 (NHS Bury CCG, 2021-22), 40 (England, 2021-22)" in note
    assert "49.7 (NHS Bury CCG, 2021-22), 32.5 (England, 2021-22)" in note


def test_counts_of_definitions_are_those_of_the_changes(claims):
    found = verdicts.tried(claims["wait-physio"])
    reached = (found["official"] <= -48).sum()
    text = words_claims.summary(changes.nearest(claims["wait-physio"]["test"]), -48)
    assert f"Of {len(found)} changes" in text
    assert f"{reached} are falls of 48 per cent or more" in text
    assert set(found["role"]) == {"nearest", "exploratory"}
    assert verdicts.verdict(found) == "not testable: no public series exists"


def test_the_inspectors_word_is_tested_as_a_fall(claims):
    found = verdicts.tried(claims["health-timeliness"])
    assert (found["within"] == (found["official"] < 0)).all()
    services = found["definition"].str.split(",").str[0].unique()
    assert set(services) == {
        "community paediatrics", "occupational therapy", "physiotherapy", "speech and language"
    }  # fmt: skip


def test_a_claimed_wait_in_weeks_is_shown_beside_waits_of_those_on_the_list(ledger):
    note = ledger.loc["report-slt-wait", "note"]
    assert "end of October 2023" in note
    assert "52 weeks or more" in note


def test_share_waiting_over_18_weeks_is_a_nearest_figure(ledger):
    # (1,610 + 492) of (6,647 - 1,419) children with a known wait, Greater Manchester.
    assert f"{100 * 2102 / 5228:.1f}" in ledger.loc["waits-too-long", "note"]


def test_an_area_without_a_list_is_said_so():
    found = changes.nearest({"area": "England", "service": "physiotherapy", "since": "2023-01"})
    assert found.empty
    assert "No list of a provider or board" in words_claims.summary(found, -10)


def test_an_unknown_service_is_refused():
    with pytest.raises(UnknownNameError, match="service 'yoga'"):
        changes.nearest({"area": "Bury", "service": "yoga", "since": "2023-01"})


def test_a_fall_is_priced_by_the_boards_whose_lists_have_one_too(ledger):
    falls = changes.largest_falls("Therapy interventions: Physiotherapy")
    assert (falls < 0).mean() > 0.5
    note = ledger.loc["wait-physio", "note"]
    assert f"for physiotherapy of {(falls <= -48).sum()} of {len(falls)} boards" in note
    # Second way: Greater Manchester's largest fall on all that was tried for Bury's claim.
    found = changes.nearest({"area": "Bury", "service": "physiotherapy", "since": "2023-01"})
    own = found[found["definition"].str.contains("Greater Manchester")]
    assert falls["QOP"] == pytest.approx(own["official"].min())


def test_claims_have_a_figure_of_bury_or_of_who_serves_it_beside_them():
    own = verdicts.own_figures("Bury")
    of_2024 = [claim["id"] for claim in verdicts.claims("Bury") if claim["said"] == "2024-05"]
    said = f"{own[of_2024].sum()} of Bury's {len(of_2024)} of May 2024"
    assert own[of_2024].sum() >= 18
    assert said in (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    # Suppressed at its group, and a figure of England alone, are none of its own.
    assert not own[["report-autism-under-5", "growth-national", "invest-health-visitors"]].any()
    assert own[["wait-camhs", "invest-camhs", "report-autism-adhd-over-5", "wait-ot"]].all()


def test_a_sum_is_held_against_what_was_spent(ledger):
    note = ledger.at["invest-camhs", "note"]
    assert "4,560,925 (NHS Bury CCG, 2021-22)" in note
    assert "£1.4 million is 30.7 % of that of NHS Bury CCG, 2021-22 and 2.5 % of that of" in note


def test_weeks_have_the_last_lists_beside_those_that_were_known(ledger):
    note = ledger.at["report-slt-wait", "note"]
    then, since = note.split("not to be held against those, end of October 2025:")
    # 97, 68, 191 and 375 of 1,772 up to 12 weeks, 287 up to 18: 12 + 6 (886 - 731) / 287.
    assert "Northern Care Alliance NHS Foundation Trust: 28.6 weeks" in then
    assert "Northern Care Alliance NHS Foundation Trust: 15.2 weeks" in since
    assert "suppressed (NHS Bury CCG, June 2023)" in ledger.at["report-autism-under-5", "note"]
