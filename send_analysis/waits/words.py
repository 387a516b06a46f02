"""The waiting-times chapter in sentences; every number is read off a result."""

from __future__ import annotations

import pandas as pd

from send_analysis import areas
from send_analysis.evidence import verdicts
from send_analysis.waits import changes, mental_health, views
from send_analysis.waits import since as wait_later

LATER = (("speech and language", "over 52 weeks"), ("community paediatrics", "over 18 weeks"))
"""Service and measure of each chart of the later lists."""


def chart_finding(chart: pd.DataFrame, service: str) -> str:
    """Say what a control chart shows.

    Parameters
    ----------
    chart : DataFrame
        As :func:`wait_views.charts` returns them.
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
        As :func:`wait_views.boards` returns it.
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


def claimed(area: str = "Bury") -> dict[str, float]:
    """Claimed changes of waits, by short name of the service.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    dict
        Per cent; empty where no claims are recorded.
    """
    if not verdicts.claims_file(area).is_file():
        return {}
    return {
        claim["test"]["service"]: claim["claimed"]
        for claim in verdicts.claims(area)
        if claim["test"]["kind"] == "nhs_wait" and "since" in claim["test"] and "claimed" in claim
    }


def change_finding(found: pd.DataFrame, claimed_change: float, service: str) -> str:
    """Say how many of the changes reach what was claimed.

    Parameters
    ----------
    found : DataFrame
        As :func:`wait_views.changes` returns them.
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
        As :func:`wait_views.changes` returns them.
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
        A row of :func:`wait_views.queue_plan`.

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


def findings(area: str = "Bury") -> list[str]:
    """Sum up the chapter: a headline, then a sentence a service.

    Parameters
    ----------
    area : str, default "Bury"

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
        for service, change in claimed(area).items()
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
    values = views.shares(area)[service].dropna()
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
    found = views.carry_over()
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
    found = views.carry_over()
    return found[list(names)].rename(names).rename_axis("measure").to_frame("value")


def later(area: str = "Bury") -> list[str]:
    """Say what came of the lists after the claims: nearest organisation and England, by service.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    list of str
        Nothing where no organisation has lists of these months.
    """
    table = wait_later.ends(area)
    said = []
    for service, rows in table.groupby("service", sort=False):
        near = rows[rows["level"] != "england"].head(1)
        england = rows[rows["level"] == "england"]
        told = [_later(row) for _, row in pd.concat([near, england]).iterrows()]
        said.append(f"{service.capitalize()}: {'. '.join(told)}.")
    return said


def later_table(area: str = "Bury") -> pd.DataFrame:
    """Write first and last figures of the later lists side by side, as a reader reads them.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    DataFrame
        ``service, organisation, months, children waiting``, the shares over 18 and over 52 weeks of
        those whose wait is known and of the whole list, the most over 52 weeks, the share of both
        lists that the same providers hold, and when the list jumped; in words.
    """
    ends = wait_later.ends(area)

    def pair(column: str, form: str) -> list[str]:
        both = zip(ends[f"{column} from"], ends[f"{column} to"], strict=True)
        return [f"{a:{form}} → {b:{form}}".replace("nan", "n/a") for a, b in both]

    months = zip(ends["from"], ends["to"], strict=True)
    highest = zip(ends["highest over 52 weeks"], ends["highest in"], strict=True)
    return pd.DataFrame({
        "service": ends["service"],
        "organisation": ends["organisation"],
        "months": [f"{a:%b %Y} → {b:%b %Y}" for a, b in months],
        "children waiting": pair("waiting", ",.0f"),
        "over 18 weeks, %": pair("over 18 weeks", ".1f"),
        "over 18 weeks, % of all": pair("over 18 weeks of all", ".1f"),
        "over 52 weeks, %": pair("over 52 weeks", ".1f"),
        "over 52 weeks, % of all": pair("over 52 weeks of all", ".1f"),
        "most over 52 weeks, %": [
            "n/a" if pd.isna(a) else f"{a:.1f} in {b:%b %Y}" if a else "none" for a, b in highest
        ],
        "held by the same providers, %": pair("same", ".0f"),
        "list jumped in": ends["jumped"].replace("", "no month"),
    })  # fmt: skip


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


def later_finding(ends: pd.DataFrame, measure: str) -> str:
    """Say where the nearest list and England's stood: the title of a chart.

    Parameters
    ----------
    ends : DataFrame
        Rows of one service, as :func:`wait_later.ends` returns them.
    measure : str
        ``over 18 weeks`` or ``over 52 weeks``.

    Returns
    -------
    str
        Both ends of a list that can be compared over the months of England's, else the last.
    """
    known = ends.dropna(subset=[f"{measure} from", f"{measure} to"])
    england, told = known.iloc[-1], {}
    for _, row in known.iloc[[0, -1]].iterrows():
        short = row["organisation"].removesuffix(" NHS Foundation Trust").removesuffix(" NHS Trust")
        first, last = row[f"{measure} from"], row[f"{measure} to"]
        same = row["comparable"] and row["from"] == england["from"] and row["to"] == england["to"]
        told[short] = (
            f"{first:.0f} → {last:.0f} %" if same else f"{last:.0f} % in {row['to']:%B %Y}"
        )
    service = ends["service"].iloc[0]
    said = ", ".join(f"{name} {figures}" for name, figures in told.items())
    return f"{service.capitalize()}, {measure}: {said}"


def referred(area: str = "Bury") -> list[str]:
    """Say what became of the children referred to mental health services, beside England.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    list of str
        Nothing for an area that has no commissioning group of its own or shared.
    """
    table = mental_health.referred(area)
    own = table[table["level"] == "group"].set_index("year")
    if own.empty:
        return []
    england = table[table["level"] == "england"].set_index("year").loc[own.index]
    never = ["closed before treatment", "open, no contact"]
    first, last = own.index[0], own.index[-1]

    def both(column: str, unit: str) -> str:
        ours = ", ".join(f"{value:.0f}" for value in own[column])
        theirs = ", ".join(f"{value:.0f}" for value in england[column])
        return f"{ours}{unit} (England {theirs})"

    span = ", ".join(own.index)
    said = [
        f"Of the {own['referred'].iloc[-1]:,.0f} children of {own['organisation'].iloc[-1]} who "
        f"were referred in {last}, {own['second contact'].iloc[-1]:.0f} % had a second contact by "
        f"the year's end (England {england['second contact'].iloc[-1]:.0f} %). Those "
        f"who had one by the end of {span} had waited {both(mental_health.MEAN, ' days')} on "
        "average.",
        f"Closed before treatment were {both(never[0], ' %')}; without any contact at the year's "
        f"end were {both(never[1], ' %')}. Why a referral was closed is not published; the "
        "publisher names other help that fits better and services without room.",
    ]
    if len(own) > 1:
        wait = own[mental_health.MEAN].iloc[-1] - own[mental_health.MEAN].iloc[0]
        left = own[never].sum(axis=1).iloc[-1] - own[never].sum(axis=1).iloc[0]
        ways = {True: ("shorter", "more"), False: ("longer", "fewer")}
        said.append(
            f"From {first} to {last} the wait became {ways[wait < 0][0]} for those who got in, and "
            f"{ways[left > 0][1]} were closed untreated or had no contact: "
            f"{own[never].sum(axis=1).iloc[0]:.0f} → {own[never].sum(axis=1).iloc[-1]:.0f} % "
            f"(England {england[never].sum(axis=1).iloc[0]:.0f} → "
            f"{england[never].sum(axis=1).iloc[-1]:.0f} %). Neither is a trend: in 2020-21 the "
            "publisher changed which services count, and it advises against comparing years. Each "
            "year can be held against England's."
        )
    return said


def referred_finding(table: pd.DataFrame) -> str:
    """Say of the newest year how many never got in, beside England: the title of the chart.

    Parameters
    ----------
    table : DataFrame
        As :func:`mental_health.referred` returns it.

    Returns
    -------
    str
    """
    last = table.groupby("level").last()
    never = last["closed before treatment"] + last["open, no contact"]
    year = table["year"].max()
    if "group" not in never:
        return f"{never['england']:.0f} of 100 children referred in {year} were closed or not seen"
    return (
        f"{never['group']:.0f} of 100 children referred in {year} were closed before treatment or "
        f"not seen, {never['england']:.0f} in England"
    )


def _signed(value: float) -> str:
    """Write a change with its sign."""
    return f"{value:+.0f}".replace("-", "−")
