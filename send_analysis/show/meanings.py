"""What each column of a result holds, in a line: for the files of data that readers take away.

Heading and format of a column are in `terms`. What a column means that stands in a published table
under the same name is told by the table's own description, and is not repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from send_analysis import tables, terms

MONTH = re.compile(r"^(?:to )?[A-Z][a-z]+ \d{4}$")
MEANINGS = {
    # Everywhere.
    "age_band": "age in years; all: every age",
    "area": "name of the area",
    "area_code": "code of the Office for National Statistics; of areas added up, their codes",
    "areas": "number of areas that the row is of",
    "basis": "how the figure was come by",
    "category": "group of plans: an age band, a kind of placement or a need",
    "caveat": "why the row does not compare with the others; empty where it does",
    "change": "end less start",
    "change_percent": "end over start, less one, in per cent",
    "claimed": "figure that was claimed",
    "difference": "the area's own figure less the one compared with",
    "end": "January that the comparison ends with",
    "kind": "kind of what the row is of",
    "level": "kind of area or organisation; of a quantile, its per cent",
    "measure": "what is measured",
    "month": "month of the figure; a list is that at its end",
    "note": "remark",
    "organisation": "name of the NHS organisation",
    "organisation_code": "code of the NHS organisation",
    "people": "residents of the ages concerned in the middle of the year before, number",
    "phase": "phase of school",
    "plans": "EHC plans, with statements of SEN until these ended, number",
    "plans_end": "EHC plans in the January at the end, number",
    "plans_start": "EHC plans in the January at the start, number",
    "rank": "place among the areas compared, 1 is the highest",
    "ranked": "number of areas that have a place",
    "rate": "plans for each 1,000 residents of the ages concerned",
    "role": "part that the row plays; of areas: the area itself, England, region or neighbours",
    "service": "service that the list is for",
    "setting": "kind of placement",
    "share": "part of the whole, per cent",
    "source": "where the figure is from",
    "start": "January that the comparison starts with",
    "unit": "unit of the row's figures",
    "value": "the measure's value, in the unit that its name says",
    "year": "of plans and places: that of the January; of flows: calendar year",
    # Evidence.
    "agree": "figures among those tried that agree with the claim, number",
    "agrees": "whether the official figure agrees with the claim",
    "claim": "the claim in words",
    "compare": "how the claim is compared: equal, or a threshold above or below which it holds",
    "counted": "figures that the official one is computed from",
    "definition": "what the official series counts",
    "figures_tried": "official figures compared with the claim, number",
    "first": "first of the figures that agree with the claim",
    "in_time": "plans issued within 20 weeks, number",
    "issued": "plans issued that count for timeliness, number",
    "latest_figure_then": "newest official figure when the claim was made",
    "official": "figure that the official series gives",
    "official_figure_came_out": "month of the release that first had the official figure",
    "printed": "where the claim was printed",
    "remark": "remark on the verdict",
    "said": "as claimed, in the claim's own digits; of a claim, when it was made",
    "same_as": "claim that this one restates",
    "statement": "the claim in words",
    "tolerance": "how far a figure may be from the claim and agree with it",
    "verdict": "what the comparison with official figures says of the claim",
    "who": "who made the claim",
    "window": "months or years that the claim is about",
    "wrong_claims_met_by_a_reading": "made-up claims that some reading agrees with, per cent",
    "wrong_claims_that_find_one": "made-up claims that any figure tried agrees with, per cent",
    # Growth.
    "after": "growth after the event, per cent a year",
    "against": "whom growth is compared with",
    "age not recorded": "plans added whose age is not recorded, number",
    "age structure": "plans added by the ages of residents having changed, number",
    "before": "growth before the event, per cent a year",
    "ceased": "plans that ceased in the year, number",
    "chance": "how far chance moves a year's growth of an area of this size, % points (1 s.d.)",
    "component": "part of the change in plans",
    "denominator": "what is divided by, number",
    "event": "what may have changed growth",
    "grown_as": "whose growth the plans are given",
    "growth": "growth of plans over the whole time, per cent",
    "growth_a_year": "growth of the area's plans, per cent a year",
    "growth_others": "growth of the others' plans, per cent a year",
    "index": "plans as per cent of those in the first January shown",
    "item": "plans at either end, or a flow between them",
    "measured": "what the test compares before and after",
    "more": "plans at the end more than with the growth of the others, number",
    "new": "plans made in the year, number",
    "numerator": "what is divided, number",
    "others_a_year": "growth of the others' plans, per cent a year",
    "p": "probability of a step at least as large where nothing happened, 0 to 1",
    "plans_if": "plans at the end with the growth of those compared with, number",
    "pooled": "areas added up in the row, number",
    "population size": "plans added by there being more residents or fewer, number",
    "prevalence": "plans added by more or fewer plans a child of the same age, number",
    "ratio": "yearly growth factor of the area over that of the others, shrunk towards the mean",
    "ratio_raw": "the ratio before it is shrunk towards the mean",
    "remainder": "change of the year that new and ceased plans do not explain, number",
    "share_end": "part of all plans in the January at the end, per cent",
    "share_start": "part of all plans in the January at the start, per cent",
    "shared_with": "other areas in the same place, number",
    "spread": "lasting difference between areas in a year's growth, % points (1 s.d.)",
    "step": "growth factor after the event over that before",
    "tested": "whose growth is tested, against whom; whether a forecast so far ahead is tested",
    "variant": "how ages and residents are counted",
    "years": "yearly changes used, number",
    # Forecasts.
    "below": "outcomes below the quantile, per cent",
    "compound": "plans if the growth of the five years before had gone on",
    "compound_mape": "mean absolute error of compound growth, per cent",
    "compound_within_10": "forecasts of compound growth less than 10 per cent off, per cent",
    "error": "forecast over what was published later, less one, in per cent",
    "flagged": "whether the change is among those marked as odd in the release",
    "forecast": "whose forecast the row is of",
    "forecasts": "number of forecasts",
    "happened": "plans published later for the year forecast, number",
    "horizon": "years from the January forecast from to the one forecast",
    "mape": "mean absolute error, per cent",
    "median": "middle of the forecast: as likely to be passed as not",
    "origin": "January that the forecast was made from",
    "outcomes": "Januaries that the forecasts are held against",
    "published": "plans published, number",
    "published_then": "plans published for the January forecast from, number",
    "requests_change": "change in requests for assessment, from the year before the forecast's "
    "January to the year before the outcome, per cent",
    "scenario": "what is assumed",
    "wis_ratio": "weighted interval score over that of compound growth: below 1 is better",
    "within_10": "forecasts less than 10 per cent off, per cent",
    "within_80": "outcomes within the 80 per cent interval, per cent",
    "within_95": "outcomes within the 95 per cent interval, per cent",
    # Capacity.
    "agreed": "assessments agreed to, number",
    "at_capacity": "whether fewer than nine plans in ten came in time",
    "at_end": "assessments open at the end of the year, estimated number",
    "authority_years": "years of authorities that the row is of, number",
    "backlog": "open assessments beyond those there would be with 90 per cent in time, estimated",
    "calendar_year": "calendar year",
    "capacity": "places in use in the latest January and places announced, number",
    "chance_high": "upper end of the tenth of chances, per cent",
    "chance_low": "lower end of the tenth of chances, per cent",
    "completed": "assessments completed in the year, number",
    "cost": "pounds a year, millions",
    "decided": "requests decided within six weeks, per cent",
    "deficit": "cumulative deficit, per cent of the grant's income; below nought a surplus",
    "deficit_england": "the same of all authorities of England",
    "demand": "places needed, middle of the forecast",
    "divided_by": "plans that the spending is divided by, number",
    "extra_80": "places to add that are enough in 80 of 100 simulations",
    "extra_95": "places to add that are enough in 95 of 100 simulations",
    "hours": "hours that the assessments take",
    "hours_a_post": "hours a year that a full-time post has for assessments",
    "included": "whether the change is counted in the places announced",
    "in_use": "places in use in the latest January, number",
    "in_use_then": "places in use in the January before, number",
    "inside": "areas whose outcome lay within the 80 per cent interval, per cent",
    "kept": "places needed if shares of placements stay as in the latest January",
    "needed": "places in use in the January forecast, number",
    "needed_60": "completions that volumes would ask for with 60 per cent in time, number",
    "needed_90": "completions that volumes would ask for with 90 per cent in time, number",
    "next_year": "chance that more places are needed than there will be, a year ahead, per cent",
    "next_year_60": "completions that 60 per cent in time would ask for in the next year, number",
    "next_year_90": "completions that 90 per cent in time would ask for in the next year, number",
    "open_cases": "assessments open on average in the year, estimated number",
    "opens": "month or year in which the places open",
    "persistence": "mean absolute error if the share stays as the year before, % points",
    "places_80": "places that are enough in 80 of 100 simulations",
    "posts": "full-time equivalent posts",
    "predicted": "mean absolute error of both figures weighted, % points",
    "probability": "chance that more places are needed than there are, per cent",
    "probability_ahead": "the same in the year of the row, which no test has reached, per cent",
    "pounds": "pounds a year",
    "published_open": "assessments that the release says were open at the end of the year",
    "range": "whether the 80 per cent interval held in the test",
    "refused": "requests refused, number",
    "saving": "pounds a year saved",
    "shift": "from which setting to which pupils are placed",
    "short": "areas where more places were needed than there were, per cent",
    "skill": "how much the chance says beyond one figure for all areas: 1 at best, 0 nothing",
    "sufficed": "areas where the places enough in 80 of 100 simulations were enough, per cent",
    "timely": "plans issued within 20 weeks, per cent of those counted",
    "timely_by_volumes": "share within 20 weeks that volumes give, per cent",
    "title": "name of the change",
    "top_up": "part of the pounds that is top-up funding",
    "place": "part of the pounds that is place funding",
    "undecided": "requests not decided at the end of the year, number",
    "unsaid": "why no chance is given",
    "volumes": "mean absolute error of the share that volumes give, % points",
    "weeks": "weeks that a case takes, estimated",
    "where": "authorities that the row is of",
    # Waits.
    "as_claimed": "changes as large as claimed, number",
    "assumed": "value assumed, in the unit of the row",
    "assumption": "what is assumed",
    "changes": "changes compared, number",
    "comparable": "change among the providers that reported in every month and whose lists "
    "did not jump, per cent",
    "dispersion": "factor on the variance by which limits are widened for how boards differ",
    "extra_a_week": "children a week to be seen beyond those seen now",
    "first_month": "figure of the first month",
    "future": "how many children are seen a week",
    "highest": "largest of the changes, per cent",
    "join_a_week": "children who join the list in a week",
    "last_month": "figure of the last month",
    "leave_a_week": "children who leave the list in a week",
    "load": "children who join for each who leaves",
    "lower": "lower control limit",
    "lower_95": "lower 95 per cent limit for a list of this size, per cent",
    "lower_99_8": "lower 99.8 per cent limit for a list of this size, per cent",
    "lowest": "smallest of the changes, per cent",
    "mean": "mean of the series",
    "middle": "median of the changes, per cent",
    "moving_range": "difference from the month before",
    "on_the_list": "children on the list, number",
    "over_target": "list over its target size",
    "position": "where the board stands to the limits",
    "quantile": "part of the simulations that lie below, 0 to 1",
    "relief_capacity": "children a week to be seen for a year to bring the list to target",
    "side": "side of the mean on which a signal lies",
    "signal": "rule of control charts that the month meets; empty where none",
    "signals": "rules of control charts that are met",
    "size": "children on the list, number",
    "size_if_unchanged": "list after the time planned for if nothing changes, children",
    "target": "share of all boards together, per cent",
    "target_capacity": "children a week to be seen to keep the list at its target",
    "target_size": "list on which nearly every child is seen within the weeks aimed for, children",
    "trial": "whether the limits rest on few months",
    "upper": "upper control limit",
    "upper_95": "upper 95 per cent limit for a list of this size, per cent",
    "upper_99_8": "upper 99.8 per cent limit for a list of this size, per cent",
    "wait_known": "children whose wait is known, number",
    "wait_not_known": "children whose wait is not known, number",
    "waiting": "children on the list, number",
    "week": "weeks from now",
    "z": "distance from the share of all boards, in standard errors",
}


def meaning(name: str, named: Sequence[str]) -> str:
    """Say what a column holds, beyond its heading.

    Parameters
    ----------
    name : str
        Of the column; the ends of an interval are told by what they are ends of.
    named : sequence of str
        Tables that the result was made from: their own columns are described there.

    Returns
    -------
    str
        Empty where nothing is known beyond the heading.
    """
    if name in MEANINGS:
        return MEANINGS[name]
    fields = [field for table in named for field in tables.resource(table)["schema"]["fields"]]
    told = [field["description"] for field in fields if field["name"] == name]
    if told:
        return told[0]
    end = terms.ENDS.match(name)
    if end:
        level = f"{end['level']} per cent range" if end["level"] else "range"
        of = "what is forecast or estimated"
        if end["of"]:
            of = meaning(end["of"], named) or f"“{terms.heading(end['of'])}”"
        return f"{'lower' if end['end'] == 'low' else 'upper'} end of the {level} of {of}"
    return "figure of that month, or of the twelve months to it" if MONTH.match(name) else ""
