"""Population against the publisher's files added up by other means; spoilt ones refused."""

import gzip
import itertools
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from send_analysis import ageing, areas, tables
from send_analysis.cleaning import layout, population
from send_analysis.cleaning.standing import Standing
from send_analysis.errors import DataError, MissingFileError

BURY, CITY = "E08000002", "E09000001"
PUBLISHED = (2021, 2022, 2023, 2024)
AGES = [str(age) for age in range(26)]
MID_2023, MID_2024 = (f"mye_{year}_ltla_age0-25.csv.gz" for year in (2023, 2024))
# Printed of England, all ages, by the publisher (mid-2023 in the release of 15 July 2024).
ENGLAND_ALL_AGES = {2021: 56_536_419, 2022: 57_106_398, 2023: 57_690_323, 2024: 58_620_101}


def _file(official, name):
    return pd.read_csv(official / "population" / name)


def _people(**where):
    rows = tables.load("population")
    for column, value in where.items():
        rows = rows[rows[column].isin(value if isinstance(value, list | range) else [value])]
    return rows


@pytest.mark.parametrize("year", PUBLISHED)
def test_districts_come_to_england_and_england_to_the_districts(official, year):
    printed = _file(official, f"mye_{year}_ltla_age0-25.csv.gz")
    assert printed["all"].sum() == ENGLAND_ALL_AGES[year]
    england = _people(area_code=areas.ENGLAND, year=year).set_index("age")["people"]
    adults = printed[AGES[18:]].sum()
    np.testing.assert_array_equal(england.loc[18:], adults)
    regions = tables.load("areas").query("level == 'region'")["area_code"].tolist()
    for codes in (regions, areas.current()):
        assert _people(area_code=codes, year=year)["people"].sum() == england.sum()


def test_mid_2024_is_the_file_of_every_authority_without_districts(official):
    printed = _file(official, "mye_2024_ltla_age0-25.csv.gz").set_index("code")[AGES]
    wide = _people(year=2024).pivot(index="area_code", columns="age", values="people")
    both = wide.index.intersection(printed.index)
    assert len(both) > 120
    np.testing.assert_array_equal(wide.loc[both], printed.loc[both])


def test_a_county_is_its_districts(official):
    printed = _file(official, "mye_2022_ltla_age0-25.csv.gz")
    cambridgeshire = ["Cambridge", "East Cambridgeshire", "Fenland", "Huntingdonshire",
                      "South Cambridgeshire"]  # fmt: skip
    own = printed[printed["name"].isin(cambridgeshire)][AGES[18:]].sum().sum()
    found = _people(area_code="E10000003", year=2022, age=range(18, 26))["people"].sum()
    assert found == own


def test_barnsley_and_sheffield_are_read_under_old_codes_and_new(official, tmp_path):
    """The files have the codes of before April 2023; newer ones may have those of today."""
    printed = _file(official, MID_2024).set_index("name")[AGES].sum(axis=1)
    for name in ("Barnsley", "Sheffield"):
        code = areas.find(name)
        assert _people(area_code=code, year=2024)["people"].sum() == printed[name]
    for folder in ("population", "lookups"):
        shutil.copytree(official / folder, tmp_path / folder)
    file = tmp_path / "population" / MID_2024
    file.chmod(0o644)
    text = gzip.decompress(file.read_bytes()).decode()
    text = text.replace("E08000016", "E08000038").replace("E08000019", "E08000039")
    file.write_bytes(gzip.compress(text.encode()))
    made = population.build(Standing(tmp_path), tables.load("areas"))["population"]
    as_committed = tables.load("population")["people"].sum()
    assert made["people"].sum() == as_committed


def test_ages_0_to_17_are_the_revised_series_in_every_authority_and_year(official):
    revised = _file(official, "mye_2012-2024_utla_age0-17_revised.csv.gz").query("year >= 2018")
    new = {"E10000002": "E06000060", "E10000023": "E06000065", "E10000027": "E06000066",
           "E08000016": "E08000038", "E08000019": "E08000039"}  # fmt: skip
    county = {"E06000061": "E10000021", "E06000062": "E10000021",
              "E06000063": "E10000006", "E06000064": "E10000006"}  # fmt: skip
    revised = revised.assign(code=revised["code"].replace(new)).set_index(["code", "year"])
    ours = _people(area_code=areas.current(), age=range(18)).query("year <= 2024")
    ours = ours.groupby(["area_code", "year"])["people"].sum().reset_index()
    whole = [
        code if (code, year) in revised.index else county.get(code, code)
        for code, year in zip(ours["area_code"], ours["year"], strict=True)
    ]
    ours = ours.assign(code=whole).groupby(["code", "year"])["people"].sum()
    # Bournemouth, Dorset and Poole are not in the series before mid-2019.
    absent = ours.index.difference(revised.index)
    assert set(absent) == {("E06000058", 2018), ("E06000059", 2018)}
    common = ours.drop(absent)
    assert len(common) == len(revised)
    np.testing.assert_array_equal(common, revised.loc[common.index, "people"])
    assert len(ours[ours.index.get_level_values("year") == 2024]) == 153


def test_children_of_bury_and_england_as_the_publisher_revised_them():
    children = _people(age=range(18)).groupby(["area_code", "year"])["people"].sum()
    assert children[BURY, 2018] == 43_854
    assert children[BURY, 2024] == 44_768
    printed = {2021: 11_762_878, 2022: 11_901_267, 2023: 12_059_476, 2024: 12_183_016}
    assert {year: children[areas.ENGLAND, year] for year in printed} == printed
    assert children[CITY, 2023] == 918  # first published as 642


def test_single_years_keep_their_shape_when_they_are_scaled(official):
    """In Newham 83,467 children became 84,596: every age rises by 1.4 per cent, to one person."""
    printed = _file(official, "mye_2023_ltla_age0-25.csv.gz").set_index("name")
    printed = printed.loc["Newham", AGES].to_numpy(dtype=float)
    found = _people(area_code=areas.find("Newham"), year=2023).sort_values("age")["people"]
    np.testing.assert_allclose(found[:18], printed[:18] * 84_596 / 83_467, atol=1)
    np.testing.assert_array_equal(found[18:], printed[18:])


def test_mid_2023_agrees_with_a_second_table_of_the_publisher(official):
    other = _file(official, "mye_2011-2023_ltla_all_ages.csv.gz").query("year == 2023")
    printed = _file(official, "mye_2023_ltla_age0-25.csv.gz").set_index("code")["all"]
    assert len(other) == 296
    pd.testing.assert_series_equal(
        other.set_index("code")["people"].sort_index(), printed.sort_index(), check_names=False
    )


def test_every_row_says_what_it_rests_on():
    rows = tables.load("population")
    by_year = rows.groupby("year")["basis"].agg(["first", "nunique"])
    assert (by_year["nunique"] == 1).all()
    basis = by_year["first"]
    assert (basis.loc[2018:2020] == "rebased").all()
    assert (basis.loc[2021:2024] == "published").all()
    assert (basis.loc[2025:] == "estimated").all()
    scaled = (rows["age"] < 18) & rows["year"].isin([2021, 2022, 2023])
    assert (scaled == (rows["release"] == "population_revised")).all()
    assert (rows["people"] % 1 == 0).all()
    assert len(rows) == rows["area_code"].nunique() * 26 * by_year.shape[0]


def test_no_projection_and_no_population_of_a_dashboard_holds_anything():
    sources = {source["name"] for source in tables.resource("population")["sources"]}
    years = {f"population_{year}" for year in range(2019, 2025)}
    assert sources == years | {"population_revised", "districts_2022"}
    files = {
        source["file"] for entry in tables.descriptor()["resources"] for source in entry["sources"]
    }
    assert not [name for name in files if "snpp" in name or "spend_per_head" in name]


# Before the census


def _log_changes(people, ages):
    """Log change of each cohort from year to year, years × areas × ages."""
    return np.array([
        np.log(after[:, 1:] / before[:, :-1])[:, ages]
        for before, after in itertools.pairwise(people)
    ])  # fmt: skip


@pytest.mark.parametrize(("ages", "name"), [(slice(0, 16), "children"), (slice(17, 25), "adults")])
def test_cohorts_do_not_jump_at_the_census(ages, name):
    """A cohort's change from mid-2020 to mid-2021 strays no further than published changes do."""
    large = [code for code in areas.current() if code not in (CITY, "E06000053")]
    wide = _people(area_code=large).pivot(index="area_code", columns=["year", "age"],
                                          values="people")  # fmt: skip
    people = [wide[year].to_numpy(dtype=float) for year in range(2018, 2025)]
    change = _log_changes(people, ages)
    # From the area's usual change at that age, all authorities' that year aside.
    change = change - change.mean(axis=1, keepdims=True)
    usual = change[3:].mean(axis=0)
    # A published year is held to the mean of the two others: one more year's chance in it.
    strays = [np.std(change[i] - (3 * usual - change[i]) / 2) for i in (3, 4, 5)]
    assert np.std(change[2] - usual) < 1.25 * max(strays), name
    assert np.std(change[1] - usual) < 1.25 * max(strays), name


def test_old_estimates_did_jump(official):
    """The test above can fail: with mid-2020 as it was published, it would."""
    old = _file(official, "mye_2020_ltla_age0-25.csv.gz").set_index("ltla21_code")[AGES]
    new = _people(year=2021).pivot(index="area_code", columns="age", values="people")
    both = new.index.intersection(old.index).drop([CITY, "E06000053"])
    change = _log_changes([old.loc[both].to_numpy(float), new.loc[both].to_numpy(float)],
                          slice(0, 16))  # fmt: skip
    assert np.std(change) > 0.06


def test_rebasing_comes_near_the_revised_series_that_it_is_not_given(official):
    known = population._authorities(official, tables.load("areas"))
    people = {
        year: population._estimates(official, f"population_{year}", known).to_numpy()
        for year in (2019, 2020, 2021)
    }
    codes = population._estimates(official, "population_2021", known).index
    revised = population._revised(official, codes, 2024)
    people[2021] = population._to_revised(people[2021], revised[2021])
    untold = {year: frame.assign(people=np.nan) for year, frame in revised.items()}
    found = population._rebased(people, untold)
    for year in (2019, 2020):
        frame = revised[year]
        own = (frame["whole"] == frame.index).to_numpy()
        aim = frame["people"].to_numpy(dtype=float)
        off = np.abs(found[year][:, :18].sum(axis=1) / aim - 1)[own]
        old = np.abs(people[year][:, :18].sum(axis=1) / aim - 1)[own]
        assert off.mean() < 0.006
        assert off.mean() < 0.2 * old.mean()


COUNTS = arrays("float64", (3, 26), elements=st.floats(200, 5000))


@settings(max_examples=40, deadline=None)
@given(COUNTS, COUNTS)
def test_estimates_that_met_the_census_are_left_alone(first, second):
    ahead = ageing.age_on(second, ageing.ratios([first, second]), 1)[0]
    none = pd.DataFrame({"whole": ["a", "b", "c"], "people": np.nan}, index=["a", "b", "c"])
    revised = dict.fromkeys((2018, 2019, 2020), none)
    found = population._rebased({2019: first, 2020: second, 2021: ahead}, revised)
    np.testing.assert_allclose(found[2019], first, atol=1)  # whole people
    np.testing.assert_allclose(found[2020], second, atol=1)


@settings(max_examples=40, deadline=None)
@given(COUNTS, arrays("float64", (3, 26), elements=st.floats(0.5, 2)))
def test_an_error_grows_evenly_along_a_cohort_until_it_is_put_right(first, factor):
    """Aged 10 or more in mid-2021: a tenth a year since mid-2011, so equal steps to the census."""
    first = first * 100  # so that whole people do not blur the ratios
    ratio = np.ones((3, 25))
    second = ageing.age_on(first, ratio, 1)[0]
    old = ageing.age_on(second, ageing.ratios([first, second]), 1)[0]
    none = pd.DataFrame({"whole": ["a", "b", "c"], "people": np.nan}, index=["a", "b", "c"])
    revised = dict.fromkeys((2018, 2019, 2020), none)
    found = population._rebased({2019: first, 2020: second, 2021: old * factor}, revised)
    to_2020 = np.log(found[2020][:, 11:25] / found[2019][:, 10:24])
    to_2021 = np.log((old * factor)[:, 12:26] / found[2020][:, 11:25])
    np.testing.assert_allclose(to_2020, to_2021, atol=1e-3)
    np.testing.assert_allclose(to_2021, np.log(factor[:, 12:26]) / 10, atol=1e-3)


@settings(max_examples=60, deadline=None)
@given(arrays("float64", (4, 26), elements=st.floats(0, 5000)), st.integers(100, 90_000))
def test_scaled_ages_are_whole_people_and_add_up(people, aim):
    people[:, 0] += 1
    revised = pd.DataFrame(
        {"whole": ["a", "both", "both", "d"], "people": [aim, 2 * aim, 2 * aim, np.nan]}
    )
    found = population._to_revised(people, revised)
    assert (found % 1 == 0).all()
    children = found[:, :18].sum(axis=1)
    assert children[0] == aim
    assert children[1] + children[2] == 2 * aim
    np.testing.assert_allclose(found[3], people[3], atol=1)
    exact = people[0, :18] * aim / people[0, :18].sum()
    assert np.abs(found[0, :18] - exact).max() < 1


# After the last published year


def test_a_cohort_is_aged_on_at_its_ratio_in_all_years_before():
    rows = _people(area_code=areas.current())
    wide = rows.pivot(index="area_code", columns=["year", "age"], values="people").astype(float)
    before = sum(wide[year][9] for year in range(2018, 2024))
    after = sum(wide[year][10] for year in range(2019, 2025))
    ratio = (after + 25 * after.sum() / before.sum()) / (before + 25)
    np.testing.assert_allclose(wide[2025][10], wide[2024][9] * ratio, atol=0.5)
    np.testing.assert_allclose(wide[2026][10], wide[2024][8] * _ratio(wide, 8) * ratio, atol=0.6)
    np.testing.assert_array_equal(wide[2040][0], wide[2024][0])


def _ratio(wide, age):
    before = sum(wide[year][age] for year in range(2018, 2024))
    after = sum(wide[year][age + 1] for year in range(2019, 2025))
    return (after + 25 * after.sum() / before.sum()) / (before + 25)


# What is refused


@pytest.fixture(scope="module")
def known_areas():
    return tables.load("areas")


@pytest.fixture
def spoil(official, tmp_path, known_areas):
    """Change one file of a copy of the releases and build the table from it."""
    for folder in ("population", "lookups"):
        shutil.copytree(official / folder, tmp_path / folder)

    def run(name, change):
        file = tmp_path / "population" / name
        file.chmod(0o644)
        text = change(gzip.decompress(file.read_bytes()).decode())
        file.write_bytes(gzip.compress(text.encode()))
        with pytest.raises(DataError) as caught:
            population.build(Standing(tmp_path), known_areas)
        message = str(caught.value)
        assert "\n" not in message
        assert f"population/{name}" in message
        return message

    return run


def _as_published_now(years):
    """A made-up answer of the publisher's service: 7 % more people than mid-2024, all ages."""
    local = _people(area_code=areas.current(), year=2024).pivot(
        index="area_code", columns="age", values="people"
    )
    wide = pd.concat(
        [
            ((local * (1 + (year - 2023) * 0.07)).round())
            .assign(**{str(age): 100 for age in range(26, 91)})
            .assign(DATE_NAME=year)
            for year in years
        ]
    )
    wide.columns = wide.columns.astype(str)
    england = wide.groupby("DATE_NAME").sum().reset_index()
    wide = pd.concat([wide.reset_index(), england.assign(area_code=areas.ENGLAND)])
    ages = [str(age) for age in range(91)]
    wide["All ages"] = wide[ages].sum(axis=1)
    wide = wide.rename(columns={"90": "Aged 90+"} | {age: f"Age {age}" for age in ages[:-1]})
    long = wide.melt(["DATE_NAME", "area_code"], var_name="C_AGE_NAME", value_name="OBS_VALUE")
    long["GEOGRAPHY_CODE"] = long["area_code"].replace("E08000038", "E08000016")
    return long.assign(GEOGRAPHY_NAME="made up", OBS_VALUE=long["OBS_VALUE"].astype(int))[
        population.HEADING
    ]


def test_what_the_publisher_has_now_takes_the_place_of_estimates(official, tmp_path):
    """Mid-2025 comes from the file, later years from it; the years before are as they were."""
    for folder in ("population", "lookups"):
        shutil.copytree(official / folder, tmp_path / folder)
    (tmp_path / "population").chmod(0o755)
    file = tmp_path / layout.release(population.LATEST)["path"]
    _as_published_now([2025]).to_csv(file, index=False)
    made = population.build(Standing(tmp_path), tables.load("areas"))["population"]
    old = tables.load("population")
    rows = made[made["area_code"] == BURY].set_index(["year", "age"])
    before = old[old["area_code"] == BURY].set_index(["year", "age"])["people"]
    for age in (0, 5, 25):
        assert rows.loc[(2025, age), "people"] == round(before[2024, age] * 1.14)
    for year, basis, release in (
        (2024, "published", "population_2024"), (2025, "published", population.LATEST),
        (2026, "estimated", population.LATEST),
    ):  # fmt: skip
        said = rows.loc[year].drop_duplicates(["basis", "release"])
        assert said[["basis", "release"]].to_numpy().tolist() == [[basis, release]]
    both = made.merge(old, on=["area_code", "year", "age"], suffixes=("", "_old"))
    both = both[both["year"] < 2025]
    assert (both["people"] == both["people_old"]).all()
    assert population.published(file) == "2026-07"
    # The new file alone, over the table that stands, comes to the same.
    alone = tmp_path / "alone"
    (alone / "population").mkdir(parents=True)
    shutil.copy(file, alone / "population")
    stands = Standing(alone, tables.data_dir(), {"population": tables.resource("population")})
    key = ["area_code", "year", "age"]
    again = population.build(stands, tables.load("areas"))["population"]
    pd.testing.assert_frame_equal(
        again.sort_values(key, ignore_index=True), made.sort_values(key, ignore_index=True)
    )
    _as_published_now([2021, 2025]).to_csv(alone / "population" / file.name, index=False)
    with pytest.raises(MissingFileError, match=r"has mid-2021 otherwise .*revised.csv.gz"):
        population.build(stands, tables.load("areas"))
    for change, says in (
        (lambda rows: rows.rename(columns={"C_AGE_NAME": "AGE"}), "its heading is DATE_NAME,"),
        (lambda rows: rows.drop(index=300), "do not add up to all ages"),
        (lambda rows: rows[rows["GEOGRAPHY_CODE"] != BURY], f"no row for '{BURY}'"),
        (lambda rows: rows.replace({"C_AGE_NAME": {"Age 7": "Aged 5 to 9"}}),
         "'Aged 5 to 9' is not a single year of age"),
        (lambda rows: rows.assign(DATE_NAME=2027), "goes to mid-2027, and nothing has mid-2025"),
    ):  # fmt: skip
        change(_as_published_now([2025])).to_csv(file, index=False)
        with pytest.raises(DataError, match=says):
            population.build(Standing(tmp_path), tables.load("areas"))


def _without(start):
    return lambda text: "".join(
        line for line in text.splitlines(keepends=True) if not line.startswith(start)
    )


REVISED = "mye_2012-2024_utla_age0-17_revised.csv.gz"


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        # Cambridge, a district; Bury, an authority; Allerdale, in Cumberland since.
        (MID_2023, _without("E07000008"), ["'code'", "'E07000008'", "'E10000003'", "again"]),
        (MID_2023, _without(BURY), ["'code'", f"no row for '{BURY}'"]),
        ("mye_2021_ltla_age0-25.csv.gz", _without("E07000026"), ["'E07000026'", "'E06000063'"]),
        (MID_2023, lambda t: t.replace("Hartlepool,915", "Hartlepool,-915"),
         ["column '0'", "row 2", "'-915'", "compare"]),
        (MID_2023, lambda t: t.replace("Hartlepool,915", "Hartlepool,915.5"),
         ["column '0'", "row 2", "'915.5'", "whole number"]),
        (MID_2023, lambda t: t.replace("Hartlepool,915", "Hartlepool,"),
         ["column '0'", "row 2", "''"]),
        (MID_2023, lambda t: t.replace("Hartlepool,915", "Hartlepool,many"),
         ["column '0'", "row 2", "'many'"]),
        (MID_2023, lambda t: t.replace("24,25,all", "24,26,all"), ["column '25'", "missing"]),
        (MID_2023, lambda t: t.replace("\n", ",1\n").replace("all,1", "all,26", 1),
         ["column '26'", "not a year of age"]),
        (MID_2023, lambda t: t.replace(",95366", ",95367"),
         ["'all'", "57,690,324", "57,690,323", "again"]),
        (MID_2023, lambda t: t.replace(",95366", ",20000"), ["'all'", "row 2", "20000"]),
        (MID_2023, lambda t: t.replace("E06000001,", "E06000999,"),
         ["'code'", "row 2", "'E06000999'", "look-up"]),
        (MID_2023, lambda t: t + t.splitlines()[1] + "\n", ["row 298", "'E06000001'", "remove"]),
        (REVISED, _without("E08000002,Bury,2023"), [f"'{BURY}'", "2023", "again"]),
        (REVISED, lambda t: t.replace("2023,0-17,44344", "2023,0-18,44344"),
         ["'age'", "'0-18'", "leave the row out"]),
        (REVISED, lambda t: t.replace("2023,0-17,44344", "2023,0-17,-1"), ["'people'", "'-1'"]),
        (REVISED, lambda t: t.replace("E08000002,Bury,2023", "E08000999,Bury,2023"),
         ["'code'", "'E08000999'"]),
    ],
)  # fmt: skip
def test_a_spoilt_file_is_refused_in_one_line(spoil, name, change, says):
    message = spoil(name, change)
    for part in says:
        assert part in message
