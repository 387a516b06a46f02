"""An area explored by hand: controls, and what they choose drawn at once.

Only for a notebook that runs; reports have no controls.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from send_analysis import areas as places
from send_analysis import caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.capacity import balance, charts
from send_analysis.capacity import views as capacity_views
from send_analysis.errors import MissingDataError
from send_analysis.forecasting import charts as forecast_charts
from send_analysis.forecasting import totals, views
from send_analysis.forecasting.cohorts import inputs, levers, units
from send_analysis.forecasting.scoring import HORIZON
from send_analysis.growth import series
from send_analysis.show.chart import Chart
from send_analysis.show.style import PALETTE, ROLES, RULE, label_ends
from send_analysis.show.table import html_table

if TYPE_CHECKING:
    from ipywidgets import VBox
    from matplotlib.axes import Axes

SIMULATIONS = 100  # of places: a change has to show at once
AS_NOW = "as now"


@reads.found
def compared(area: Area, comparators: Sequence[Area], start: int, end: int) -> pd.DataFrame:
    """Plans of an area and of others as an index.

    Parameters
    ----------
    area : Area or str
    comparators : sequence of Area or str
        Those without a figure in January `start` are left out.
    start, end : int
        Januaries.

    Returns
    -------
    DataFrame
        ``area_code, area, year, plans, index`` (`start` = 100), ``caveat`` (why an area's growth
        over all these years cannot be told), the area first.

    Raises
    ------
    MissingDataError
        If the area has no figure for `start`.
    """
    every = list(dict.fromkeys([area, *comparators]))
    plans = series.totals(every)
    plans = plans[plans["year"].between(start, end)]
    base = plans[plans["year"] == start].set_index("area_code")["plans"]
    base = base[base > 0]
    if area not in base:
        raise MissingDataError(f"{area.name} has no plans in January {start}. {area.history}")
    out = plans[plans["area_code"].isin(base.index)]
    out = out.assign(
        area=out["area_code"].map(places.name),
        index=(100 * out["plans"] / out["area_code"].map(base)).astype("float64"),
        order=out["area_code"].map(every.index),
    ).sort_values(["order", "year"])
    out["caveat"] = caveats.crossed(out, "ehc_plans", start, end)
    columns = ["area_code", "area", "year", "plans", "index", "caveat"]
    return out[columns].reset_index(drop=True)


def comparison(frame: pd.DataFrame) -> Chart:
    """Plans as an index; `frame` as :func:`compared` returns it."""
    names = list(frame["area"].unique())
    start, end = int(frame["year"].min()), int(frame["year"].max())
    last = frame.groupby("area", sort=False).last()
    own = last.loc[names[0]]
    since = f"{own['index'] - 100:+.0f} % since {start}"
    told = ", ".join(f"{name} {row['index']:.0f}" for name, row in last.iterrows()
                     if not row["caveat"])  # fmt: skip

    def draw(ax: Axes) -> None:
        for name, rows in reversed(list(frame.groupby("area", sort=False))):
            look = ROLES["neighbours"] | {"color": RULE if len(names) > 4 else PALETTE[2]}
            if name in (names[0], "England"):
                look = ROLES["area" if name == names[0] else "england"]
            ax.plot(rows["year"], rows["index"], label=name, **look)
        ax.set_xticks(range(start, end + 1)[:: max(1, (end + 1 - start) // 8)])
        ax.set_xlim(start, end)
        ax.set_xlabel("January")
        ax.set_ylabel(f"January {start} = 100")
        label_ends(ax)

    return Chart(
        title=f"Plans in {names[0]}: {own['plans']:,} in January {own['year']}, "
        f"{'growth cannot be told' if own['caveat'] else since}",
        subtitle=f"EHC plans and statements, January {start} = 100",
        alt=f"Line chart of plans as an index, January {start} = 100. In {end}: {told}.",
        data=frame,
        draw=draw,
        note=caveats.noted(frame["caveat"]),
    )


@reads.found
def board(area: Area) -> VBox:
    """Build the controls and what they choose.

    Parameters
    ----------
    area : Area or str
        Area at the start.

    Returns
    -------
    ipywidgets.VBox
        To be the last line of a cell. Every change of a control draws anew.
    """
    import ipywidgets as widgets

    _warm_up()
    plans = tables.load("ehc_plans")
    names = {each.name: each for each in [places.ENGLAND, *places.current()]}
    regions = tables.load("areas").query("level == 'region'")
    others = names | dict(zip(regions["area"], map(Area, regions["area_code"]), strict=True))
    wide = {"style": {"description_width": "7rem"}, "layout": {"width": "24rem"}}
    chosen = widgets.Dropdown(options=names, value=area, description="Area", **wide)
    near = widgets.SelectMultiple(
        options=dict(sorted(others.items())), description="Compare with", rows=6, **wide
    )
    years = widgets.IntRangeSlider(
        value=(2019, int(plans["year"].max())),
        min=int(plans["year"].min()),
        max=int(plans["year"].max()),
        description="Januaries",
        continuous_update=False,
        **wide,
    )
    scenario = widgets.Dropdown(
        options={AS_NOW: ""} | levers.titles(), description="Scenario", **wide
    )
    grew, ahead, enough = widgets.HTML(), widgets.HTML(), widgets.HTML()

    def draw_growth(*_: Any) -> None:
        """Draw and tabulate growth."""
        grew.value = _told(lambda: _growth(chosen.value, list(near.value), *years.value))

    def draw_forecast(*_: Any) -> None:
        """Draw the forecast, of plans and of places."""
        ahead.value = _told(lambda: _forecast(chosen.value, scenario.value))
        enough.value = _told(lambda: _capacity(chosen.value, scenario.value))

    def move(*_: Any) -> None:
        """Set another area against England, its region and its closest neighbours."""
        near.unobserve(draw_growth, "value")
        near.value = _usual(chosen.value)
        near.observe(draw_growth, "value")
        draw_growth()
        draw_forecast()

    near.observe(draw_growth, "value")
    years.observe(draw_growth, "value")
    scenario.observe(draw_forecast, "value")
    chosen.observe(move, "value")
    move()
    controls = widgets.VBox([chosen, near, years, scenario])
    return widgets.VBox([controls, grew, ahead, enough])


def _warm_up() -> None:
    """Work out once what all areas need, so that a change is quick."""
    totals.forecast(places.ENGLAND, horizon=HORIZON)
    units.estimated(inputs.origins()[-1])


def _usual(area: Area) -> list[Area]:
    """What an area is set against at first."""
    listed = series.comparators(area).query("role != 'area'")["area_code"]
    return [Area(code) for code in listed[:5]]


def _growth(area: Area, comparators: list[Area], start: int, end: int) -> str:
    """Chart and table of growth."""
    frame = compared(area, comparators, start, end)
    ends = frame.groupby("area", sort=False).agg(
        start=("plans", "first"),
        end=("plans", "last"),
        index=("index", "last"),
        caveat=("caveat", "last"),
    )
    ends["growth"] = (ends.pop("index") - 100).where(ends.pop("caveat") == "")
    ends = ends.rename(columns={"start": f"January {start}", "end": f"January {end}"})
    table = html_table(ends, f"Plans in January {start} and {end}")
    chart = comparison(frame)
    return _image(chart) + table + (f"<p>{escape(chart.note)}</p>" if chart.note else "")


def _forecast(area: Area, scenario: str) -> str:
    """Chart of the forecast under a scenario, with what that changes."""
    caveats.require("ehc_plans", area)
    frame = views.fan(area, HORIZON, scenario=scenario or None, simulations=SIMULATIONS)
    html = _image(forecast_charts.fan(frame))
    if not scenario:
        return html
    titles = {name: title for title, name in levers.titles().items()}
    plain = views.fan(area, HORIZON)["median"].iloc[-1]
    last = frame.iloc[-1]
    change = last["median"] - plain
    words = (
        f"{titles[scenario]}: {last['median']:,.0f} plans in January {last['year']}, "
        f"{change:+,.0f} against the forecast as now ({plain:,.0f}). An illustration, not a "
        "prediction."
    )
    return f"{html}<p>{escape(words)}</p>"


def _capacity(area: Area, scenario: str) -> str:
    """Chart of specialist places, in all, under a scenario of demand."""
    doubt = caveats.unplaced(area)
    if doubt:
        raise MissingDataError(doubt)
    changed = {"name": scenario, "levers": levers.read(scenario)} if scenario else None
    made = balance.forecast(area, years=HORIZON, scenario=changed, simulations=SIMULATIONS)
    shown = capacity_views.fan(made, "all")
    return _image(charts.places(shown))


def _told(draw: Any) -> str:
    """What was drawn, or why it could not be."""
    try:
        return draw()
    except MissingDataError as error:
        return f'<p role="status">{escape(str(error))}</p>'


def _image(chart: Chart) -> str:
    """A chart with its title, as an image with alternative text."""
    title = f"<p><strong>{escape(chart.title)}</strong><br>{escape(chart.subtitle)}</p>"
    return f'{title}<img src="{chart.picture().uri}" alt="{escape(chart.alt)}">'
