"""What the results say, in sentences: the findings at the top of a report.

Every number is read off a result; nothing is computed but differences between two of them.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, caveats, reads
from send_analysis.areas import Area
from send_analysis.definitions import written
from send_analysis.evidence import verdicts, views
from send_analysis.growth import series
from send_analysis.show.chart import Tile

VERDICTS = {  # what one claim, and several, are said to be
    verdicts.REPRODUCED: ("is reproduced", "are reproduced"),
    verdicts.OTHERWISE: (
        "is reproduced only on another definition",
        "are reproduced only on another definition",
    ),
    verdicts.CONTRADICTED: ("is not reproduced", "are not reproduced"),
    verdicts.NO_SERIES: (
        "cannot be tested because no public series exists",
        "cannot be tested because no public series exists",
    ),
    verdicts.ELSEWHERE: (
        "cannot be tested here because its public series is not in these tables",
        "cannot be tested here because their public series are not in these tables",
    ),
    verdicts.BROKEN: (
        "cannot be tested because its public series breaks",
        "cannot be tested because their public series break",
    ),
}
WHY = {  # why claims cannot be tested, after how many they are
    verdicts.NO_SERIES: "no public series exists",
    verdicts.ELSEWHERE: "a public series exists but is not in these tables",
    verdicts.BROKEN: "the public series breaks",
}
MOST_POINTS = 6  # sentences under a headline; the ledger has all claims
FIVE = 5  # years of growth that are shown where no claim names others


@reads.found
def claims(area: Area) -> list[str]:
    """Sum up the ledger of an area, or its official figures where no claims are recorded.

    Returns
    -------
    list of str
        The headline, then a sentence for each of the claims that were tested: those that are not
        reproduced first, six at most.
    """
    if not verdicts.claims_file(area).is_file():
        return _official(area)
    ledger = views.recorded(area)
    tested = ledger[~ledger["verdict"].isin(verdicts.UNTESTABLE) & (ledger["same_as"] == "")]
    order = [verdicts.CONTRADICTED, verdicts.OTHERWISE, verdicts.REPRODUCED]
    tested = tested.sort_values("verdict", key=lambda words: words.map(order.index), kind="stable")
    statements = {claim["id"]: claim["statement"] for claim in verdicts.claims(area)}
    points = [
        f"{statements[row.id]}: {row.verdict}. "
        f"{'That' if row.verdict == verdicts.OTHERWISE else 'The official'} figure is "
        f"{written(row.official, row.unit)} ({row.definition}, {row.window})."
        for row in tested.head(MOST_POINTS).itertuples()
    ]
    if len(tested) > MOST_POINTS:
        points.append(f"The other {len(tested) - MOST_POINTS} that were tested are in the ledger.")
    return [tallied(ledger, area), *points]


@reads.found
def tallied(ledger: pd.DataFrame, area: Area) -> str:
    """Say how many claims have which verdict; a claim that restates another is not counted.

    Parameters
    ----------
    ledger : DataFrame
        As :func:`send_analysis.evidence.verdicts.ledger` returns it.
    area : Area or str
        Area that the claims are about.
    """
    count = verdicts.tally(ledger)
    said = [
        f"{number} {VERDICTS[verdict][number > 1]}" for verdict, number in count.items() if number
    ]
    if not said:
        return f"No claims are recorded for {area.name}."
    if count.sum() == 1:
        return f"The one claim recorded for {area.name} {said[0].removeprefix('1 ')}."
    listed = ", ".join(said[:-1]) + (" and " if len(said) > 1 else "") + said[-1]
    again = int((ledger["same_as"] != "").sum())
    more = f" {again} more {'restates' if again == 1 else 'restate'} a fact already counted."
    return f"Of {count.sum()} claims about {area.name}, {listed}.{more if again else ''}"


def _official(area: Area) -> list[str]:
    """Say what the official figures are of an area that no claims are recorded for."""
    windows = series.over_years(area, years=FIVE)
    latest = windows["year"] == windows["year"].max()
    own = windows[latest & (windows["role"] == "area")]
    national = windows[latest & (windows["area_code"] == areas.ENGLAND)]
    times = series.timeliness(area)
    issued = times[(times["role"] == "area") & (times["year"] == times["year"].max())]
    flag = caveats.doubt("timeliness", area, category=series.IN_TIME)
    out = [f"No claims are recorded for {area.name}; these are its official figures."]
    out += [
        f"Plans: {row.plans_start:,} in January {row.year - FIVE}, {row.plans_end:,} in January "
        f"{row.year}. How much of that is growth cannot be told: {row.caveat}."
        if row.caveat
        else f"Plans: {row.plans_start:,} in January {row.year - FIVE}, {row.plans_end:,} in "
        f"January {row.year}, {row.growth:+.1f} %"
        + ("." if area == areas.ENGLAND else f", in England {national['growth'].iloc[0]:+.1f} %.")
        for row in own.itertuples()
    ]
    out += [
        f"In {row.year} {row.in_time:,} of {row.issued:,} plans ({row.share:.0f} %) were issued "
        "within 20 weeks, exceptions excluded."
        for row in issued.itertuples()
    ]
    return [*out, flag] if flag else out


def _why(ledger: pd.DataFrame) -> str:
    """Say of how many claims which series is missing; empty where none is."""
    count = verdicts.tally(ledger)
    said = "; ".join(f"for {count[word]} {why}" for word, why in WHY.items() if count[word])
    return f"{said[0].upper()}{said[1:]}." if said else ""


@reads.found
def things(area: Area) -> list[Tile]:
    """Return how many recorded claims official figures reproduce, and what they cannot say.

    Returns
    -------
    list of Tile
        Of a region, about which neither is known, none.
    """
    alone = area.level == "local authority"
    waits = f"No NHS waiting list is of children in {area.name} alone" if alone else ""
    label = "What could not be tested"
    if not verdicts.claims_file(area).is_file():
        value = "Waits for health services"
        return [Tile(label, value, f"{waits}; no claims are recorded.")] if alone else []
    found = views.recorded(area)
    counted = found[found["same_as"] == ""]
    tested = counted[~counted["verdict"].isin(verdicts.UNTESTABLE)]
    held = int((tested["verdict"] == verdicts.REPRODUCED).sum())
    rest = len(counted) - len(tested)
    reproduced = Tile(
        "Claims that official figures reproduce",
        f"{held} of {len(tested)}",
        "Of the claims that can be tested; the others are not reproduced, or only on another "
        "definition.",
    )
    said = f"{waits}." if waits else ""
    if rest:
        value, said = f"{rest} of {len(counted)} claims", f"{_why(counted)} {said}".strip()
    else:
        value = "Waits for health services"
    return [reproduced, *([Tile(label, value, said)] if said else [])]
