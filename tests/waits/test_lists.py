"""Waiting lists: measures against sums done by hand, coverage, links, the command."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis import cli, tables
from send_analysis.cleaning import nhs_organisations
from send_analysis.cleaning.nhs_sheets import rules
from send_analysis.errors import DataError, MissingDataError, ParameterError, UnknownNameError
from send_analysis.waits import changes, words
from send_analysis.waits import lists as waits

ROOT = Path(__file__).parents[2]
OT = "Therapy interventions: Occupational therapy"
JANUARY, FEBRUARY = pd.Timestamp("2023-01-01"), pd.Timestamp("2023-02-01")


@pytest.fixture(scope="module")
def table():
    return tables.load("nhs_waits")


@pytest.fixture(scope="module")
def then():
    """Ten months without a gap."""
    return waits.then()


def rows(counts, *, code="X1", month=JANUARY, level="provider", total=None, part_of="Q1"):
    """Rows of one list in one month."""
    values = [sum(counts) if total is None else total, *counts]
    return pd.DataFrame(
        {
            "month": month, "organisation_code": code, "organisation": code, "level": level,
            "part_of": part_of, "age_group": "cyp", "service": OT,
            "band": ["total", *waits.BANDS], "waiting": pd.array(values, "Int64"),
            "repeated": 0, "missing": "",
        }
    )  # fmt: skip


def measured(counts, **options):
    found = waits.measures(waits.wide(rows(counts, **options.pop("rows", {}))), **options)
    return found.set_index("measure")


def test_measures_by_hand():
    # 100 children: 10, 10, 20, 40, 6, 10, 4 by band.
    found = measured([10, 10, 20, 40, 6, 10, 4])
    assert found["value"].to_dict() == pytest.approx(
        {
            "waiting": 100,
            "share_over_18_weeks": 14,
            "over_52_weeks": 4,
            "median_wait": 4 + 10 / 40 * 8,  # the 50th child: 10 into the band of 4 to 12 weeks
            "p92_wait": 18 + 6 / 10 * 34,  # the 92nd: 6 into the band of 18 to 52 weeks
        }
    )
    assert found.loc["p92_wait", "unit"] == "weeks"


def test_a_wait_among_those_over_52_weeks_is_a_lower_bound():
    found = measured([1, 0, 0, 0, 0, 0, 9])
    assert found.loc["median_wait", ["value", "unit"]].tolist() == [52, "weeks or more"]
    assert found.loc["waiting", "unit"] == "children"


def test_share_of_those_with_a_known_wait_and_of_the_whole_list():
    half = {"total": 200}
    assert measured([10, 10, 20, 40, 6, 10, 4], rows=half).loc[
        "share_over_18_weeks", "value"
    ] == pytest.approx(14)
    assert measured([10, 10, 20, 40, 6, 10, 4], rows=half, base="all").loc[
        "share_over_18_weeks", "value"
    ] == pytest.approx(7)


def test_an_empty_list_has_no_wait_and_a_missing_one_no_number():
    empty = measured([0] * 7)
    assert empty.loc["waiting", "value"] == 0
    assert empty.loc[["share_over_18_weeks", "median_wait"], "value"].isna().all()
    gone = rows([0] * 7).assign(waiting=pd.array([pd.NA] * 8, "Int64"), missing="not_returned")
    assert waits.measures(waits.wide(gone))["value"].isna().all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=7, max_size=7), st.floats(0.01, 0.99))
def test_quantiles_lie_where_the_share_says(counts, p):
    counts = np.array(counts)
    weeks, is_open = waits.quantile_weeks(counts, p)
    if counts.sum() == 0:
        assert np.isnan(weeks)
        return
    edges = [*waits.EDGES, np.inf]
    below = np.interp(weeks, waits.EDGES, np.concatenate([[0], counts[:-1].cumsum()]))
    if is_open:
        assert weeks == 52
        assert counts[:-1].sum() < p * counts.sum() + 1e-6
    else:
        assert below == pytest.approx(p * counts.sum(), abs=1e-6 * counts.sum())
        assert edges[0] <= weeks <= 52


def test_negative_numbers_are_refused():
    bad = rows([1, 2, 3, 4, 5, 6, 7])
    bad.loc[3, "waiting"] = -4
    with pytest.raises(DataError, match=r"X1, .Therapy.*January 2023: -4 people wait"):
        waits.wide(bad)


def test_bands_above_the_total_are_refused():
    with pytest.raises(DataError, match="bands add up to 28, the total is 20"):
        waits.wide(rows([1, 2, 3, 4, 5, 6, 7], total=20))


def test_runs_of_months_end_where_one_is_missing():
    months = pd.to_datetime(["2023-03-01", "2022-12-01", "2023-01-01", "2023-03-01", "2023-05-01"])
    assert waits.runs(months).tolist() == [0, 0, 1, 2]


def test_nothing_is_compared_across_a_month_without_lists(table):
    found = changes.changes(table, organisations=["RM3", "QOP"], members=changes.members())
    months = table["month"].drop_duplicates()
    held = set(months)
    for start, end in found[["start", "end"]].drop_duplicates().itertuples(index=False):
        assert set(pd.date_range(start, end, freq="MS")) <= held
    assert {2023, 2025} <= set(found["end"].dt.year)


def test_a_claim_meets_the_months_that_had_been_published():
    assert waits.then()["month"].max() == pd.Timestamp("2023-10-01")
    assert waits.then("2023-06")["month"].max() == pd.Timestamp("2023-04-01")
    later = waits.then("2025-09")["month"]
    assert later.min() == pd.Timestamp("2024-08-01")
    assert later.max() == pd.Timestamp("2025-07-01")
    assert waits.since()["month"].min() == pd.Timestamp("2024-08-01")
    with pytest.raises(MissingDataError, match="No waiting list had been published by 2022-01"):
        waits.then("2022-01")


def test_lists_that_repeat_are_no_return_and_leave_the_sums():
    own = rows([1] * 7).assign(repeated=[7, *[1] * 7])
    board = rows([30] * 7, code="Q1", level="icb", part_of="Y1").assign(repeated=[7, *[1] * 7])
    empty = rows([3] * 7, code="Q2", level="icb", part_of="Y1").assign(repeated=[7, *[1] * 7])
    lists = waits.wide(pd.concat([own, board, empty])).set_index("organisation_code")
    assert lists.loc[["X1", "Q2"], ["total", "52+"]].isna().all(axis=None)
    assert lists.loc["Q1", ["total", "52+", "banded"]].tolist() == [203, 29, 203]


def test_months_whose_month_before_is_not_at_hand_have_no_list_that_repeats(table):
    # So notes say "as far as that is at hand": of the later lists for first and last month not.
    months = table["month"].drop_duplicates().sort_values()
    after_gap = months[~months.isin(months + pd.DateOffset(months=1))]
    repeats = table.loc[table["repeated"] > 0, "month"].unique()
    assert set(months) - set(repeats) == set(after_gap)
    later = waits.since()["month"]
    assert {later.min(), later.max()} <= set(after_gap)
    page = (ROOT / "notebooks" / "05_waiting_times.ipynb").read_text(encoding="utf-8")
    assert page.count("before are left out, as far as that is at hand") == 1
    assert "before are left out.\\" not in page


def test_an_empty_selection_and_an_unknown_base_are_refused(table):
    with pytest.raises(MissingDataError, match="No waiting list"):
        waits.wide(table[table["organisation_code"] == "nobody"])
    with pytest.raises(ParameterError, match="'banded' or 'all'"):
        measured([1] * 7, base="everyone")


def test_published_bands_and_totals_pass_the_checks(table):
    waits.check(table)


def test_sums_of_providers_are_the_published_boards(table):
    lists = waits.wide(table[(table["age_group"] == "cyp") & (table["service"] == OT)])
    own = changes.merged_providers(lists).merge(changes.membership(table))
    sums = pd.concat([
        own.groupby([own[level].rename("organisation_code"), "month"])[["total", "52+"]]
        .sum(min_count=1).reset_index()
        for level in ("icb", "region", "england")
    ])  # fmt: skip
    both = sums.merge(lists, on=["organisation_code", "month"], suffixes=("", "_published"))
    # One provider changed its board and one was counted in a foreign region: those differ.
    changed = {"QH8", "QJG", "Y56", "Y59"}
    stable = both[~both["organisation_code"].isin(changed)].dropna(subset="total_published")
    assert len(stable) > 300
    assert (stable["total"] == stable["total_published"]).all()
    assert (stable["52+"] == stable["52+_published"]).all()


def test_only_those_who_reported_throughout_are_added():
    table = pd.concat(
        [
            rows([1] * 7, code="A"), rows([2] * 7, code="A", month=FEBRUARY),
            rows([10] * 7, code="B"), rows([0] * 7, code="B", month=FEBRUARY).assign(
                waiting=pd.array([pd.NA] * 8, "Int64")
            ),
        ]
    )  # fmt: skip
    members = pd.DataFrame(
        {"organisation_code": ["A", "B"], "icb": "Q1", "region": "Y1", "england": "E92000001"}
    )
    found = changes.changes(table, organisations=["Q1"], services=[OT], members=members)
    found = found[(found["measure"] == "waiting") & (found["reporting"] == "throughout")]
    assert found[["before", "after"]].to_numpy().tolist() == [[7, 14]]


def test_a_merged_trust_counts_with_its_predecessor(table):
    lists = waits.wide(
        table[(table["age_group"] == "cyp") & (table["service"] == "Community paediatric service")]
    )
    merged = changes.merged_providers(lists)
    assert "RVY" in set(lists["organisation_code"])  # Southport and Ormskirk, until June 2023
    assert "RVY" not in set(merged["organisation_code"])
    june = lists[lists["month"] == "2023-06-01"].set_index("organisation_code")["total"]
    both = merged[(merged["month"] == "2023-06-01")].set_index("organisation_code")["total"]
    assert both["RBN"] == june[["RVY", "RBN"]].sum()
    # As the lists are read, so they are added up.
    entries = rules()["codes_not_printed"].values()
    assert {one["code"]: one["now"] for one in entries if "now" in one} == changes.MERGED
    assert waits.lines() == sorted(rules()["services"]["cyp"])


def added_up(lists, members, months):
    """Sums over the providers with a total in every one of the months."""
    own = changes.merged_providers(lists[lists["month"].isin(months)])
    seen = own.groupby(["organisation_code", "service"])["month"].transform("nunique")
    own = own[seen == len(months)].merge(members)
    parts = [
        own.groupby([own[level].rename("organisation_code"), "service", "month"])[waits.NUMBERS]
        .sum(min_count=1).reset_index()
        for level in ("icb", "region", "england")
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_changes_agree_with_a_plain_loop_over_windows(then):
    codes, services = ["RM3", "QOP", "E92000001"], [OT, "Audiology"]
    found = changes.changes(then, organisations=codes, services=services)
    lists = waits.wide(then[then["service"].isin(services)])
    members = changes.membership(then)
    months = sorted(lists["month"].unique())
    key = ["organisation_code", "service", "measure"]
    rng = np.random.default_rng(1)
    for _ in range(6):
        i, j = sorted(rng.choice(len(months), 2, replace=False))
        values = waits.measures(added_up(lists, members, months[i : j + 1]))
        values = values[values["unit"] != waits.OPEN_UNIT]
        ends = [
            values[values["month"] == m].set_index(key)["value"] for m in (months[i], months[j])
        ]
        expected = (100 * (ends[1] - ends[0]) / ends[0].where(ends[0] > 0)).dropna()
        ours = found[
            (found["start"] == months[i]) & (found["end"] == months[j])
            & (found["reporting"] == "throughout") & (found["base"] == "banded")
            & (found["level"] != "provider")
        ].set_index(key)["change"].dropna()  # fmt: skip
        expected = expected[expected.index.isin(ours.index)]
        assert len(ours) >= 10
        pd.testing.assert_series_equal(ours.sort_index(), expected.sort_index(), check_names=False)


def test_every_pair_of_months_and_both_ways_of_counting_are_there(then):
    found = changes.changes(then, organisations=["QOP"], services=[OT])
    published = found[(found["reporting"] == "all") & (found["measure"] == "waiting")]
    assert len(published) == 45
    first = published[(published["start"] == JANUARY) & (published["end"] == FEBRUARY)].iloc[0]
    assert first["change"] == pytest.approx(100 * (1144 / 5603 - 1))  # read off the workbooks
    assert set(found["base"]) == {"banded", "all"}
    assert set(found["measure"]) == set(waits.MEASURES)


def test_the_tenfold_fall_is_one_provider_in_one_month(then):
    found = changes.steps(then).query("months == 1")
    jump = found.loc[(found["total"] - found["before"]).abs().idxmax()]
    assert jump["organisation"] == "Manchester University NHS Foundation Trust"
    assert (jump["before"], jump["total"], jump["month"]) == (4976, 492, FEBRUARY)
    assert jump["tripled"]


def test_lists_returned_without_bands_are_found(then):
    worst = changes.unbanded(then).iloc[0]
    assert worst["organisation_code"] == "RM3"
    assert (worst["total"], worst["short"]) == (4169, 1497)


def test_bury_is_linked_to_its_provider_board_region_and_country():
    found = waits.organisations("bury")
    assert found["organisation_code"].tolist() == ["RM3", "QOP", "Y62", "E92000001"]
    assert found["level"].tolist() == ["provider", "icb", "region", "england"]


@pytest.mark.parametrize(
    ("area", "codes"),
    [
        ("Leeds", ["QWO", "Y63", "E92000001"]),
        ("Cheshire East", ["QYG", "Y62", "E92000001"]),
        ("Essex", ["QH8", "QJG", "QM7", "Y61", "E92000001"]),
        ("Lincolnshire", ["QJM", "Y60", "E92000001"]),  # not the board of North Lincolnshire
        # Named after neither the borough nor its districts.
        ("Camden", ["QMJ", "Y56", "E92000001"]),
        ("Dudley", ["QUA", "Y60", "E92000001"]),
        ("Hartlepool", ["QHM", "Y63", "E92000001"]),
        # The board named after the county comes first.
        ("North Yorkshire", ["QOQ", "QE1", "QWO", "Y63", "Y62", "E92000001"]),
        # No list of children in Frimley, which Surrey lies in too.
        ("Surrey", ["QXU", "Y59", "E92000001"]),
    ],
)
def test_boards_are_those_of_the_departments_link(area, codes):
    assert waits.organisations(area)["organisation_code"].tolist() == codes


def test_every_authority_has_a_board_and_branches(table):
    links = tables.load("nhs_area_links")
    known = tables.load("areas")
    local = set(known.loc[known["level"] == "local authority", "area_code"])
    boards, branches = (links[links["level"] == level] for level in ("icb", "sub_icb"))
    assert set(boards["area_code"]) == set(branches["area_code"]) == local
    assert boards["organisation_code"].nunique() == 42
    assert branches["organisation_code"].nunique() == 106
    assert set(boards["organisation_code"]) - set(table["organisation_code"]) == {"QNQ"}
    assert (boards.groupby("area_code")["rank"].min() == 1).all()


def test_a_list_of_nobody_beside_a_hundred_is_not_returned():
    for table in (waits.then(), waits.since()):
        known = waits.wide(table).sort_values("month")
        key = [known["organisation_code"], known["service"]]
        run = known["month"].map(waits.runs(known["month"]))
        held = known["total"].where(known["total"] > 0).groupby([*key, run])
        for beside in (held.ffill(), held.bfill()):
            assert not ((beside >= 100) & (known["total"] == 0)).any()
    # CSH Surrey printed 689, 158 and 121 in March 2025, 0 in all three services in April, then
    # nothing; Wirral 2,138 in July 2023, 0 in August, 2,002 in September.
    known = (
        waits.wide(waits.since())
        .set_index(["organisation_code", "service", "month"])["total"]
        .sort_index()
    )
    for service, last in (
        ("speech and language", 689), ("occupational therapy", 158), ("physiotherapy", 121)
    ):  # fmt: skip
        found = known["NTV", waits.SERVICES[service]].dropna()
        assert (found.index[-1], found.iloc[-1]) == (pd.Timestamp(2025, 3, 1), last)
    # Dorset HealthCare printed 0 in August 2024, 135 in September.
    found = known["RDY", waits.SERVICES["speech and language"]].dropna()
    assert (found.index[0], found.iloc[0]) == (pd.Timestamp(2024, 9, 1), 135)
    assert "Dorset had 135 children waiting in September 2024" in " ".join(words.later("Dorset"))
    surrey = words.later("Surrey")
    assert "689 in March 2025" in " ".join(surrey) and " and 0 in " not in " ".join(surrey)


def test_how_good_a_link_is_is_said():
    links = tables.load("nhs_area_links").set_index(["area_code", "organisation_code"])["basis"]
    bury, camden, cumberland = "E08000002", "E09000007", "E06000063"
    assert links[bury, "QOP"] == nhs_organisations.BASES["only"]
    assert links[bury, "00V"] == nhs_organisations.BASES["own"]
    assert (
        links[camden, "93C"] == nhs_organisations.BASES["shared"]
    )  # North Central London's one branch
    assert (
        links[cumberland, "QE1"] == nhs_organisations.BASES["further"] + nhs_organisations.DIVIDED
    )


def test_series_of_an_area_has_every_month_and_measure():
    found = waits.waits("Bury", services=["occupational therapy"])
    assert list(found) == [
        "month", "organisation", "level", "service", "measure", "value", "unit"
    ]  # fmt: skip
    assert len(found) == 4 * 5 * 23  # organisations, measures, months
    board = found[(found["level"] == "icb") & (found["measure"] == "waiting")]
    assert board["value"].tolist()[:2] == [5603, 1144]
    gap = found[(found["level"] == "provider") & (found["month"] == "2023-07-01")]
    assert gap["value"].isna().all()


def test_the_share_on_the_whole_list_is_the_departments_own(table):
    # (3,805 + 508) of 17,272 children wait over 18 weeks for audiology in January 2023.
    england = waits.wide(
        table[
            (table["organisation_code"] == "E92000001") & (table["age_group"] == "cyp")
            & (table["service"] == "Audiology")
        ]
    )  # fmt: skip
    found = waits.measures(england, base="all")
    share = found[(found["measure"] == "share_over_18_weeks") & (found["month"] == JANUARY)]
    assert share["value"].iloc[0] == pytest.approx(24.9710514126911)


def test_unknown_services_are_refused_with_what_is_missing():
    with pytest.raises(UnknownNameError, match="no list for child and adolescent mental health"):
        waits.waits("Bury", services=["camhs"])
    with pytest.raises(UnknownNameError, match="Did you mean 'physiotherapy'"):
        waits.service_line("physiotherapie")


def test_command_prints_json_rows(capsys, monkeypatch):
    monkeypatch.setattr(
        sys,
        "argv",
        ["send-analysis", "waits", "bury", "--service", "physiotherapy", "--format", "json"],
    )
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    out = capsys.readouterr()
    found = json.loads(out.out)
    assert set(found[0]) == {
        "month",
        "organisation",
        "level",
        "service",
        "measure",
        "value",
        "unit",
    }
    last = [
        r for r in found
        if r["month"] == "2023-10" and r["level"] == "icb" and r["measure"] == "waiting"
    ]  # fmt: skip
    assert [r["value"] for r in last] == [2159]
    assert any(r["value"] is None for r in found)  # the provider's missing July
    assert "No list is one authority's" in out.err
