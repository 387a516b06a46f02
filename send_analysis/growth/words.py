"""Why demand grew, in sentences: every number is read off a result."""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, caveats
from send_analysis.errors import SendAnalysisError
from send_analysis.growth import account, decomposition, panel, series

# Measure → how it is said of an area.
SAID = {
    "requests per 1,000 residents": "requests for an assessment per 1,000 residents aged 0 to 25",
    "requests assessed": "per cent of requests decided were assessed",
    "assessments ending in a plan": "per cent of assessments decided ended in a plan",
    "new plans per 1,000 residents": "new plans per 1,000 residents aged 0 to 25",
    "plans ceased": "per cent of plans ceased in the year",
}


def causes(
    area: str = "Bury", *, start: int = series.COMPARABLE, end: int | None = None
) -> list[str]:
    """Sum up why an area's plans grew and whether they grew differently from England's.

    Parameters
    ----------
    area : str, default "Bury"
    start, end : int
        Januaries; the last published if no end is given.

    Returns
    -------
    list of str
        A sentence or two each; what an area has no figures for is left out.
    """
    end = series.latest(area) if end is None else end
    areas.resolve_unit(area)
    out = []
    for say in (_parts, _requests, _beyond_chance):
        try:
            out += filter(None, [say(area, start, end)])
        except SendAnalysisError:
            continue
    return out


def _parts(area: str, start: int, end: int) -> str:
    """The decomposition, with its range where it leans on an estimate."""
    if series.broken(area, start=start, end=end):
        return ""
    words = decomposition.in_words(decomposition.decompose(area, start=start, end=end, whole=True))
    off = decomposition.sensitivity(area, start=start, end=end)
    share = off[off["component"] == "prevalence"].set_index("variant")["plans"]
    if not set(decomposition.EDGES) <= set(share.index):
        return words
    low, high = sorted(share[list(decomposition.EDGES)])
    return (
        f"{words} Residents of mid-{end - 1} are estimated: allowing for that, plans a child of "
        f"the same age account for {low:+,.0f} to {high:+,.0f}."
    )


def _requests(area: str, start: int, end: int) -> str:
    """Requests and how many are assessed, the last year."""
    return " ".join(pipeline_in_words(account.ratios(area, end=end - 1))[:2])


def _beyond_chance(area: str, start: int, end: int) -> str:
    """The panel model."""
    return panel.in_words(panel.growth_ratios(area, start=start, end=end))


def pipeline_in_words(result: pd.DataFrame) -> list[str]:
    """Say where an area's ratios stand in the last year, and whether a year could put them there.

    Parameters
    ----------
    result : DataFrame
        What :func:`pipeline.ratios` returns.

    Returns
    -------
    list of str
        A sentence a measure; none for a flagged figure.
    """
    sentences = []
    for measure, words in SAID.items():
        rows = result[result["measure"] == measure]
        rows = rows[rows["year"] == rows["year"].max()].set_index("role")
        if not {"area", "england"} <= set(rows.index):
            continue
        own, england = rows.loc["area"], rows.loc["england"]
        table, category = account.RESTS_ON[measure]
        if caveats.doubt(table, own["area_code"], year=own["year"], category=category):
            continue
        if own["low"] > england["value"]:
            verdict = "above England by more than the ordinary ups and downs of a year"
        elif own["high"] < england["value"]:
            verdict = "below England by more than the ordinary ups and downs of a year"
        else:
            verdict = "a year's ordinary ups and downs could be the whole difference"
        text = (
            f"{own['area']} in {own['year']}: {own['value']:.1f} {words}, in England "
            f"{england['value']:.1f}: {verdict} (95 % interval {own['low']:.1f} to "
            f"{own['high']:.1f})"
        )
        if not pd.isna(own["rank"]):
            shared = f", shared with {own['level']} more" if own["level"] else ""
            text += f", place {own['rank']} of {own['ranked']}{shared}, the highest first"
        sentences.append(f"{text}.")
    return sentences


def compared(
    area: str = "Bury", *, start: int = series.COMPARABLE, end: int | None = None
) -> pd.DataFrame:
    """Return an area's growth against England, its region and its neighbours, beyond chance.

    Returns
    -------
    DataFrame
        Indexed by ``against``: ``growth, growth_others, ratio, low, high, more, more_low,
        more_high, rank, rank_low, rank_high``.
    """
    end = series.latest(area) if end is None else end
    rows = [
        panel.growth_ratios(area, start=start, end=end, against=against)
        for against in panel.REFERENCES
    ]
    out = pd.concat(rows, ignore_index=True).set_index("against")
    columns = [
        "growth", "growth_others", "ratio", "low", "high", "more", "more_low", "more_high",
        "rank", "rank_low", "rank_high",
    ]  # fmt: skip
    return out[columns]


def variants(
    area: str = "Bury", *, start: int = series.COMPARABLE, end: int | None = None
) -> pd.DataFrame:
    """Return the decomposition as ages are counted and as residents are estimated, a row each.

    Returns
    -------
    DataFrame
        Indexed by ``variant``: one column a component, plans added.
    """
    end = series.latest(area) if end is None else end
    found = decomposition.sensitivity(area, start=start, end=end)
    wide = found.pivot(index="variant", columns="component", values="plans")
    return wide.loc[found["variant"].unique(), list(decomposition.COMPONENTS)]


def broke(tested: pd.DataFrame) -> pd.DataFrame:
    """Return the tests for breaks as a reader sees them.

    Parameters
    ----------
    tested : DataFrame
        What :func:`send_analysis.growth.breaks.breaks` returns.

    Returns
    -------
    DataFrame
        Indexed by ``growth`` (whose, against whom): ``what, measured, before, after, step, low,
        high, p``.
    """
    beside = (" against " + tested["against"]).where(tested["against"] != "", "")
    out = tested.assign(growth=tested["area"] + beside).set_index("growth")
    return out[["what", "measured", "before", "after", "step", "low", "high", "p"]]
