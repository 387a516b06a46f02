"""What families meet, in sentences: every number is read off a result."""

from __future__ import annotations

from contextlib import suppress

import pandas as pd

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.outcomes import measures
from send_analysis.show import lines


@reads.found
def findings(area: Area) -> list[str]:
    """Sum up the time to a plan, support at school and appeals.

    Returns
    -------
    list of str
        A sentence or two each; where an area has no figures of a kind, why.
    """
    made = ((measures.times, timed), (measures.pupils, supported), (measures.appeals, appealed))
    out, missing = [], []
    for measure, say in made:
        try:
            out.append(say(measure(area)))
        except MissingDataError as error:
            missing.append(str(error))
    return out + missing


def timed(frame: pd.DataFrame) -> str:
    """Say how long plans took; `frame` as :func:`.measures.times` returns it."""
    own = frame[frame["role"] == "area"].iloc[0]
    untimed = f"; of {own['untimed']:,} no time is recorded" if own["untimed"] else ""
    return (
        f"In {own['year']} {own['in_time']:,} of {own['issued']:,} plans counted in {own['area']} "
        f"({own['in_time_percent']:.0f} %) came within 20 weeks of the request, "
        f"{_count(own['to_a_year'])} after 20 weeks to a year, {_count(own['over_a_year'])} after "
        f"more than a year{untimed}."
    )


def supported(frame: pd.DataFrame) -> str:
    """Say how many pupils have what; `frame` as :func:`.measures.pupils` returns it."""
    end = lines.last(frame)
    share = frame[frame["year"] == end].set_index(["role", "support"])["percent"]
    name = frame.loc[frame["role"] == "area", "area"].iloc[0]
    plans, support = (share.get(("area", kind)) for kind in (measures.PLANS, measures.SUPPORT))
    text = (
        f"In January {end} {plans:.1f} % of pupils in schools in {name}, independent schools "
        f"included, had an EHC plan, and {support:.1f} % SEN support, which is help from the "
        "school without a plan"
    )
    if ("england", measures.PLANS) in share:
        plans, support = (share["england", kind] for kind in (measures.PLANS, measures.SUPPORT))
        text += f"; in England {plans:.1f} % and {support:.1f} %"
    return f"{text}."


def appealed(frame: pd.DataFrame) -> str:
    """Say how many appeals there were; `frame` as :func:`.measures.appeals` returns it."""
    kept = measures.newest(frame)
    end = lines.last(kept)
    own = kept[(kept["role"] == "area") & (kept["year"] == end)].iloc[0]
    text = (
        f"In {end} {own['appeals']:,} appeals were registered with the SEND Tribunal for "
        f"{own['area']}, and {own['decisions']:,} decisions could be appealed"
        + (
            f" (counted {own['decisions_counted']})"
            if own["decisions_counted"] != measures.USUAL
            else ""
        )
        + f": {own['per_100']:.1f} appeals for 100 decisions"
    )
    text += _against(own, lines.at(kept, "england", "per_100", end))
    anew = frame[(frame["year"] == end) & (frame["decisions_counted"] != own["decisions_counted"])]
    for _, row in anew[anew["role"] == "area"].iterrows():
        text += (
            f". Counted {row['decisions_counted']}, there were {row['decisions']:,} decisions, and "
            f"{row['per_100']:.1f} appeals for 100 of them"
            + (
                f" ({row['appeals']:,} appeals: some authorities are not counted so)"
                if row["appeals"] != own["appeals"]
                else ""
            )
        ) + _against(row, lines.at(anew, "england", "per_100", end))
    return f"{text}."


def _against(own: pd.Series, national: float) -> str:
    """Hold an area's rate of appeals against England's; nothing where England has none."""
    if national != national:
        return ""
    low, high = own["per_100_low_95"], own["per_100_high_95"]
    verdict = "one that chance could make" if low <= national <= high else "more than chance"
    return (
        f", in England {national:.1f}. Chance alone leaves a rate like the area's {low:.1f} to "
        f"{high:.1f}: the difference is {verdict}"
    )


@reads.found
def meaning(area: Area) -> list[str]:
    """Say what the figures mean for a family, and what they cannot say.

    Returns
    -------
    list of str
        Sentences on what the area has figures for; no advice.
    """
    out = []
    with suppress(MissingDataError):
        own = measures.times(area).iloc[0]
        out.append(
            "The law gives 20 weeks from the request to the plan, with some exceptions. "
            f"{own['late']:,} of {own['issued']:,} plans counted in {own['year']} took longer. "
            "That is about plans that were issued: it does not say how long a child who asks today "
            "will wait, nor how many asked and were given no plan."
        )
    with suppress(MissingDataError):
        frame = measures.pupils(area)
        last = frame[(frame["role"] == "area") & (frame["year"] == lines.last(frame))]
        share = last.set_index("support")["percent"]
        if share[measures.SUPPORT] > share[measures.PLANS]:
            out.append(
                "More pupils have SEN support than a plan: help at school does not begin with a "
                "plan. How much help a pupil is given, and whether it is enough, no table says."
            )
    with suppress(MissingDataError):
        measures.appeals(area)
        out.append(
            "The number of appeals says how often the Tribunal was asked, not how often it agreed: "
            "how appeals ended is not in these tables, and neither is how many families disagreed "
            "and did not appeal. So the rate is no chance of winning or losing."
        )
    return out


def _count(number: int) -> str:
    """Write a number of plans."""
    return f"{number:,}" if number else "none"
