"""The waiting-times chapter in sentences; every number is read off a result."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from send_analysis import areas
from send_analysis.waits import changes, views, views_control


def chart_finding(chart: pd.DataFrame, service: str) -> str:
    """Say what a control chart shows.

    Parameters
    ----------
    chart : DataFrame
        As :func:`views_control.charts` returns them.
    service : str
        Short name.

    Returns
    -------
    str
    """
    signals = chart[chart["signal"] != ""]
    name = service.capitalize()
    if signals.empty:
        return f"{name}: no month stands out from the month-to-month noise"
    signs = ", ".join(dict.fromkeys(signals["signal"]))
    return f"{name}: {len(signals)} of {len(chart)} months signal more than noise ({signs})"


def funnel_finding(funnel: pd.DataFrame, area: str, service: str) -> str:
    """Say where an area's board stands among all.

    Parameters
    ----------
    funnel : DataFrame
        As :func:`views_control.boards` returns it.
    area, service : str

    Returns
    -------
    str
    """
    code = views.focus(area)["organisation_code"]
    what = f"{service.capitalize()}: "
    if code not in funnel.index:
        low, high = (funnel["share"].quantile(q) for q in (0.1, 0.9))
        return (
            f"{what}in four boards of five between {low:.0f} and {high:.0f} per cent of those on "
            "the list wait over 18 weeks"
        )
    own = funnel.at[code, "share"]
    return (
        f"{what}in {funnel.at[code, 'organisation']} {own:.0f} per cent of "
        f"{funnel.at[code, 'size']:,.0f} wait over 18 weeks, more than in "
        f"{(funnel['share'] < own).sum()} of {len(funnel) - 1} others"
    )


def change_finding(found: pd.DataFrame, claimed_change: float, service: str) -> str:
    """Say how many of the changes reach what was claimed.

    Parameters
    ----------
    found : DataFrame
        As :func:`views.changes` returns them.
    claimed_change : float
        Per cent.
    service : str

    Returns
    -------
    str
    """
    reached = (found["change"] <= claimed_change).sum()
    return (
        f"{service.capitalize()}: {reached} of {len(found)} changes are a fall of "
        f"{abs(claimed_change):g} % or more"
    )


def change_table(found: pd.DataFrame, claimed_change: float) -> pd.DataFrame:
    """Sum up the changes that a strip draws, a row a measure.

    Parameters
    ----------
    found : DataFrame
        As :func:`views.changes` returns them.
    claimed_change : float
        Per cent.

    Returns
    -------
    DataFrame
        ``measure, changes, lowest, median, highest`` (per cent), ``as claimed`` (how many reach
        what was claimed); the last row counts those of all measures.
    """
    group = found.groupby(found["measure"].map(changes.NAMES), sort=False)["change"]
    reached = group.agg(lambda x: int((x <= claimed_change).sum()))
    out = group.agg(changes="size", lowest="min", median="median", highest="max")
    out = out.assign(**{"as claimed": reached}).reset_index()
    every = {"measure": "all measures", "changes": len(found), "as claimed": reached.sum()}
    return pd.concat([out, pd.DataFrame([every])], ignore_index=True)


def relief_finding(row: pd.Series) -> str:
    """Say what capacity brings a list to its target.

    Parameters
    ----------
    row : Series
        A row of :func:`views.queue_plan`.

    Returns
    -------
    str
    """
    if row["extra_a_week"] <= 0:
        return "The list falls fast enough already to be at its target in a year"
    return (
        f"At most {row['extra_a_week']:,.0f} more children a week bring the list to target in a "
        "year"
    )


def findings(area: str = "Bury", claimed: Mapping[str, float] | None = None) -> list[str]:
    """Sum up the chapter: a headline, then a sentence a service.

    Parameters
    ----------
    area : str, default "Bury"
    claimed : mapping of str to float, optional
        Change of waits in per cent that was claimed of a service.

    Returns
    -------
    list of str
    """
    name = areas.name(areas.resolve(area))
    chosen = views.focus(area)
    table = views.measured(area)
    by_measure = dict(iter(table.set_index("service").groupby("measure")))
    share = by_measure[changes.NAMES["share_over_18_weeks"]]
    share = share.join(by_measure[views.KNOWN][["first", "last"]].add_suffix("_known"))
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
    shown = share.dropna(subset=["first", "last"])
    points = [
        f"{service.capitalize()}: {row['first']:.0f} % of {row['first_known']:,.0f} → "
        f"{row['last']:.0f} % of {row['last_known']:,.0f} waiting over 18 weeks"
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
    if pd.isna(row["comparable"]) or row["change"] * row["comparable"] >= 0:
        return ""
    way = "rose" if row["comparable"] > 0 else "fell"
    return f"; among comparable providers it {way}, by {abs(row['comparable']):.1f} % of itself"


def _since(area: str, service: str, recounted: dict[str, pd.Timestamp]) -> str:
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
    """Say how much lists carry over from month to month, and what that does to control charts.

    Returns
    -------
    str
    """
    found = views_control.carry_over()
    return (
        "Lists carry over: most children who wait in one month still wait in the next. In "
        "boards' lists neighbouring months correlate by "
        f"{found['autocorrelation']:.2f} (corrected for so few months). Limits that take months as "
        f"independent would flag {found['signals_independent']:.0f} % of the {found['charts']:.0f} "
        f"charts of boards, but also {found['alarms_independent']:.0f} % of charts of a list that "
        "is steady and carries over "
        f"as much. The limits below are {found['widened']:.1f} times as wide: they flag "
        f"{found['signals']:.0f} % of boards' charts, and {found['alarms']:.0f} % of steady ones."
    )


def carried_table() -> pd.DataFrame:
    """Return the figures of :func:`carried`, a row each.

    Returns
    -------
    DataFrame
        Indexed by ``measure`` (in words): ``value``.
    """
    names = {
        "charts": "Charts of boards",
        "autocorrelation": "Correlation of neighbouring months",
        "signals_independent": "Charts with a signal, limits for independent months, %",
        "alarms_independent": "Steady lists with a signal, limits for independent months, %",
        "widened": "Limits as drawn are wider, times",
        "signals": "Charts with a signal, limits as drawn, %",
        "alarms": "Steady lists with a signal, limits as drawn, %",
    }
    found = views_control.carry_over()
    return found[list(names)].rename(names).rename_axis("measure").to_frame("value")


def _signed(value: float) -> str:
    """Write a change with its sign."""
    return f"{value:+.0f}".replace("-", "−")
