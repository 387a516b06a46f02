"""What a sum of money a year buys in clinical staff, contacts and weeks of wait.

The sums are arithmetic on assumptions; every one is in ``data/assumptions.yml`` with its source
or the word "illustrative". None of them says what was in fact bought.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import scenarios
from send_analysis.errors import ParameterError

SERVICES = ("camhs", "health visiting")
_BOUNDS = ("low", "value", "high")


def assumptions() -> pd.DataFrame:
    """List the assumptions about pay, caseloads and contacts.

    Returns
    -------
    DataFrame
        Indexed by name: ``low, value, high`` (low and high are the value where there is no
        range), ``unit, source``.

    Raises
    ------
    ParameterError
        If one has no source, or its value lies outside its range.
    """
    return scenarios.assumptions("waits")


def cost_of_staff(band: int, given: pd.DataFrame | None = None) -> pd.Series:
    """Cost of one full-time clinician a year, with on-costs and overheads.

    Parameters
    ----------
    band : int
        Agenda for Change band, 6 or 7.
    given : DataFrame, optional
        As :func:`assumptions` returns them.

    Returns
    -------
    Series
        ``low, value, high`` in pounds a year.
    """
    given = assumptions() if given is None else given
    if f"pay_band_{band}" not in given.index:
        raise ParameterError(f"No pay for band {band}: assumptions.yml has bands 6 and 7.")
    value = given["value"]
    pay = given.loc[f"pay_band_{band}", list(_BOUNDS)].astype(float)
    insurance = value["employer_national_insurance"] * (pay - value["national_insurance_threshold"])
    overheads = given.loc["overheads", list(_BOUNDS)].astype(float)
    return (pay * (1 + value["employer_pension"]) + insurance) * (1 + overheads)


def what_money_buys(
    pounds: float, service: str, *, band: int = 6, given: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Turn a sum of money a year into staff, contacts and weeks of wait.

    Parameters
    ----------
    pounds : float
        A year, recurrent.
    service : {"camhs", "health visiting"}
        What it is spent on.
    band : int, default 6
        Pay band of the staff.
    given : DataFrame, optional
        Assumptions, as :func:`assumptions` returns them.

    Returns
    -------
    DataFrame
        ``item, low, value, high, unit, basis``. The low end takes costly staff who each do
        little, the high end the opposite; both at once is unlikely.

    Notes
    -----
    A list seen at r children a week falls by 52 d children in a year in which d more are seen a
    week, that is by 52 d / r weeks of wait, if as many join as before.
    """
    if not pounds > 0:
        raise ParameterError(f"{pounds} pounds a year buys nothing; give a sum above 0.")
    if service not in SERVICES:
        raise ParameterError(f"{service!r} is not one of {', '.join(SERVICES)}.")
    given = assumptions() if given is None else given
    bounds = given[list(_BOUNDS)].astype(float)
    cost = cost_of_staff(band, given)
    staff = pounds / cost[["high", "value", "low"]].set_axis(_BOUNDS)
    rows = [
        ("cost of one clinician", cost, "pounds a year", f"band {band} pay, on-costs, overheads"),
        ("clinicians", staff, "full-time", "sum / cost of one"),
    ]
    if service == "camhs":
        seen = staff * bounds.loc["camhs_referrals_a_clinician"]
        rows += [
            ("children newly seen", seen, "children a year", "CR137, 40 a clinician"),
            (
                "appointments",
                seen * bounds.loc["camhs_appointments_a_child"],
                "appointments a year",
                "7.5 a child (5 to 10)",
            ),
        ]
        for place in ("board", "area"):
            throughput = bounds.loc[f"camhs_seen_a_week_in_{place}", ["high", "value", "low"]]
            now = throughput["value"]
            weeks = seen / throughput.set_axis(_BOUNDS)
            rows.append(
                (
                    f"wait cut in a year, where {now:.0f} children a week are newly seen",
                    weeks,
                    "weeks",
                    "number seen illustrative, half to twice as many",
                )
            )
    else:
        # The heavier the caseload, the more children the same staff cover.
        children = staff * bounds.loc["health_visitor_caseload"]
        rows += [
            ("children covered", children, "children under 5", "250 to 400 a health visitor"),
            (
                "reviews",
                children * bounds.at["health_reviews_a_child", "value"] / 5,
                "reviews a year",
                "five reviews in five years",
            ),
        ]
    frame = pd.DataFrame(
        [
            {"item": item, **values.loc[list(_BOUNDS)], "unit": unit, "basis": basis}
            for item, values, unit, basis in rows
        ]
    )
    return frame[["item", *_BOUNDS, "unit", "basis"]]
