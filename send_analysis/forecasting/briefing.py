"""What an area's briefing takes from this chapter: how many plans to expect, and the fan."""

from __future__ import annotations

from send_analysis import caveats, reads
from send_analysis.areas import Area
from send_analysis.forecasting import charts, views
from send_analysis.show.chart import Chart
from send_analysis.show.tile import Tile, small

HORIZON = 5  # years: the furthest at which forecasts have been tested


@reads.found
def things(area: Area) -> list[Tile | Chart]:
    """Return the forecast as a figure and a small chart; of a flagged return, why there is none."""
    year = caveats.latest("ehc_plans")
    label = f"EHC plans forecast for January {year + HORIZON}"
    if caveats.doubt("ehc_plans", area):
        return [Tile(label, "none", f"The return of January {year}, where it starts, is flagged.")]
    frame = views.ahead(area, HORIZON)
    last = frame.iloc[-1]
    now = frame.loc[frame["year"] == last["origin"], "published"].iloc[0]
    low, high = (100 * (last[end] / now - 1) for end in ("low_80", "high_80"))
    return [
        Tile(
            label,
            f"{last['low_80']:,.0f} to {last['high_80']:,.0f}",
            f"{low:+.0f} to {high:+.0f} %: a range meant to hold four times in five, while the "
            "law and the way authorities work stay as they are.",
        ),
        small(charts.fan(frame)),
    ]
