"""What two releases carry is the same in both, and no area stands in a year it did not exist."""

import io
import zipfile

import pandas as pd
import pytest

from send_analysis import quality, tables
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import area_names, finance, reading, tribunals
from send_analysis.cleaning.layout import release
from send_analysis.cleaning.reading import tidy
from send_analysis.errors import DataError

KEY = ["area_code", "year"]
# Years of a stock are those of the January. Every other year (a calendar, financial or school
# year) is reported by the authorities of the January that ends it or lies within it.
STOCKS = {"ehc_plans", "ehc_plans_by_age", "placements", "pupils"}
# Residents are counted in today's boundaries, back to before them; findings and breaks may name
# the year in which an authority ended.
ANY_YEAR = {"population", "census", "quality", "series_breaks"}
# Appeals against Northamptonshire until it was divided in April 2021.
IN_ITS_LAST_YEAR = {("tribunals", "E10000021", 2021)}


def areas():
    return tables.load("areas")


def dated():
    """Name of every table with areas and years."""
    names = tables.catalogue().index
    return [name for name in names if {*KEY} <= set(tables.load(name)) and name not in ANY_YEAR]


@pytest.mark.parametrize("name", dated())
def test_no_area_has_a_figure_in_a_year_it_did_not_exist(name):
    frame = tables.load(name)
    stock = pd.Series(name in STOCKS, index=frame.index)
    if name == "primary_need":
        stock = frame["plans_counted"] == "in January"
    january = frame["year"] + (~stock).astype("int64")
    there = area_names.exists(frame["area_code"], january, areas())
    gone = set(map(tuple, frame.loc[~there, KEY].drop_duplicates().to_numpy()))
    assert {(name, *place) for place in gone} <= IN_ITS_LAST_YEAR


def test_dorset_has_the_code_of_its_time():
    deficit = tables.load("dsg_deficits").set_index(KEY)["deficit"]
    # dsg_deficit_derived.xlsx, rows of Dorset
    assert deficit["E06000059"].to_dict() == {2019: 8.82, 2020: 15.06, 2021: 9.89}
    assert "E10000009" not in deficit.index.get_level_values("area_code")
    appeals = tables.load("tribunals").query("measure == 'appeals'").set_index(KEY)["cases"]
    assert appeals["E10000009", 2018] == 44
    assert appeals["E06000059", 2019] == 57


def cases(measure):
    return tables.load("tribunals").query("measure == @measure").set_index(KEY)["cases"]


@pytest.mark.parametrize(
    ("area", "year", "decisions"),
    [  # by name in the table published for 2022 and in that of 2024
        ("E10000021", 2014, 4248),  # Northamptonshire
        ("E06000018", 2014, 671),  # Nottingham
        ("E10000024", 2014, 1812),  # Nottinghamshire
        ("E06000056", 2023, 3711),  # Central Bedfordshire
        ("E10000003", 2023, 7655),  # Cambridgeshire
        ("E10000003", 2024, 4410),  # as printed, not corrected
        ("E06000028", 2014, 727),  # Bournemouth, which has no code in the file
        (ENGLAND, 2024, 689_739),
    ],
)
def test_decisions_stand_under_the_right_name(area, year, decisions):
    assert cases("decisions")[area, year] == decisions


def test_codes_and_the_exchange_of_2024_are_findings():
    found = tables.load("quality").query("table == 'tribunals'")
    wrong = found[found["check"] == "code against name"]
    assert set(wrong["item"]) == {f"LA code {code}" for code in (892, 891, 928, 873, 823)}
    assert (wrong["action"] == "corrected").all()
    pair = found[found["check"] == "exchanged with another area"].set_index("area_code")
    assert pair.loc["E10000003", ["published", "expected"]].tolist() == [4410, 8246]
    assert pair.loc["E06000056", ["published", "expected"]].tolist() == [8246, 4410]
    assert (pair["action"] == "unexplained").all()


@pytest.mark.parametrize("swap", [True, False])
def test_an_exchange_is_found_and_a_lone_jump_is_not_one(swap):
    wide = pd.DataFrame({f"A{n}": [1000 * n, 1050 * n, 1100 * n] for n in range(1, 13)})
    wide.loc[2, ["A1", "A12"]] = [13200, 1100] if swap else [13200, 13100]
    frame = wide.rename_axis("year").melt(ignore_index=False, var_name="area_code").reset_index()
    names = frame[["area_code"]].drop_duplicates().assign(area=lambda f: f["area_code"])
    found = quality.exchanged(frame, names, table="t", value="value")
    assert sorted(found["area_code"]) == (["A1", "A12"] if swap else [])


@pytest.mark.official
def test_the_tribunals_table_of_2022_has_the_same_figures_by_name(official):
    sheet = pd.read_excel(
        official / "tribunals/send_appeal_rate_table_2022.ods", sheet_name="SEND_2",
        engine="calamine", header=None, dtype=str,
    ).fillna("")  # fmt: skip
    years = sheet.loc[3].where(lambda row: row.str.fullmatch(r"20\d\d")).ffill()
    body = sheet.loc[5:]
    body = body[body[1].str.fullmatch(r"\d+|\.\.") & (body[0] != tribunals.LEFT_OUT)]
    compared = 0
    for column in range(1, sheet.shape[1], 3):
        year = int(years[column])
        for offset, measure in enumerate(("appeals", "decisions")):
            printed = pd.to_numeric(body[column + offset], errors="coerce")
            codes = [
                area_names.of_their_time(body[0], january, areas(), file="ods",
                                         levels=tribunals.LEVELS)
                for january in (year + 1, year)
            ]  # fmt: skip
            code = codes[0].where(codes[0] != "", codes[1])
            theirs = printed.set_axis(code).dropna()
            ours = cases(measure).xs(year, level="year").dropna()
            pd.testing.assert_series_equal(
                ours.astype(float).sort_index(), theirs.astype(float).sort_index(),
                check_names=False, check_index_type=False,
            )  # fmt: skip
            compared += len(theirs)
    assert compared > 2_700


@pytest.mark.official
def test_england_of_the_tribunals_is_the_sum_and_the_other_sheets(official):
    sheet = pd.read_excel(
        official / "tribunals/send_appeal_rate_table_2022.ods", sheet_name="SEND_1",
        engine="calamine", header=None, dtype=str,
    )  # fmt: skip
    rows = sheet[sheet[0].str.fullmatch(r"20\d\d", na=False)].astype({0: int, 1: int, 2: int})
    assert len(rows) == 9
    for column, measure in ((1, "appeals"), (2, "decisions")):
        england = cases(measure)[ENGLAND]
        assert england.loc[2014:2022].tolist() == rows[column].tolist()
        local = cases(measure).drop(ENGLAND, level="area_code")
        assert local.groupby("year").sum().tolist() == england.tolist()


def sums_of(frame, value):
    return frame.set_index(KEY)[value].dropna().astype(float)


@pytest.mark.official
@pytest.mark.parametrize(
    ("earlier", "file", "rows", "table", "value", "where"),
    [
        ("ehc_plans_2022", "caseload_by_age", {"characteristic_age": "Total", "category": "plans"},
         "ehc_plans", "plans", {"age_band": "all"}),
        ("ehc_plans_2022", "new_plans_by_age", {"characteristic_age": "Total", "category": "plans"},
         "new_plans", "plans", {"age_band": "all"}),
        ("ehc_plans_2022", "caseload_by_placement",
         {"establishment_type": "Special - Independent"}, "placements", "plans",
         {"placement_group": "special", "placement": "independent"}),
        ("ehc_plans_2022", "caseload_by_placement",
         {"establishment_type": "Special - Non-maintained"}, "placements", "plans",
         {"placement_group": "special", "placement": "non-maintained"}),
        ("ehc_plans_2023", "management_information", {"category": "requests/all"},
         "requests", "requests", {"outcome": "all"}),
        ("ehc_plans_2023", "management_information", {"category": "requests/not assessed"},
         "requests", "requests", {"outcome": "not assessed"}),
        ("ehc_plans_2023", "management_information", {"category": "assessments/plan issued"},
         "assessments", "assessments", {"outcome": "plan issued"}),
        ("ehc_plans_2023", "management_information", {"category": "timeliness/included/any time"},
         "timeliness", "plans", {"exceptions": "included", "issued_within": "any time"}),
        ("ehc_plans_2023", "management_information",
         {"category": "timeliness/excluded/20 weeks or less"}, "timeliness", "plans",
         {"exceptions": "excluded", "issued_within": "20 weeks or less"}),
    ],
)  # fmt: skip
def test_releases_agree_where_they_overlap(official, earlier, file, rows, table, value, where):
    old = tidy(official, earlier, file)
    for column, wanted in rows.items():
        old = old[old[column] == wanted]
    new = tables.load(table)
    for column, wanted in where.items():
        new = new[new[column] == wanted]
    both = pd.concat([sums_of(old, "value"), sums_of(new, value)], axis=1, join="inner")
    both = both.set_axis(["old", "new"], axis=1)
    # Years that come from the earlier release itself agree of themselves; there are others.
    later = tables.load(table).query("release == 'ehc_plans_2025'")["year"].unique()
    both = both[both.index.get_level_values("year").isin(later)]
    assert len(both) > 400
    assert both[both["old"] != both["new"]].empty


def grant_sheets(official):
    """Total grant by authority and financial year in the Department's own compilation."""
    sheets = pd.read_excel(official / "finance/DSG_by_year_dr.xlsx", sheet_name=None,
                           engine="calamine", dtype=str)  # fmt: skip
    for sheet in sheets.values():
        year = int(sheet["time_period"].iloc[0][:4])
        code = sheet["la_code"].str.removesuffix(".0")
        rows = code.str.fullmatch(r"\d{3}", na=False)
        areas_of = area_names.coded(code[rows], sheet.loc[rows, "la_name"], areas(), file="x")
        money = sheet.loc[rows, "Total DSG allocation (£s)"].astype(float)
        yield year, money.set_axis(areas_of)


@pytest.mark.official
def test_grant_agrees_with_the_departments_compilation(official):
    """An earlier edition of each year: it differs by adjustments of the early years block."""
    grant = tables.load("high_needs_funding").set_index(KEY)["grant"]
    years = set()
    for year, money in grant_sheets(official):
        if year not in grant.index.levels[1]:
            continue
        years.add(year)
        ours = grant.xs(year, level="year").drop(ENGLAND)
        assert set(ours.index) == set(money.index)
        ratio = ours.astype(float) / money.reindex(ours.index)
        assert ratio.between(0.97, 1.03).all(), year
        assert abs(ours.sum() / money.sum() - 1) < 0.01
    assert years == set(grant.index.levels[1])


def spent(*lines):
    frame = tables.load("high_needs_spending").query("account == 'outturn'")
    frame = frame.set_index(["funding", "provision", "area_code"])["pounds"]
    return sum(frame.xs(line, level=["funding", "provision"]).astype(float) for line in lines)


@pytest.mark.official
def test_the_dashboard_prints_the_same_pounds_as_those_of_2021_22(official):
    """To the pound for three authorities in four; for the others it adds lines of its own."""
    other = pd.read_csv(official / "send_dashboard/high_needs_spend_per_head.csv.gz")
    rows = other[other["category"] == "Independent or non-maintained"]
    ours = spent(("top-up, independent", "special"))
    same = {}
    for year, found in rows.groupby("year"):
        code = area_names.of_their_time(
            found["la_name"].astype("str"), int(year[:4]) + 1, areas(), file="x"
        )
        money = found["total_spend"].set_axis(code)
        money = money[(money.index != "") & ~money.index.duplicated(keep=False)]
        both = pd.concat([money, ours], axis=1, join="inner").dropna()
        both = both[(both != 0).any(axis=1)]
        same[year] = ((both.iloc[:, 0] - both.iloc[:, 1]).abs() <= 1).mean()
    assert same["2021-22"] > 0.75, same
    assert max(share for year, share in same.items() if year != "2021-22") < 0.02, same


@pytest.mark.official
def test_the_outturn_is_that_of_the_release_of_2024_25_for_2021_22(official):
    """Net high needs block by authority: within 5 pounds for 121, the others a little above."""
    block = pd.read_csv(official / "finance/s251_outturn_net_by_block_la_2017-18_to_2024-25.csv")
    codes = dict(tables.load("area_codes")[["code", "area_code"]].to_numpy())
    ours = spent(
        ("top-up, state-funded", "all"), ("top-up, independent", "all"),
        ("services", "SEN support and inclusion"), ("services", "alternative provision services"),
        ("services", "hospital education"), ("services", "therapies"),
    )  # fmt: skip
    near = {}
    for year, rows in block.groupby("fin_year"):
        theirs = rows.set_index(rows["la_code"].map(codes))["s12_high_needs_net"]
        both = pd.concat([theirs, ours.rename("ours")], axis=1, join="inner").dropna()
        near[year] = int(((both.iloc[:, 0] - both["ours"]).abs() <= 5).sum())
    assert near["2021-22"] >= 120, near
    assert max(count for year, count in near.items() if year != "2021-22") <= 2, near


@pytest.mark.official
def test_funded_places_are_those_of_the_allocation_workbooks(official):
    """The first place column of each workbook, against the list rearranged from all four."""
    table = tables.load("high_needs_places")
    kind = (table["provision"] == "resourced provision or SEN unit") & (table["start"] == "April")
    listed = table[kind & (table["place_type"] == "pre-16, £6,000")].set_index(KEY)["places"]
    for year in tables.load("high_needs_funding")["year"].unique():
        content = (official / release(finance.GRANT.format(year))["path"]).read_bytes()
        sheet = reading.read_sheet(
            finance._open_document(content, "x"), "x", "High_needs_deductions"
        )
        code = sheet[0].str.removesuffix(".0")
        national = code == "ENGLAND"
        rows = code.str.fullmatch(r"\d{3}") | national
        name = sheet[1].mask(national, "England")
        area = area_names.coded(code.mask(national, "")[rows], name[rows], areas(), file="x")
        printed = sheet.loc[rows, 2].astype(float).set_axis(area).sort_index()
        ours = listed.xs(year, level="year").astype(float).reindex(printed.index)
        assert (printed - ours).abs().max() < 1e-6, year


def test_inspections_without_a_date_say_so():
    found = tables.load("inspections").set_index("area_code")
    undated = found[found["start"].isna()]
    assert set(undated.index) == {"E10000007", "E06000065"}  # Derbyshire, North Yorkshire
    assert (undated["dates_missing"] == "unavailable").all()
    assert (found.loc[found["start"].notna(), "dates_missing"] == "").all()
    # Parliamentary answer 92647 of 28 November 2025.
    assert str(found.loc["E10000003", "start"].date()) == "2025-01-27"
    findings = tables.load("quality").query("check == 'dates of the inspection'")
    assert set(findings["area_code"]) == {"E10000007", "E06000065", "E10000003"}


@pytest.mark.official
def test_a_release_with_another_authoritys_code_is_refused(official, tmp_path):
    """The tribunals file as published, with the codes of Bury and Bolton exchanged."""
    path = release("ehc_plans_2025")["path"]
    (tmp_path / path).parent.mkdir(parents=True)
    with zipfile.ZipFile(official / path) as old, zipfile.ZipFile(tmp_path / path, "w") as new:
        member = next(name for name in old.namelist() if "ribunal" in name)
        text = old.read(member).decode("utf-8-sig")
        new.writestr(member, text.replace("\nBury,351,", "\nBury,350,").encode())
    with pytest.raises(DataError, match=r"'350' is the code of Bolton.*'Bury'") as error:
        tribunals.build(tmp_path, areas())
    row = next(n for n, line in enumerate(io.StringIO(text), 1) if line.startswith("Bury,"))
    assert f"row {row}:" in str(error.value)
