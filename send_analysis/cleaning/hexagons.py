"""The map: outline of each authority on the House of Commons Library's map of small hexagons.

Every hexagon stands for about 8,000 people of any age, so that an authority is as large as its
population; groups of authorities, mostly counties, are drawn apart (the Library's description).
The file is a GeoPackage: an SQLite database whose geometries are well-known binary behind a header
(OGC 12-128r19, clause 2.1.3). Standard library and numpy read it.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis.cleaning import area_names, reading
from send_analysis.errors import DataError, LayoutError, nearest

RELEASE = "hexagons_2023"
LAYER = "UTLA-2023"  # upper-tier and unitary authorities; its table's name ends with it
CODE, NAME, SHAPE = "cua-code", "cua-name", "geom"
POLYGON, MULTIPOLYGON = 3, 6  # kinds of geometry in well-known binary
ENVELOPES = (0, 32, 48, 48, 64)  # bytes of the box in the header, by its flag
SIDE = 0.3 / np.sqrt(3)  # of a small hexagon, in the map's unit: their centres are 0.3 apart
CLOSE = 0.05  # two corners nearer than this are one: hexagons were drawn with gaps of 0.0004
STRAIGHT = 0.002  # twice the area of three corners in a row that are on one line
DIGITS = 2


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `hexagons`.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    areas : DataFrame
        The table `areas`.

    Returns
    -------
    dict of DataFrame
        ``hexagons``: ``area_code, part`` (1, then holes and further parts), ``point, x, y``: a
        ring of corners, the first not repeated, outer rings anticlockwise and holes clockwise.
        Along a row of hexagons the zigzag of the outline is drawn straight, through the middles of
        its sides: a fifth of the corners, and outlines of neighbours still meet.

    Raises
    ------
    DataError
        If the file is damaged, an authority of today is missing or stands there twice, an outline
        is not one of small hexagons, or two overlap.
    """
    frame = _layer(root)
    file = frame.attrs["file"]
    code = area_names.coded(frame[CODE], frame[NAME], areas, file=file)
    _check_authorities(code, frame, areas)
    rings = [
        (area, part, ring)
        for area, name, content in zip(code, frame[NAME], frame[SHAPE], strict=True)
        for part, ring in enumerate(_rings(content, name, file), start=1)
    ]
    _check_apart(rings, code, frame)
    out = pd.concat(
        [
            pd.DataFrame(ring, columns=["x", "y"]).assign(
                area_code=area, part=part, point=np.arange(1, len(ring) + 1)
            )
            for area, part, ring in rings
        ],
        ignore_index=True,
    )
    return {"hexagons": out[["area_code", "part", "point", "x", "y"]].round(DIGITS)}


def _layer(root: Path) -> pd.DataFrame:
    """Rows of England: code, name and geometry as they are in the file."""
    content, file = reading.read_bytes(root, reading.release(RELEASE)["path"])
    with closing(sqlite3.connect(":memory:")) as base:
        try:
            base.deserialize(content or bytes(1))  # of nothing: no memory
            tables = [name for (name,) in base.execute("select table_name from gpkg_contents")]
            wanted = [name for name in tables if name.endswith(LAYER)]
            frame = pd.DataFrame()
            if wanted:
                quoted = wanted[0].replace('"', '""')
                found = base.execute(f'select * from "{quoted}"')
                columns = [column[0] for column in found.description]
                frame = pd.DataFrame(found.fetchall(), columns=columns)
        except (sqlite3.Error, OverflowError) as error:
            raise DataError(
                f"damaged, or no GeoPackage ({error}); fetch it again", file=file
            ) from None
    if not wanted:
        near = ", ".join(nearest(LAYER, tables) or tables) or "none"
        raise LayoutError(f"no layer that ends with {LAYER!r}; there are: {near}", file=file)
    frame.attrs["file"] = file
    reading.require_columns(frame, [CODE, NAME, SHAPE])
    text = frame[[CODE, NAME]].fillna("").astype("str")
    frame = frame.assign(**text)[text[CODE].str.startswith("E")]
    frame.attrs["file"] = file
    return frame


def _check_authorities(code: pd.Series, frame: pd.DataFrame, areas: pd.DataFrame) -> None:
    """Refuse a map that has not every authority of today once."""
    file = frame.attrs["file"]
    local = areas[areas["level"] == "local authority"].set_index("area_code")
    today = local.index[local["last_year"] == local["last_year"].max()]
    problem = f"is no authority of today, or stands there twice; {reading.COMPARE}"
    reading.refuse(code.duplicated() | ~code.isin(today), frame[CODE], problem, file=file)
    absent = today.difference(pd.Index(code))
    if len(absent):
        raise DataError(
            f"no outline of {local['area'][absent[0]]} ({absent[0]}); the boundaries changed since "
            "this map, so it needs a newer one",
            file=file,
            column=CODE,
        )


def _rings(content: bytes, name: str, file: str) -> list[np.ndarray]:
    """Rings of an authority's polygons, made simple; outer ones anticlockwise."""
    try:
        polygons = _polygons(content)
    except (struct.error, ValueError, TypeError, IndexError) as error:
        raise DataError(
            f"the geometry of {name} cannot be read ({error}); fetch it again",
            file=file,
            column=SHAPE,
        ) from None
    rings = []
    for polygon in polygons:
        for place, ring in enumerate(polygon):
            problem = _problem(ring)
            if problem:
                raise DataError(
                    f"the outline of {name} {problem}; {reading.COMPARE}", file=file, column=SHAPE
                )
            ring = _simple(ring)
            is_hole = place > 0
            rings.append(ring if (_area(ring) < 0) == is_hole else ring[::-1])
    return rings


def _polygons(content: bytes) -> list[list[np.ndarray]]:
    """Read a geometry: for each of its polygons the rings, arrays of corners."""
    magic, flags = content[:2], content[3]
    if magic != b"GP":
        raise ValueError("no GeoPackage header")
    at = 8 + ENVELOPES[flags >> 1 & 7]

    def header() -> tuple[str, int, int]:
        nonlocal at
        order = "<" if content[at] else ">"
        kind, count = struct.unpack_from(f"{order}II", content, at + 1)
        at += 9
        return order, kind, count

    order, kind, count = header()
    if kind not in (POLYGON, MULTIPOLYGON):
        raise ValueError(f"kind {kind} is no polygon")
    polygons = []
    for _ in range(1 if kind == POLYGON else count):
        if kind == MULTIPOLYGON:
            order, _, parts = header()
        else:
            parts = count
        rings = []
        for _ in range(parts):
            (corners,) = struct.unpack_from(f"{order}I", content, at)
            numbers = np.frombuffer(content, f"{order}f8", 2 * corners, at + 4)
            rings.append(numbers.reshape(corners, 2).astype(float))
            at += 4 + numbers.nbytes
        polygons.append(rings)
    if at != len(content):
        raise ValueError(f"{len(content)} bytes, {at} expected")
    return polygons


def _problem(ring: np.ndarray) -> str:
    """Say what is wrong with a ring; empty if it is one of small hexagons."""
    if len(ring) < 7 or not np.isfinite(ring).all():
        return "is no ring of six corners or more"
    if not np.allclose(ring[0], ring[-1]):
        return "is not closed"
    sides = np.hypot(*np.diff(_corners(ring), axis=0, append=_corners(ring)[:1]).T)
    if not np.allclose(sides, SIDE, rtol=0.02):
        return f"has a side of {sides[np.abs(sides - SIDE).argmax()]:.3f}, not of {SIDE:.3f}"
    return ""


def _corners(ring: np.ndarray) -> np.ndarray:
    """Corners of a closed ring, each once."""
    ring = ring[:-1]
    step = np.hypot(*(ring - np.roll(ring, 1, axis=0)).T)
    return ring[step > CLOSE]


def _simple(ring: np.ndarray) -> np.ndarray:
    """Draw a ring through the middles of its sides, without those that lie on a line."""
    corners = _corners(ring)
    middle = (corners + np.roll(corners, -1, axis=0)) / 2
    before, after = middle - np.roll(middle, 1, axis=0), np.roll(middle, -1, axis=0) - middle
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return middle[np.abs(turn) > STRAIGHT]


def _area(ring: np.ndarray) -> float:
    """Area of a ring; below nought if it runs clockwise."""
    following = np.roll(ring, -1, axis=0)
    return float(np.sum(ring[:, 0] * following[:, 1] - ring[:, 1] * following[:, 0]) / 2)


def _check_apart(
    rings: list[tuple[str, int, np.ndarray]], code: pd.Series, frame: pd.DataFrame
) -> None:
    """Refuse a map in which a hexagon of one authority lies in another."""
    # A point is inside a ring if a ray from it to the right crosses an odd number of its sides.
    start = np.concatenate([ring for *_, ring in rings])
    end = np.concatenate([np.roll(ring, -1, axis=0) for *_, ring in rings])
    place = pd.Index(code).get_indexer([area for area, *_ in rings])
    owner = np.repeat(place, [len(ring) for *_, ring in rings])
    low = pd.DataFrame({"owner": owner, "x": start[:, 0], "y": start[:, 1].round(DIGITS)})
    low = low.sort_values(["owner", "y", "x"]).groupby("owner")[["x", "y"]].first()
    # The lowest corner is on the lower left side of a hexagon, a quarter of its width off centre.
    point = low.sort_index().to_numpy() + np.array([0.075, 0.75 * SIDE])
    x, y = point[:, :1], point[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        at = start[:, 0] + (y - start[:, 1]) * (end - start)[:, 0] / (end - start)[:, 1]
    crossed = ((start[:, 1] > y) != (end[:, 1] > y)) & (x < at)
    inside = np.zeros((len(code), len(code)), dtype=int)
    np.add.at(inside.T, owner, crossed.T)
    holders = inside % 2 == 1
    wrong = (holders.sum(axis=1) != 1) | ~holders.diagonal()
    reading.refuse(
        pd.Series(wrong, index=frame.index),
        frame[NAME],
        f"overlaps with another authority on the map; {reading.COMPARE}",
        file=frame.attrs["file"],
    )
