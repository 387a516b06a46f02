"""Claims about waiting times, set beside the public lists on every definition they allow.

No list is one borough's, so a claim about a borough cannot be tested with them. What can be said
is what the lists of its provider and its board did, on which definitions they fell by as much as
was claimed, and how much of that was reporting.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from send_analysis import tables
from send_analysis.waits import jumps
from send_analysis.waits import lists as waits
from send_analysis.waits.lists import NUMBERS, OPEN_UNIT, SERVICES, TOTAL, then

NEAREST, EXPLORATORY = "nearest", "exploratory"
CHILDREN = "cyp"  # whose lists are compared, as the table `nhs_waits` calls the age group
NAMES = {
    "waiting": "children waiting",
    "share_over_18_weeks": "share over 18 weeks",
    "over_52_weeks": "children waiting over 52 weeks",
    "median_wait": "median wait",
    "p92_wait": "92nd percentile wait",
}


def changes(
    table: pd.DataFrame,
    *,
    organisations: Iterable[str],
    services: Iterable[str] = tuple(SERVICES.values()),
    members: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compute the change of every measure between every two months, on every definition.

    Both months are of one unbroken run: nothing is compared across a month without lists.

    Parameters
    ----------
    table : DataFrame
        `nhs_waits`.
    organisations : iterable of str
        Codes of providers, boards, regions or England.
    services : iterable of str
        Service lines as in the table.
    members : DataFrame, optional
        As :func:`membership` returns it for `table`, so as not to work it out again.

    Returns
    -------
    DataFrame
        ``organisation_code, level, service, measure, base`` (banded; all for the share over 18
        weeks in addition), ``reporting`` (all organisations, or those that reported throughout
        the window), ``start, end, before, after, change`` (per cent of before; NaN where before
        is 0, a month is missing, or a wait lies in the open band).
    """
    rows = table[(table["age_group"] == CHILDREN) & table["service"].isin(list(services))]
    lists = waits.wide(rows)
    months = np.sort(lists["month"].unique())
    start, end = np.triu_indices(len(months), k=1)
    run = waits.runs(months).to_numpy()
    kept = run[start] == run[end]
    start, end = start[kept], end[kept]
    windows = pd.DataFrame({"window": np.arange(len(start)), "start": start, "end": end})
    published = lists[lists["organisation_code"].isin(list(organisations))]
    parts = {"all": {}}
    for side in ("start", "end"):
        month = months[windows[side]]
        here = windows[["window"]].assign(month=month)
        parts["all"][side] = published.merge(here, on="month")
    members = membership(table) if members is None else members
    full = _reported_throughout(lists, members, months, windows, list(organisations))
    parts["throughout"] = {side: full[full["side"] == side] for side in ("start", "end")}
    each = [_compare(sides).assign(reporting=reporting) for reporting, sides in parts.items()]
    out = pd.concat(each, ignore_index=True).merge(windows, on="window")
    out = out.assign(start=months[out["start"]], end=months[out["end"]])
    columns = ["organisation_code", "level", "service", "measure", "base", "reporting", "start",
               "end", "before", "after", "change"]  # fmt: skip
    return out[columns]


def _reported_throughout(
    lists: pd.DataFrame,
    members: pd.DataFrame,
    months: np.ndarray,
    windows: pd.DataFrame,
    organisations: list[str],
) -> pd.DataFrame:
    """Sums at both ends of each window over the providers with a total in each of its months."""
    own = merged_providers(lists)
    key = ["organisation_code", "age_group", "service"]
    at = pd.Index(months).get_indexer(own["month"])
    which = own.groupby(key).ngroup().to_numpy()
    names = own[key].drop_duplicates().sort_values(key).reset_index(drop=True)
    figures = np.full((len(names), len(months), len(NUMBERS)), np.nan)
    figures[which, at] = own[NUMBERS].to_numpy()
    seen = ~np.isnan(figures[:, :, 0])
    upto = np.pad(seen.cumsum(axis=1), ((0, 0), (1, 0)))
    start, end = windows["start"].to_numpy(), windows["end"].to_numpy()
    row, window = np.nonzero(upto[:, end + 1] - upto[:, start] == end - start + 1)
    names = names.merge(members, on="organisation_code", how="left")
    names = names.assign(provider=names["organisation_code"])
    parts = []
    for side, month in (("start", start), ("end", end)):
        counts = pd.DataFrame(figures[row, month[window]], columns=NUMBERS)
        for level in ("provider", "icb", "region", "england"):
            wanted = names[level].isin(organisations).to_numpy()[row]
            keyed = names.loc[row[wanted], [level, "age_group", "service"]].reset_index(drop=True)
            keyed = keyed.set_axis(["organisation_code", "age_group", "service"], axis=1)
            by = [*keyed, "window"]
            parted = [keyed.assign(window=window[wanted]), counts[wanted].reset_index(drop=True)]
            sums = pd.concat(parted, axis=1).groupby(by)
            sums = sums.sum(min_count=1).reset_index()
            parts.append(sums.assign(side=side, level=level, month=months[month[sums["window"]]]))
    return pd.concat(parts, ignore_index=True).assign(organisation="")


def _compare(sides: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Change of each measure from the start of each window to its end."""
    key = ["window", "organisation_code", "level", "service", "measure", "base"]
    ends = {}
    for side, lists in sides.items():
        whole = waits.measures(lists, base="all").assign(base="all")
        share = whole[whole["measure"] == "share_over_18_weeks"]
        both = pd.concat([waits.measures(lists).assign(base="banded"), share])
        exact = both["value"].where(both["unit"] != OPEN_UNIT)
        ends[side] = both.assign(value=exact).set_index(key)["value"]
    out = pd.DataFrame({"before": ends["start"], "after": ends["end"]}).reset_index()
    base = out["before"].where(out["before"] > 0)
    return out.assign(change=100 * (out["after"] - out["before"]) / base)


def steps(table: pd.DataFrame) -> pd.DataFrame:
    """Hold each provider's list against the one before, as :func:`.jumps.steps`.

    Parameters
    ----------
    table : DataFrame
        `nhs_waits`.

    Returns
    -------
    DataFrame
        As there, with the provider's newest name as ``organisation``; merged providers are one.
    """
    table = table[(table["level"] == "provider") & (table["age_group"] == CHILDREN)]
    found = jumps.steps(merged_providers(waits.wide(table)), by=["organisation_code", "service"])
    newest = table.sort_values("month").drop_duplicates("organisation_code", keep="last")
    names = newest.set_index("organisation_code")["organisation"]
    return found.assign(organisation=found["organisation_code"].map(names))


def unbanded(table: pd.DataFrame) -> pd.DataFrame:
    """Find lists returned without saying how long part of them has waited.

    Parameters
    ----------
    table : DataFrame
        `nhs_waits`.

    Returns
    -------
    DataFrame
        ``organisation_code, organisation, service, month, total, banded, short`` (how many have
        no band): providers, largest shortfall first.
    """
    lists = waits.wide(table[(table["level"] == "provider") & (table["age_group"] == CHILDREN)])
    lists = lists.assign(banded=lists["banded"].fillna(0))
    lists = lists.assign(short=lists[TOTAL] - lists["banded"])
    out = lists[lists["short"] > 0].sort_values("short", ascending=False)
    columns = ["organisation_code", "organisation", "service", "month", TOTAL, "banded", "short"]
    return out[columns].reset_index(drop=True)


def nearest(test: dict) -> pd.DataFrame:
    """Compute what comes nearest to a claim about one area's waits.

    Parameters
    ----------
    test : dict
        ``area``; ``service``, one or a list of short names (``waits.SERVICES``); ``since``, the
        month from which a change is claimed, left out where the claim is of a wait in weeks.

    Returns
    -------
    DataFrame
        ``role`` (nearest: from `since` to the last month, or in the last month, at the area's
        provider and board; exploratory: any other window), ``window, definition, official`` (per
        cent of change, or weeks), ``table, rows`` (the figures used).

    Raises
    ------
    UnknownNameError
        If the area or a service is not known.
    """
    serving = waits.organisations(test["area"])
    serving = serving[serving["level"].isin(["provider", "icb"])].set_index("organisation_code")
    named = [test["service"]] if isinstance(test["service"], str) else test["service"]
    lines = {waits.service_line(name): name for name in named}
    table = waits.then()
    if serving.empty:
        return pd.DataFrame()
    if "since" not in test:
        return weeks(table, serving, lines)
    found = changes(table, organisations=serving.index, services=lines, members=members())
    found = found.dropna(subset="change").reset_index(drop=True)
    since = pd.Timestamp(test["since"])
    is_nearest = (found["start"] == since) & (found["end"] == table["month"].max())
    measure = (
        found["measure"]
        .map(NAMES)
        .where(found["base"] == "banded", "share over 18 weeks of the whole list")
    )
    reported = found["reporting"].map(
        {"all": "as published", "throughout": "providers that reported throughout"}
    )
    name = found["organisation_code"].map(serving["organisation"])
    return pd.DataFrame({
        "role": np.where(is_nearest, NEAREST, EXPLORATORY),
        "window": found["start"].dt.strftime("%B %Y") + " to " + found["end"].dt.strftime("%B %Y"),
        "definition": found["service"].map(lines) + ", " + measure + ", " + name + ", " + reported,
        "official": found["change"],
        "table": "nhs_waits",
        "rows": found["before"].map(_figure) + " → " + found["after"].map(_figure),
    })  # fmt: skip


def weeks(table: pd.DataFrame, serving: pd.DataFrame, lines: dict[str, str]) -> pd.DataFrame:
    """Median and 92nd percentile wait of those on the list, every month.

    Parameters
    ----------
    table : DataFrame
        `nhs_waits`.
    serving : DataFrame
        Organisations, by code.
    lines : dict of str to str
        Service line as in the table, and its short name.

    Returns
    -------
    DataFrame
        As :func:`nearest`; ``nearest`` is the last month.
    """
    rows = table[
        (table["age_group"] == "cyp")
        & table["service"].isin(lines)
        & table["organisation_code"].isin(serving.index)
    ]
    found = waits.measures(waits.wide(rows))
    found = found[found["measure"].isin(["median_wait", "p92_wait"])].dropna(subset="value")
    last = found["month"] == table["month"].max()
    return pd.DataFrame({
        "role": np.where(last, NEAREST, EXPLORATORY),
        "window": "end of " + found["month"].dt.strftime("%B %Y"),
        "definition": found["service"].map(lines) + ", " + found["measure"].map(NAMES)
        + " so far of those on the list, " + found["organisation"],
        "official": found["value"],
        "table": "nhs_waits",
        "rows": found["value"].map(_figure) + " " + found["unit"],
    })  # fmt: skip


@tables.remembered
def largest_falls(line: str) -> pd.Series:
    """Largest fall of one service's list at every board, on any definition and in any window.

    Parameters
    ----------
    line : str
        Service line as in the table.

    Returns
    -------
    Series
        Per cent (below zero for a fall), by organisation code; boards without a change left out.
    """
    table = waits.then()
    boards = table.loc[table["level"] == "icb", "organisation_code"].unique()
    found = changes(table, organisations=boards, services=[line], members=members())
    return found.dropna(subset="change").groupby("organisation_code")["change"].min()


def _figure(value: float) -> str:
    """Write a count without decimals, a share or a wait with one."""
    return f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:.1f}"


MERGED = {"RVY": "RBN"}
"""Codes of merged providers, and those that go on: Southport and Ormskirk Hospital NHS Trust, since
July 2023 part of Mersey and West Lancashire (NHS Organisation Data Service)."""


def membership(table: pd.DataFrame) -> pd.DataFrame:
    """Give the board, the region and England for each provider, as of its last month.

    Parameters
    ----------
    table : DataFrame
        `nhs_waits`.

    Returns
    -------
    DataFrame
        ``organisation_code, icb, region, england``.
    """
    known = table[table["part_of"] != ""].sort_values("month", kind="stable")
    last = known.drop_duplicates("organisation_code", keep="last").set_index("organisation_code")
    providers = last[last["level"] == "provider"]["part_of"]
    out = pd.DataFrame({"organisation_code": providers.index, "icb": providers.to_numpy()})
    out["region"] = out["icb"].map(last["part_of"])
    return out.assign(england=out["region"].map(last["part_of"]))


def levels(members: pd.DataFrame) -> pd.DataFrame:
    """Say for each provider what it is added up to.

    Parameters
    ----------
    members : DataFrame
        As :func:`membership` returns it.

    Returns
    -------
    DataFrame
        ``provider, level, organisation_code``: a row each for itself, its board, its region and
        England, as far as known.
    """
    named = members.rename(columns={"organisation_code": "provider"})
    named = named.assign(own=named["provider"])
    out = named.melt("provider", var_name="level", value_name="organisation_code").dropna()
    return out.replace({"level": {"own": "provider"}})


@tables.remembered
def members() -> pd.DataFrame:
    """Give the membership in the lists as known when the claims were made, worked out once.

    Returns
    -------
    DataFrame
        As :func:`membership`.
    """
    return membership(then())


def merged_providers(lists: pd.DataFrame) -> pd.DataFrame:
    """Keep the providers' lists, those of merged ones under the code that goes on.

    Parameters
    ----------
    lists : DataFrame
        As :func:`.lists.wide` returns them.

    Returns
    -------
    DataFrame
        ``organisation_code, age_group, service, month`` and the numbers; only lists returned.
    """
    lists = lists[(lists["level"] == "provider") & lists[TOTAL].notna()]
    lists = lists.assign(organisation_code=lists["organisation_code"].replace(MERGED))
    key = ["organisation_code", "age_group", "service", "month"]
    return lists.groupby(key, as_index=False)[NUMBERS].sum(min_count=1)
