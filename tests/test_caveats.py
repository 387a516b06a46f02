"""No growth across a break, and nothing from a flagged return: on every page and on the index."""

import re

import pandas as pd
import pytest

from send_analysis import areas, caveats, quality, tables
from send_analysis.capacity import views as capacity_views
from send_analysis.forecasting import views
from send_analysis.forecasting import words as forecasting
from send_analysis.growth import account as stock
from send_analysis.growth import charts, decomposition, panel, series, stages, words
from send_analysis.growth import counterfactuals as others
from send_analysis.report import england, index

BURY = "E08000002"
# What a headline says where it claims growth, a place or a forecast.
CLAIMS = re.compile(r"[+−-]\d+ %|place \d|\d(st|nd|rd|th) of|is likely to have|will need|grew by")


def flagged(table, category):
    return sorted(caveats.flagged(table, caveats.latest(table), category=category).index)


PLANS = flagged("ehc_plans", "all")
PLACED = flagged("placements", "special / all")


def one(area, table, start, end, category="all"):
    frame = pd.DataFrame({"area_code": [areas.find(area)]})
    return caveats.crossed(frame, table, start, end, category=category).iloc[0]


def test_the_flagged_returns_of_january_2025():
    """Read off caseload.csv 2025 and the notes of the releases of 2025 and 2026."""
    assert [areas.name(code) for code in PLANS] == ["Newham"]
    assert {areas.name(code) for code in PLACED} == {
        "Newham", "North East Lincolnshire", "Cambridgeshire", "Brighton and Hove", "Wolverhampton",
    }  # fmt: skip
    then = caveats.flagged("placements", 2024, category="special / all")
    assert {areas.name(code) for code in then.index} == {"Hackney", "Peterborough", "Nottingham"}
    swapped = caveats.flagged("tribunals", 2024, category="decisions")
    assert {areas.name(code) for code in swapped.index} == {
        "Cambridgeshire",
        "Central Bedfordshire",
        "Isles of Scilly",  # 57 decisions of an authority with 17 plans
        "Newham",  # its plans are among its decisions
    }


@pytest.mark.parametrize("code", PLANS)
def test_no_headline_of_a_flagged_area_leans_on_its_return(code):
    latest = series.totals([code]).set_index("year")["plans"].iloc[-1]
    said = [*words.grew(code), *forecasting.headline(code)]
    assert f"{latest:,} plans in January 2025" in said[0]
    assert not [text for text in said if CLAIMS.search(text)], said
    for text in words.causes(code):
        assert not re.search("plans ceased|new plans|of children of the same age", text)
        assert "grew" not in text
    with pytest.raises(panel.MissingDataError):
        panel.growth_ratios(code)
    assert code not in set(panel.growth_ratios(draws=10)["area_code"])
    ranked = series.growth(2019, 2025).set_index("area_code").loc[code]
    assert pd.isna(ranked["rank"]) and ranked["caveat"]
    assert "cannot be told" in charts.indexed(series.indexed(code)).title


@pytest.mark.parametrize("code", sorted({*PLANS, *PLACED}))
def test_no_places_are_forecast_from_flagged_placements(code):
    assert areas.name(code) in capacity_views.gap(code)
    categories = set(views.forecast(code)["category"])
    assert not categories & {"state special school", "mainstream"}


def test_the_index_marks_flagged_areas_and_does_not_rank_them():
    rows = england.with_chances(england.summary(), {}).set_index("area_code")
    assert rows.index[rows["flagged"]].tolist() == PLANS
    for code in PLANS:
        row = rows.loc[code]
        assert row[["growth", "rate", "expected", "expected_low", "expected_high"]].isna().all()
        assert "1,199" in row["caveat"]
        leaning = [it for it in index._measures(rows) if it.name in index.FLAGGED]
        cells = [index._cell(row.to_dict(), it) for it in leaning]
        assert all(value == "" and "flagged" in text for value, text in cells)
    broken = rows[(rows["caveat"] != "") & ~rows["flagged"]]
    assert broken.index.tolist() == ["E06000018"]  # Nottingham: 1,371, 2,115 and 1,909 plans
    assert broken["growth"].isna().all() and broken["rate"].notna().all()
    sound = rows[rows["caveat"] == ""]
    assert sound["growth"].notna().sum() == 152


def test_what_is_left_out_is_that_of_the_table_that_is_flagged():
    """Dorset's times are flagged, its plans are not: its growth is told beside them."""
    rows = england.summary().set_index("area_code")
    timed = rows[rows["in_time_caveat"] != ""]
    assert {"City of London", "Dorset", "Isle of Wight"} <= set(timed["area"])
    for row in timed.itertuples():
        assert "No share in time is worked out" in row.in_time_caveat
        assert pd.isna(row.in_time) and pd.notna(row.expected)
        assert "growth" not in row.in_time_caveat and "forecast" not in row.in_time_caveat
    for text in rows.loc[rows["flagged"], "caveat"]:
        assert "No growth, rank or forecast is worked out" in text


def test_totals_that_hold_a_flagged_return_say_so():
    summary = england.summary()
    whole, local = summary["plans"].iloc[0], summary["plans"].iloc[1:]
    assert local.sum() == whole  # Newham's 1,199 among them
    assert "totals of England and its region hold what was returned" in england.story(summary)[-1]


def test_growth_across_the_new_return_is_not_growth():
    assert one(BURY, "placements", 2019, 2025, "special / all").startswith(
        "the series breaks in 2023 (placements come from a list of plans"
    )
    # the first January of the new return compares neither way
    assert one(BURY, "placements", 2022, 2023, "special / all")
    assert one(BURY, "placements", 2023, 2024, "mainstream / academy SEN unit")
    assert not one(BURY, "placements", 2024, 2025, "special / all")
    assert not one(BURY, "placements", 2019, 2022, "special / all")
    assert one(BURY, "ehc_plans", 2022, 2024, "5-10")
    assert not one(BURY, "ehc_plans", 2019, 2025)  # the total is one series


def test_categories_cut_otherwise_are_found():
    # caseload.csv: home education is counted apart from January 2020 on (2,983 in England), when
    # arrangements by parents fall from 2,809 to 618
    said = one("England", "placements", 2019, 2020, "educated elsewhere / arranged by parents")
    assert "elective home education counted apart for the first time" in said
    assert not one("England", "placements", 2019, 2020, "educated elsewhere / all")
    assert "2019" in one("England", "placements", 2018, 2022, "educated elsewhere / all")


def test_a_flag_of_one_year_leaves_windows_around_it_alone():
    # the law on time limits was changed for a part of 2020
    assert one("Kent", "timeliness", 2019, 2020, "excluded / any time")
    assert one("Kent", "timeliness", 2020, 2021, "excluded / any time")
    assert not one("Kent", "timeliness", 2019, 2021, "excluded / any time")
    # a jump breaks the series for good
    assert one("Newham", "ehc_plans", 2019, 2024)
    assert not one("Newham", "ehc_plans", 2021, 2024)


def test_footprints_have_the_jumps_of_their_members_and_not_their_boundaries():
    frame = pd.DataFrame({"area_code": ["E06000063", "E06000063+E06000064"]})
    own, both = caveats.crossed(frame, "ehc_plans", 2019, 2025)
    assert "boundaries" in own and both == ""


@pytest.mark.parametrize("table", tables.catalogue().index)
def test_no_authority_is_said_to_begin_later_than_its_figures(table):
    counted = tables.load(table)
    if not {"area_code", "year"} <= set(counted):
        return
    first = counted.groupby("area_code")["year"].min()
    rows = caveats.breaks(table).query("kind == 'boundary'")
    for row in rows[rows["area_code"].isin(first.index)].itertuples():
        began = "began in April" in row.note  # a calendar year is there from before the January
        assert first[row.area_code] >= row.year - began, row


def test_the_first_calendar_year_of_an_authority_may_not_be_whole():
    """requests.csv: Cumberland's first calendar year is 2023; it began on 1 April 2023."""
    said = one("Cumberland", "requests", 2023, 2024)
    assert "began in April 2023" in said and "only from then on" not in said
    assert not one("Cumberland", "population", 2019, 2024)


@pytest.mark.parametrize(
    ("group", "year", "who"),
    [("London", 2025, "Newham"), ("England", 2025, "Newham"), ("England", 2024, "Nottingham"),
     ("North West", 2025, ""), ("England", 2023, ""), ("Newham", 2025, "")],
)  # fmt: skip
def test_a_total_names_the_flagged_returns_in_it(group, year, who):
    said = caveats.held("ehc_plans", areas.Area(areas.find(group)), year)
    assert said == (
        f"The total of January {year} holds the flagged return of {who}." if who else ""
    )


def test_a_total_lacks_what_was_withheld_and_does_not_hold_it():
    """timeliness.csv: four authorities gave no figures for 2022."""
    assert caveats.flagged("timeliness", 2022).size == 4
    assert not caveats.held("timeliness", areas.Area(areas.ENGLAND), 2022)


def test_yearly_steps_across_a_break_are_marked_series_by_series():
    frame = pd.DataFrame({"area_code": ["A", "A", "A", "B", "B"],
                          "year": [2025, 2022, 2024, 2022, 2023]})  # fmt: skip
    said = caveats.yearly(frame, "placements", category="special / all")
    assert (said != "").tolist() == [False, False, True, False, True]


@pytest.mark.parametrize(
    ("pattern", "category", "touched"),
    [
        ("", "all", True), ("", "special / all", True), ("*", "all", False),
        ("*", "special / all", True), ("all", "all / all", True), ("all", "5-10", False),
        ("excluded / *", "excluded / any time", True),
        ("excluded / *", "included / any time", False),
    ],
)  # fmt: skip
def test_patterns_of_categories(pattern, category, touched):
    assert quality.touches(pattern, category) is touched


def test_headlines_of_ages_obey():
    said = words.grew("Bury")
    assert not [text for text in said if text.startswith("The largest increase by age")]
    assert [text for text in said if "How plans of an age grew since 2019 cannot be told" in text]
    # within the new return growth by age is growth
    assert any("largest increase by age since 2024" in text for text in words.grew("Cumberland"))
    assert (series.by("age band", "Bury", start=2024)["caveat"] == "").all()
    title = charts.categories(series.by("placement", "Bury"), "placement").title
    assert "grew" not in title


def test_results_carry_the_reason():
    parts = decomposition.decompose("Bury").set_index(["component", "age_band"])["caveat"]
    assert parts["all", "all"] == "" and parts["prevalence", "all"]
    like = others.counterfactuals("Bury").set_index(["role", "basis"])["caveat"]
    assert like["england", "plans"] == "" and like["england", "plans a head"]
    ratios = stages.ratios("Bury").query("role == 'area'").set_index(["measure", "year"])["caveat"]
    assert ratios["requests assessed", 2023] and not ratios["requests assessed", 2024]
    assert ratios["plans ceased", 2022] and not ratios["requests per 1,000 residents", 2022]
    account = stock.stock_account("Bury").set_index("item")["caveat"]
    assert account["other"] and not account["new plans"]


def test_flagged_flows_have_no_place():
    found = stages.ratios("Newham").query("role == 'area' and year == 2024").set_index("measure")
    assert "plans ceased" not in found.index
    assert found.loc["requests assessed", "rank"] > 0
    others = stages.ratios("Bury").query("role == 'area' and year == 2024").set_index("measure")
    asked = others.loc["requests per 1,000 residents", "ranked"]
    assert others.loc["plans ceased", "ranked"] == asked - 1


def test_every_check_is_known_to_cast_doubt_or_not():
    """A new check has to be put into one of the two lists."""
    assert set(tables.load("quality")["check"]) <= {*quality.DOUBTS, *quality.SETTLED}


def test_breaks_are_of_tables_and_areas_that_there_are():
    rows = tables.load("series_breaks")
    names = {entry["name"] for entry in tables.descriptor()["resources"]}
    assert set(rows["table"]) <= names | {""}
    assert set(rows["area_code"]) <= {"", *tables.load("areas")["area_code"]}
    assert (rows["settled"] >= rows["year"]).all()
    assert rows[["note", "source"]].ne("").all(axis=None)


def test_england_in_2023_bears_the_mark_of_the_new_return():
    """The break is in the figures: more authorities halve in units than in the years before."""
    rows = tables.load("placements").query("placement_group == 'mainstream'")
    units = rows[rows["placement"].str.contains("unit|resourced")]
    units = units[units["area_code"].isin(areas.current())]
    wide = units.groupby(["area_code", "year"])["plans"].sum(min_count=1).unstack().astype(float)
    halved = {
        year: int(((wide[year] <= wide[year - 1] / 2) & (wide[year - 1] >= 20)).sum())
        for year in range(2019, 2024)
    }
    assert halved[2023] > 2 * max(halved[year] for year in (2020, 2021, 2022))
