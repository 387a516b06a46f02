"""The waiting-times chapter in sentences; every number is read off a result."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.waits import changes, lists, views, views_control, views_since


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
    table = views.measured(area)
    by_measure = dict(iter(table.set_index("service").groupby("measure")))
    share = by_measure[changes.NAMES["share_over_18_weeks"]]
    share = share.join(by_measure[views.KNOWN][["first_month", "last_month"]].add_suffix("_known"))
    span = views.lists(area)["month"]
    alone = "" if chosen["organisation"] == name else f"These lists are not of {name} alone. "
    compared = share["comparable"].dropna()
    headline = (
        f"{alone}In {chosen['organisation']}, between {span.min():%B} and {span.max():%B %Y}, "
        + _fell(compared)
    )
    said = {
        service: f"; claimed was a change of waits by {_signed(change)} %, which cannot be tested"
        for service, change in (claimed or {}).items()
    }
    since = views.recounted(area)
    shown = share.dropna(subset=["first_month", "last_month"])
    points = [
        f"{service.capitalize()}: {row['first_month']:.0f} % of {row['first_month_known']:,.0f} → "
        f"{row['last_month']:.0f} % of {row['last_month_known']:,.0f} waiting over 18 weeks"
        f"{_since(area, service, since)}{_compared(row)}{said.get(service, '')}."
        for service, row in shown.iterrows()
    ]
    return [headline, *points]


def _fell(compared: pd.Series) -> str:
    """Say in how many services a share fell, where the same providers can be compared."""
    if compared.empty:
        return "no service has providers whose lists can be compared throughout."
    fell, rose = int((compared < 0).sum()), int((compared > 0).sum())
    return (
        "among providers that reported every month and counted the same throughout, the share of "
        f"children waiting over 18 weeks fell in {fell or 'none'} and rose in {rose or 'none'} of "
        f"{len(compared)} "
        f"{'service' if len(compared) == 1 else 'services'}."
    )


def _compared(row: pd.Series) -> str:
    """Say what comparable providers show where the share as published moved the other way."""
    if pd.isna(row["comparable"]) or row["change_percent"] * row["comparable"] >= 0:
        return ""
    way = "rose" if row["comparable"] > 0 else "fell"
    return (
        f"; among providers that can be compared the share {way}, by "
        f"{abs(row['comparable']):.1f} % of what it was"
    )


def _since(area: Area, service: str, recounted: dict[str, pd.Timestamp]) -> str:
    """Say so where a list changed what it counts, and what it did since."""
    if service not in recounted:
        return ""
    month = recounted[service]
    values = views_control.shares(area)[service].dropna()
    later = values[values.index >= month]
    told = f" (what the list counts most likely changed in {month:%B %Y}"
    if len(later) < 2:
        return f"{told})"
    return f"{told}: since then {later.iloc[0]:.0f} % → {later.iloc[-1]:.0f} %)"


def carried() -> str:
    """Say how much lists carry over from month to month, and what that does to control charts."""
    found = views_control.carry_over()
    return (
        "Who waits in one month mostly still waits in the next, so that lists move slowly: in "
        "boards' lists neighbouring months correlate by "
        f"{found['autocorrelation']:.2f} (corrected for so few months). The usual limits, which "
        "take months as independent, would find a signal in "
        f"{found['signals_independent']:.0f} % of the {found['charts']:.0f} charts of boards, but "
        f"also in {found['alarms_independent']:.0f} % of charts of lists that are steady and move "
        f"as slowly. The limits below are {found['widened']:.1f} times as wide: they find one in "
        f"{found['signals']:.0f} % of boards' charts, and in {found['alarms']:.0f} % of steady "
        "ones."
    )


def _signed(value: float) -> str:
    """Write a change with its sign."""
    return f"{value:+.0f}".replace("-", "−")


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
        else "providers that reported in both months, and whose lists never jumped, hold "
        f"{row['same from']:.0f} % of the first list and {row['same to']:.0f} % of the last"
    )
    return f" (not a change of waits alone: {why})"
