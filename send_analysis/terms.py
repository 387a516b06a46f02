"""What each column of a result is called where people read it, and how its values are written.

One registry: a column has one heading and one format wherever it is shown. A column that is not
in it is headed by its name, and written with as many decimals as its size needs.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

YEARS = r"year|january|origin|horizon|^(start|end|opens|from|to)$"  # columns that hold years
DECIMALS = ((1000, ",.0f"), (10, ",.1f"), (1, ",.2f"), (0, ",.3f"))  # from a value's size on


class Term(NamedTuple):
    """Heading of a column, and format specification of its values."""

    heading: str = ""
    form: str = ""


TERMS = {
    # Everywhere.
    "change": Term("Change", "+,.0f"),
    "change_percent": Term("Change, %", "+.1f"),
    "difference": Term("Difference", "+,.0f"),
    "high_80": Term("80 % range, high", ",.0f"),
    "high_95": Term("95 % range, high", ",.0f"),
    "low_80": Term("80 % range, low", ",.0f"),
    "low_95": Term("95 % range, low", ",.0f"),
    "people": Term("Residents", ",.0f"),
    "plans": Term("Plans", ",.0f"),
    "rate": Term("Per 1,000", ",.1f"),
    # Evidence.
    "agrees": Term("Agrees"),
    "first": Term("First that agrees"),
    "official": Term("Official figure"),
    "wrong_claims_met_by_a_reading": Term("Wrong claims that a reading would meet, %"),
    "wrong_claims_that_find_one": Term("Wrong claims that some figure would meet, %"),
    # Growth.
    "after": Term("After, %", ".1f"),
    "age not recorded": Term("Age not recorded", "+,.0f"),
    "age structure": Term("By their ages", "+,.0f"),
    "before": Term("Before, %", ".1f"),
    "growth": Term("Growth, %", "+.1f"),
    "growth_a_year": Term("Growth, % a year", ".1f"),
    "more": Term("More plans than as others grew", "+,.0f"),
    "chance": Term("Chance moves a year's growth by, % points", ".1f"),
    "event": Term("Event"),
    "growth_others": Term("Growth of the others, % a year", ".1f"),
    "grown_as": Term("Grown as in"),
    "others_a_year": Term("Others, % a year", ".1f"),
    "plans_end": Term("Plans at the end", ",.0f"),
    "plans_start": Term("Plans at the start", ",.0f"),
    "p": Term("p", ".3f"),
    "plans_if": Term("Plans with the growth of others", ",.0f"),
    "population size": Term("By the number of children and young people", "+,.0f"),
    "prevalence": Term("By the share with a plan at the same age", "+,.0f"),
    "ratio": Term("Ratio", ".3f"),
    "ratio_raw": Term("Ratio before shrinking", ".3f"),
    "share": Term("Share, %", ".1f"),
    "share_end": Term("Share at the end, %", ".1f"),
    "share_start": Term("Share at the start, %", ".1f"),
    "shared_with": Term("Others in the same place", ",.0f"),
    "spread": Term("Areas differ lastingly by, % points", ".2f"),
    "step": Term("Step", ".3f"),
    # Forecasting.
    "below": Term("Outcomes below it, %", ".1f"),
    "compound": Term("Compound growth", ",.0f"),
    "compound_mape": Term("Mean error of compound growth, %", ".1f"),
    "compound_within_10": Term("Of compound growth less than 10 % off, %", ".0f"),
    "error": Term("Error, %", "+.0f"),
    "flagged": Term("Flagged as odd"),
    "happened": Term("Plans published later", ",.0f"),
    "horizon": Term("Years ahead", ".0f"),
    "level": Term("Quantile, %", ".1f"),
    "mape": Term("Mean error, %", ".1f"),
    "median": Term("Middle of the forecast", ",.0f"),
    "origin": Term("Forecast from January", ".0f"),
    "outcomes": Term("Outcomes of January"),
    "published": Term("Plans published", ",.0f"),
    "published_then": Term("Plans in that January", ",.0f"),
    "requests_change": Term("Requests changed by, %", "+.0f"),
    "wis_ratio": Term("Interval score (compound growth: 1)", ".2f"),
    "within_10": Term("Forecasts less than 10 % off, %", ".0f"),
    "within_80": Term("Outcomes in the 80 % interval, %", ".0f"),
    "within_95": Term("Outcomes in the 95 % interval, %", ".0f"),
    # Capacity.
    "areas": Term("Areas", ",.0f"),
    "assessments_expected": Term("Assessments expected", ",.0f"),
    "authority_years": Term("Years of authorities", ",.0f"),
    "at_capacity": Term("Fewer than nine in ten in time"),
    "at_end": Term("Open at the end of the year", ",.0f"),
    "backlog": Term("Backlog", ",.0f"),
    "capacity": Term("In use and announced", ",.0f"),
    "chance_low": Term("Chance from, %", ".0f"),
    "chance_high": Term("Chance to, %", ".0f"),
    "cost": Term("Cost, £ million", ",.2f"),
    "counted": Term("Plans counted"),
    "decided": Term("Requests decided within 6 weeks, %", ".1f"),
    "deficit": Term("Deficit, %", ".2f"),
    "deficit_england": Term("Deficit in England, %", ".2f"),
    "demand": Term("Demand", ",.0f"),
    "divided_by": Term("Plans divided by", ",.0f"),
    "extra_80": Term("More places, enough in 80 of 100 simulations", ",.0f"),
    "extra_95": Term("More places, enough in 95 of 100 simulations", ",.0f"),
    "financial_year_from_april": Term("Financial year from April", ".0f"),
    "grant": Term("Grant, £", ",.0f"),
    "high_needs": Term("High needs block, £", ",.0f"),
    "hours": Term("Hours they take", ",.0f"),
    "hours_a_post": Term("Hours a post has for them", ",.0f"),
    "in_use": Term("In use in the latest January", ",.0f"),
    "in_use_then": Term("In use then", ",.0f"),
    "inside": Term("Areas within the 80 % interval, %", ".0f"),
    "kept": Term("Demand at the latest January's shares", ",.0f"),
    "needed": Term("In use a year later", ",.0f"),
    "institution": Term("Institution"),
    "needed_60": Term("Completions that 60 % would ask for", ",.0f"),
    "needed_90": Term("Completions that 90 % would ask for", ",.0f"),
    "next_year": Term("Chance that more are needed a year ahead, %", ".0f"),
    "next_year_60": Term("Completions for 60 % in the next year", ",.0f"),
    "next_year_90": Term("Completions for 90 % in the next year", ",.0f"),
    "open_cases": Term("Open on average in the year", ",.0f"),
    "persistence": Term("As the year before"),
    "place": Term("Of it the place", ",.0f"),
    "places": Term("Places", ",.0f"),
    "places_80": Term("Enough in 80 of 100 simulations", ",.0f"),
    "places_or_pupils": Term("Places or pupils", ",.0f"),
    "planned": Term("Announced", ",.0f"),
    "posts": Term("Posts", ",.1f"),
    "pounds": Term("Pounds", ",.0f"),
    "predicted": Term("Both, weighted"),
    "probability": Term("Chance that more are needed, %", ".0f"),
    "probability_ahead": Term("Chance that more are needed, untested, %", ".0f"),
    "published_open": Term("Published as open at the end of the year", ",.0f"),
    "pupils": Term("Pupils", ",.1f"),
    "range": Term("80 % interval"),
    "saving": Term("Saving, £", ",.0f"),
    "short": Term("Areas where more was needed, %", ".0f"),
    "skill": Term("Skill of the chance, 1 at best", "+.2f"),
    "special_pupils": Term("Pupils in special schools", ",.0f"),
    "sufficed": Term("Places enough in 80 of 100 simulations were enough, % of areas", ".0f"),
    "timely": Term("Plans within 20 weeks, % of those counted", ".1f"),
    "timely_by_volumes": Term("Plans within 20 weeks by numbers of cases, %", ".1f"),
    "top_up": Term("Of it top-up", ",.0f"),
    "undecided": Term("Requests not decided", ",.0f"),
    "unsaid": Term("Why no chance is given"),
    "volumes": Term("From numbers of cases alone"),
    "weeks": Term("Weeks a case takes", ",.1f"),
    "where": Term("Area"),
    # What families meet.
    "appeals": Term("Appeals registered", ",.0f"),
    "decisions_counted": Term("Decisions counted"),
    "decisions": Term("Decisions that could be appealed", ",.0f"),
    "in_time": Term("Plans within 20 weeks", ",.0f"),
    "in_time_percent": Term("Within 20 weeks, %", ".1f"),
    "issued": Term("Plans counted", ",.0f"),
    "late": Term("Plans after more than 20 weeks", ",.0f"),
    "over_a_year": Term("Plans after more than a year", ",.0f"),
    "over_a_year_percent": Term("After more than a year, %", ".1f"),
    "per_100": Term("Appeals for 100 decisions", ".1f"),
    "per_100_england": Term("England, for 100 decisions", ".1f"),
    "percent": Term("Pupils, %", ".1f"),
    "to_a_year": Term("Plans after 20 weeks to a year", ",.0f"),
    "to_a_year_percent": Term("After 20 weeks to a year, %", ".1f"),
    "untimed": Term("Plans without a time", ",.0f"),
    # Waits.
    "10 to 17": Term("Aged 10 to 17, %", ".0f"),
    "90th percentile days": Term("A tenth had waited, days"),
    "amount": Term("Amount", ",.0f"),
    "assumed": Term("Assumed", ",.6g"),
    "closed before treatment": Term("Closed before treatment, %", ".1f"),
    "comparable": Term("Change among comparable providers, %", "+.1f"),
    "eating disorders, £ million": Term("Eating disorders, £ million", ",.2f"),
    "extra_a_week": Term("More than now", ",.0f"),
    "figure": Term("Figure", ",.3g"),
    "first contacts in the quarter": Term("First seen in the quarter"),
    "in_100_residents_aged_0_to_17": Term("In 100 residents aged 0 to 17", ".1f"),
    "join_a_week": Term("Join a week", ",.0f"),
    "leave_a_week": Term("Leave a week", ",.0f"),
    "load": Term("Join for each who leaves", ".2f"),
    "mean days to second contact": Term("Mean days to second contact", ",.1f"),
    "median days": Term("Half had waited, days"),
    "median days to first contact": Term("Half of those first seen had waited, days"),
    "not seen": Term("No appointment recorded, %", ".1f"),
    "open at least 13 weeks": Term("Open 13 weeks or more"),
    "open referrals": Term("Referral open"),
    "open, no contact": Term("Open, no contact yet, %", ".1f"),
    "open, one contact": Term("Open, one contact, %", ".1f"),
    "organisation_code": Term("Code"),
    "over 18 weeks": Term("Over 18 weeks, %", ".1f"),
    "over 18 weeks in England": Term("England, over 18 weeks, %", ".1f"),
    "over 52 weeks": Term("Over 52 weeks, %", ".1f"),
    "over 52 weeks in England": Term("England, over 52 weeks, %", ".1f"),
    "over_target": Term("List over its target size", ".1f"),
    "referred": Term("Children referred", ",.0f"),
    "relief_capacity": Term("Capacity a week for a year", ",.0f"),
    "second contact": Term("Had a second contact, %", ".1f"),
    "seen later": Term("Seen later, %", ".1f"),
    "seen within 13 weeks": Term("Of these seen within 13 weeks, %", ".1f"),
    "size_if_unchanged": Term("Size if unchanged", ",.0f"),
    "target_capacity": Term("Capacity a week thereafter", ",.0f"),
    "target_size": Term("Target size", ",.0f"),
    "under 10": Term("Aged under 10, %", ".0f"),
    "waiting": Term("Children waiting", ",.0f"),
    "£ for each resident aged 0 to 17": Term("£ for each resident aged 0 to 17", ",.0f"),
    "£1.4 million is, %": Term("£1.4 million is, %", ".1f"),
    "£ million": Term("£ million", ",.2f"),
}
NOUGHT = re.compile(r"^[+-](?=0(?:\.0+)?$)")  # the sign of "-0.0"
YES_NO = {"True": "yes", "False": "no"}
# Ends of an interval of the column before them: ``ratio_low``, ``places_high_80``.
ENDS = re.compile(r"^(?:(?P<of>.+)_)?(?P<end>low|high)(?:_(?P<level>\d+))?$")


def heading(name: str) -> str:
    """Return the heading of a column.

    Parameters
    ----------
    name : str
        Of a column of a result.

    Returns
    -------
    str
        Of its term, or its name in words, with a capital.
    """
    known = TERMS.get(name, Term()).heading
    if known:
        return known
    words = re.sub(
        r"\b(ehc|nhs|sen|send)\b", lambda found: found[0].upper(), name.replace("_", " ").strip()
    )
    end = ENDS.match(name)
    if end:
        level = f"{end['level']} % range" if end["level"] else "range"
        words = (
            f"{heading(end['of'])}, {level}, {end['end']}"
            if end["of"]
            else f"{level}, {end['end']}"
        )
    return words[:1].upper() + words[1:]


def form(column: pd.Series, name: str) -> str:
    """Return the format specification of a column: that of its term, or what its values need.

    Parameters
    ----------
    column : Series
        Values.
    name : str

    Returns
    -------
    str
        E.g. ``",.0f"``; an interval's ends are written as what they are ends of.
    """
    column = column.infer_objects()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "%d %B %Y"
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return ""
    end = ENDS.match(name)
    for known in (name, end["of"] if end else None):
        if known in TERMS and TERMS[known].form:
            return TERMS[known].form
    values = np.abs(column.dropna().to_numpy(dtype=float))
    whole = bool((values == values.round()).all())
    is_year = whole and len(values) > 0 and values.min() >= 1900 and values.max() <= 2100
    if is_year and re.search(YEARS, name, re.IGNORECASE):
        return ".0f"
    if whole:
        return ",.0f"
    # As many decimals as tell values of this size apart: .275 and .25 are not both "0.3".
    most = values.max()
    return next(form for above, form in DECIMALS if most >= above)


def texts(column: pd.Series, name: str) -> list[str]:
    """Write the values of a column as they are read; "n/a" where one is missing.

    What rounds to nought has no sign, and what is true or false is "yes" or "no".
    """
    spec = form(column, name)
    return [
        "n/a" if missing else NOUGHT.sub("", YES_NO.get(text := format(value, spec), text))
        for value, missing in zip(column, column.isna(), strict=True)
    ]
