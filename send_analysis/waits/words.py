"""The waiting-times chapter in sentences; every number is read off a result."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.errors import either
from send_analysis.waits import (
    changes,
    control,
    lists,
    views,
    views_compared,
    views_control,
    views_since,
)

ENOUGH = {"known": 100, "long": 20}  # children, at one end at least, for a verdict on a share
HELD = 1 / 3  # of those whose wait is known, at least, for a verdict that stands for the list
TO_JUDGE_BY = "enough children, and at least a third of the list, to judge by"
UNCLEAR = "shows no clear change"
NO_JUMP = "no jump that waiting cannot make"
_ENDS = views_compared.ENDS


@reads.found
def findings(area: Area, claimed: Mapping[str, float] | None = None) -> list[str]:
    """Sum up the chapter: a headline, then a sentence a service.

    Parameters
    ----------
    area : Area or str
    claimed : mapping of str to float, optional
        Change of waits in per cent that was claimed of a service.
    """
    name = area.name
    chosen = views.focus(area)
    table = views_compared.measured(area)
    by_measure = dict(iter(table.set_index("service").groupby("measure")))
    share = by_measure[changes.NAMES["share_over_18_weeks"]]
    for suffix, measure in (("_known", views_compared.KNOWN), ("_long", views_compared.LONG)):
        share = share.join(by_measure[measure][_ENDS].add_suffix(suffix))
    shown = share[share[_ENDS[:2]].notna().all(axis=1) | share[_ENDS[2:]].notna().all(axis=1)]
    span = views.lists(area)["month"]
    place, shared = chosen["organisation"], views.shared(area)
    divided = "" if "boundaries changed" not in chosen["basis"] else (
        ", and most of its children may be on another board's: the link to boards is of an "
        "authority with other boundaries"
    )  # fmt: skip
    alone = f"These lists are not of {name} alone{divided}. " if shared else ""
    if shared and place == name:
        place = "the board of that name"
    headline = f"{alone}In {place}, between {span.min():%B} and {span.max():%B %Y}, " + _fell(shown)
    said = {
        service: f"; claimed was a change of waits by {_signed(change)} %, which cannot be tested"
        for service, change in (claimed or {}).items()
    }
    since = views_compared.recounted(area)
    points = [
        f"{service.capitalize()}: {_published(row)}{_since(area, service, since)}; "
        f"{_compared(row)}{said.get(service, '')}".removesuffix("; ")
        + "."
        for service, row in shown.iterrows()
    ]
    return [headline, *points]


def _fell(shown: pd.DataFrame) -> str:
    """Say in how many services a share fell, where the same providers can be compared."""
    compared = shown[[_enough(row) for _, row in shown.iterrows()]]
    who = f"providers that reported every month and show {NO_JUMP}"
    if compared.empty:
        return f"in no service do {who} have {TO_JUDGE_BY}."
    share = f"among {who}, the share of children waiting over 18 weeks"
    only = len(compared) < len(shown)
    if len(compared) == 1:
        way = _way(compared.iloc[0])
        why = f", the only service in which these have {TO_JUDGE_BY}" * only
        return f"{share} {way} in {compared.index[0]}{why}."
    ways = compared.apply(_way, axis=1).value_counts()
    told = [f"{way} in {ways.get(way, 'none')}" for way in ("fell", "rose")]
    if UNCLEAR in ways:
        told.append(f"{UNCLEAR} in {ways[UNCLEAR]}")
    which = "the " * only + f"{len(compared)} services"
    why = f" in which these have {TO_JUDGE_BY}" * only
    return f"{share} {either(told, 'and')} of {which}{why}."


def _enough(row: pd.Series) -> bool:
    """Whether comparable providers have a share at both ends, and enough of the list to judge."""
    return not (row[_ENDS[2:]].isna().any() or _few(row) or _part(row))


def _few(row: pd.Series) -> bool:
    """Whether comparable providers have too few children at either end for a verdict."""
    return any(max(row[f"{end}_{of}"] for end in _ENDS[2:]) < least for of, least in ENOUGH.items())


def _part(row: pd.Series) -> bool:
    """Whether comparable providers have too small a part of the list at one end for a verdict."""
    ends = zip(_ENDS[:2], _ENDS[2:], strict=True)
    return any(row[f"{own}_known"] < HELD * row[f"{whole}_known"] for whole, own in ends)


def _way(row: pd.Series) -> str:
    """Say which way a share moved among comparable providers, where chance alone moves less."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    ends = [row[f"comparable_{end}{of}"] for end in ("last", "first") for of in ("_long", "_known")]
    low, high = confint_proportions_2indep(*ends, method="newcomb", compare="diff")
    return "rose" if low > 0 else "fell" if high < 0 else UNCLEAR


def _published(row: pd.Series) -> str:
    """Say how a share stood in the first month and in the last."""
    if row[_ENDS[:2]].isna().any():
        return "no share of the whole list in both months"
    return (
        f"{row['first_month']:.0f} % of {row['first_month_known']:,.0f} → "
        f"{row['last_month']:.0f} % of {row['last_month_known']:,.0f} waiting over 18 weeks"
    )


def _compared(row: pd.Series) -> str:
    """Say how many children wait so long at comparable providers, where these are not all."""
    if row[_ENDS[2:]].isna().any():
        return "no provider's list can be compared throughout"
    counts = [f"{row[f'{end}_long']:,.0f} of {row[f'{end}_known']:,.0f}" for end in _ENDS]
    why = "too few to judge by" if _few(row) else "too small a part to judge by"
    few = [] if _enough(row) else [why]
    way = "" if few else f" the share {_way(row)}:"
    told = f"on lists that can be compared throughout{way} {' → '.join(counts[2:])}"
    return ", ".join(few if counts[:2] == counts[2:] else [told, *few])


def _since(area: Area, service: str, recounted: dict[str, pd.Timestamp]) -> str:
    """Say so where a list changed what it counts, and what it did since, where that is charted."""
    if service not in recounted:
        return ""
    month = recounted[service]
    values = views_control.shares(area)[service].dropna()
    later = values[values.index >= month]
    told = f" (what or whom the list counts most likely changed in {month:%B %Y}"
    charted = views_control.left(area).query("charted")["service"]
    if service not in set(charted):
        return f"{told})"
    return f"{told}: since then {later.iloc[0]:.0f} % → {later.iloc[-1]:.0f} %)"


def carried() -> str:
    """Say how much lists carry over from month to month, and what that does to control charts."""
    found = views_control.carry_over()
    return (
        "Who waits in one month mostly still waits in the next, so that lists move slowly: in "
        "boards' lists that do not jump neighbouring months correlate by "
        f"{found['autocorrelation']:.2f} (corrected for so few months). The usual limits, which "
        "take months as independent, would find a signal in "
        f"{found['signals_independent']:.0f} % of their {found['charts']:.0f} charts, but "
        f"also in {found['alarms_independent']:.0f} % of charts of lists that are steady and move "
        f"as slowly. The limits below are {found['widened']:.1f} times as wide: they find one in "
        f"{found['signals']:.0f} % of these charts, and in {found['alarms']:.0f} % of steady ones."
    )


@reads.found
def redrawn(area: Area) -> list[str]:
    """Say which control charts begin late or are not drawn, because the list jumped.

    Returns
    -------
    list of str
        A sentence a service; nothing where no list jumped.
    """
    said = []
    for row in views_control.left(area).itertuples():
        name, when = row.service.capitalize(), f"{row.month:%B %Y}"
        changed = "what or whom its list counts most likely changed"
        few = row.months < control.RUN
        why = "the months since are too few to draw limits from" if few else "its share stays since"
        said.append(
            f"{name} is drawn from {when} on: {changed} then."
            if row.charted
            else f"{name} has no chart: {changed} in {when}, and {why}."
        )
    return said


def _signed(value: float) -> str:
    """Write a change with its sign."""
    return f"{value:+.0f}".replace("-", "−")


@reads.found
def unlisted(area: Area) -> list[str]:
    """Say which of an area's boards have no list here, and what stands for the area instead.

    Returns
    -------
    list of str
        Nothing where every board that the area is linked to has lists.
    """
    missing = views.unlisted(area)
    if missing.empty:
        return []
    chosen = views.focus(area)
    listed = chosen["level"] == "icb"  # another board of the area has lists
    text = (
        f"{area.name} is linked to {either(missing, 'and')}{' as well' * listed}, of which these "
        "releases have no children's list; nor is any provider's list added up to it."
    )
    if listed:
        return [text]
    return [
        f"{text} Which providers see its children, and what boards their lists are added up to, "
        f"the releases do not say. The lists of {chosen['organisation']} stand for it below."
    ]


def drawn_from(plan: pd.DataFrame) -> str:
    """Say of which month the lists are that :func:`.views.queue_plan` plans for."""
    services = plan.index.to_series().groupby(plan["month"], sort=False)
    told = [f"{month} ({either(names, 'and')})" for month, names in services]
    return f"Lists at the end of {'; '.join(told)}."


def came() -> str:
    """Say what became of lists that were drawn on as now."""
    found = views.came()
    return (
        f"Of the longest lists of {found['drawn']} boards {found['lists']} were returned in "
        f"{found['month']:%B %Y}, whoever reported then and whatever was counted; "
        f"{found['inside']} lay in the band of “as now”. Half of those returned were at least "
        f"{found['missed']:.0f} % off its middle, and {found['stayed']:.0f} % off what they had "
        "been in the last month drawn from. How much of that is waiting, and how much counting, "
        "cannot be told. This is arithmetic on the rates of some months, not a forecast."
    )


def months() -> str:
    """Name the first and the last month of the lists as known when claims were made."""
    then = lists.then()["month"]
    return f"{then.min():%B} and {then.max():%B %Y}"


@reads.found
def later(area: Area) -> list[str]:
    """Say what came of the lists after the claims: nearest organisation and England, by service.

    Returns
    -------
    list of str
        Nothing where no organisation has lists of these months.
    """
    table = views_since.ends(area)
    said = []
    for service, rows in table.groupby("service", sort=False):
        near = rows[rows["level"] != "england"].head(1)
        england = rows[rows["level"] == "england"]
        told = [_later(row) for _, row in pd.concat([near, england]).iterrows()]
        said.append(f"{service.capitalize()}: {'. '.join(told)}.")
    return said


def services(table: pd.DataFrame) -> str:
    """Say for how many children's services there are lists near an area, and where waits are long.

    Parameters
    ----------
    table : DataFrame
        As :func:`.views_since.services` returns it.
    """
    board = table[table["level"] == "icb"]
    known = board.dropna(subset=["over 18 weeks", "over 18 weeks in England"])
    longer = (known["over 18 weeks"] > known["over 18 weeks in England"]).sum()
    return (
        f"At the end of {table['month'].iloc[0]:%B %Y} {board['organisation'].iloc[0]} has lists "
        f"for {len(board)} of {len(lists.lines())} children's services; in "
        f"{longer or 'none'} of the {len(known)} whose waits are known, a larger share than in "
        "England waits over 18 weeks."
    )


def _later(row: pd.Series) -> str:
    """Say of one list how it stood at both ends and when most had waited over a year."""
    text = (
        f"{row['organisation']} had {row['waiting from']:,.0f} children waiting in "
        f"{row['from']:%B %Y} and {row['waiting to']:,.0f} in {row['to']:%B %Y}"
    )
    if row[["over 18 weeks from", "over 18 weeks to"]].isna().any():
        return f"{text}{_apart(row)}"
    top, parts = row["highest over 52 weeks"], []
    for name, words in (("over 18 weeks", "over 18 weeks"), ("over 52 weeks", "over a year")):
        known, whole = (
            [row[f"{name}{of} {end}"] for end in ("from", "to")] for of in ("", " of all")
        )
        shown, of_all = (" → ".join(f"{one:.1f}" for one in both) for both in (known, whole))
        apart = max(abs(a - b) for a, b in zip(known, whole, strict=True)) >= 1
        parts.append(f"{words} {shown} %" + (f" ({of_all} % of the whole list)" if apart else ""))
    if row["highest in"] not in (row["from"], row["to"]) and top >= 0.05 and not row["jumped"]:
        parts[-1] += f", at most {top:.1f} % in {row['highest in']:%B %Y}"
    return f"{text}; of those whose wait is known, {', '.join(parts)}{_apart(row)}"


def _apart(row: pd.Series) -> str:
    """Say why a list's first and last month are not of the same children's waits."""
    if row["comparable"]:
        return ""
    why = (
        f"what the list counts most likely changed in {row['jumped']}"
        if row["jumped"]
        else f"providers that reported in both months, and show {NO_JUMP}, hold "
        f"{row['same from']:.0f} % of the first list and {row['same to']:.0f} % of the last"
    )
    return f" (not a change of waits alone: {why})"
