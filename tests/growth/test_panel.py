"""The panel model covers the truth, and finds breaks as often as it says, on generated panels."""

import re

import numpy as np
import pandas as pd
import pytest

from send_analysis import areas, tables
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import breaks, panel, series, words

AREAS, YEARS = 60, 6
NATIONAL = 1.1


def _panel(seed, *, alpha, spread, centre=0.0, steps=None, years=YEARS, areas=AREAS):
    """Generate plans year by year with a lasting growth ratio per area and NB chance."""
    rng = np.random.default_rng(seed)
    ratio = centre + spread * rng.standard_normal(areas)
    before = np.exp(rng.normal(7.5, 0.7, areas))  # about 450 to 7,000 plans, as in the tables
    rows = []
    for year in range(years):
        expected = before * NATIONAL
        step = 0.0 if steps is None or year < steps[0] else steps[1]
        mu = expected * np.exp(ratio + step)
        rate = mu if alpha == 0 else rng.gamma(1 / alpha, mu * alpha)
        plans = rng.poisson(rate).astype(float)
        columns = {"before": before, "plans": plans, "expected": expected, "year": 2020 + year}
        rows.append(pd.DataFrame(columns).assign(area_code=[f"A{i:03}" for i in range(areas)]))
        before = np.maximum(plans, 1.0)
    return pd.concat(rows, ignore_index=True), ratio


@pytest.mark.parametrize("alpha", [0.0005, 0.002, 0.01])
def test_overdispersion_is_recovered(alpha):
    found = [panel.overdispersion(_panel(seed, alpha=alpha, spread=0.02)[0]) for seed in range(12)]
    assert np.mean(found) == pytest.approx(alpha, rel=0.12)


def test_no_overdispersion_is_found_where_there_is_none():
    found = [panel.overdispersion(_panel(seed, alpha=0, spread=0.02)[0]) for seed in range(12)]
    assert max(found) < 0.0001  # a hundredth of what the tables show


@pytest.mark.parametrize(("spread", "centre"), [(0.02, 0.0), (0.005, 0.01), (0.05, -0.02)])
def test_shrunken_intervals_cover_the_truth_nineteen_times_in_twenty(spread, centre):
    covered, raw, shrunk = [], [], []
    for seed in range(7):
        rows, truth = _panel(100 + seed, alpha=0.002, spread=spread, centre=centre)
        found = panel.shrink(rows)
        error = found["log_ratio"] - truth
        covered.append((error.abs() < 1.96 * found["se"]).mean())
        shrunk.append((error**2).mean())
        raw.append(((found["log_raw"] - truth) ** 2).mean())
    # 420 intervals, but those of one panel err together through their common spread (over 25 other
    # panels 94 % covered). Where areas hardly differ, what is not known of the spread makes them
    # err on the wide side.
    assert np.mean(covered) >= 0.90
    assert np.mean(covered) <= (0.98 if spread >= 0.02 else 1)
    assert np.mean(shrunk) < np.mean(raw)  # what shrinking is for


def test_areas_that_do_not_differ_are_pulled_together():
    rows, _ = _panel(3, alpha=0.002, spread=0.0)
    found = panel.shrink(rows)
    assert found["log_ratio"].std() < 0.3 * found["log_raw"].std()


def test_raw_estimates_agree_with_scoring_area_by_area():
    """Statsmodels' fit and the scoring used for the search are two roads to one estimate."""
    rows, _ = _panel(4, alpha=0.003, spread=0.03)
    beta, chi2 = panel._means(rows, 0.003)
    fitted = panel.fit(rows, 0.003)
    np.testing.assert_allclose(fitted.params, beta, atol=1e-8)
    assert fitted.pearson_chi2 == pytest.approx(chi2)


@pytest.mark.filterwarnings("ignore:The MLE may be on the boundary")
def test_shrinkage_agrees_with_a_linear_mixed_model():
    """With many plans an area, log growth is nearly normal, and REML gives the same spread."""
    import statsmodels.formula.api as smf

    rows, _ = _panel(8, alpha=0.002, spread=0.03, areas=150)
    rows = rows.assign(growth=np.log(rows["plans"] / rows["expected"]))
    mixed = smf.mixedlm("growth ~ 1", rows, groups=rows["area_code"]).fit()
    found = panel.shrink(rows).set_index("area_code")
    other = pd.Series({code: effect.iloc[0] for code, effect in mixed.random_effects.items()})
    other += mixed.params["Intercept"]
    assert found["spread"].iloc[0] == pytest.approx(np.sqrt(mixed.cov_re.iloc[0, 0]), rel=0.1)
    assert np.corrcoef(found["log_ratio"], other.reindex(found.index))[0, 1] > 0.99


def _steps(size, *, seeds, years=8, at=4):
    """P-values of a break after `at` years, for all areas of some generated panels."""
    out = []
    for seed in seeds:
        rows, _ = _panel(seed, alpha=0.002, spread=0.02, steps=(at, size), years=years)
        early = rows["year"] < 2020 + at
        out.append(breaks.step(rows[early], rows[~early]))
    return pd.concat(out)


def test_a_break_that_is_not_there_is_found_one_time_in_twenty():
    found = _steps(0.0, seeds=range(20, 32))
    assert 0.03 <= (found["p"] < 0.05).mean() <= 0.075  # 720 tests


def test_a_break_is_found_as_often_as_its_size_says():
    # Four years either side, α = .002 and about 1,800 plans: se ≈ √(2·(.002 + .00055)/4) = .036,
    # so that a step of .1 is 2.8 standard errors and is found in about 79 % of areas.
    found = _steps(0.1, seeds=range(30, 33))
    assert 0.68 <= (found["p"] < 0.05).mean() <= 0.9
    assert found["log_step"].mean() == pytest.approx(0.1, abs=0.01)
    covered = ((found["log_step"] - 0.1).abs() < 1.96 * found["se"]).mean()
    assert 0.92 <= covered <= 0.98


def test_one_year_against_others_is_tested_at_the_right_rate():
    rows, _ = _panel(40, alpha=0.002, spread=0.02, years=7)
    one = rows["year"] == 2023
    found = breaks.step(rows[~one], rows[one])
    assert 0.01 <= (found["p"] < 0.05).mean() <= 0.1


def test_growth_of_bury_is_that_of_its_published_plans():
    found = panel.growth_ratios("Bury").iloc[0]
    # 1,617 plans in January 2019, 2,804 in January 2025; England 353,995 and 638,745.
    assert found["growth"] == pytest.approx(100 * ((2804 / 1617) ** (1 / 6) - 1))
    assert found["growth_others"] == pytest.approx(100 * ((638745 / 353995) ** (1 / 6) - 1))
    assert found["low"] < found["ratio"] < found["high"]
    assert found["rank_low"] <= found["rank"] <= found["rank_high"] <= found["ranked"] == 148


def test_shrunken_ratio_lies_between_the_raw_one_and_the_typical_area():
    found = panel.shrink(panel.transitions())
    raw, shrunk = found["log_raw"] - found["centre"], found["log_ratio"] - found["centre"]
    assert (shrunk.abs() < raw.abs()).all()
    assert (np.sign(shrunk) == np.sign(raw)).all()
    # of 150 units, without Newham and Nottingham, whose plans jump
    assert sorted(panel.growth_ratios(draws=10)["rank"]) == list(range(1, 149))


def test_draws_follow_the_seed():
    first = panel.growth_ratios(start=2021, draws=500)
    pd.testing.assert_frame_equal(first, panel.growth_ratios(start=2021, draws=500))
    other = panel.growth_ratios(start=2021, draws=500, seed=2)
    assert not first["rank_low"].equals(other["rank_low"])


def test_expected_plans_against_the_tables():
    rows = panel.transitions(start=2022, end=2024, against="neighbours")
    row = rows.query("area_code == 'E08000002' and year == 2023").iloc[0]
    near = tables.load("neighbours").query("area_code == 'E08000002'")["neighbour_code"]
    plans = series.totals(near.tolist()).groupby("year")["plans"].sum()
    assert row["before"] == 2087
    assert row["plans"] == 2241
    assert row["expected"] == pytest.approx(2087 * plans[2023] / plans[2022])


def test_jumps_that_quality_marks_are_left_out():
    jumps = tables.load("quality").query("table == 'ehc_plans' and check == 'jump'")
    rows = panel.transitions(start=2010, end=2025).set_index(["area_code", "year"])
    for code, year in jumps[["area_code", "year"]].itertuples(index=False):
        assert (code, year) not in rows.index
        assert (code, year + 1) not in rows.index  # nor what begins with such a figure
        assert (code, year - 1) in rows.index


def test_a_neighbour_whose_figure_jumps_does_not_count_in_that_year():
    rows = panel.transitions(against="neighbours").set_index(["area_code", "year"])
    pairs = tables.load("neighbours").query("neighbour_code == 'E09000025'")
    code = pairs["area_code"].iloc[0]
    near = set(tables.load("neighbours").query("area_code == @code")["neighbour_code"])
    plans = series.totals(sorted(near - {"E09000025"})).groupby("year")["plans"].sum()
    row = rows.loc[(code, 2025)]
    assert row["expected"] == pytest.approx(row["before"] * plans[2025] / plans[2024])


def test_an_area_whose_plans_jump_is_not_judged():
    with pytest.raises(MissingDataError, match="1,199 plans in January 2025 after 2,705"):
        panel.growth_ratios("Newham")
    with pytest.raises(MissingDataError, match="breaks in 2024"):
        panel.growth_ratios("Nottingham")
    assert panel.growth_ratios("Newham", start=2021, end=2024)["rank"].notna().all()


def test_merged_areas_answer_for_their_footprint():
    found = panel.growth_ratios("Cumberland").iloc[0]
    assert found["area"] == "Cumberland and Westmorland and Furness"


def test_breaks_of_england_against_plain_means():
    found = breaks.breaks("Bury").set_index(["area", "what"])
    plans = series.totals(["E92000001"]).set_index("year")["plans"].astype(float)
    expected = 100 * ((plans[2014] / plans[2010]) ** (1 / 4) - 1)
    assert found.loc[("England", "reforms"), "before"] == pytest.approx(expected)
    expected = 100 * (plans[2023] / plans[2022] - 1)
    assert found.loc[("England", "person-level return"), "after"] == pytest.approx(expected)
    assert found.loc[("England", "reforms"), "p"] < 0.05 < found.loc[("England", "pandemic"), "p"]
    assert ((found["low"] < found["step"]) & (found["step"] < found["high"])).all()


@pytest.mark.parametrize("area", ["England", "North West"])
def test_only_authorities_are_judged(area):
    with pytest.raises(MissingDataError, match="local authorities"):
        panel.growth_ratios(area, draws=10)


@pytest.mark.parametrize(
    "arguments", [{"start": 2025}, {"start": 2005}, {"end": 2026}, {"against": "Wales"}]
)
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(ParameterError):
        panel.transitions(**arguments)


def test_one_year_cannot_tell_chance_from_growth():
    with pytest.raises(MissingDataError, match="longer period"):
        panel.growth_ratios(start=2024, end=2025)


@pytest.mark.parametrize("area", ["Cumberland", "West Northamptonshire", "Dorset", "Kent"])
def test_growth_of_new_boundaries_is_of_all_that_they_replaced(area):
    """Page 02 heads its table of growth against others with this name."""
    row = panel.growth_ratios(area)
    assert row["area"].tolist() == [areas.Area(areas.find(area)).footprint.name]


def test_words_follow_the_interval():
    row = panel.growth_ratios("Bury")
    assert "no clear difference from England" in words.beyond_chance(row)
    assert "faster" in words.beyond_chance(row.assign(low=1.01))
    assert "slower" in words.beyond_chance(row.assign(high=0.99))
    assert "21st" in words.beyond_chance(row.assign(rank=21))
    assert "112th" in words.beyond_chance(row.assign(rank=112))
    sentences = words.breaks_tested(breaks.breaks("Bury"))
    assert len(sentences) == 6
    assert sentences[0].startswith("Plans in England grew by 1.0 % a year before")


def test_growth_before_and_after_a_change_is_told_with_its_januaries():
    """caseload.csv: Somerset 2,514, 4,232 and England 390,109, 473,255 in January 2020 and 2022."""
    sentences = words.breaks_tested(breaks.breaks("Somerset"))
    relative = ((4_232 / 2_514) / (473_255 / 390_109)) ** 0.5  # the model weighs the two years
    found = re.fullmatch(
        r"Relative to England's, plans in Somerset gained 6.3 % a year before the pandemic of "
        r"2020 \(to the Januaries 2015 to 2020\) and gained (\S+) % a year after "
        r"\(to 2021 and 2022\):.*",
        sentences[3],
    )
    assert float(found[1]) == pytest.approx(100 * (relative - 1), abs=0.3)
    for text, (before, after) in zip(sentences[::2], breaks.SIDES.values(), strict=True):
        told = {
            int(year) for year in re.findall(r"20\d\d", "".join(re.findall(r"\(to[^)]*\)", text)))
        }
        assert told >= {before[0], before[-1]} and (
            len(after) == 1 or told >= {after[0], after[-1]}
        )
