"""What the report on capacity shows, and its charts: read off results made here by hand."""

import re
from functools import partial
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import yaml

from send_analysis import areas, tables
from send_analysis.capacity import (
    assessments,
    balance,
    charts,
    hindcast,
    places,
    views,
    words,
)
from send_analysis.errors import MissingDataError
from send_analysis.growth import series

mpl.use("Agg")
BURY = "E08000002"


@pytest.fixture(scope="module")
def forecast() -> pd.DataFrame:
    """Two Januaries of all specialist places; demand outgrows capacity."""
    rows = [
        {
            "area": "Bury",
            "origin": 2025,
            "year": year,
            "kind": views.EVERY,
            "phase": phase,
            "in_use": 100,
            "planned": 10 * (year - 2025),
            "capacity": 100 + 10 * (year - 2025),
            "demand": 100 + 30 * (year - 2025),
            "demand_low_80": 90.0,
            "demand_high_80": 200.0,
            "probability": 75.0,
            "horizon": year - 2025,
            "extra_80": 40,
            "extra_95": 60,
        }
        for year in (2026, 2027)
        for phase in (*places.PHASES, "all")
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def queue() -> pd.DataFrame:
    return assessments.queue(BURY, simulations=200).assign(area="Bury")


def test_fan_starts_at_the_places_in_use(forecast):
    frame = views.fan(forecast, "secondary")
    assert frame["year"].tolist() == [2025, 2026, 2027]
    assert frame["demand"].tolist() == [100, 130, 160]
    assert frame["capacity"].tolist() == [100, 110, 120]
    assert frame["high_80"].tolist() == [100, 200, 200]


def test_chart_of_places_draws_the_frame_and_says_the_range(forecast):
    frame = views.fan(forecast, "secondary")
    chart = charts.places(frame)
    ax = chart.axes()
    demand, _, there, *_ = ax.get_lines()
    assert np.array_equal(demand.get_ydata(), [100, 130, 160])
    assert np.array_equal(there.get_ydata(), [100, 110, 120])
    assert {"160", "120"} <= {text.get_text() for text in ax.texts}  # of the year of the headline
    assert not any("illustration" in text.get_text() for text in ax.texts)
    assert chart.title.startswith("90 to 200 secondary places needed in January 2027 in 80 of")
    assert chart.title.endswith("in use and announced: 120")
    assert "demand to 160" in chart.alt
    assert "interval of 90 to 200" in chart.alt
    assert "untested" not in chart.alt


def test_a_chart_is_named_after_the_year_of_the_headline(forecast):
    """Eight years are drawn; the title, as the headline, speaks of the fifth."""
    frame = views.fan(forecast, "secondary")
    later = [frame.iloc[[-1]].assign(year=year, low_80=year) for year in range(2028, 2034)]
    frame = pd.concat([frame, *later])
    chart = charts.places(frame)
    assert chart.title.startswith("2,030 to 200 secondary places needed in January 2030")
    assert "By 2033 the middle of demand is 160, and untested" in chart.alt
    assert "beyond January 2030" in chart.note
    ax = chart.axes()
    assert any("illustration from here" in text.get_text() for text in ax.texts)
    near, far = ax.get_lines()[:2]
    assert near.get_xdata()[-1] == far.get_xdata()[0] == 2030


def test_certainty_leaves_out_a_handful(forecast):
    few = forecast.assign(kind=places.UNIT, demand_high_80=4.0)
    both = pd.concat([forecast, few])
    frame = views.certainty(both, 2027, kept=both.assign(demand=7.0))
    assert set(frame["kind"]) == {views.EVERY}
    # no chance where those of a year before said no more than one figure for all areas
    shown = frame.set_index("phase")["probability_ahead"].notna()
    assert shown.to_dict() == {
        phase: bool(hindcast.shown().get((views.EVERY, phase))) for phase in shown.index
    }
    assert set(frame["probability_ahead"].dropna()) == {75}
    assert ((frame["unsaid"] == "") == frame["probability_ahead"].notna()).all()
    assert set(frame["kept"]) == {7}


def test_a_handful_of_places_has_no_chance(forecast):
    """A chance of 100 % that six places are short where none is in use would be no finding."""
    few = forecast.assign(demand=hindcast.SMALLEST - 1, demand_high_80=18.0)
    shown = views.certainty(few, 2027, kept=few)
    assert shown["probability_ahead"].isna().all()
    assert set(shown["unsaid"]) == {"fewer than 10 places"}
    said = words.headline(few)
    assert not [sentence for sentence in said if "Chance" in sentence]


def test_no_far_chance_is_told_where_the_tested_one_is_not(forecast):
    """Nine places a year ahead, ten and more later: what is tested is left out, so is the rest."""
    grows = np.where(forecast["horizon"] == 1, hindcast.SMALLEST - 1, hindcast.SMALLEST + 5)
    few = forecast.assign(demand=grows, demand_high_80=18.0)
    shown = views.certainty(few, 2027, kept=few)
    assert shown[["next_year", "probability_ahead"]].isna().all(axis=None)
    told = [bool(hindcast.shown().get((views.EVERY, phase))) for phase in shown["phase"]]
    assert (shown["unsaid"] == np.where(told, "fewer than 10 places", views.NO_SKILL)).all()
    chart = charts.places(views.fan(few, "all"))
    assert chart.subtitle.endswith("untested for so few places")
    assert charts.places(views.fan(forecast, "all")).subtitle.endswith("tested one year ahead only")


def test_shares_kept_move_nobody_between_settings():
    simulation = balance.simulate(BURY, years=2, simulations=20)
    kept = views.shares_kept(simulation)
    first, last = simulation.stock[0].mean(axis=0), simulation.stock[2].sum(axis=-1)
    school = list(balance.SETTINGS).index("state special school")
    expected = np.median((last * first[:, school] / first.sum(axis=-1).clip(1)).sum(axis=-1))
    rows = kept[(kept["kind"] == "state special school") & (kept["phase"] == "all")]
    assert rows.set_index("year").at[2027, "demand"] == pytest.approx(expected, rel=0.01)


def test_headline_has_the_numbers(forecast, queue):
    third = words._waits(queue, areas.find("Bury"))
    first, second = words.headline(forecast)
    assert "Bury will need 90 to 200 specialist places in January 2027, a range such as" in first
    assert "160 is the middle. In use and announced are 120; 40 more than that would have" in first
    assert second.startswith("In January 2026 ") and " specialist places are likely" in second
    # of all ages together alone: chances of single phases have not been better than an average
    assert "Chance that more are needed: all ages 75 %." in second
    # the release of 2025: 293 of the 296 plans whose time is counted, 361 new plans
    assert third.startswith(
        "In 2024 99 % of the plans in Bury whose time is counted were issued within 20 weeks, "
        "293 of 296 (of 361 new plans); 357 assessments"
    )
    beside = words.headline(forecast, kept=forecast.assign(demand=7.0))
    assert "the middle would be 7." in beside[1]


def test_units_that_come_or_go_within_a_year_are_named():
    # caseload.csv, Januaries 2023, 2024 and 2025, all ages: plans in SEN units and resourced
    # provision. In Reading it is 2024 that is out of line, in Dorset 2025, in Stockport 2023.
    counts = {"Dorset": (93, 92, 442), "Reading": (82, 0, 165), "Stockport": (148, 23, 7),
              "Kirklees": (108, 137, 0), "Norfolk": (214, 33, 204)}  # fmt: skip
    for name, three in counts.items():
        said = words.recorded(name)
        for count, year in zip(three, (2023, 2024, 2025), strict=True):
            assert f"{count} in {year}" in said, name
        assert said in " ".join(words.findings(name))
        tile = words.things(name)[0].words
        assert "Units may be recorded anew." in tile and "A year earlier" in tile
    assert not words.recorded("Manchester")
    assert "recorded anew" not in words.things("Manchester")[0].words


@pytest.mark.parametrize("code", areas.current())
def test_units_are_named_where_they_move_and_nowhere_else(code):
    rows = tables.load("placements", area_code=code)
    rows = rows[rows["placement"].str.contains("SEN unit|resourced provision")]
    three = rows.groupby("year")["plans"].sum(min_count=1).astype("Float64")
    three = three.reindex([2023, 2024, 2025])
    steps = [(float(a), float(b)) for a, b in pairwise(three) if pd.notna(a) and pd.notna(b)]
    moved = any(abs(a - b) > 50 and max(a, b) > 2 * min(a, b) for a, b in steps)
    assert bool(words.recorded(code)) == moved


def test_no_more_plans_are_counted_than_were_new():
    # the release of 2025: Torbay's time is counted for 218 plans, of which it has 205 new ones
    queue = assessments.queue("E06000027", simulations=20)
    said = words._waits(queue, areas.find("Torbay"))
    assert "63 of 218; 247 assessments" in said


def test_the_share_in_time_is_that_of_every_other_page(monkeypatch):
    """Rounded once, from its two counts, in sentence and chart, for every authority told of."""
    few = partial(assessments.queue, simulations=20)
    monkeypatch.setattr(assessments, "queue", lambda area, arrivals: few(area))
    monkeypatch.setattr(views, "gap", lambda area: "not simulated here")
    shares = {}
    for area in areas.current():
        if views.unsound(area):
            continue
        queue = views.queue.__wrapped__.__wrapped__(area)  # not remembered
        times = series.timeliness(area)
        own = times[times["role"] == "area"].set_index("year")["share"]
        year = queue["year"].iloc[-1]
        shares[area] = f"{own[year]:.0f} %"
        assert words._waits(queue, area).startswith(f"In {year} {shares[area]} of the plans")
        assert queue["timely"].iloc[-1] == own[year]
    assert len(shares) > 140
    # timeliness_20_week.csv, 2024: 294 of 571 (51.49) and 225 of 260 (86.54)
    assert shares["E06000016"] == "51 %"
    assert shares["E06000008"] == "87 %"
    leicester = views.queue.__wrapped__.__wrapped__(areas.find("Leicester"))
    ax = charts.completions(views.against_need(leicester), "Leicester").axes()
    assert "51 %" in {text.get_text() for text in ax.texts}


def test_without_places_assessments_are_told_alone():
    (alone,) = words.findings("England")
    assert alone.startswith("In 2024 ")
    with pytest.raises(MissingDataError, match="England is no single authority"):
        views.forecast("England")


def test_chart_of_chances_draws_the_frame_and_says_what_came_true():
    frame = pd.DataFrame(
        {
            "kind": views.EVERY,
            "phase": ["primary", "primary", "all"],
            "chance_low": [70, 90, 80],
            "chance_high": [80, 100, 90],
            "areas": [20, 30, 40],
            "probability": [75.0, 95.0, 85.0],
            "short": [70.0, 90.0, 60.0],
        }
    )
    chart = charts.reliability(frame)
    _, primary, every = chart.axes().get_lines()
    assert primary.get_xydata().tolist() == [[75, 70], [95, 90]]
    assert every.get_xydata().tolist() == [[85, 60]]
    assert chart.title.endswith("more places of all ages were needed in 60 % of 40 areas")
    assert "put at 80 to 90 %" in chart.title
    assert "primary: said 95 %, came true in 90 % of 30" in chart.alt


def test_title_of_the_rule_says_how_far_it_was_off(queue):
    frame = views.against_need(queue)
    # docs/capacity.md: shares from volumes against 78.9, 27.4, 34.7, 51.0, 74.1, 99.0 %
    missed = (frame["timely_by_volumes"] - frame["timely"]).abs().dropna()
    assert len(missed) == 6
    said = charts.completions(frame, "Bury").title
    assert said.endswith(f"the share in time by {missed.mean():.0f} points in 6 years on average")
    assert f"{frame['needed_90'].iloc[-1]:,.0f} assessments would have to be completed in" in said
    tested = frame["timely"].where(frame["timely_by_volumes"].notna())
    near = frame.assign(timely_by_volumes=tested + 1.2)
    said = charts.completions(near, "Bury").title
    assert said.endswith("by 1 point in 6 years on average")
    untested = frame.assign(timely_by_volumes=float("nan"))
    said = charts.completions(untested, "Bury").title
    assert said.endswith("no year of the area tests that")


def test_need_is_set_beside_the_following_year(queue):
    frame = views.against_need(queue).set_index("year")
    by_year = queue.set_index("year")
    assert frame.loc[2022, "needed_60"] == by_year.loc[2021, "next_year_60"]
    assert frame.loc[2022, "completed"] == by_year.loc[2022, "completed"] == 446
    assert pd.isna(frame.loc[2025, "completed"])


def test_completions_of_every_year_are_drawn():
    """Leicester: nothing is published for 2023, and 2024 is."""
    queue = assessments.queue("E06000016", simulations=20).assign(area="Leicester")
    frame = views.against_need(queue)
    assert frame["year"].tolist() == list(range(2016, 2026))
    chart = charts.completions(frame, "Leicester")
    sixty, done = chart.axes().get_lines()[1:3]
    assert np.isfinite(done.get_ydata()).tolist() == [True] * 7 + [False, True, False]
    assert np.isfinite(sixty.get_ydata()).tolist() == [False] + [True] * 6 + [False] * 2 + [True]
    # assessments.csv of the 2025 release
    assert "205 in 2016 and 582 in 2024" in chart.alt
    open_cases = charts.open_cases(queue)
    assert sum(np.isfinite(bar.get_height()) for bar in open_cases.axes().patches) == 2 * 8
    assert "No estimate is made for 2023: figures of the year are missing." in open_cases.note
    # sen2_mi_2023_release.csv, ass_nodecision_ehc, Leicester, 2021
    assert "wait for a decision: 159 at the end of 2021, where " in open_cases.note


@pytest.mark.parametrize("years", [1, 2, 3, 9])
def test_no_year_of_the_queue_is_told_twice_or_compared_with_itself(queue, years):
    frame = queue.tail(years).reset_index(drop=True)
    for chart in (charts.open_cases(frame), charts.completions(views.against_need(frame), "Bury")):
        told = re.findall(r"[\d,]+ in (\d{4})", chart.alt.split("against")[0])
        assert len(told) == len(set(told)) > 0
    chart = charts.open_cases(frame)
    assert ("the most" in chart.title) == ("the most" in chart.alt) == (years >= 3)
    if years < 3:
        last = frame.iloc[-1]
        assert f"{last['open_cases']:,.0f} cases were open in 2024, " in chart.title


def test_charts_of_the_queue(queue):
    chart = charts.open_cases(queue)
    heights = [bar.get_height() for bar in chart.axes().patches]
    # two bars a year, one on the other: together the open cases
    assert sum(heights) == pytest.approx(queue["open_cases"].sum())
    peak = queue.loc[queue["open_cases"].idxmax()]
    said = f"{peak['open_cases']:,.0f} cases were open in {peak['year']}"
    assert said in chart.title
    done_and_needed = charts.completions(views.against_need(queue), "Bury")
    ax = done_and_needed.axes()
    done = ax.get_lines()[2]
    assert done.get_ydata()[done.get_xdata() == 2024].tolist() == [357]
    assert {text.get_text() for text in ax.texts} >= {"27 %", "99 %"}
    assert "cases open in Bury" in chart.alt
    assert "completed in Bury" in done_and_needed.alt


def test_chart_of_cost():
    settings = ["mainstream", *places.KINDS, "all"]
    frame = pd.DataFrame(
        {
            "area": "Bury",
            "year": np.repeat([2025, 2026], len(settings)),
            "setting": settings * 2,
            "plans": 100.0,
            "cost": [1, 2, 3, 4, 5, 6, 21, 2, 3, 4, 5, 6, 7, 27.0],
            "cost_low_80": 1.0,
            "cost_high_80": 30.0,
        }
    )
    chart = charts.cost(frame)
    lines = chart.axes().get_lines()
    assert len(lines) == 4  # the sum and the three largest settings
    assert lines[0].get_ydata().tolist() == [21, 27]
    assert lines[1].get_ydata().tolist() == [6, 7]
    assert "would cost 1 to 30 million pounds in 2026" in chart.title
    assert chart.title.endswith("untested, after 21 million in 2025")
    assert "meant to hold" not in chart.title  # no January has tested what places cost
    assert "further education with 7 million" in chart.alt


def test_scenarios_that_fit_an_area():
    assert "capacity-semh-school-2030" in views.fitting("bury")
    assert views.fitting("rochdale") == ["capacity-fewer-independent"]


@pytest.mark.parametrize("area", ["Bury", "Rochdale"])
def test_what_a_scenario_changes_is_said_on_the_page(area):
    frame = views.changes(areas.find(area))
    files = [tables.data_dir() / "scenarios" / f"{name}.yml" for name in views.fitting(area)]
    for row, content in zip(
        frame.itertuples(), map(yaml.safe_load, map(Path.read_text, files)), strict=True
    ):
        assert (row.scenario, row.note) == (content.pop("name"), content.pop("note"))
        assert yaml.safe_load(f"{{{row.changed}}}") == content


def test_scenarios_side_by_side():
    frame = views.compare(BURY, 2026, scenarios=["capacity-radcliffe-built"], simulations=100)
    assert frame["scenario"].unique().tolist() == [
        "as planned",
        "The Radcliffe school is built after all",
    ]
    # a page has one "as planned": the same draws as its other tables
    whole = balance.forecast(BURY, simulations=100)
    whole = whole[(whole["kind"] == views.EVERY) & (whole["year"] == 2026)]
    assert frame["demand"].tolist()[: len(whole)] == whole["demand"].tolist()
    assert len(frame) == 2 * (len(places.PHASES) + 1)


def test_why_an_area_cannot_be_simulated():
    assert views.gap("bury") == ""
    assert "no single authority" in views.gap("England")
    # its return of January 2025 gave no placements, that of Brighton and Hove wrong ones
    assert "January 2025: no figure in the release" in views.gap("Cambridgeshire")
    assert "the publisher judges" in views.gap("Brighton and Hove")
    assert "1,199 plans in January 2025 after 2,705" in views.gap("Newham")


def test_errors_of_the_queue_in_the_area_and_everywhere():
    frame = views.checks(BURY).set_index("where")
    assert frame.loc["Bury", "authority_years"] == 6
    assert frame.loc["all authorities", "authority_years"] > 700


def test_millions_are_pounds_over_a_million():
    simulation = balance.simulate(BURY, years=1, simulations=100)
    frame = views.millions(simulation)
    whole = frame[frame["setting"] == "all"].set_index("year")["cost"]
    # the high needs block of Bury in 2023-24 was 45.2 million and pays for services too
    assert 30 < whole[2025] < 50
