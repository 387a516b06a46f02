"""Charts of what families meet: each function takes a result and returns a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from send_analysis.outcomes import measures
from send_analysis.show import lines
from send_analysis.show.chart import Chart
from send_analysis.show.style import PALETTE, across

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Column of `times` → its name in words, and how its bar looks: by hatch too, never colour alone.
PARTS = {
    "in_time": ("within 20 weeks", {"color": PALETTE[0]}),
    "to_a_year": ("20 weeks to a year", {"color": PALETTE[1], "hatch": "//"}),
    "over_a_year": ("more than a year", {"color": PALETTE[3], "hatch": "xx"}),
}
NAMED = {  # kind of the table `pupils` → what its pupils have
    measures.PLANS: "an EHC plan",
    measures.SUPPORT: "SEN support",
}


def pupils(frame: pd.DataFrame, support: str) -> Chart:
    """Pupils with one kind of support; `frame` as :func:`.measures.pupils` returns it."""
    rows = frame[frame["support"] == support].drop(columns="support")
    end, has = lines.last(rows), NAMED[support]
    own = rows[(rows["role"] == "area") & (rows["year"] == end)].iloc[0]
    national = lines.at(rows, "england", "percent", end)
    beside = f", in England {national:.1f} %" if national == national else ""

    return Chart(
        title=f"{own['percent']:.1f} % of pupils in {own['area']} have {has}{beside}",
        subtitle=f"Pupils with {has}, per cent of pupils in all schools of an area, January {end}",
        alt=lines.told(rows, "percent", ".1f", f"the per cent of pupils with {has}"),
        data=rows,
        draw=lines.drawing(rows, "percent", y="per cent of pupils"),
        note=f"{lines.neighbours(rows)} Pupils are counted where they go to school, wherever they "
        "live, independent schools included; those at home or without a school are not in it."
        + " Up to 2018: a plan or a statement."
        * (support == measures.PLANS),
    )


def times(frame: pd.DataFrame) -> Chart:
    """Plans by the time since their request; `frame` as :func:`.measures.times` returns it."""
    own = frame[frame["role"] == "area"].iloc[0]
    longest = f"{own['over_a_year']:,}" if own["over_a_year"] else "none"
    rows = frame.iloc[::-1].reset_index(drop=True)
    unsaid = ", ".join(f"{row.area} {row.untimed:,}" for row in frame.itertuples() if row.untimed)
    short = f" What is missing at the end of a bar: no time is recorded ({unsaid})."

    def draw(ax: Axes) -> None:
        base = pd.Series(0.0, index=rows.index)
        for part, (name, look) in PARTS.items():
            width = rows[f"{part}_percent"]
            ax.barh(rows.index, width, left=base, height=0.6, label=name,
                    **{"edgecolor": "white"} | look)  # fmt: skip
            base += width
        across(ax, rows["area"])
        ax.set_xlim(0, 100)
        ax.set_xlabel("per cent of plans counted")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)

    said = "; ".join(
        f"{row['area']}: "
        + ", ".join(f"{PARTS[part][0]} {row[f'{part}_percent']:.1f}" for part in PARTS)
        for _, row in frame.iterrows()
    )
    return Chart(
        title=f"In {own['area']} {own['late']:,} of {own['issued']:,} plans counted in "
        f"{own['year']} took more than 20 weeks"
        + (f", {longest} of them more than a year" if own["late"] else ""),
        subtitle=f"Plans issued in {own['year']} by time since the request, per cent; plans with a "
        "statutory exception are not counted",
        alt=f"Stacked bar chart of plans by time since the request, per cent. {said}.",
        data=frame,
        draw=draw,
        height=1.6 + 0.5 * len(rows),
        note="A request that was refused, an assessment that ended without a plan, and a child who "
        "still waits at the end of the year are not in it." + short * bool(unsaid),
    )


def appeals(frame: pd.DataFrame) -> Chart:
    """Appeals for 100 decisions; `frame` as :func:`.measures.appeals` returns it."""
    rows = measures.newest(frame)
    end = lines.last(rows)
    own = rows[(rows["role"] == "area") & (rows["year"] == end)].iloc[0]
    national = lines.at(rows, "england", "per_100", end)
    beside = f", in England {national:.1f}" if national == national else ""
    counted = own["decisions_counted"]

    return Chart(
        title=f"{own['per_100']:.1f} appeals for 100 decisions that could be appealed in "
        f"{own['area']} in {end}{beside}",
        subtitle="Appeals registered with the SEND Tribunal for 100 decisions of the authority "
        "that could be appealed" + (f", counted {counted}" if counted != measures.USUAL else ""),
        alt=lines.told(rows, "per_100", ".1f", "appeals for 100 decisions that could be appealed"),
        data=rows,
        draw=lines.drawing(rows, "per_100", y="appeals for 100 decisions", x="calendar year"),
        note=f"{lines.neighbours(rows)} Decisions that could be appealed: requests refused, plans "
        "not issued, plans in January, plans ceased because needs are met. How appeals ended is "
        "not in the table.",
    )
