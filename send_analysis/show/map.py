"""Maps of the local authorities of England, as large as their populations.

Outlines are those of the House of Commons Library's map of small hexagons (table ``hexagons``), on
which London is as large as its people and the Isles of Scilly are one hexagon.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis import areas, reads, tables, terms
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, ParameterError, unknown
from send_analysis.show import about
from send_analysis.show.chart import Chart
from send_analysis.show.style import GRID, PALETTE, RULE, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADES = f"light:{PALETTE[0]}"  # one hue that darkens: read in grey print and by the colour-blind
PALEST = 0.22  # of the shades: paler ones cannot be told from the page
MISSING, FLAGGED = "no figure", "flagged"
# What has no shade is told apart by more than its colour.
WITHOUT = {
    MISSING: {"facecolor": "white", "edgecolor": RULE},
    FLAGGED: {"facecolor": GRID, "edgecolor": RULE, "hatch": "/////"},
}
NEAR = PALETTE[1]
BARE = {"London", "Yorkshire and The Humber"}  # regions whose names have no article
HEIGHT = 6.4
CLASSES = 5
KEY = 0.68  # of the map's width: where the sea begins
Written = Callable[[float], str]  # what writes a value, where a format specification cannot
NAMED = 3  # areas that the alternative text names at each end
NARROW = 14  # characters of a line of a name on a small map: more run out of it
FEWEST = 5  # authorities of a region with a figure, for its median to be named


@tables.remembered
def shapes() -> dict[str, list[np.ndarray]]:
    """Return the rings of each authority of today, by code.

    Returns
    -------
    dict of list of array
        Corners ``(n, 2)``, west to east and south to north; holes run clockwise.
    """
    corners = tables.load("hexagons")
    out: dict[str, list[np.ndarray]] = {}
    for (code, _), ring in corners.groupby(["area_code", "part"]):
        out.setdefault(code, []).append(ring[["x", "y"]].to_numpy(float))
    return out


def shades(count: int) -> list[str]:
    """Return colours from pale to dark.

    Returns
    -------
    list of str
        Hexadecimal.
    """
    import seaborn as sns
    from matplotlib.colors import to_hex

    scale = sns.color_palette(SHADES, as_cmap=True)
    return [to_hex(colour) for colour in scale(np.linspace(PALEST, 1, count))]


def classed(
    values: pd.Series, spec: str | Written, classes: int | Sequence[float] = CLASSES
) -> pd.Series:
    """Put values into classes, as they are read: rounded.

    Parameters
    ----------
    values : Series of float
        Missing ones have no class.
    spec : str or callable
        Format specification of the values, e.g. ``",.1f"``, or what writes one, to a whole number.
    classes : int or sequence of float, default 5
        Number of classes with as many values each as can be, or the bounds between them.

    Returns
    -------
    Series of str
        Ordered categories, ``"under 28.3"`` to ``"41.0 or more"``.
    """
    decimals = 0 if callable(spec) else int((re.search(r"\.(\d+)", spec) or [0, 0])[1])
    values = values.astype("Float64").round(decimals)
    known = values.dropna().to_numpy(float)
    if isinstance(classes, int):
        bounds = np.quantile(known, np.arange(1, classes) / classes).round(decimals)
        bounds = np.unique(bounds[bounds > known.min()])
    else:
        bounds = np.asarray(classes, dtype=float)
    said = [written(bound, spec) for bound in bounds]
    names = ["all the same"]
    if said:
        between = [f"{low} to under {high}" for low, high in pairwise(said)]
        names = [f"under {said[0]}", *between, f"{said[-1]} or more"]
    place = np.where(values.notna(), np.digitize(values.fillna(0).to_numpy(float), bounds), -1)
    return pd.Series(pd.Categorical.from_codes(place, names, ordered=True), index=values.index)


@reads.found
def map(
    frame: pd.DataFrame,
    value: str,
    *,
    what: str = "",
    form: str | Written = "",
    title: str = "",
    area: Area | None = None,
    neighbours: bool = True,
    classes: int | Sequence[float] = CLASSES,
    note: str = "",
    source: str = "",
) -> Chart:
    """Shade every local authority by a column of a frame.

    Parameters
    ----------
    frame : DataFrame
        ``area_code`` (a column or the index), `value`, one row an authority; rows of regions and
        England are left out, units of several authorities count for each. An authority whose
        ``flagged`` is true, or where there is no such column its ``caveat`` not empty, is hatched
        instead of shaded. One whose ``few`` says that its figure is of few ("at most 100 plans";
        else empty) is shaded, but left out of the ends.
    value : str
        Column of numbers.
    what : str, optional
        The measure with its unit, in words; by default the column's heading.
    form : str or callable, optional
        Format specification of the values, or what writes one; by default the column's.
    title : str, optional
        What the map shows; by default the two ends and the middle half of the authorities.
    area : Area or str, optional
        An authority to mark, and with `neighbours` its statistical neighbours.
    classes : int or sequence of float, default 5
        Number of classes of about as many authorities each, or the bounds between them.
    note, source : str, optional
        As of :class:`.Chart`.

    Returns
    -------
    Chart
        Its data: ``area, region``, the values, ``shade`` (class, "no figure" or "flagged"), and
        ``few`` where the frame has it.

    Raises
    ------
    UnknownNameError
        If there is no such column or area.
    ParameterError
        If an authority stands there twice, or the column holds no numbers.
    MissingDataError
        If no authority has a value.

    Examples
    --------
    >>> latest = growth.series.growth(2019, 2025)
    >>> sa.map(latest, "growth", what="Growth in plans, January 2019 to January 2025, %")
    """
    rows = _rows(frame, value)
    spec, what = form or terms.form(rows[value], value), what or terms.heading(value)
    rows["shade"] = classed(rows[value], spec, classes)
    near = []
    if area is not None:
        near = area.neighbours if neighbours else []
        if area not in rows.index:
            raise ParameterError(f"{area.name} is not on the map: mark an authority.")
    names = list(rows["shade"].cat.categories)
    faces = dict(zip(names, shades(len(names)), strict=True))
    shade = rows["shade"].astype("str").where(rows["shade"].notna(), rows["without"]).to_dict()
    count = pd.Series(shade).value_counts()

    def draw(ax: Axes) -> None:
        key = {f"{name} ({count.get(name, 0)})": {"facecolor": faces[name]} for name in names}
        for name, colour in faces.items():
            _fill(ax, [code for code in shade if shade[code] == name], facecolor=colour)
        for name, look in WITHOUT.items():
            if name in count:
                _fill(ax, [code for code in shade if shade[code] == name], **look)
                key[f"{name} ({count[name]})"] = look
        if area:
            key |= _mark(ax, area, near)
        _finish(ax, key, what)

    kinds = [*names, *WITHOUT]
    columns = ["area", "region", value, "shade", *(["few"] if "few" in frame.columns else [])]
    rows["shade"] = pd.Categorical(list(shade.values()), categories=kinds, ordered=True)
    return Chart(
        title=title or _finding(rows, value, spec, what, area),
        subtitle=f"{what}; areas are as large as their populations",
        alt=_told(rows, value, spec, what, area, near),
        data=reads.stamp(rows[columns].reset_index(drop=True), reads.of(frame)),
        draw=draw,
        note=note,
        source="; ".join(filter(None, [source, outlines()])),
        height=HEIGHT,
    )


@reads.found
def locator(area: Area) -> Chart:
    """Mark an authority, and more lightly its statistical neighbours.

    Returns
    -------
    Chart
        Small; its data: ``area, region, rank`` (of the neighbours, closest first).

    Raises
    ------
    MissingDataError
        If the area has no neighbours: it is a region or England, or was abolished.
    UnknownNameError
        If the area is not known.
    """
    with reads.recording() as read:
        near = area.neighbours
    regions = [each.region.name for each in (area, *near)]
    data = pd.DataFrame({
        "area": [each.name for each in (area, *near)],
        "region": regions,
        "rank": pd.array([pd.NA, *range(1, len(near) + 1)], dtype="Int64"),
    })  # fmt: skip
    name, region = area.name, regions[0]
    same = regions[1:].count(region)
    listed = ", ".join(data["area"][1:])

    def draw(ax: Axes) -> None:
        _fill(ax, list(shapes()), facecolor=GRID)
        _fill(ax, near, facecolor=NEAR)
        _fill(ax, [area], facecolor=PALETTE[0], edgecolor=TEXT)
        ax.annotate(
            textwrap.fill(name, NARROW, break_long_words=False),
            _middle(area),
            (14, 10),
            textcoords="offset points",
            fontweight="bold",
            gid="name",
            arrowprops={"arrowstyle": "-", "color": TEXT, "lw": 0.8},
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
        )
        _finish(ax, {"statistical\nneighbours": {"facecolor": NEAR}})

    return Chart(
        title=f"{name} is in {place(region)}",
        subtitle="Areas are as large as populations",
        alt=f"Map of England's authorities that marks {name} and its {len(near)} statistical "
        f"neighbours, {same or 'none'} of them in the same region ({region}): {listed}.",
        data=reads.stamp(data, read),
        draw=draw,
        source=outlines(),
        width=3.6,
        height=4.4,
    )  # fmt: skip


@reads.found
def located(area: Area) -> list[Chart]:
    """Return the locator of an area that has neighbours; nothing for a region or England."""
    try:
        return [locator(area)]
    except MissingDataError:
        return []


def _rows(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """One row an authority of today: ``area, region``, the value, what it is ``without`` one."""
    frame = frame if "area_code" in frame.columns else frame.reset_index()
    for column in ("area_code", value):
        if column not in frame.columns:
            raise unknown("column", column, frame.columns, hint="A map needs it.")
    if not pd.api.types.is_numeric_dtype(frame[value]):
        raise ParameterError(f"Column {value!r} holds no numbers: give one that does.")
    rows = frame.assign(area_code=frame["area_code"].str.split("+", regex=False))
    rows = rows.explode("area_code").set_index("area_code")
    known = tables.load("areas").set_index("area_code")
    rows = rows[rows.index.isin(list(shapes()))]
    again = rows.index[rows.index.duplicated()]
    if len(again):
        raise ParameterError(
            f"{areas.name(again[0])} has {(rows.index == again[0]).sum()} rows: a map shows one "
            "figure an area, so choose the year and the category first."
        )
    out = known.loc[known.index.isin(list(shapes())), ["area"]]
    out["region"] = known["region_code"].reindex(out.index).map(known["area"])
    out[value] = rows[value].reindex(out.index).astype("Float64")
    flagged = pd.Series(False, index=rows.index)
    if "flagged" in rows.columns:
        flagged = rows["flagged"].astype(bool)
    elif "caveat" in rows.columns:
        flagged = rows["caveat"].fillna("") != ""
    is_flagged = flagged.reindex(out.index, fill_value=False)
    out[value] = out[value].mask(is_flagged)
    few = rows["few"] if "few" in rows.columns else pd.Series("", index=rows.index)
    out["few"] = few.reindex(out.index).where(out[value].notna()).fillna("")
    if out[value].where(out["few"] == "").isna().all():
        raise MissingDataError(f"No authority has a figure in {value!r}: there is no map of it.")
    out["without"] = is_flagged.map({True: FLAGGED, False: MISSING})
    return out.sort_values("area")


def written(value: float, spec: str | Written) -> str:
    """Write a value by a format specification, or by what writes it."""
    return spec(value) if callable(spec) else format(value, spec)


def _finding(
    rows: pd.DataFrame, value: str, spec: str | Written, what: str, own: Area | None
) -> str:
    """Say where the two ends are, and half of the authorities; of a marked one its own figure."""
    values = rows[value].dropna().astype(float)
    middle = " and ".join(written(end, spec) for end in values.quantile([0.25, 0.75]))
    if own in values.index:
        said = f"{rows.loc[own, 'area']} {written(values[own], spec)}"
    else:
        low, high = (_at_end(rows, value, spec, top=top, count=1) for top in (False, True))
        said = f"from {low} to {high}"
    whole = f"{len(values)} that have a figure" if len(values) < len(rows) else "authorities"
    return f"{what}: {said}, half of the {whole} between {middle}"


def _told(
    rows: pd.DataFrame,
    value: str,
    spec: str | Written,
    what: str,
    own: Area | None,
    near: Sequence[Area],
) -> str:
    """Say the pattern: both ends, the middle of each region, what is missing or marked."""
    known = rows.dropna(subset=value)
    by = known.groupby("region")[value]
    regions = by.median()[by.size() >= FEWEST].sort_values(kind="stable")
    said = [
        f"Map of England's {len(rows)} authorities, each as large as its population, shaded by: "
        f"{what}. Highest: {_at_end(rows, value, spec, top=True)}. Lowest: "
        f"{_at_end(rows, value, spec, top=False)}."
    ]
    if len(regions) > 1:
        least, most = (
            f"in {place(regions.index[at])} ({written(regions.iloc[at], spec)})" for at in (0, -1)
        )
        some = f" with {FEWEST} figures or more" if len(regions) < len(by) else ""
        said.append(
            f"Of regions{some} the median of authorities is highest {most} and lowest {least}."
        )
    for name in WITHOUT:
        some = rows.loc[rows["shade"] == name, "area"]
        if len(some):
            listed = f": {', '.join(some)}" if len(some) <= 2 * NAMED else ""
            said.append(f"{name.capitalize()}, {len(some)} of them{listed}.")
    few = rows[rows["few"] != ""].groupby("few")["area"].agg(", ".join)
    said += [f"Left out of the ends ({why}): {listed}." for why, listed in few.items()]
    if own:
        figure = written(known.loc[own, value], spec) if own in known.index else "without a figure"
        figure = f"{rows.loc[own, 'area']} {figure}"
        said.append(
            f"Marked: {figure}"
            + (f", and its {len(near)} statistical neighbours." if near else ".")
        )
    return " ".join(said)


def _at_end(
    rows: pd.DataFrame, value: str, spec: str | Written, *, top: bool, count: int = NAMED
) -> str:
    """Name the authorities at an end, as many as asked for; of more that read alike, how many."""
    known = rows[rows["few"] == ""].dropna(subset=value)
    known = known.sort_values(value, ascending=not top, kind="stable")
    figures = pd.Series([written(figure, spec) for figure in known[value]], index=known.index)
    named: list[str] = []
    for figure, alike in known["area"].groupby(figures, sort=False):
        if len(alike) > count - len(named):
            return ", ".join([*named, f"{figure} in {len(alike)} authorities"])
        named += [f"{figure} in {area}" for area in alike]
        if len(named) == count:
            break
    return ", ".join(named)


def place(region: str) -> str:
    """Return a region's name as it stands in a sentence: with its article, if it has one."""
    return region if region in BARE else f"the {region}"


def _fill(ax: Axes, codes: Sequence[str], **look: object) -> None:
    """Draw authorities."""
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    paths = [
        Path.make_compound_path(*(Path(np.r_[ring, ring[:1]], closed=True) for ring in rings))
        for rings in (shapes()[code] for code in codes)
    ]
    ax.add_collection(PathCollection(paths, **{"edgecolor": "white", "linewidth": 0.6} | look))


def _mark(ax: Axes, own: Area, near: Sequence[Area]) -> dict[str, dict]:
    """Outline an authority and its neighbours; return what the key says of them."""
    looks = {"statistical neighbours": {"edgecolor": PALETTE[3], "linewidth": 1.6}} if near else {}
    looks |= {own.name: {"edgecolor": TEXT, "linewidth": 2.6}}
    looks = {name: look | {"facecolor": "none"} for name, look in looks.items()}
    for codes, (_, look) in zip([near, [own]] if near else [[own]], looks.items(), strict=True):
        _fill(ax, codes, zorder=3, **look)
    return looks


def _middle(code: str) -> np.ndarray:
    """Middle of an authority's corners."""
    return shapes()[code][0].mean(axis=0)


def _finish(ax: Axes, key: dict[str, dict], what: str = "") -> None:
    """Set the axes of a map, and its key in the North Sea."""
    from matplotlib.patches import Patch

    ax.set_aspect("equal", anchor="W")
    ax.autoscale_view()
    ax.axis("off")
    ax.legend(
        handles=[Patch(label=name, **look) for name, look in key.items()],
        loc="upper left", bbox_to_anchor=(KEY, 1), title=textwrap.fill(what, 30), alignment="left",
    )  # fmt: skip


def outlines() -> str:
    """Say where the outlines are from, and under which licence."""
    ((licence, _),) = about.licences(["hexagons"])
    return (
        "outlines: House of Commons Library, simplified; contains Parliamentary information "
        f"licensed under the {licence}"
    )
