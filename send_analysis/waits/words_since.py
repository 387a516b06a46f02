"""What came of the waiting lists since the claims, in sentences; every number is of a result."""

from __future__ import annotations

import pandas as pd

from send_analysis.waits import since

LATER = (("speech and language", "over 52 weeks"), ("community paediatrics", "over 18 weeks"))
"""Service and measure of each chart of the later lists."""


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
    table = since.ends(area)
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
    ends = since.ends(area)

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


def services(area: str = "Bury") -> str:
    """Say for how many children's services there are lists near an area, and where waits are long.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    str
        Empty for an area without a board.
    """
    table = since.services(area)
    board = table[table["level"] == "icb"]
    if board.empty:
        return ""
    known = board.dropna(subset=["over 18 weeks", "over 18 weeks in England"])
    longer = (known["over 18 weeks"] > known["over 18 weeks in England"]).sum()
    named = board["organisation"].iloc[0]
    return (
        f"At the end of {table['month'].iloc[0]:%B %Y} {named} has lists for {len(board)} of "
        f"{len(since.lines())} children's services; in {longer or 'none'} of the {len(known)} "
        "whose waits are known, a larger share than in England waits over 18 weeks."
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


def later_finding(ends: pd.DataFrame, measure: str) -> str:
    """Say where the nearest list and England's stood: the title of a chart.

    Parameters
    ----------
    ends : DataFrame
        Rows of one service, as :func:`since.ends` returns them.
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
