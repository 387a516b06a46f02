"""Waiting lists as the report shows them: of the organisation that stands for an area.

Results of one organisation serve all the areas that it stands for, and are kept.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import tables
from send_analysis.waits import changes as wait_claims
from send_analysis.waits import lists as waits
from send_analysis.waits import providers, queues
from send_analysis.waits.lists import SERVICES, SHORT, TOTAL

KNOWN = "children whose wait is known"  # what the share over 18 weeks is of
MAIN = ("community paediatrics", "occupational therapy", "physiotherapy", "speech and language")


@tables.remembered
def focus(area: str = "Bury") -> pd.Series:
    """Choose the organisation that stands for an area: its first board, else region or England.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    Series
        ``organisation_code, organisation, level, basis``. A board whose providers report none of
        the main services is passed over.
    """
    serving = waits.organisations(area)
    table = waits.then()
    main = table["service"].isin([SERVICES[name] for name in MAIN])
    here = table["organisation_code"].isin(serving["organisation_code"])
    with_lists = table.loc[main & here, "organisation_code"].unique()
    serving = serving[serving["organisation_code"].isin(with_lists)]
    return serving[serving["level"] != "provider"].iloc[0]


def lists(area: str = "Bury") -> pd.DataFrame:
    """Lists of the four main services at the organisation that stands for an area.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    DataFrame
        As :func:`lists.wide`; ``service`` has short names.
    """
    return lists_of(focus(area)["organisation_code"])


@tables.remembered
def lists_of(code: str) -> pd.DataFrame:
    """Lists of the four main services at one organisation, by its code, as :func:`lists`."""
    table = waits.then()
    short = {SERVICES[name]: name for name in MAIN}
    rows = table[(table["organisation_code"] == code) & table["service"].isin(short)]
    out = waits.wide(rows)
    return out.assign(service=out["service"].map(short))


def reporting(area: str = "Bury") -> pd.DataFrame:
    """Children waiting at each provider that an area's board (or region) is added up from.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    DataFrame
        Indexed by ``provider``, one column a month (as text); the last row is the sum as
        published. Missing where a provider sent nothing. ``attrs["service"]`` is the service:
        occupational therapy, or the first of the main ones that the board has.
    """
    chosen = focus(area)
    served = set(lists(area)["service"])
    service = next(name for name in ("occupational therapy", *MAIN) if name in served)
    table = waits.then()
    totals = table[(table["service"] == SERVICES[service]) & (table["band"] == TOTAL)]
    members = providers.members().set_index("organisation_code")
    inside = members.index[members[chosen["level"]] == chosen["organisation_code"]]
    is_sum = totals["organisation_code"] == chosen["organisation_code"]
    own = totals[totals["organisation_code"].isin(inside) | is_sum]
    name = own["organisation"].where(own["level"] == "provider", "Sum as published")
    wide = own.assign(provider=name, month=own["month"].dt.strftime("%b %Y")).pivot(
        index="provider", columns="month", values="waiting"
    )
    months = totals["month"].drop_duplicates().sort_values().dt.strftime("%b %Y")
    last = wide.index == "Sum as published"
    out = pd.concat([wide[~last], wide[last]])[list(months)].rename_axis(columns=None)
    out.attrs["service"] = service
    return out


def measured(area: str = "Bury") -> pd.DataFrame:
    """First and last month of every measure, for the organisation that stands for an area.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    DataFrame
        ``service, measure`` (in words; after the share, what it is of), ``first, last, change``
        (per cent), ``comparable`` (the
        change among providers that reported in every month and whose list did not triple, or fall
        to a third, within one), ``unit``.
    """
    return _measured(focus(area)["organisation_code"])


@tables.remembered
def _measured(code: str) -> pd.DataFrame:
    """First and last month of every measure of one organisation, which serves many areas."""
    found = waits.measures(lists_of(code))
    months = found["month"].min(), found["month"].max()
    ends = [
        found[found["month"] == month].set_index(["service", "measure"]).sort_index()
        for month in months
    ]
    every = _first_to_last()
    window = every[
        (every["organisation_code"] == code)
        & (every["start"] == months[0])
        & (every["end"] == months[1])
        & (every["base"] == "banded")
    ]
    window = window.assign(service=window["service"].map(SHORT))
    both = window.pivot(index=["service", "measure"], columns="reporting", values="change")
    out = pd.DataFrame({"first": ends[0]["value"], "last": ends[1]["value"]})
    out = out.join(both.reindex(columns=["all", "throughout"])).join(ends[1]["unit"])
    out = out.rename(columns={"all": "change", "throughout": "comparable"}).reset_index()
    known = lists_of(code).pivot(index="service", columns="month", values="banded")
    known = known[list(months)].set_axis(["first", "last"], axis=1).astype(float).reset_index()
    known["change"] = 100 * (known["last"] / known["first"].where(known["first"] > 0) - 1)
    out = pd.concat([out, known.assign(measure=KNOWN, unit="children")], ignore_index=True)
    order = {name: i for i, name in enumerate(waits.MEASURES)}
    order[KNOWN] = order["share_over_18_weeks"] + 0.5
    out = out.sort_values(["service", "measure"], key=lambda c: c.replace(order), kind="stable")
    out["measure"] = out["measure"].map(wait_claims.NAMES | {KNOWN: KNOWN})
    return out[["service", "measure", "first", "last", "change", "comparable", "unit"]]


@tables.remembered
def _first_to_last() -> pd.DataFrame:
    """Changes from the first month to the last at every board and region, and in England."""
    table = _without_jumps()
    return wait_claims.changes(
        table,
        organisations=table.loc[table["level"] != "provider", "organisation_code"].unique(),
        services=[SERVICES[name] for name in MAIN],
        members=providers.members(),
        longest=True,
    )


def _without_jumps() -> pd.DataFrame:
    """Lists of children without those of providers that jumped: what they count has changed."""
    table = waits.then()
    jumped = jumps()[["organisation_code", "service"]].drop_duplicates()
    gone = pd.MultiIndex.from_frame(jumped)
    there = pd.MultiIndex.from_frame(table[["organisation_code", "service"]])
    return table[~(there.isin(gone) & (table["level"] == "provider").to_numpy())]


def recounted(area: str = "Bury") -> dict[str, pd.Timestamp]:
    """Services whose list changed what it counts, and since when it is one list.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    dict
        Short name of the service, and the month of the last jump (a list of a hundred or more that
        triples, or falls to a third) of the organisation that stands for the area.
    """
    return jumped(lists(area), by=["service"]).groupby("service")["month"].max().to_dict()


def jumped(lists: pd.DataFrame, *, by: list[str]) -> pd.DataFrame:
    """Find months in which a list of a hundred or more triples, or falls to a third.

    Parameters
    ----------
    lists : DataFrame
        As :func:`lists.wide` returns them.
    by : list of str
        Columns that tell lists apart.

    Returns
    -------
    DataFrame
        Those rows of `lists`, held against the month with a figure before them.
    """
    own = lists.sort_values("month").dropna(subset=TOTAL)
    before = own.groupby(by)[TOTAL].shift()
    large, small = own[TOTAL].combine(before, max), own[TOTAL].combine(before, min)
    return own[before.notna() & (large >= 100) & (large >= 3 * small)]


def changes(area: str, service: str) -> pd.DataFrame:
    """Changes of one service at the provider and the board of an area, on every definition.

    Parameters
    ----------
    area, service : str

    Returns
    -------
    DataFrame
        As :func:`changes.changes`, without empty changes.
    """
    serving = waits.organisations(area)
    codes = serving.loc[serving["level"].isin(["provider", "icb"]), "organisation_code"]
    found = wait_claims.changes(
        waits.then(),
        organisations=codes,
        services=[waits.service_line(service)],
        members=providers.members(),
    )
    return found.dropna(subset="change").reset_index(drop=True)


@tables.remembered
def jumps() -> pd.DataFrame:
    """List the lists that change more in one month than children can.

    Returns
    -------
    DataFrame
        As :func:`changes.jumps`, months in words.
    """
    return _in_words(wait_claims.jumps(waits.then()))


@tables.remembered
def unbanded() -> pd.DataFrame:
    """List the lists returned without saying how long part of them has waited.

    Returns
    -------
    DataFrame
        As :func:`changes.unbanded`, months in words.
    """
    return _in_words(wait_claims.unbanded(waits.then()))


def _in_words(found: pd.DataFrame) -> pd.DataFrame:
    """Write months as readers do."""
    return found.assign(month=found["month"].dt.strftime("%B %Y"))


def queue_plan(area: str = "Bury", *, target_wait: float = 18, weeks: float = 52) -> pd.DataFrame:
    """What each list would need to reach a target wait in a year.

    Parameters
    ----------
    area : str, default "Bury"
    target_wait : float
        Weeks within which nearly every child should be seen.
    weeks : float
        Until the list is at its target.

    Returns
    -------
    DataFrame
        As :func:`queues.plan`, a row a service. Joining is the median over the
        months of half of those who have waited up to two weeks, a lower bound; leaving is that
        less the median weekly change of the list, which one month counted otherwise cannot move.
    """
    flows = queues.flows(lists(area)).dropna(subset="queue_size")
    group = flows.groupby("service")
    joined, net = group["joined_a_week"].median(), group["net_a_week"].median()
    frame = pd.DataFrame(
        {"queue_size": group["queue_size"].last(), "demand": joined, "capacity": joined - net}
    ).dropna()
    frame = frame[(frame["demand"] > 0) & (frame["capacity"] > 0)]
    return queues.plan(frame, target_wait=target_wait, weeks=weeks)
