"""Planned changes, how late they are, and capacity files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis import scenarios, tables
from send_analysis.capacity import places, planned
from send_analysis.errors import DataError, MissingDataError, ParameterError

BURY, ROCHDALE = "E08000002", "E08000005"


def test_changes_of_bury_are_the_announced_ones():
    changes = planned.plans(BURY)
    size = changes["places"].to_dict()
    assert size["brookhaven"] == 80
    assert size["semh-school"] == 60
    assert size["radcliffe"] == 80
    assert changes.loc["semh-school", "opens"].startswith("2028")
    assert not changes.loc["radcliffe", "included"]
    assert (changes["source"].str.len() > 10).all()


def test_area_without_a_file_has_no_changes():
    assert planned.plans(ROCHDALE).empty
    frame = planned.capacity(ROCHDALE, range(2026, 2028))
    assert (frame["planned"] == 0).all()
    assert set(frame["basis"]) == {"places in use, January 2025"}


def test_file_of_another_area_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "plans"
    folder.mkdir()
    text = (tables.data_dir() / "plans" / "bury.yml").read_text(encoding="utf-8")
    (folder / "rochdale.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(planned, "_folder", lambda: folder)
    with pytest.raises(ParameterError, match=r"rochdale\.yml, area: must be Rochdale"):
        planned.plans(ROCHDALE)


def test_closure_never_leaves_less_than_nothing():
    closed = planned.plans(
        BURY, {"semh-school": {"opens": "2026-01", "places": -2000, "fill": [1.0]}}
    )
    frame = planned.capacity(BURY, range(2026, 2028), changes=closed)
    assert frame["capacity"].min() == 0


def test_fill_curve_counts_from_the_base():
    changes = planned.plans(
        BURY,
        {
            "semh-school": {"opens": "2025-09", "places": 100, "fill": [0.25, 0.5]},
            "brookhaven": {"included": False},
            "millwood": {"included": False},
            "in-place-of-radcliffe": {"included": False},
        },
    )
    rows = planned.planned(changes, 2025, range(2025, 2030))
    assert rows["places"].tolist() == [0, 25, 50, 100, 100]
    # from 2026 on, the first quarter is in use already
    later = planned.planned(changes, 2026, range(2026, 2029))
    assert later["places"].tolist() == [0, 25, 75]


def test_a_january_opening_counts_in_that_january():
    opened = planned.plans(BURY, {"semh-school": {"opens": "2028-01"}})
    autumn = planned.plans(BURY, {"semh-school": {"opens": "2028-02"}})
    assert opened.loc["semh-school", "first_january"] == 2028
    assert autumn.loc["semh-school", "first_january"] == 2029


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        (
            {"semh": {"included": False}},
            r"plans\.semh: Bury has no such planned change.*semh-school",
        ),
        (
            {"semh-school": {"opens": "soon"}},
            r"plans\.semh-school, opens: must be text such as 2023-01",
        ),
        (
            {"semh-school": {"opens": "2028-13"}},
            r"plans\.semh-school, opens: must be text such as 2023-01",
        ),
        ({"semh-school": {"fill": [2]}}, r"plans\.semh-school, fill\[1\]: must be a number from 0"),
        ({"semh-school": {"place": 3}}, r"key 'place' is unknown. Did you mean 'places'"),
    ],
)
def test_switch_that_cannot_be_names_its_key(switches, message):
    with pytest.raises(ParameterError, match=message):
        planned.plans(BURY, switches)


def test_capacity_is_places_in_use_and_what_is_added():
    frame = planned.capacity(BURY, range(2026, 2031)).set_index(["kind", "phase", "year"])
    used = places.in_use(BURY).set_index(["kind", "phase"])["places"]
    row = frame.loc[(places.SPECIAL, "secondary", 2030)]
    assert row["in_use"] == used[places.SPECIAL, "secondary"]
    assert row["capacity"] == row["in_use"] + row["planned"]
    assert row["basis"] == "places in use, January 2025, and planned changes"
    withdrawn = planned.plans(BURY, {"semh-school": {"included": False}})
    fewer = planned.capacity(BURY, range(2026, 2031), changes=withdrawn)
    fewer = fewer.set_index(["kind", "phase", "year"])
    # the school's second January: 0.6 of 60 places
    assert row["capacity"] - fewer.loc[(places.SPECIAL, "secondary", 2030), "capacity"] == 36


def write(folder, text):
    file = folder / "capacity.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_capacity_file_replaces_what_it_lists(tmp_path):
    file = write(
        tmp_path,
        "kind,phase,year,places\n"
        "state special school,secondary,2024,340\nstate special school,secondary,2028,400\n",
    )
    frame = planned.capacity(BURY, range(2026, 2030), file=file)
    frame = frame.set_index(["kind", "phase", "year"]).sort_index()
    listed = frame.loc[(places.SPECIAL, "secondary")]
    assert listed["capacity"].tolist() == [340, 340, 400, 400]
    assert set(listed["basis"]) == {"capacity file capacity.csv"}
    other = frame.loc[(places.SPECIAL, "primary")]
    assert other["basis"].str.startswith("places in use").all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind,phase,year\n", r"capacity\.csv, column 'places': missing"),
        (
            "kind,phase,year,places\nspecial school,primary,2026,3\n",
            r"column 'kind', row 2: 'special school' is not known here",
        ),
        (
            "kind,phase,year,places\nalternative provision,nursery,2026,3\n",
            r"column 'phase', row 2: 'nursery' is not known here: use primary, ",
        ),
        (
            "kind,phase,year,places\nalternative provision,primary,26,3\n",
            r"column 'year', row 2: '26' is not a whole number from 2000 to 2060",
        ),
        (
            "kind,phase,year,places\nalternative provision,primary,2026,-3\n",
            r"column 'places', row 2: '-3' is not a number from 0 to 100000",
        ),
        (
            "kind,phase,year,places\n"
            "alternative provision,primary,2026,3\nalternative provision,primary,2026,4\n",
            "row 3: .*a second row",
        ),
    ],
)
def test_faulty_capacity_file_is_named(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        planned.read_capacity(write(tmp_path, text))


def test_absent_capacity_file(tmp_path):
    with pytest.raises(MissingDataError, match="no such capacity file"):
        planned.read_capacity(tmp_path / "none.csv")


ONE = {"semh-school": {"opens": "2026-09", "places": 100, "fill": [0.4, 0.8]}} | {
    name: {"included": False} for name in ("brookhaven", "millwood", "in-place-of-radcliffe")
}
SEMH = (places.SPECIAL, "secondary")


def missing(share: float, years: float, *, switches=ONE, file=None, simulations=4000):
    changes = planned.plans(BURY, switches)
    frame = planned.capacity(BURY, range(2026, 2032), changes=changes, file=file)
    sizes = {"openings_late": share, "years_late": years}
    return planned.late(
        frame,
        changes,
        base=2025,
        simulations=simulations,
        seed=50,
        given=scenarios.assumptions("capacity", sizes),
    )


@settings(max_examples=10, deadline=None)
@given(share=st.floats(0, 1), years=st.integers(0, 4))
def test_late_places_are_on_average_what_the_closed_form_says(share, years):
    def filled(january: int) -> float:
        return 100 * [0, 0.4, 0.8, 1][min(max(january - 2027 + 1, 0), 3)]

    expected = [share * (filled(year) - filled(year - years)) for year in range(2026, 2032)]
    drawn = missing(share, years)[SEMH]
    # four standard errors of a share of 4,000 draws, of at most 100 places
    assert drawn.mean(axis=1) == pytest.approx(expected, abs=4 * 100 * 0.5 / 4000**0.5)
    assert (drawn >= 0).all()


def test_delays_are_a_changes_own_whatever_else_is_planned():
    more = ONE | {"in-place-of-radcliffe": {"included": True}}
    both = missing(0.5, 2, switches=more)
    assert np.array_equal(both[SEMH], missing(0.5, 2)[SEMH])
    assert (places.UNIT, "primary") in both


def test_what_is_open_closes_or_is_the_users_own_is_not_late(tmp_path):
    opened = ONE | {"semh-school": {"opens": "2024-09"}}
    closes = ONE | {"semh-school": {"opens": "2026-09", "places": -50}}
    file = write(tmp_path, "kind,phase,year,places\nstate special school,secondary,2025,340\n")
    assert missing(1, 3, switches=opened) == {}
    assert missing(1, 3, switches=closes) == {}
    assert missing(1, 3, file=file) == {}
