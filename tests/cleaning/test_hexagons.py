"""The map: every authority once, as large as its population and apart; faults are refused."""

import sqlite3
import struct
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from send_analysis import areas, tables
from send_analysis.cleaning import hexagons, reading
from send_analysis.errors import DataError, MissingFileError

PATH = reading.release(hexagons.RELEASE)["path"]
# Corners of a hexagon about the origin, from the lowest on, and the first again.
TURN = np.radians(np.arange(-90, 271, 60))
HEXAGON = hexagons.SIDE * np.c_[np.cos(TURN), np.sin(TURN)]
TWO = pd.DataFrame({
    "area_code": ["E08000001", "E08000002"], "area": ["Bolton", "Bury"], "old_code": ["350", "351"],
    "level": "local authority", "last_year": 2025,
})  # fmt: skip


def binary(*rings, kind=6):
    """A geometry of one polygon, as a GeoPackage has it."""
    polygon = struct.pack("<BII", 1, 3, len(rings)) + b"".join(
        struct.pack("<I", len(ring)) + np.asarray(ring, "<f8").tobytes() for ring in rings
    )
    return b"GP\0\1" + struct.pack("<i", 27700) + struct.pack("<BII", 1, kind, 1) + polygon


AWAY = HEXAGON + np.array([3, 1])
BOLTON, BURY = binary(HEXAGON), binary(AWAY)
GOOD = [("E08000001", "Bolton", BOLTON), ("E08000002", "Bury", BURY), ("W06000001", "Môn", BURY)]


@pytest.fixture
def made(tmp_path):
    """Build the table of a file that a test writes."""

    def make(
        rows=GOOD, layer="Map — 7 UTLA-2023", columns='"cua-code", "cua-name", geom', cut=None
    ):
        file = tmp_path / PATH
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as base, base:
            base.execute("create table gpkg_contents (table_name text)")
            base.execute("insert into gpkg_contents values (?)", [layer])
            base.execute(f'create table "{layer}" ({columns})')
            base.executemany(f'insert into "{layer}" values (?, ?, ?)', rows)
        if cut is not None:
            file.write_bytes(file.read_bytes()[:cut])
        return hexagons.build(tmp_path, TWO)["hexagons"]

    return make


@pytest.fixture(scope="module")
def shapes():
    """Rings of the table by authority and part."""
    rows = tables.load("hexagons")
    return {key: part[["x", "y"]].to_numpy() for key, part in rows.groupby(["area_code", "part"])}


def test_every_authority_of_today_has_one_outline_and_leicestershire_a_hole(shapes):
    assert {code for code, _ in shapes} == set(areas.current())
    assert [code for code, part in shapes if part > 1] == [areas.find("Leicestershire")]
    assert hexagons._area(shapes[areas.find("Leicestershire"), 2]) < 0  # about Leicester
    assert all(hexagons._area(ring) > 0 for (_, part), ring in shapes.items() if part == 1)


def test_an_authority_is_as_large_as_its_population(shapes):
    """The Library draws a hexagon for about 8,000 people; of Birmingham it prints 1.1 million."""
    size = pd.Series({code: 0.0 for code, _ in shapes})
    for (code, _), ring in shapes.items():
        size[code] += hexagons._area(ring)
    cells = size / (1.5 * np.sqrt(3) * hexagons.SIDE**2)
    people = tables.load("population")
    people = people[people["year"] == people["year"].max()]
    young = people.groupby("area_code")["people"].sum().astype(float)
    both = pd.concat([cells, young], axis=1, keys=["cells", "young"], join="inner")
    assert np.corrcoef(both["cells"], both["young"])[0, 1] > 0.95
    assert 8000 * cells[areas.find("Birmingham")] == pytest.approx(1.1e6, rel=0.05)
    # The Library draws one hexagon for the City of London and one for the Isles of Scilly.
    assert set(cells.nsmallest(2).index) == {areas.CITY_OF_LONDON, "E06000053"}


def test_authorities_lie_where_they_lie_in_england(shapes):
    middle = {code: ring.mean(axis=0) for (code, part), ring in shapes.items() if part == 1}
    find = lambda name: middle[areas.find(name)]  # noqa: E731
    assert find("Northumberland")[1] == max(y for _, y in middle.values())
    assert find("Isles of Scilly")[0] == min(x for x, _ in middle.values())
    assert find("Bolton")[0] < find("Bury")[0] < find("Rochdale")[0]


def test_no_two_authorities_overlap(shapes):
    """By another reckoning than the check: a grid of points; rounding leaves slivers of .01."""
    from matplotlib.path import Path

    grid = np.stack(np.meshgrid(np.arange(12, 56, 0.31), np.arange(2, 56, 0.31)), -1).reshape(-1, 2)
    held = {}
    for (code, _), ring in shapes.items():
        held[code] = held.get(code, False) ^ Path(ring).contains_points(grid)
    several = np.sum(list(held.values()), axis=0) > 1
    assert several.mean() < 0.0001


def test_a_small_map_is_read(made):
    out = made()
    assert out["area_code"].unique().tolist() == ["E08000001", "E08000002"]
    first = out[out["area_code"] == "E08000001"]
    # Through the middles of its sides: another hexagon, of three quarters of the area.
    ring = first[["x", "y"]].to_numpy()
    assert len(ring) == 6
    assert hexagons._area(ring) == pytest.approx(0.75 * hexagons._area(HEXAGON[:-1]), rel=0.1)


def spoilt(geometry):
    return [GOOD[0], ("E08000002", "Bury", geometry)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rows": GOOD[:1]}, r"column 'cua-code': no outline of Bury \(E08000002\)"),
        ({"rows": [*GOOD, GOOD[0]]}, "'E08000001' is no authority of today, or stands"),
        ({"rows": [GOOD[0], ("E08000002", "Bolton", BURY)]}, "'E08000002' is the code of Bury"),
        ({"rows": spoilt(BOLTON)}, "'Bolton' overlaps with another"),
        ({"rows": spoilt(binary(AWAY[:-1]))}, "Bury is no ring of six corners"),
        ({"rows": spoilt(binary(np.r_[AWAY, [[1, 1]]]))}, "outline of Bury is not closed"),
        ({"rows": spoilt(binary(2 * AWAY))}, r"has a side of 0\.346, not of 0\.173"),
        ({"rows": spoilt(binary(HEXAGON * np.nan))}, "Bury is no ring of six corners"),
        ({"rows": spoilt(BURY[:-9])}, "column 'geom': the geometry of Bury cannot be read"),
        ({"rows": spoilt(binary(HEXAGON, kind=1))}, "geometry of Bury .*kind 1 is no polygon"),
        ({"rows": spoilt(None)}, "the geometry of Bury cannot be read"),
        ({"rows": spoilt("POLYGON")}, "the geometry of Bury cannot be read"),
        ({"layer": "Map — 7 UTLA-2025"}, "no layer that ends with 'UTLA-2023'; there are: Map"),
        ({"columns": '"cua", "cua-name", geom'}, "column 'cua-code': missing"),
        ({"cut": 0}, "damaged, or no GeoPackage"),
        ({"cut": 700}, "damaged, or no GeoPackage"),
    ],
)  # fmt: skip
def test_a_spoilt_map_is_refused_in_one_line(made, change, says):
    with pytest.raises(DataError, match=says) as caught:
        made(**change)
    assert "\n" not in str(caught.value)
    assert PATH in str(caught.value)


def test_no_map_is_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError):
        hexagons.build(tmp_path, TWO)
