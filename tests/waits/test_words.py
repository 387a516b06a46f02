"""Sentences and frames of the waiting-times chapter, against figures read off the workbooks."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from send_analysis import areas, tables, terms
from send_analysis.errors import MissingDataError
from send_analysis.evidence import claims
from send_analysis.waits import (
    control,
    queues,
    views,
    views_compared,
    views_control,
    views_since,
    words,
)
from send_analysis.waits import lists as waits
from send_analysis.waits.views_compared import KNOWN, LONG

ROOT = Path(__file__).parents[2]


def test_the_first_board_stands_for_an_area():
    assert views.focus("Bury")["organisation_code"] == "QOP"
    assert views.focus("Camden")["organisation_code"] == "QMJ"
    assert views.focus("Surrey")["organisation_code"] == "QXU"  # in Frimley too


def test_a_board_that_reports_no_main_service_is_passed_over():
    # Bath, Swindon and Wiltshire's providers return none of the four.
    assert views.focus("Bath and North East Somerset")["level"] == "region"
    # Dorset has no list for occupational therapy.
    assert views.reporting("Dorset").attrs["service"] != "occupational therapy"


def test_providers_of_a_service_add_up_to_the_published_sum():
    table = views.reporting("Bury")
    assert table.columns[0] == "Jan 2023"
    assert table.columns[-1] == "Oct 2023"
    assert table.loc["Manchester University NHS Foundation Trust", "Jan 2023"] == 4976
    assert pd.isna(table.loc["Northern Care Alliance NHS Foundation Trust", "Jul 2023"])
    providers = table.drop("Sum as published").sum()
    assert (providers == table.loc["Sum as published"]).all()
    assert table.loc["Sum as published", "Oct 2023"] == 1409


def test_measures_of_the_first_and_last_month_by_hand():
    table = views_compared.measured("Bury").set_index(["service", "measure"])
    share = table.loc[("occupational therapy", "share over 18 weeks")]
    # January: (2,125 + 77) of 5,603. October: (501 + 20) of (1,409 - 43) whose wait is known.
    assert share["first_month"] == pytest.approx(100 * 2202 / 5603)
    assert share["last_month"] == pytest.approx(100 * 521 / 1366)
    # A share of a share is no change of waits.
    assert pd.isna(share[["change_percent", "comparable"]]).all()
    counts = table.loc["occupational therapy"]
    assert counts.loc[LONG, ["first_month", "last_month"]].tolist() == [2202, 521]
    assert counts.loc[KNOWN, "change_percent"] == pytest.approx(100 * (1366 / 5603 - 1))
    # Left are Bolton, Stockport and Tameside: Northern Care Alliance missed July, Manchester's list
    # fell tenfold, and in August Wrightington had 132 over 18 weeks after 82 over 12 in July.
    assert counts.loc[KNOWN, "comparable_first"] == 75 + 50 + 119
    assert counts.loc[LONG, "comparable_last"] == 40 + 4 + 1


ENDS = ["first_month", "last_month", "comparable_first", "comparable_last"]


def test_a_wait_in_the_open_band_is_written_so_at_each_end():
    seen = 0
    for area in boards():
        figures, written = views_compared.measured(area), views_compared.written(area)
        assert list(figures) == list(written)
        assert set(written["unit"]) == {"children", "per cent", "weeks"}
        by, told = (one.set_index(["measure", "service"])[ENDS] for one in (figures, written))
        beyond = by.loc["children waiting over 52 weeks"] / by.loc[KNOWN]
        for measure, least in (("92nd percentile wait", 0.08), ("median wait", 0.5)):
            one = told.loc[measure]
            assert ((one == "52 or more") == (beyond > least + 1e-9)).all(axis=None)
            assert (one.notna() == by.loc[measure].notna()).all(axis=None)
            seen += (one == "52 or more").sum().sum()
        assert not told.loc["children waiting"].stack().str.contains(".", regex=False).any()
    assert seen > 50
    # Physiotherapy, January: 111 of 720 wait over 52 weeks; October: 22 of 517.
    birmingham = views_compared.written("Birmingham").set_index(["service", "measure"])
    row = birmingham.loc[("physiotherapy", "92nd percentile wait")]
    assert row[["first_month", "last_month", "unit"]].tolist() == ["52 or more", "49", "weeks"]


def test_headline_compares_like_with_like():
    headline, *points = words.findings("Bury", claims.of_waits("Bury"))
    assert "not of Bury alone" in headline
    assert "no jump that waiting cannot make" in headline
    # Occupational therapy went from 85 of 244 to 45 of 173: 34.8 and 26.0 %.
    # Occupational therapy's are 244 of 5,603 children, too small a part of the board's.
    assert "fell in 2 and rose in 1 of the 3 services in which these have enough" in headline
    assert sum("cannot be tested" in point for point in points) == 3


def boards():
    """An area for every organisation that stands for some."""
    every = pd.Series({area: views.focus(area)["organisation_code"] for area in areas.current()})
    return [*every.drop_duplicates().index, areas.ENGLAND]


def test_a_board_of_an_authoritys_name_is_said_to_hold_others_where_it_does():
    links = tables.load("nhs_area_links", level="icb", area_code=areas.current())
    for area in areas.current():
        own = views.focus(area)
        linked = links.loc[links["organisation_code"] == own["organisation_code"], "area_code"]
        alone = own["organisation"] == areas.name(area) and set(linked) == {area}
        assert words.findings(area)[0].startswith("In ") == alone
    headline = words.findings("Dorset")[0]  # Bournemouth is on that board too
    assert headline.startswith("These lists are not of Dorset alone. In the board of that name, ")
    assert words.findings("England")[0].startswith("In England, ")
    # Barrow and South Lakeland, three quarters of its children, are in Lancashire's board.
    headline = words.findings("Westmorland and Furness")[0]
    assert "most of its children may be on another board's" in headline


@pytest.fixture(scope="module")
def every():
    """Measures of every organisation that stands for an area, a row a service."""
    return {
        area: views_compared.measured(area).pivot(index="service", columns="measure")
        for area in boards()
    }


def newcombe(first, last):
    """Difference of two shares and its 95 % interval, from Wilson's of each, by the formulas."""
    z = 1.959964

    def wilson(long, known):
        share = long / known
        middle = (share + z**2 / (2 * known)) / (1 + z**2 / known)
        half = z * np.sqrt(share * (1 - share) / known + (z / (2 * known)) ** 2)
        return share, middle - half / (1 + z**2 / known), middle + half / (1 + z**2 / known)

    (a, a_low, a_high), (b, b_low, b_high) = (
        wilson(end[LONG], end[KNOWN]) for end in (first, last)
    )
    low = b - a - np.hypot(b - b_low, a_high - a)
    return low, b - a + np.hypot(b_high - b, a - a_low)


def test_a_verdict_takes_children_enough_and_more_than_chance(every):
    told = unclear = 0
    for area, table in every.items():
        first, last = table["comparable_first"], table["comparable_last"]
        most = np.fmax(first, last)
        enough = (most[KNOWN] >= 100) & (most[LONG] >= 20)
        both = pd.concat([first[KNOWN], last[KNOWN]], axis=1).gt(0).all(axis=1)
        for end, month in ((first, "first_month"), (last, "last_month")):
            both &= ~(3 * end[KNOWN] < table[month][KNOWN])
        low, high = (limit[enough & both] for limit in newcombe(first, last))
        moved = np.select([low > 0, high < 0], ["rose", "fell"], words.UNCLEAR)
        headline, *points = words.findings(area)
        counts = [int((moved == way).sum()) for way in ("fell", "rose", words.UNCLEAR)]
        fell, rose = (count or "none" for count in counts[:2])
        if len(moved) > 1:
            said = f"fell in {fell} and rose in {rose} of "
            if counts[2]:
                said = f"fell in {fell}, rose in {rose} and {words.UNCLEAR} in {counts[2]} of "
            assert said in headline
            told += 1
        elif len(moved) == 1:
            assert f"over 18 weeks {moved[0]} in {low.index[0]}" in headline
        else:
            assert "in no service do providers" in headline
        # What is not counted says why in its own sentence.
        why = ("too few to judge by.", "too small a part to judge by.", "compared throughout.")
        assert sum(point.endswith(why) for point in points) == len(points) - len(moved)
        assert "nan" not in " ".join(points)
        unclear += counts[2]
    assert told > 10
    assert unclear > 10


def test_a_few_of_a_boards_providers_do_not_stand_for_it():
    # Medway's community trust has 264 of 1,155 children, then 291 of 1,016; its speech and language
    # 445 of 1,336; Medway NHS Foundation Trust 287 of 4,508. Kent Community Health repeats figures.
    headline, *points = words.findings("Kent")
    assert "in no service do providers" in headline and " rose" not in " ".join(points)
    told = {point.split(":")[0]: point for point in points}
    assert told["Occupational therapy"].endswith(
        "16 % of 1,155 → 17 % of 1,016 waiting over 18 weeks; on lists that can be compared "
        "throughout 104 of 264 → 151 of 291, too small a part to judge by."
    )


def test_a_share_that_moves_by_chance_neither_rose_nor_fell():
    for area, moved in {
        "Bexley": "170 of 735 → 132 of 568",  # 23.1 to 23.2 %
        "Sunderland": "673 of 936 → 748 of 1,047",  # 71.9 to 71.4 %
        "Slough": "983 of 6,721 → 1,097 of 7,780",  # 14.6 to 14.1 %
    }.items():
        assert f"the share shows no clear change: {moved}" in " ".join(words.findings(area))


def test_a_service_that_rose_from_nought_is_counted():
    ends = ["first_month", "last_month", "comparable_first", "comparable_last"]
    row = dict.fromkeys(ends, 0.0) | {"last_month": 45.9, "comparable_last": 45.9}
    counts = {"_known": [87, 122, 87, 122], "_long": [0, 56, 0, 56]}
    row |= {f"{end}{of}": n for of, many in counts.items() for end, n in zip(ends, many)}  # noqa: B905
    nought = pd.DataFrame([row], index=["physiotherapy"])
    assert "rose in physiotherapy." in words._fell(nought)
    twice = pd.concat([nought, nought.set_axis(["audiology"])])
    assert "fell in none and rose in 2 of 2 services." in words._fell(twice)


def test_no_change_in_per_cent_is_of_a_count_that_leaves_out_what_repeats():
    # England, October 2023: 18,355 children wait for occupational therapy, 506 of them on lists
    # that repeat September's; which of January's repeat December's cannot be known.
    table = views_compared.measured("England").set_index(["service", "measure"])
    waiting = table.loc[("occupational therapy", "children waiting")]
    assert waiting[["first_month", "last_month"]].tolist() == [22_556, 18_355 - 506]
    children = table[table["unit"] == views_compared.CHILDREN]
    assert children["change_percent"].isna().all()  # some list repeats in each main service
    assert children["comparable"].notna().any()


def test_a_handful_of_children_is_shown_and_not_judged():
    points = {point.split(":")[0]: point for point in words.findings("North Yorkshire")[1:]}
    assert "2 of 22 → 0 of 16, too few to judge by" in points["Occupational therapy"]
    assert "29 % of 98 → 47 % of 148" in points["Occupational therapy"]


def test_no_change_in_per_cent_is_of_a_share_or_of_a_handful(every):
    for table in every.values():
        told = pd.concat([table["change_percent"], table["comparable"]])
        assert told["share over 18 weeks"].isna().all()
        few = table["first_month"][["children waiting", "children waiting over 52 weeks"]] < 20
        assert table["change_percent"][few.columns].where(few).isna().all(axis=None)


def test_a_list_that_changed_what_it_counts_is_compared_from_there():
    points = {point.split(":")[0]: point for point in words.findings("Bury")[1:]}
    # February: 288 of 1,144 children; October: 521 of the 1,366 whose wait is known.
    assert "February 2023: since then 25 % → 38 %" in points["Occupational therapy"]
    assert "since then" not in points["Community paediatrics"]


def test_no_control_chart_crosses_a_jump_and_no_limit_is_beyond_what_can_be(every):
    late = 0
    for area in every:
        try:
            charts = views_control.charts(area)
        except MissingDataError:
            charts = pd.DataFrame({"service": [], "month": [], "lower": [], "upper": []})
        assert (charts["lower"] >= 0).all()
        assert (charts["upper"] <= 100).all()
        begin = charts.groupby("service")["month"].min()
        assert (charts.groupby("service").size() >= control.RUN).all()
        said = " ".join(words.redrawn(area))
        for service, month in views_compared.recounted(area).items():
            late += 1
            if service in begin.index:
                assert begin[service] >= month
                assert f"{service.capitalize()} is drawn from {month:%B %Y} on" in said
            elif service in views_control.shares(area):
                assert f"{service.capitalize()} has no chart" in said
    assert late > 20


def test_a_board_without_lists_is_said_to_have_none():
    (said,) = words.unlisted("Slough")
    assert said.startswith("Slough is linked to NHS Frimley Integrated Care Board, of which")
    assert "The lists of England stand for it below" in said
    table = tables.load("nhs_waits")
    assert "QNQ" not in set(table["organisation_code"]) | set(table["part_of"])
    (further,) = words.unlisted("Surrey")
    assert "as well" in further
    assert words.unlisted("Bury") == words.unlisted("England") == []


def test_what_carries_over_is_said_with_what_it_does_to_charts():
    found = views_control.carry_over()
    assert 0.5 < found["autocorrelation"] < 0.9
    assert found["signals_independent"] > 50
    assert 30 < found["alarms_independent"] < 60
    assert found["alarms"] < 12
    text = words.carried()
    for name in ("signals_independent", "alarms_independent", "signals", "alarms"):
        assert f"{found[name]:.0f} %" in text


def test_figures_of_what_carries_over_are_in_a_table():
    found, table = views_control.carry_over(), views_control.carried()["figure"]
    assert sorted(table) == sorted(found.drop("months"))


def test_a_fall_that_comparable_providers_do_not_show_is_said_with_their_rise():
    points = {point.split(":")[0]: point for point in words.findings("Bury")[1:]}
    # As published 45 to 40 %; the providers that can be compared went up.
    assert "throughout the share rose: 794 of 2,764 → 1,074" in points["Speech and language"]
    assert "throughout the share fell: 479 of 1,595" in points["Community paediatrics"]


def test_what_a_list_did_since_it_changed_is_said_where_a_chart_has_it():
    said = {area: words.findings(area)[1:] for area in boards()}
    since = [(area, one.split(":")[0].lower()) for area, points in said.items()
             for one in points if "since then" in one]  # fmt: skip
    assert since
    for area, service in since:
        assert service in set(views_control.charts(area)["service"])
    # North East and North Cumbria's community paediatrics has too few months for a chart.
    assert "changed in February 2023);" in said[boards()[0]][0]


def test_services_without_a_figure_are_left_out_of_the_sentences():
    assert "nan" not in " ".join(words.findings("Essex"))


def test_a_share_that_never_moves_has_no_limits():
    # No change between two neighbouring months: of 8 to 30 children none waited over 18 weeks.
    charts = views_control.charts("Isles of Scilly")
    assert set(charts["service"]) == {"community paediatrics", "speech and language"}
    assert (charts["upper"] > charts["lower"]).all()


def test_lists_drawn_on_are_held_against_what_came():
    found, inside, drawn_on, off = views.came(), 0, 0, {}
    later = views.of_main(waits.since())
    end = pd.Timestamp(2024, 8, 1)
    later = later[later["month"] == end].set_index(["organisation_code", "service"])["total"]
    for area in boards()[:-1]:
        own = views.focus(area)
        if own["level"] != "icb":
            continue
        drawn = views.futures(area).query("future == 'as now' and week == 44")
        became = later.get((own["organisation_code"], drawn["service"].iloc[0]))
        drawn_on += 1
        if pd.notna(became) and became > 0:
            low, high = drawn.set_index("quantile")["size"][[0.1, 0.9]]
            inside += low <= became <= high
            plan = views.queue_plan(area).loc[drawn["service"].iloc[0]]
            weeks = (end - pd.to_datetime(plan["month"])).days / 7
            then = plan["waiting"]
            middle = max(then + weeks * (plan["join_a_week"] - plan["leave_a_week"]), 1e-9)
            off[own["organisation"]] = [100 * abs(became / one - 1) for one in (middle, then)]
    assert (found["drawn"], found["lists"], found["inside"]) == (drawn_on, len(off), inside)
    assert inside < len(off) / 5  # where four in five would be a forecast's
    # Norfolk and Waveney's community paediatrics: 612 children, then 3,013.
    assert off["Norfolk and Waveney"][1] == pytest.approx(100 * (3013 / 612 - 1))
    assert found[["missed", "stayed"]].tolist() == pytest.approx(np.median([*off.values()], axis=0))
    text = words.came()
    assert f"{inside} lay in the band of “as now”" in text
    assert f"at least {found['missed']:.0f} % off its middle, and {found['stayed']:.0f} %" in text


def test_a_list_with_few_changes_has_no_plan():
    # North Tees repeated its figures: speech and language has three changes that compare.
    assert "speech and language" not in views.queue_plan("Hartlepool").index
    assert views.queue_plan("Bury")["month"].eq("October 2023").all()
    said = words.drawn_from(views.queue_plan("Southend-on-Sea"))
    assert said.endswith("; July 2023 (occupational therapy).")


def test_what_the_page_says_of_the_plan_names_columns_as_they_are_headed():
    page = json.loads((ROOT / "notebooks" / "05_waiting_times.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in page["cells"]]
    (text,) = (cell for cell in cells if "at-most figures" in cell)
    headed = {terms.heading(name).casefold() for name in views.queue_plan("Bury")}
    named = re.findall(r'"([^"]+)"', text)
    assert len(named) == 3 and set(named) <= headed
    assert "the load" not in text


def test_queue_plan_rests_on_medians_that_one_odd_month_cannot_move():
    plan = views.queue_plan("Bury")
    row = plan.loc["occupational therapy"]
    lists = views.lists("Bury")
    flows = queues.flows(lists[lists["service"] == "occupational therapy"])
    assert row["waiting"] == 1409
    assert row["join_a_week"] == pytest.approx(flows["joined_a_week"].median())
    # The tenfold fall of February, a thousand a week, leaves no trace in the capacity.
    assert flows["net_a_week"].min() < -1000
    assert abs(row["leave_a_week"] - row["join_a_week"]) < 5


def test_claims_and_their_changes():
    assert claims.of_waits("Bury") == {
        "community paediatrics": -50, "physiotherapy": -48, "occupational therapy": -56
    }  # fmt: skip
    assert claims.of_waits("Leeds") == {}
    found = views.changes("Bury", {"physiotherapy": -48})
    last = views.changed(found).iloc[-1]
    count = sum(change <= -48 for change in found["change"])
    assert (last["measure"], last["as_claimed"]) == ("all measures", count)
    assert last["changes"] == len(found)
    with pytest.raises(MissingDataError, match="No claim that waits fell"):
        views.changes("Leeds", {})


def test_what_came_of_it_since_is_said_in_figures_of_the_workbooks():
    said = {text.split(":")[0]: text for text in words.later("Bury")}
    speech = said["Speech and language"]
    # Northern Care Alliance: 506 of 3,041 in August 2024, but of 2,135 whose wait is known; 659 of
    # 2,541 in March 2025, 114 of 1,772 in October 2025.
    assert "3,041 children waiting in August 2024 and 1,772 in October 2025" in speech
    assert "over a year 23.7 → 6.4 % (16.6 → 6.4 % of the whole list)" in speech
    assert "at most 25.9 % in March 2025" in speech
    paediatrics = said["Community paediatrics"]
    # 372 of 1,287, then (516 + 26) of 1,371; England over a year.
    assert "28.9 → 39.5 % of the whole list" in paediatrics
    assert "over a year 26.0 → 40.0 %" in paediatrics.split("England had")[1]
    assert "2023" not in " ".join(said.values())


def test_months_without_a_figure_are_gaps_in_the_later_lists():
    table = views_since.shares("Bury")
    months = table["month"].drop_duplicates()
    assert months.tolist() == list(pd.date_range("2024-08-01", "2025-10-01", freq="MS"))
    gap = table[table["month"].isin(pd.to_datetime(["2025-08-01", "2025-09-01"]))]
    assert gap[["waiting", "over 18 weeks", "over 52 weeks"]].isna().all(axis=None)
    assert set(table["level"]) == {"provider", "icb", "region", "england"}
    # Manchester's lists of April 2025 are those of March: too much of the board's.
    board = table[(table["level"] == "icb") & (table["service"] == "speech and language")]
    published = tables.load("nhs_waits").set_index(
        ["organisation_code", "service", "month", "band"]
    )
    line = ("Therapy interventions: Speech and language", pd.Timestamp("2025-04-01"), "total")
    again = published.loc[("R0A", *line), "waiting"]
    assert published.loc[("QOP", *line), "repeated"] == again > 0
    assert again > 0.1 * published.loc[("QOP", *line), "waiting"]
    assert pd.isna(board.set_index("month").loc["2025-04-01", "waiting"])


def test_a_later_list_that_jumped_is_no_change_of_waits():
    table = views_since.ends("Isles of Scilly")
    own = table[table["level"] == "icb"].set_index("service")
    # Paediatrics: 68, then 4,038 children in February 2025; 5,206, then 132 in October.
    assert own.at["community paediatrics", "jumped"] == "February 2025, October 2025"
    # Speech and language, over a year: 0, then 1,051 of 2,455, after 548 who had waited 18 weeks;
    # in May 1,701 over 18 weeks, after 1,193 over 12.
    assert own.at["speech and language", "jumped"] == "March 2025, May 2025"
    said = {text.split(":")[0]: text for text in words.later("Isles of Scilly")}
    near = said["Community paediatrics"].split("England had")[0]
    assert "not a change of waits alone" in near
    assert "at most" not in near


def test_later_lists_are_compared_where_the_same_providers_hold_them():
    row = views_since.ends("Cumberland").query("level == 'icb'").set_index("service")
    row = row.loc["occupational therapy"]
    table = waits.since()
    lines = table[table["service"] == waits.SERVICES["occupational therapy"]]
    lists = lines[(lines["level"] == "provider") & (lines["part_of"] == "QHM")]
    by = lists.pivot(index=["organisation_code", "band"], columns="month", values="waiting")
    by = by.astype(float)
    months, held = by.columns, {"from": 0.0, "to": 0.0}
    for code in lists["organisation_code"].unique():
        own = by.loc[code].reindex(["total", *waits.BANDS]).dropna(axis=1)
        jumps = False
        for one, two in itertools.pairwise(own.columns):
            a, b = own[one], own[two]
            apart = 12 * (two.year - one.year) + two.month - one.month
            jumps |= max(a["total"], b["total"]) >= max(100, 3 * min(a["total"], b["total"]))
            for age, bands in {12: -3, 18: -2, 52: -1}.items():
                edges = [0, 1, 2, 4, 12, 18, 52]
                reach = [at for at, edge in enumerate(edges) if edge <= age - 5 * apart]
                if reach:
                    older, could = list(waits.BANDS[bands:]), list(waits.BANDS[reach[-1] :])
                    unknown = a["total"] - a[list(waits.BANDS)].sum()
                    jumps |= b[older].sum() > a[could].sum() + unknown + 10
        if not jumps and {months[0], months[-1]} <= set(own):
            held = {"from": held["from"] + own.loc["total", months[0]],
                    "to": held["to"] + own.loc["total", months[-1]]}  # fmt: skip
    whole = by.xs("total", level="band").sum()
    for end, month in (("from", months[0]), ("to", months[-1])):
        assert row[f"same {end}"] == pytest.approx(100 * held[end] / whole[month])
    assert not row["comparable"]


def test_every_kind_of_link_to_a_board_has_findings():
    links = tables.load("nhs_area_links").query("level != 'sub_icb'")
    for code in links.drop_duplicates("basis")["area_code"]:
        headline = words.findings(code)[0]
        assert f"not of {areas.name(code)} alone" in headline
