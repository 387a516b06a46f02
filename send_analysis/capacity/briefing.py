"""What an area's briefing takes from this chapter: places short, and plans issued in time."""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, caveats, reads
from send_analysis.areas import Area
from send_analysis.capacity import views, words
from send_analysis.errors import MissingDataError
from send_analysis.growth import series
from send_analysis.show.tile import Figure, Tile

SHORTAGE = "shortage"  # the index of all areas has this figure


@reads.found
def things(area: Area) -> list[Tile]:
    """Return whether specialist places run short, and how many plans came in time.

    Returns
    -------
    list of Tile
        The places of a single authority only.
    """
    placed = [_places(area)] if area.level == "local authority" else []
    return [*placed, in_time(area)]


def _places(area: Area) -> Tile:
    """Places of the first January ahead, for which chances are tested; else why there are none."""
    try:
        forecast = views.forecast(area)
    except MissingDataError as error:
        year = caveats.latest("placements")
        why = str(error)
        if caveats.doubt("ehc_plans", area):
            why = f"None are forecast: the return of January {year} is flagged."
        return Tile("Specialist places needed", "none forecast", why, Figure(SHORTAGE))
    return places(forecast)


def places(forecast: pd.DataFrame) -> Tile:
    """Say of a forecast how sure it is that places run short; `forecast` as :func:`views.forecast`.

    Returns
    -------
    Tile
        With the chance of the first January ahead where such chances have been shown to tell
        something, else with the range alone.
    """
    rows = forecast[(forecast["kind"] == views.EVERY) & (forecast["phase"] == "all")]
    row = views.scored(rows).iloc[0]
    needed = f"{row['demand_low_80']:,.0f} to {row['demand_high_80']:,.0f}"
    held = f"{row['capacity']:,.0f} are in use and announced"
    if pd.isna(row["probability"]):
        return Tile(
            f"Specialist places needed in January {row['year']}",
            needed,
            f"Meant to hold four times in five; {held}. No chance is given ({row['unsaid']}).",
            Figure(SHORTAGE),
        )
    return Tile(
        chance_in(row["year"]),
        words.chance(row["probability"]),
        f"{needed} are likely to be needed, a range meant to hold four times in five; {held}.",
        Figure(SHORTAGE, float(row["probability"]), reads.of(forecast)),
    )


def chance_in(year: int) -> str:
    """Name the chance of a January."""
    return f"Chance that specialist places run short in January {year}"


@reads.found
def in_time(area: Area) -> Tile:
    """Say how many plans were issued within 20 weeks of all that count, beside England."""
    times = series.timeliness(area)
    doubt = caveats.doubt("timeliness", area, category=series.IN_TIME)
    last = times[times["year"] == caveats.latest("timeliness")].set_index("role")
    label = f"EHC plans issued within 20 weeks in {caveats.latest('timeliness')}"
    if doubt or "area" not in last.index:
        return Tile(label, "not told", doubt or "None was issued that is counted.")
    own = last.loc["area"]
    said = f"{own['share']:.0f} % of the plans counted"
    if area != areas.ENGLAND:
        said += f", in England {last.loc['england', 'share']:.0f} %"
    said += "; those with a statutory exception are not."
    return Tile(label, f"{own['in_time']:,} of {own['issued']:,}", said)
