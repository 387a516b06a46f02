"""What an area's briefing takes from this chapter: plans now, its place, two pictures."""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, reads
from send_analysis.areas import Area
from send_analysis.growth import charts, series, views
from send_analysis.show import map as maps
from send_analysis.show.chart import Chart
from send_analysis.show.tile import Tile, small


@reads.found
def things(area: Area) -> list[Tile | Chart]:
    """Return figures that answer "so what", and small charts.

    Returns
    -------
    list of Tile or Chart
        Plans and their growth; the place among authorities (of a region none); growth drawn; where
        the area is, of England growth on the map.
    """
    grown = series.indexed(area)
    out = [_plans(area, grown), _place(area, grown), small(charts.indexed(grown))]
    if area == areas.ENGLAND:
        out.append(_everywhere(area))
    return [thing for thing in [*out, *maps.located(area)] if thing]


def _plans(area: Area, grown: pd.DataFrame) -> Tile:
    """Plans in the latest January, and how they grew: on the unbroken footprint if need be."""
    start, end = series.COMPARABLE, series.latest(area)
    count = series.totals([area]).set_index("year")["plans"][end]
    label, value = f"EHC plans in January {end}", f"{count:,}"
    last = grown[grown["year"] == end].set_index("role")
    own = last.loc["area"]
    why = series.broken(own["area_code"], start=start, end=end)
    if why:
        return Tile(label, value, why)
    said = f"{own['index'] - 100:+.0f} % since January {start}"
    if area != areas.ENGLAND:
        said += f"; in England {last.loc['england', 'index'] - 100:+.0f} %"
    if own["area_code"] != area:
        said = f"With {_others(area, own['area_code'])}, as before boundaries changed: {said}"
    return Tile(label, value, f"{said}.")


def _others(area: Area, unit: str) -> str:
    """Name the authorities that an area's growth is counted together with."""
    return " and ".join(areas.name(one) for one in unit.split("+") if one != area)


def _place(area: Area, grown: pd.DataFrame) -> Tile | None:
    """Place of an area by growth, and how many have a plan; of England the two ends."""
    end = series.latest(area)
    ranked = series.growth(series.COMPARABLE, end).set_index("area_code")
    since = f"growth since January {series.COMPARABLE}"
    if area == areas.ENGLAND:
        placed = ranked.dropna(subset="rank")
        high, low = placed.iloc[0], placed.iloc[-1]
        middle = " and ".join(f"{end:+.0f}" for end in placed["growth"].quantile([0.25, 0.75]))
        words = f"From {low['area']} to {high['area']}, half of them between {middle} %."
        value = f"{low['growth']:+.0f} to {high['growth']:+.0f} %"
        return Tile(f"Between {len(placed)} authorities, {since}", value, words)
    if area.level != "local authority":
        return None
    label = f"Place among England’s authorities by {since}"
    row = ranked.reindex(grown.loc[grown["role"] == "area", "area_code"].head(1)).iloc[0]
    rates = series.rates(area)
    last = rates[rates["year"] == end].drop_duplicates("role").set_index("role")["rate"]
    words = (
        f"The fastest is 1. Of 1,000 residents aged 0 to 25, {last['area']:.0f} have a plan; in "
        f"England {last['england']:.0f}."
    )
    if pd.isna(row["rank"]):
        return Tile(label, "not ranked", "Its growth cannot be told.")
    return Tile(label, f"{row['rank']} of {row['areas']}", words)


def _everywhere(area: Area) -> Chart:
    """Growth of every authority on the map."""
    start, end = series.COMPARABLE, series.latest(area)
    what = f"Growth in plans, January {start} to {end}, %"
    return small(maps.map(views.ranked(area), "growth", what=what, form="+,.0f"), 4.9, 4.2)
