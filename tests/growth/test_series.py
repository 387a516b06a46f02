"""Growth, rates and flows against sums done by hand."""

import numpy as np
import pytest

from send_analysis import areas, caveats
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import counterfactuals, series
from send_analysis.show import lines


def test_comparators_are_england_region_and_neighbours():
    listed = series.comparators("Bury")
    assert listed["role"].tolist() == ["area", "england", "region", *["neighbours"] * 10]
    assert listed["area"].tolist()[:4] == ["Bury", "England", "North West", "Lancashire"]
    assert series.comparators("England")["role"].tolist() == ["area"]


def test_index_is_the_count_over_the_first_january():
    found = series.indexed("Bury", start=2019).set_index(["area", "year"])
    assert found.loc[("Bury", 2019), "index"] == 100
    assert found.loc[("Bury", 2024), "index"] == pytest.approx(100 * 2686 / 1617)
    assert found.loc[("England", 2024), "index"] == pytest.approx(100 * 576_474 / 353_995)


def test_an_area_with_new_boundaries_is_indexed_on_its_footprint():
    found = series.indexed("Cumberland", start=2019)
    own = found[found["role"] == "area"]
    assert set(own["area"]) == {"Cumberland and Westmorland and Furness"}
    assert own["year"].tolist() == list(range(2019, 2026))


def test_growth_of_every_authority_is_ranked():
    found = series.growth(2019, 2024).set_index("area_code")
    assert len(found) == 151
    # Newham jumps in January 2020, Nottingham in 2024: they have no place. Nor have those with
    # fewer than 100 plans.
    few = found["areas"].notna() & found["rank"].isna()
    assert set(found["area"][few]) == {"City of London", "Isles of Scilly"}
    assert found["rank"].dropna().isin(range(1, 149)).all()
    assert found["rank"].dropna().is_monotonic_increasing
    assert found.index[found["rank"].isna()].tolist()[-1] == "E92000001"
    assert set(found["area"][found["caveat"] != ""]) == {"Newham", "Nottingham"}
    assert found["growth"].iloc[:148].is_monotonic_decreasing
    bury = found.loc["E08000002"]
    assert bury["growth"] == pytest.approx(100 * (2686 / 1617 - 1))
    # exp(ln(2686/1617) ± 1.96 √(1/1617 + 1/2686)): 56.2 to 76.7
    assert [bury["low"], bury["high"]] == pytest.approx([56.17, 76.68], abs=0.01)


def test_the_interval_covers_when_counts_are_poisson():
    rng = np.random.default_rng(20240501)
    counts = series.pd.DataFrame(rng.poisson([400, 660], size=(4000, 2)).astype(float),
                                 columns=["plans_start", "plans_end"])  # fmt: skip
    found = series._with_interval(counts)
    covered = ((found["low"] < 65) & (found["high"] > 65)).mean()
    assert covered == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(("start", "end"), [(2024, 2019), (2009, 2024), (2019, 2031)])
def test_impossible_years_are_refused(start, end):
    with pytest.raises(ParameterError, match="between 2010 and 2025"):
        series.growth(start, end)


def test_rates_divide_by_residents_at_mid_year_before():
    found = series.rates("Bury").set_index(["area", "year"])
    # mye_2024_ltla_age0-25.csv.gz, row Bury: ages 0 to 25 add to 61,599; 2,804 plans
    last = found.loc[("Bury", 2025)]
    assert last["people"] == 61_599
    assert last["basis"] == "published"
    assert last["rate"] == pytest.approx(1000 * 2804 / 61_599)
    assert found.loc[("Bury", 2021), "basis"] == "rebased"
    assert found[["low", "high"]].isna().all(axis=None)  # nothing estimated, no range


def test_categories_add_to_all_plans():
    for dimension, total in (("age band", 2804), ("placement", 2804), ("primary need", 2804)):
        found = series.by(dimension, "Bury", end=2025)
        own = found[found["area"] == "Bury"]
        assert own["plans_end"].sum() == total
        assert own["share_end"].sum() == pytest.approx(100)


def test_the_account_of_a_year_closes():
    found = series.flows("Bury").set_index("year")
    row = found.loc[2023]  # 2,241 + 457 new - 171 ceased = 2,527; 2,686 were counted
    assert row[["plans_start", "new", "ceased", "remainder", "plans_end"]].tolist() == [
        2241, 457, 171, 159, 2686,
    ]  # fmt: skip
    whole = found.dropna()
    closed = whole["plans_start"] + whole["new"] - whole["ceased"] + whole["remainder"]
    assert (closed == whole["plans_end"]).all()


def test_growth_over_years_ends_where_it_says():
    found = series.over_years("Bury").set_index(["area", "year"])
    assert found.loc[("Bury", 2023), "growth"] == pytest.approx(100 * (2241 / 1479 - 1))


def test_timeliness_is_in_time_over_issued():
    found = series.timeliness("Bury").set_index(["area", "year"])
    published = {2019: 78.9, 2020: 27.4, 2021: 34.7, 2022: 51.0, 2023: 74.1, 2024: 99.0}
    got = {year: round(found.loc[("Bury", year), "share"], 1) for year in published}
    assert got == published


@pytest.mark.parametrize("dimension", ["age band", "placement"])
def test_an_area_without_figures_is_refused_with_the_reason(dimension):
    with pytest.raises(MissingDataError, match="2024 to 2025 only"):
        series.by(dimension, "Westmorland and Furness", start=2019)


def test_an_unknown_dimension_is_refused():
    with pytest.raises(ParameterError, match="age band, placement, primary need"):
        series.by("sex", "Bury")


def test_a_total_without_its_parts_is_missing():
    """North East Lincolnshire returned 1,983 plans in January 2025, none of them by placement."""
    with pytest.raises(MissingDataError, match="no plans by placement in January 2025"):
        series.by("placement", "North East Lincolnshire")


@pytest.mark.parametrize("dimension", series.DIMENSIONS)
def test_a_year_without_categories_is_refused_in_words(dimension):
    year = 2024 if dimension == "primary need" else 2031
    with pytest.raises(MissingDataError, match=f"no plans by {dimension} in January {year}"):
        series.by(dimension, "Bury", end=year)


@pytest.mark.parametrize(("frame", "last"), [(series.indexed, 2019), (series.rates, 2024)])
def test_a_flagged_return_stands_in_no_line_of_a_neighbour(frame, last):
    """Newham returned 1,199 plans in January 2025 after 2,705: a neighbour of Tower Hamlets.

    Its number jumped in January 2020 too: no index of it goes on from 2019.
    """
    beside = frame("Tower Hamlets").query("area == 'Newham'")
    assert beside["role"].unique().tolist() == ["neighbours"] and beside["year"].max() == last
    assert frame("Newham").query("role == 'area'")["year"].max() == 2025
    assert f"Newham in {last}" in lines.neighbours(frame("Tower Hamlets"))
    assert " in 20" not in lines.neighbours(frame("Bury"))


def test_no_index_of_a_neighbour_goes_across_a_break():
    for code in areas.current():
        beside = series.indexed(code).query("role == 'neighbours' and year > 2019")
        assert not caveats.crossed(beside, "ehc_plans", 2019, beside["year"]).any()


def test_neighbours_counted_together_with_others_are_told_so():
    """Dorset is a neighbour of Somerset, Bournemouth, Christchurch and Poole is none."""
    near = set(series.indexed("Somerset").query("role == 'neighbours'")["area"])
    assert "Dorset (with Bournemouth, Christchurch and Poole)" in near and len(near) == 10


def test_the_neighbours_that_are_pooled_are_counted():
    rows = {area: counterfactuals.counterfactuals(area) for area in ("Bury", "Tower Hamlets")}
    pooled = {area: it[it["role"] == "neighbours"].iloc[0] for area, it in rows.items()}
    assert (pooled["Bury"]["area"], pooled["Bury"]["pooled"]) == ("ten neighbours", 10)
    own = pooled["Tower Hamlets"]  # without Newham
    assert (own["area"], own["pooled"]) == ("9 of 10 neighbours", 9)
