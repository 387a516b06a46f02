"""Claims on waits in the ledger: not testable, with the nearest figures beside the verdict."""

from pathlib import Path

import pytest
import yaml

from send_analysis.errors import UnknownNameError
from send_analysis.evidence import verdicts
from send_analysis.waits import changes

ROOT = Path(__file__).parents[2]
WAITS = {"wait-camhs": -65, "wait-paediatrics": -50, "wait-physio": -48, "wait-ot": -56}
NAMED = {*WAITS, "health-timeliness", "report-slt-wait", "waits-too-long"}


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
    text = changes.summary(changes.nearest(claims["wait-physio"]["test"]), -48)
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
    assert "No list of a provider or board" in changes.summary(found, -10)


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
