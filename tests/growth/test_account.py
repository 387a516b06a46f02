"""Accounts close, ratios are those of the releases, counterfactuals are plain growth."""

import numpy as np
import pandas as pd
import pytest

from send_analysis import areas, caveats, tables
from send_analysis.categories import AGE_BANDS
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import account as stock
from send_analysis.growth import cause_charts, decomposition, series, stages, words
from send_analysis.growth import counterfactuals as others

BURY = "E08000002"


def test_account_of_bury_in_2024_by_hand():
    # 2025 release: 2,686 plans, 361 new, 217 ceased (66 of them transferred), 2,804 a year later.
    account = stock.stock_account("Bury", start=2024, end=2025).set_index("item")["plans"]
    assert account["plans in January"] == 2686
    assert account["new plans"] == 361
    assert account["transferred to another authority"] == -66
    assert account[stock.REMAINDER] == 2804 - (2686 + 361 - 217)
    assert account["plans in the January after"] == 2804


def yearly(area):
    """An account a calendar year."""
    years = range(series.COMPARABLE, series.latest(area))
    return pd.concat([stock.stock_account(area, start=year, end=year + 1) for year in years])


@pytest.mark.parametrize("area", ["Bury", "England", "North West", "Kent"])
@pytest.mark.parametrize("by_year", [True, False])
def test_accounts_close_and_ceased_plans_are_all_told(area, by_year):
    account = yearly(area) if by_year else stock.stock_account(area)
    ceased = tables.load("ceased_plans").query("reason == 'all'").set_index(["area_code", "year"])
    for start, rows in account.groupby("start"):
        items = rows.set_index("item")["plans"]
        flows = items.drop(["plans in January", "plans in the January after"]).sum()
        assert items["plans in January"] + flows == items["plans in the January after"]
        years = range(start, rows["end"].iloc[0])
        out = rows.loc[rows["kind"] == "out", "plans"].sum()
        assert -out == ceased.loc[[(areas.find(area), year) for year in years], "plans"].sum()


def test_account_agrees_with_the_yearly_flows():
    flows = series.flows("Bury").set_index("year")["remainder"]
    account = yearly("Bury")
    account = account[account["kind"] == "remainder"].set_index("start")["plans"]
    np.testing.assert_array_equal(account, flows.loc[account.index].astype("int64"))


@pytest.mark.parametrize(
    ("area", "start", "says"),
    [
        ("Bury", 2015, "statements"),
        ("Cumberland", 2019, "boundaries changed"),
        ("Isles of Scilly", 2019, "no figure for new plans in 2019"),
    ],
)
def test_accounts_that_cannot_be_drawn_up(area, start, says):
    with pytest.raises(MissingDataError, match=says):
        stock.stock_account(area, start=start)


def test_ratios_of_bury_in_2024_by_hand():
    found = stages.ratios("Bury").query("role == 'area' and year == 2024").set_index("measure")
    # 2025 release: of 560 requests 358 were assessed and 184 not; of assessments 347 ended in a
    # plan and 10 did not; 217 plans ceased of 2,686.
    value = found["value"]
    assert value["requests assessed"] == pytest.approx(100 * 358 / (358 + 184))
    assert value["assessments ending in a plan"] == pytest.approx(100 * 347 / 357)
    assert value["plans ceased"] == pytest.approx(100 * 217 / 2686)
    people = tables.load("population").query("area_code == @BURY and year == 2024")["people"].sum()
    assert value["requests per 1,000 residents"] == pytest.approx(1000 * 560 / people)
    assert ((found["low"] < value) & (value < found["high"])).all()


def test_requests_before_2023_count_as_assessed_unless_refused():
    found = stages.ratios("Bury").query("role == 'area' and year == 2022").set_index("measure")
    assert found["value"]["requests assessed"] == pytest.approx(100 * (610 - 140) / 610)


def test_without_ups_and_downs_intervals_are_those_of_wilson_and_poisson(monkeypatch):
    monkeypatch.setattr(stages, "year_to_year", lambda: dict.fromkeys(stages.MEASURES, 0.0))
    found = stages.ratios("Bury")
    row = found.query("role == 'area' and year == 2024 and measure == 'requests assessed'").iloc[0]
    n, p, z = 542, 358 / 542, 1.959964
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert row["low"] == pytest.approx(100 * (centre - half))
    assert row["high"] == pytest.approx(100 * (centre + half))
    rate = found.query("role == 'area' and year == 2024 and measure == 'plans ceased'").iloc[0]
    # Byar's approximation to the exact Poisson limits of 217.
    low = 217 * (1 - 1 / (9 * 217) - z / (3 * np.sqrt(217))) ** 3
    assert rate["low"] == pytest.approx(100 * low / 2686, rel=1e-3)


def test_ups_and_downs_widen_an_interval_to_a_negative_binomial(monkeypatch):
    monkeypatch.setattr(stages, "year_to_year", lambda: dict.fromkeys(stages.MEASURES, 0.01))
    found = stages.ratios("Bury").query("year == 2024 and measure == 'plans ceased'")
    own = found[found["role"] == "area"].iloc[0]
    spread = np.sqrt(1 / 217 + 0.01)  # of the log, variance μ + φμ²
    assert np.log(own["high"] / own["low"]) == pytest.approx(2 * 1.96 * spread, rel=0.05)
    england = found[found["role"] == "england"].iloc[0]
    spread = np.sqrt(1 / england["numerator"] + 0.01 / len(areas.current()))
    assert np.log(england["high"] / england["low"]) == pytest.approx(2 * 1.96 * spread, rel=0.05)


@pytest.mark.parametrize("measure", stages.MEASURES)
def test_ups_and_downs_hold_the_moves_of_authorities_that_did_not_estimate_them(measure):
    above, below, _ = stages._components()[measure]
    share = stages.MEASURES[measure].share
    moves = stages._moves(above, below)
    codes = np.sort(moves["area_code"].unique())
    held = []
    for half in (codes[::2], codes[1::2]):
        own = moves["area_code"].isin(half)
        phi = stages._held(stages._needed(moves[own], share=share))
        held.append(np.mean(stages._needed(moves[~own], share=share) <= phi))
    assert 0.92 <= np.mean(held) <= 0.98


def test_ups_and_downs_are_found_again_where_they_are_known():
    rng = np.random.default_rng(3)
    n, phi = 20_000, 0.02
    rate = 500 * rng.gamma(1 / phi, phi, (2, n))
    counts = rng.poisson(rate)
    moves = {
        f"{name}_{year}": value
        for year in (1, 2)
        for name, value in (
            ("above", counts[year - 1]),
            ("below", np.full(n, 1000.0)),
            ("england", 0.5),
        )
    }
    needed = stages._needed(pd.DataFrame(moves), share=False)
    assert stages._held(needed) == pytest.approx(phi, rel=0.1)


def test_neighbours_are_pooled_and_ranks_are_among_authorities():
    found = stages.ratios("Bury").query("year == 2024 and measure == 'plans ceased'")
    ceased = tables.load("ceased_plans").query("year == 2024 and reason == 'all'")
    ceased = ceased.set_index("area_code")["plans"][areas.find(BURY).neighbours].sum()
    pooled = found[found["role"] == "neighbours"].iloc[0]
    assert pooled["numerator"] == ceased
    assert pooled["pooled"] == 10
    own = found[found["role"] == "area"].iloc[0]
    assert 1 <= own["rank"] <= own["ranked"] <= len(areas.current())


def test_a_place_that_others_share_is_said_with_how_many():
    # Assessments of 2024 that all ended in a plan, in some authorities with 20 of them or more.
    rows = tables.load("assessments").query("year == 2024")
    rows = rows[rows["area_code"].isin(areas.current())]
    wide = rows.pivot(index="area_code", columns="outcome", values="assessments").astype(float)
    every = wide[(wide["plan not issued"] == 0) & (wide["plan issued"] >= 20)].index
    sound = caveats.flagged("assessments", 2024, category="plan issued").index
    every = every.difference(sound)
    own = stages.ratios(areas.Area(every[0]), start=2024, end=2024)
    own = own[(own["role"] == "area") & (own["measure"] == "assessments ending in a plan")].iloc[0]
    assert own["value"] == 100
    assert own["rank"] == 1
    assert own["level"] == len(every) - 1 > 0


def test_a_handful_of_cases_has_no_place():
    """requests.csv 2024: the Isles of Scilly had 2 requests, of which 1 was assessed."""
    own = stages.ratios("Isles of Scilly", start=2024, end=2024).query("role == 'area'")
    assert own["rank"].isna().all()
    assert "place" not in " ".join(words.ratios_in_words(stages.ratios("Isles of Scilly")))


def test_a_share_that_says_how_requests_are_recorded_is_not_drawn():
    """requests.csv: Leicester refused none of 601, 530, 771 and 836 requests, 2019 to 2022."""
    drawn = cause_charts.ratios(stages.ratios("Leicester", start=2018, end=2024)).data
    own = drawn[(drawn["role"] == "area") & (drawn["measure"] == stages.SHARE_ASSESSED)]
    assert not set(own["year"]) & {2019, 2020, 2021, 2022, 2024}
    every = stages.ratios("Bury", start=2018, end=2024)
    assert len(cause_charts.ratios(every).data) == len(every)


def test_a_share_of_few_decisions_has_no_verdict_and_no_place():
    """requests.csv 2024: Leicester 883 requests, 1 refused, 298 withdrawn, 108 not decided on."""
    few = {"Cambridgeshire": False, "Leicester": True, "Lewisham": True, "Milton Keynes": True,
           "Plymouth": True, "Slough": False, "Southampton": True, "Tameside": True,
           "Waltham Forest": True}  # fmt: skip
    for name, is_few in few.items():
        found = stages.ratios(areas.Area(areas.find(name)), start=2024, end=2024)
        own = found[(found["role"] == "area") & (found["measure"] == stages.SHARE_ASSESSED)]
        told = words.ratios_in_words(found)[1]
        assert own["rank"].isna().all() == is_few, name
        assert ("place" not in told and "England by" not in told) == is_few, told
        assert ("too many for the share" in told) == is_few
    leicester = words.ratios_in_words(stages.ratios(areas.Area(areas.find("Leicester"))))[1]
    assert "of 883 requests 406 had" in leicester and 298 + 108 == 406


def test_counterfactual_of_bury_by_hand():
    found = others.counterfactuals("Bury").set_index(["role", "basis"])
    england = found.loc[("england", "plans")]
    assert england["plans_if"] == pytest.approx(1617 * 638_745 / 353_995)
    assert england["difference"] == pytest.approx(2804 - 1617 * 638_745 / 353_995)
    assert england["low"] < england["plans_if"] < england["high"]
    assert found.loc[("neighbours", "plans"), "pooled"] == 10


def test_growth_a_head_of_england_itself_would_be_its_own():
    """An area with England's ages and rates would grow a head exactly as England did."""
    start, end = (
        others._a_head(areas.ENGLAND, 2019, 2025)[0]["plans_if"].iloc[0],
        decomposition.plans_by_band(2025).loc[areas.ENGLAND, list(AGE_BANDS)].sum(),
    )
    assert start == pytest.approx(end)


def test_years_before_population_have_no_basis_a_head():
    found = others.counterfactuals("Bury", start=2014)
    assert set(found["basis"]) == {"plans"}


def test_impossible_counterfactuals():
    with pytest.raises(ParameterError, match="January"):
        others.counterfactuals("Bury", start=2025, end=2019)
    with pytest.raises(ParameterError, match="January"):
        others.counterfactuals("Bury", start=2019, end=2040)
    with pytest.raises(MissingDataError, match="no one"):
        others.counterfactuals("England")
    with pytest.raises(MissingDataError, match="boundaries changed"):
        others.counterfactuals("Cumberland")
