"""Waiting lists compared with themselves: first month and last, and the jumps between."""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.waits import changes
from send_analysis.waits import jumps as jumps_of
from send_analysis.waits import lists as waits
from send_analysis.waits.lists import BANDS, TOTAL
from send_analysis.waits.views import MAIN, focus, lists_of, main_lists

CHILDREN = waits.UNITS["waiting"]
KNOWN = "children whose wait is known"  # what the share over 18 weeks is of
LONG = "of them over 18 weeks"
FEWEST = 20  # children in the first month for a change in per cent: of fewer, five are a quarter
_NAMED = ["organisation", "service", "month"]
ENDS = ["first_month", "last_month", "comparable_first", "comparable_last"]
MEASURED = [
    "service", "measure", *ENDS[:2], "change_percent", *ENDS[2:], "comparable", "unit",
]  # fmt: skip


@reads.result
def measured(area: Area) -> pd.DataFrame:
    """First and last month of every measure, for the organisation that stands for an area.

    Returns
    -------
    DataFrame
        ``service, measure`` (in words; before the share, what it is of and what it counts),
        ``first_month, last_month, change_percent``; ``comparable_first, comparable_last,
        comparable``: the same among the providers that reported in every month and show no jump
        (:mod:`.jumps`); ``unit``. A wait in the open band is 52. No share, no such wait, no count
        below ``FEWEST`` in the first month, and none that leaves out what repeats, which cannot be
        known of the first month, has a change in per cent.
    """
    return _measured(focus(area)["organisation_code"])[MEASURED]


@reads.result
def written(area: Area) -> pd.DataFrame:
    """Return :func:`measured` as a reader reads it: a wait in the open band is 52 or more."""
    found = _measured(focus(area)["organisation_code"])
    return found.assign(**{name: found[f"{name} written"] for name in ENDS})[MEASURED]


@tables.remembered
def _measured(code: str) -> pd.DataFrame:
    """First and last month of every measure of one organisation, which serves many areas.

    As :func:`measured`, and each figure as a reader reads it, ``written``.
    """
    sums = _comparable()
    published = lists_of(code)
    months = [published["month"].min(), published["month"].max()]
    own = _first_and_last(published, months, [*ENDS[:2], "change_percent"])
    sums = sums[sums["organisation_code"] == code]
    alike = _first_and_last(sums, months, [*ENDS[2:], "comparable"])
    out = own.join(alike).reset_index()
    out["unit"] = out["measure"].map(waits.UNITS).fillna(CHILDREN)
    unlike = out["service"].isin(_repeating(code, months)) & (out["unit"] == CHILDREN)
    out["change_percent"] = out["change_percent"].mask(unlike)
    order = {name: place for place, name in enumerate(changes.NAMES)}
    order |= {KNOWN: order["share_over_18_weeks"] - 0.5, LONG: order["share_over_18_weeks"] - 0.4}
    out = out.sort_values(["service", "measure"], key=lambda c: c.replace(order), kind="stable")
    out["measure"] = out["measure"].replace(changes.NAMES)
    return out


def _repeating(code: str, months: list[pd.Timestamp]) -> set[str]:
    """Main services, by short name, whose list lacks what repeats in one of some months."""
    rows = tables.load("nhs_waits", organisation_code=code, age_group="cyp", band=TOTAL)
    rows = rows[rows["month"].isin(months) & (rows["repeated"] > 0)]
    return set(rows["service"].map(waits.SHORT).dropna())


def _first_and_last(
    lists: pd.DataFrame, months: list[pd.Timestamp], names: list[str]
) -> pd.DataFrame:
    """Every measure in two months, by service and measure: first, last, and change in per cent.

    `names` are those of the three; first and last stand there as they are ``written``, too.
    """
    counts = {KNOWN: lists["banded"], LONG: lists[list(BANDS[-2:])].sum(axis=1, min_count=1)}
    parts = [lists.assign(measure=name, value=count, unit=CHILDREN)
             for name, count in counts.items()]  # fmt: skip
    found = pd.concat([waits.measures(lists), *parts])
    value, shares = found["value"], found["measure"] == "share_over_18_weeks"
    beyond = found["unit"] == waits.OPEN_UNIT
    written = value.map("{:,.0f}".format).mask(shares, value.map("{:.1f}".format)).astype("str")
    few = (found["unit"] == CHILDREN) & (value < FEWEST)
    found = found.assign(
        written=written.mask(beyond, written + " or more").where(value.notna()),
        exact=value.mask(beyond), base=value.mask(beyond | shares | few | (value <= 0)),
    )  # fmt: skip
    first, last = (
        found[found["month"] == month].set_index(["service", "measure"]) for month in months
    )
    out = first.add_suffix(" first").join(last.add_suffix(" last"), how="outer")
    ends = dict(zip(names, ("first", "last"), strict=False))
    figures = {name: out[f"value {end}"] for name, end in ends.items()}
    read = {f"{name} written": out[f"written {end}"] for name, end in ends.items()}
    change = {names[2]: 100 * (out["exact last"] / out["base first"] - 1)}
    return pd.DataFrame(figures | change | read)


@tables.remembered
def _comparable() -> pd.DataFrame:
    """Sums of the main services over providers that reported every month and show no jump.

    As :func:`.lists.wide`, for every board and region, and England; ``service`` has short names.
    """
    lists = _steps()
    key = ["organisation_code", "service"]
    steady = ~(lists["tripled"] | lists["aged"])
    steady = steady.groupby([lists[name] for name in key]).transform("sum")
    kept = lists[steady == waits.then()["month"].nunique()]
    levels = changes.levels(changes.members())
    kept = kept.rename(columns={"organisation_code": "provider"}).merge(levels, on="provider")
    by = ["level", "organisation_code", "service", "month"]
    sums = kept[kept["level"] != "provider"].groupby(by)[waits.NUMBERS].sum(min_count=1)
    return sums.reset_index().assign(organisation="", age_group=changes.CHILDREN)


def _steps() -> pd.DataFrame:
    """Providers' lists of the main services, each held against the one before."""
    found = _every_step()
    found = found.assign(service=found["service"].map(waits.SHORT))
    return found[found["service"].isin(MAIN)]


@tables.remembered
def _every_step() -> pd.DataFrame:
    """Lists of all providers, each held against the one before."""
    return changes.steps(waits.then())


@reads.found
def recounted(area: Area) -> dict[str, pd.Timestamp]:
    """Services whose list changed what it counts, and since when it is one list.

    Returns
    -------
    dict
        Short name of the service, and the month of the last jump of the organisation that stands
        for the area.
    """
    return recounted_of(focus(area)["organisation_code"])


def recounted_of(code: str) -> dict[str, pd.Timestamp]:
    """Last jumps of one organisation's lists, by its code, as :func:`recounted`."""
    found = all_recounted()
    own = found[found["organisation_code"] == code]
    return own.set_index("service")["month"].to_dict()


@tables.remembered
def all_recounted() -> pd.DataFrame:
    """Last jump of each list of a main service at every board and region, and in England.

    A sum jumps where it shows a sign of its own, and where jumps of its providers together make
    more than a tenth of it: they may be hidden in what others have cleared.

    Returns
    -------
    DataFrame
        ``organisation_code, service`` (short name), ``month``.
    """
    lists = main_lists()
    sums = lists[lists["level"] != "provider"]
    key = ["organisation_code", "service"]
    held = jumps_of.steps(sums, by=key)
    steps = _steps()
    large = (steps["total"] - steps["before"]).abs().where(steps["tripled"], 0)
    large = np.fmax(large, (steps["long"] - steps["could"]).where(steps["aged"], 0))
    parts = steps.assign(large=large).rename(columns={"organisation_code": "provider"})
    parts = parts.merge(changes.levels(changes.members()), on="provider")
    parts = parts.groupby([*key, "month"])["large"].sum()
    held = held.join(parts, on=[*key, "month"])
    whole = np.fmax(held[TOTAL], held["before"])
    found = held[held["tripled"] | held["aged"] | (held["large"] > waits.MOST_REPEATED * whole)]
    return found.groupby(key, as_index=False)["month"].max()


@reads.result
def jumps() -> pd.DataFrame:
    """List the lists that triple from one month to the next, or fall to a third.

    Returns
    -------
    DataFrame
        ``organisation, service, month`` (in words), ``children_before, children_after``; largest
        change first.
    """
    found = _every_step()
    found = found[found["tripled"] & (found["months"] == 1)]
    names = {"before": "children_before", TOTAL: "children_after"}
    found = found.assign(size=(found[TOTAL] - found["before"]).abs())
    return _in_words(found, [*_NAMED, *names], by="size").rename(columns=names)


@reads.result
def aged() -> pd.DataFrame:
    """List the lists with more long waits than can have grown so long since the month before.

    Returns
    -------
    DataFrame
        ``organisation, service, month`` (in words), ``age_weeks, could_be_older, are_older``
        (children); most children too old first.
    """
    found = _every_step()
    found = found[found["aged"] & (found["months"] == 1)]
    names = {"weeks": "age_weeks", "could": "could_be_older", "long": "are_older"}
    found = found.assign(size=found["long"] - found["could"])
    return _in_words(found, [*_NAMED, *names], by="size").rename(columns=names)


@reads.result
def unbanded() -> pd.DataFrame:
    """List the lists returned without saying how long part of them has waited.

    Returns
    -------
    DataFrame
        ``organisation, service, month`` (in words), ``on_the_list, wait_known, wait_not_known``.
    """
    names = {TOTAL: "on_the_list", "banded": "wait_known", "short": "wait_not_known"}
    return _in_words(_unbanded(), [*_NAMED, *names], by="short").rename(columns=names)


@tables.remembered
def _unbanded() -> pd.DataFrame:
    """Lists of all providers whose bands fall short."""
    return changes.unbanded(waits.then())


def _in_words(found: pd.DataFrame, columns: list[str], *, by: str) -> pd.DataFrame:
    """Keep columns, the largest first; months are written as readers do."""
    found = found.sort_values(by, ascending=False, kind="stable").reset_index(drop=True)
    return found.assign(month=found["month"].dt.strftime("%B %Y"))[columns]
