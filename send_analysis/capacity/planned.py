"""Capacity: places in use, planned changes to them, or a list of places that the user gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from zlib import crc32

import numpy as np
import pandas as pd
from pydantic import Field

from send_analysis import areas, reads, tables
from send_analysis.areas import Area
from send_analysis.capacity import places
from send_analysis.cells import Number, Words, read_list
from send_analysis.errors import ParameterError
from send_analysis.forms import AreaName, Form, Month, Share, Text, checked, read_yaml
from send_analysis.scenarios import assumptions, sample

LAST_YEAR = 2060
Places = Annotated[float, Field(ge=-5000, le=5000)]


class Switch(Form):
    """What a scenario may change of a planned change."""

    included: bool | None = None
    opens: Month | None = None
    places: Places | None = None
    fill: list[Share] | None = Field(None, min_length=1)


class Change(Form):
    """A planned change to places."""

    title: Text
    setting: Literal[*places.KINDS]
    phase: Literal[*places.PHASES]
    status: Text
    included: bool
    opens: Month
    places: Places
    fill: list[Share] = Field(min_length=1)
    source: Text


class Plans(Form):
    """What a file of planned changes holds."""

    area: AreaName
    changes: dict[str, Change]


def _folder() -> Path:
    """Folder of the planned changes, a file an area."""
    return tables.parameters("plans")


@reads.found
def plans(area: Area, switches: Mapping[str, Mapping] | None = None) -> pd.DataFrame:
    """List an area's planned changes to specialist places.

    Parameters
    ----------
    area : Area or str
    switches : mapping, optional
        By name of the change, what a scenario alters: ``included, opens, places, fill``.

    Returns
    -------
    DataFrame
        Indexed by ``change``: ``title, setting, phase, status, included, opens, first_january,
        places, fill, source``; empty where the area has no file in ``data/plans``.

    Raises
    ------
    ParameterError
        If a file or a switch has an unknown or missing key or an impossible value.
    """
    path = _folder() / f"{areas.slug(area.name)}.yml"
    content = {"changes": {}}
    if path.is_file():
        content = read_yaml(path)
        if checked(Plans, content, path).area != area:
            raise ParameterError(f"{path}, area: must be {area.name}, as the file's name says.")
    changes = {name: dict(change) for name, change in content["changes"].items()}
    for name, switch in (switches or {}).items():
        if name not in changes:
            known = ", ".join(changes) or "none"
            raise ParameterError(
                f"plans.{name}: {area.name} has no such planned change; it has {known}."
            )
        checked(Switch, switch, f"plans.{name}")
        changes[name] |= switch
    columns = [*Change.model_fields]
    columns.insert(columns.index("opens") + 1, "first_january")
    frame = pd.DataFrame.from_dict(changes, orient="index").rename_axis("change")
    if frame.empty:
        return frame.reindex(columns=columns)
    month = frame["opens"].str.split("-", expand=True)
    january = month[0].astype("int64") + (month[1] != "01")
    return frame.assign(first_january=january)[columns]


def planned(changes: pd.DataFrame, base: int, years: range) -> pd.DataFrame:
    """Places that planned changes add after a January, change by change.

    Parameters
    ----------
    changes : DataFrame
        As :func:`plans` returns it.
    base : int
        Year of the January that capacity is counted from.
    years : range
        Years of the Januaries wanted.

    Returns
    -------
    DataFrame
        ``change, kind, phase, year, places``: in use in that January of what was added after the
        January of `base`; included changes only.
    """
    frames = []
    for name, change in changes[changes["included"].astype(bool)].to_dict("index").items():
        filled = _filled(change, np.array([base, *years]))
        rows = {"change": name, "kind": change["setting"], "phase": change["phase"]}
        frames.append(pd.DataFrame({**rows, "year": list(years), "places": filled[1:] - filled[0]}))
    if not frames:
        return pd.DataFrame(columns=["change", "kind", "phase", "year", "places"])
    return pd.concat(frames, ignore_index=True)


def _filled(change: Mapping, januaries: np.ndarray) -> np.ndarray:
    """Places of a change that are in use in some Januaries, if it opens as planned."""
    curve = np.array([0.0, *change["fill"], 1.0])
    step = januaries - change["first_january"] + 1
    return np.rint(change["places"] * curve[np.clip(step, 0, len(curve) - 1)])


def late(
    capacity: pd.DataFrame,
    changes: pd.DataFrame,
    *,
    base: int,
    simulations: int,
    seed: int,
    given: pd.DataFrame | None = None,
) -> dict[tuple[str, str], np.ndarray]:
    """Draw the places that are missing because openings are put off.

    Parameters
    ----------
    capacity : DataFrame
        As :func:`capacity` returns it; places from a list of the user's own are not late.
    changes : DataFrame
        As :func:`plans` returns it. Included ones that add places and open after the January of
        `base` can be late.
    base : int
    simulations, seed : int
        Same seed and name of the change, same delays, whatever else is planned.
    given : DataFrame, optional
        Assumptions of the part ``capacity``: ``openings_late`` (share put off) and ``years_late``
        (by how many Januaries, a draw rounded to whole years); the file's if not given.

    Returns
    -------
    dict of ndarray (years, simulations)
        By kind and phase.

    Notes
    -----
    With p the share and L the years, a change of n places with fill curve F has
    n · ((1 − p) · F(t) + p · E F(t − L)) places on average.
    """
    if changes.empty:
        return {}
    given = assumptions("capacity") if given is None else given
    years = np.sort(capacity["year"].unique())
    own = capacity.loc[capacity["basis"].str.startswith("capacity file"), ["kind", "phase"]]
    own = set(own.itertuples(index=False, name=None))
    open_later = changes["included"].astype(bool) & (changes["places"].astype(float) > 0)
    open_later &= changes["first_january"].astype(float) > base
    out: dict[tuple[str, str], np.ndarray] = {}
    for name, change in changes[open_later].to_dict("index").items():
        cell = (change["setting"], change["phase"])
        if cell in own:
            continue
        rng = np.random.default_rng([seed, crc32(name.encode())])
        put_off = rng.random(simulations) < sample(given.loc["openings_late"], simulations, rng)
        by = np.rint(sample(given.loc["years_late"], simulations, rng)) * put_off
        missing = _filled(change, years)[:, None] - _filled(
            change, years[:, None] - by.astype("int64")
        )
        out[cell] = out.get(cell, 0.0) + missing
    return out


def read_capacity(path: str | Path) -> pd.DataFrame:
    """Read a list of places that the user gives.

    Parameters
    ----------
    path : str or Path
        CSV with the columns ``kind, phase, year, places``: places from the January of that year
        on, until a later row of the same kind and phase.

    Returns
    -------
    DataFrame
        The rows, sorted.

    Raises
    ------
    MissingDataError
        If there is no such file.
    DataError
        Naming file, column, row and value, if a column is missing, a kind or phase is unknown, a
        number is impossible, or a row is there twice.
    """
    key = ["kind", "phase", "year"]
    frame = read_list(
        path,
        "capacity",
        {
            "kind": Words(places.KINDS),
            "phase": Words(tuple(places.PHASES)),
            "year": Number(2000, LAST_YEAR, whole=True),
            "places": Number(0, 100_000),
        },
        key=key,
    )
    return frame.sort_values(key, ignore_index=True)


@reads.found
def capacity(
    area: Area,
    years: range,
    *,
    base: int | None = None,
    changes: pd.DataFrame | None = None,
    file: str | Path | None = None,
) -> pd.DataFrame:
    """Places there will be, by kind and phase.

    Parameters
    ----------
    area : Area or str
    years : range
        Years of the Januaries wanted.
    base : int, optional
        January whose places in use are capacity before changes; the latest if not given.
    changes : DataFrame, optional
        As :func:`plans` returns it; the area's own if not given.
    file : str or Path, optional
        A list of places, see :func:`read_capacity`. For a kind and phase that it lists, it
        replaces places in use and planned changes alike.

    Returns
    -------
    DataFrame
        ``area_code, year, kind, phase, in_use, planned, capacity, basis``; ``basis`` says which
        of the two was used.
    """
    used = places.in_use(area, year=base)
    base = int(used["year"].iat[0])
    changes = plans(area) if changes is None else changes
    keys = ["kind", "phase", "year"]
    index = pd.MultiIndex.from_product([places.KINDS, places.PHASES, years], names=keys)
    frame = pd.DataFrame(index=index)
    frame["in_use"] = np.repeat(used["places"].to_numpy(), len(years))  # in the same order
    frame["planned"] = 0.0
    added = planned(changes, base, years)
    if len(added):
        frame["planned"] = added.groupby(keys)["places"].sum().reindex(index, fill_value=0.0)
    frame["capacity"] = (frame["in_use"] + frame["planned"]).clip(lower=0)
    moved = frame["planned"].to_numpy().reshape(-1, len(years)).any(axis=1).repeat(len(years))
    said = f"places in use, January {base}"
    frame["basis"] = np.where(moved, f"{said}, and planned changes", said)
    if file is not None:
        given = read_capacity(file)
        wide = given.pivot(index=["kind", "phase"], columns="year", values="places")
        wide = wide.reindex(columns=sorted({*wide.columns, *years})).ffill(axis=1)[list(years)]
        listed = wide.stack().rename_axis(keys).reindex(index)
        there = listed.notna()
        frame["planned"] = frame["planned"].mask(there, 0.0)
        frame["capacity"] = listed.fillna(frame["capacity"])
        frame["basis"] = frame["basis"].mask(there, f"capacity file {Path(file).name}")
    out = frame.reset_index().assign(area_code=area)
    return out[["area_code", "year", "kind", "phase", *frame.columns]]
