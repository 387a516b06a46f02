"""What an area's briefing takes from this chapter: claims that hold, and what cannot be tested."""

from __future__ import annotations

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.evidence import verdicts, views
from send_analysis.show.tile import Tile


@reads.found
def things(area: Area) -> list[Tile]:
    """Return how many recorded claims official figures reproduce, and what they cannot say.

    Returns
    -------
    list of Tile
        Of a region, about which neither is known, none.
    """
    alone = area.level == "local authority"
    waits = f"No NHS waiting list is of {area.name}’s children alone" if alone else ""
    label = "What could not be tested"
    if not verdicts.claims_file(area).is_file():
        value = "Waits for health services"
        return [Tile(label, value, f"{waits}; no claims are recorded.")] if alone else []
    found = views.recorded(area)
    counted = found[found["same_as"] == ""]
    tested = counted[~counted["verdict"].isin(verdicts.UNTESTABLE)]
    held = int((tested["verdict"] == verdicts.REPRODUCED).sum())
    rest = len(counted) - len(tested)
    return [
        Tile(
            "Claims that official figures reproduce",
            f"{held} of {len(tested)}",
            "Of the claims that can be tested; the others are not reproduced, or only on another "
            "definition.",
        ),
        Tile(
            label,
            f"{rest} of {len(counted)} claims",
            f"They have no public series, or none that compares. {waits and waits + '.'}".strip(),
        ),
    ]
