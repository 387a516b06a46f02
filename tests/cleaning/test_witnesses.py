"""Tables agree with figures that were published elsewhere, not only with the file they are from."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.areas import ENGLAND, current
from send_analysis.cleaning import lait

# Table → totals published outside the file that it is read from: rows of the table, the column
# added up, the published figure, half of its last digit, who published it.
ENGLISH = {"area_code": ENGLAND}
TOTALS = {
    "ehc_plans": [
        ({**ENGLISH, "year": 2024, "age_band": "all"}, "plans", 576_474, 0, "release of 2024"),
        ({**ENGLISH, "year": 2025, "age_band": "all"}, "plans", 638_745, 0, "release of 2025"),
    ],
    # Parliamentary answer 100030 of 7 January 2026: £1,384.4m at £56,710 a plan.
    "placements": [
        ({**ENGLISH, "year": 2022, "placement_group": "special",
          "placement": ["independent", "non-maintained"]}, "plans", 24_412, 0.5, "answer 100030"),
    ],
    # Lines 1.2.3 for special schools, the same answer in £ million; a later revision moved it by
    # a hundredth of one per cent. In 2020-21 it was 1,134.
    "high_needs_spending": [
        ({"year": 2021, "account": "outturn", "funding": "top-up, independent",
          "provision": "special"}, "pounds", 1_343.5e6, 0.5e6, "answer 100030"),
    ],
    "high_needs_funding": [
        ({**ENGLISH, "year": 2020}, "high_needs", 7_063e6, 0.5e6, "answer 149231"),
        ({**ENGLISH, "year": 2021}, "high_needs", 7_906e6, 0.5e6, "answer 149231"),
    ],
    # The Children's Commissioner's briefings on children's mental health services.
    "mental_health_waits": [
        ({"organisation_code": ENGLAND, "year": year, "counts": "people", "measure": "referred",
          "services": "mental health"}, "value", people, 0, "Children's Commissioner")
        for year, people in ((2019, 538_564), (2020, 497_502), (2021, 733_756))
    ],
    # NHS Confederation and NHS Providers, May 2023.
    "nhs_waits": [
        ({"organisation_code": ENGLAND, "month": pd.Timestamp("2023-03-01"), "age_group": "cyp",
          "band": "total"}, "waiting", 227_490, 0, "NHS Confederation, May 2023"),
    ],
}  # fmt: skip
# Held by the Department's interactive tool, by area and year, below.
TOOL = lait.TABLES
# Held by other tests of this folder and of `cleaning`.
ELSEWHERE = {
    "population": "all ages of England, the revised series: cleaning/test_population.py",
    "inspections": "the inspectorate's count to December 2024: below",
    "pupils": "the Department's dashboard: below",
    "areas": "the House of Commons Library's map: below",
    "area_codes": "the same authorities as `areas`",
    **dict.fromkeys(
        ("mental_health_contacts", "mental_health_spending", "mental_health_first_contacts",
         "autism_referrals"),
        "each other, and figures printed elsewhere: cleaning/test_nhs_children.py",
    ),
}  # fmt: skip
# Finer cuts whose whole is a table above.
PARTS = {
    "ehc_plans_by_age": "ehc_plans",
    "new_plans_by_age": "new_plans",
    "new_plans_by_placement": "new_plans",
    "ceased_plans_by_age": "ceased_plans",
    "ceased_plans_by_setting": "ceased_plans",
}
NONE_PUBLISHED = {
    "primary_need": "counts by need are in this release alone; they add up to ehc_plans",
    "neighbours": "a list of the Department's tool, not a count",
    "high_needs_places": "no total of funded places without maintained schools is published",
    "mainstream_places": "the scorecards are the only edition at hand",
    "dsg_deficits": "shares of income; pounds are published for March 2024 only",
    "hexagons": "outlines of a map, not a count",
    "nhs_area_links": "a list, not a count",
    "quality": "findings made here",
    "series_breaks": "findings made here",
}


def picked(name, where):
    frame = tables.load(name)
    for column, wanted in where.items():
        frame = frame[frame[column].isin(wanted if isinstance(wanted, list) else [wanted])]
    return frame


@pytest.mark.parametrize(
    ("name", "where", "value", "published", "half", "by"),
    [(name, *one) for name, totals in TOTALS.items() for one in totals],
)
def test_tables_come_to_what_others_published(name, where, value, published, half, by):
    total = float(picked(name, where)[value].sum())
    assert total == pytest.approx(published, abs=half), by


def test_every_table_has_a_witness_or_a_reason():
    said = {*TOTALS, *TOOL, *ELSEWHERE, *PARTS, *NONE_PUBLISHED}
    assert {entry["name"] for entry in tables.descriptor()["resources"]} <= said


def test_the_published_cost_of_a_place_is_recomputed():
    """Answer 100030: £57,000 a plan in 2021-22, top-up and £40,880,000 of place funding."""
    where, value, *_ = TOTALS["high_needs_spending"][0]
    money = float(picked("high_needs_spending", where)[value].sum()) + 40_880e3
    where, value, *_ = TOTALS["placements"][0]
    assert money / float(picked("placements", where)[value].sum()) == pytest.approx(57_000, abs=500)


def test_inspections_are_as_many_as_the_inspectorate_counted():
    """Ofsted, 26 June 2025: 54 to December 2024, 14 typically positive, 26, 14 systemic."""
    found = tables.load("inspections")
    began = found["start"].fillna(found["published"])
    grades = found.loc[began < "2025-01-01", "outcome_grade"].value_counts()
    assert grades.to_dict() == {1: 14, 2: 26, 3: 14}
    year = began[began < "2025-01-01"].dt.year
    assert found["outcome_grade"].groupby(year).value_counts().to_dict() == {
        (2023, 1): 7, (2023, 2): 11, (2023, 3): 8, (2024, 1): 7, (2024, 2): 15, (2024, 3): 6,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "whole"), PARTS.items())
def test_finer_cuts_add_up_to_the_table_that_is_held(name, whole):
    fine, coarse = tables.load(name), tables.load(whole)
    dimensions = [c for c in ("age", "setting", "placement_group", "placement", "reason")
                  if c in fine]  # fmt: skip
    rows = fine[fine["area_code"] == ENGLAND]
    for column in dimensions:
        if column != "age":
            rows = rows[rows[column] == "all"]
    total = rows.groupby("year")["plans"].sum()
    # Until 2015 not every new statement had a placement.
    total = total[total.index > 2015] if name == "new_plans_by_placement" else total
    other = coarse[coarse["area_code"] == ENGLAND]
    column = next(c for c in ("age_band", "reason") if c in other)
    published = other[other[column] == "all"].set_index("year")["plans"]
    gap = (published.reindex(total.index) - total).astype(float)
    # Authorities that gave totals only, and plans without an age, are in the whole alone.
    assert (gap >= 0).all() and (gap / total < 0.02).all()


@pytest.mark.official
def test_the_departments_tool_agrees_by_area_and_year(official):
    made = {name: tables.load(name) for name in lait.TABLES}
    rows = lait.compared(official, tables.load("areas"), made)
    both = rows[rows["ours"].notna()]
    assert len(both) > 10_000
    wrong = both[~both["agree"]]
    # New plans of 2022 in Yorkshire and the Humber: the tool repeats the region's 6,078.
    local = wrong[wrong["area_code"].str.match("E0[6-9]|E10")]
    assert len(local) == 15
    assert (local["measure"] == "SEN_CASES_DUR_YEAR").all() and (local["printed"] == 6_078).all()
    # Regions' appeal rates are the tool's own reckoning.
    assert set(wrong.loc[~wrong.index.isin(local.index), "measure"]) <= {"SEN_AppealableDec"}


def test_what_the_tool_prints_otherwise_is_a_finding():
    found = tables.load("quality").query("check == 'differs from the interactive tool'")
    assert (found["table"] == "new_plans").sum() == 15
    assert (found["action"] == "explained").all()


@pytest.mark.official
def test_pupils_agree_with_the_departments_dashboard(official):
    other = pd.read_csv(official / "send_dashboard" / "pupils_with_sen_per_cent.csv.gz")
    other = other[other["new_la_code"].notna()]
    other["year"] = other["academic_year"].str[:4].astype(int) + 1
    kinds = {"EHC plan": "EHC plan or statement", "SEN support": "SEN support"}
    other["support"] = other["SEN provision"].map(kinds)
    codes = dict(tables.load("area_codes")[["code", "area_code"]].to_numpy())
    other["area_code"] = other["new_la_code"].map(codes)
    both = tables.load("pupils").merge(
        other.dropna(subset=["area_code", "support"]), on=["area_code", "year", "support"]
    )
    assert len(both) > 1_500
    apart = np.abs(both["percent"].astype(float) - both["% of pupils"].astype(float))
    assert apart.max() <= 0.051


@pytest.mark.official
def test_pupils_are_those_of_all_schools(official):
    """Shares built from the dashboard's cuts agree when independent schools are in, not without.

    One cut has pupils of mainstream schools by support, the other the share of each kind of
    school in all pupils and in those with a plan.
    """
    folder = official / "send_dashboard"
    pupils = pd.read_csv(folder / "mainstream_pupils_by_sen.csv.gz")
    kinds = pd.read_csv(folder / "pupils_by_provider_and_sen.csv.gz")
    published = pd.read_csv(folder / "pupils_with_sen_per_cent.csv.gz")
    local = "academic_year == '2022/23' and geographic_level == 'Local authority'"
    pupils = pupils.query(f"{local} and `SEN provision` == 'EHC plan'").set_index("la_name")
    published = published.query(f"{local} and `SEN provision` == 'EHC plan'").set_index("la_name")
    parts = kinds.query(local).pivot_table(
        index="la_name",
        columns=["Provision type", "phase_type_grouping"],
        values="% of pupils (with SEN provision type)",
        fill_value=0,
    )
    every, planned = parts["all pupils"], parts["pupils with EHC plans"]
    mainstream = ["State-funded primary", "State-funded secondary"]
    plans = pupils["total_pupils"] * pupils["% of pupils"] / planned[mainstream].sum(axis=1)
    people = 100 * pupils["total_pupils"] / every[mainstream].sum(axis=1)
    funded = [kind for kind in every if kind.startswith("State-funded")]
    without = 100 * plans * planned[funded].sum(axis=1) / (people * every[funded].sum(axis=1))
    apart = (100 * plans / people - published["% of pupils"]).abs().dropna()
    assert len(apart) > 150 and apart.max() < 0.1
    assert (without - published["% of pupils"]).abs().max() > 2


@pytest.mark.official
def test_authorities_are_those_of_the_house_of_commons_library(official):
    with sqlite3.connect(official / "geography" / "LocalAuthorities-uppertier-2023.gpkg") as file:
        layers = pd.read_sql("select table_name from gpkg_contents", file)["table_name"]
        layer = layers[layers.str.endswith("7 UTLA-2023")].item()
        codes = pd.read_sql(f'select "cua-code" as code from "{layer}"', file)["code"]
    newer = {"E08000016": "E08000038", "E08000019": "E08000039"}  # Barnsley, Sheffield: May 2025
    assert set(codes[codes.str.startswith("E")].replace(newer)) == set(current())


@pytest.mark.official
def test_educated_elsewhere_holds_other_settings_in_every_year(official):
    """The publisher's own group leaves them out until January 2023; the table says so."""
    from send_analysis.cleaning import reading

    entry = reading.release("ehc_plans_2025")
    rows = reading.read_csv(official, entry["path"], entry["files"]["caseload"]["member"])
    rows = rows[rows["breakdown_topic"].str.startswith("All")]
    year = rows["time_period"].str[:2].astype(int) * 100 + rows["time_period"].str[4:].astype(int)
    numbers = rows[["ed_elsewhere", "other_placement_settings"]].apply(
        pd.to_numeric, errors="coerce"
    )
    published = numbers["ed_elsewhere"] + numbers["other_placement_settings"].where(year < 2024, 0)
    code = rows["new_la_code"].where(rows["new_la_code"] != "", rows["region_code"])
    code = code.where(rows["geographic_level"] != "National", ENGLAND)
    known = dict(tables.load("area_codes")[["code", "area_code"]].to_numpy())
    theirs = pd.DataFrame({"area_code": code.map(known), "year": year, "theirs": published})
    ours = picked("placements", {"placement_group": "educated elsewhere", "placement": "all"})
    both = ours.merge(theirs.dropna(), on=["area_code", "year"]).dropna(subset="plans")
    bury = both.query("area_code == 'E08000002'").set_index("year")["plans"]
    assert bury[2019] == 109 + 29  # read off the release
    assert len(both) > 1_000
    assert (both["plans"].astype(float) == both["theirs"]).all()
