"""Parameters that people may change: scenario files by name, assumptions, and draws of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, create_model, model_validator

from send_analysis import tables
from send_analysis.errors import either, unknown
from send_analysis.forms import Form, Text, checked, read_yaml

ASSUMPTIONS = "assumptions.yml"


# What an assumption can be, by how its unit in `assumptions.yml` begins. What divides (hours and
# weeks worked, contacts, referrals) is not 0; a share is from 0 to 1, whatever it is of.
UNITS = {
    "share": (0, 1),
    "hours a new plan": (0, 1_000),
    "hours": (1, 168),
    "weeks a year": (1, 52),
    "weeks": (0, 520),
    "years": (0, 30),
    "pounds a year": (0, 10_000_000),
    "children": (1, 1_000_000),
    "appointments": (1, 1_000),
    "reviews": (1, 100),
    "new referrals a year": (1, 1_000_000),
    "times": (0, 5),
}


class Assumption(Form):
    """A number that no official table gives, the range it is varied over, and its source."""

    value: float
    low: float | None = None
    high: float | None = None
    unit: Text
    source: Text

    @model_validator(mode="after")
    def _within(self) -> Assumption:
        unit = next((each for each in UNITS if self.unit.startswith(each)), None)
        if unit is None:
            raise ValueError(f"unit: must begin with {either(UNITS)}, not {self.unit!r}")
        lowest, highest = UNITS[unit]
        low, high = (self.value if each is None else each for each in (self.low, self.high))
        if not lowest <= low <= self.value <= high <= highest:
            raise ValueError(
                f"value {self.value:g} with its range {low:g} to {high:g} must lie in order, "
                f"within {lowest:,} to {highest:,} ({self.unit})"
            )
        return self


def read(scenario: str | Path, form: type[Form], *, prefix: str = "") -> dict:
    """Read a scenario by the name of a file in ``data/scenarios``, or by its path.

    Parameters
    ----------
    scenario : str or Path
        ``capacity-semh-school-2030``, or the path of a YAML file.
    form : type of Form
        What the file may hold.
    prefix : str
        Names that begin otherwise are another model's scenarios; not suggested.

    Returns
    -------
    dict
        What the file holds, and ``file``: its path.

    Raises
    ------
    UnknownNameError
        If no file in the folder has that name.
    MissingDataError
        If there is no such file.
    ParameterError
        If a key is unknown, missing, or has an impossible value.
    """
    path = Path(scenario)
    if path.suffix not in {".yml", ".yaml"}:
        folder = tables.parameters("scenarios")
        path = folder / f"{scenario}.yml"
        if not path.is_file():
            known = sorted(file.stem for file in folder.glob(f"{prefix}*.yml"))
            hint = f"Give the path of a .yml file, or one of {', '.join(known)}."
            raise unknown("scenario", str(scenario), known, hint=hint)
    content = read_yaml(path)
    checked(form, content, path)
    return {**content, "file": str(path)}


def _entries(file: Path) -> dict[str, dict[str, Assumption]]:
    """Read a file of assumptions, by model and name."""
    return checked(dict[str, dict[str, Assumption]], read_yaml(file), file)


@tables.remembered
def _listed(section: str) -> pd.DataFrame:
    """A model's assumptions as the file has them; what an older file lacks is the package's."""
    path, packaged = tables.parameters(ASSUMPTIONS), tables.own_folder() / ASSUMPTIONS
    given = _entries(path)
    own = given if path == packaged else _entries(packaged)
    for part, entries in given.items():
        known = [*own, *own.get(part, {})]
        for name in {part, *entries} - {*known}:
            raise unknown("assumption", name, known, hint=f"Remove it from {path}.")
    rows = {name: it.model_dump() for name, it in (own[section] | given.get(section, {})).items()}
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")
    frame = frame.reindex(columns=["low", "value", "high", "unit", "source"])
    for bound in ("low", "high"):
        frame[bound] = frame[bound].astype("float64").fillna(frame["value"])
    return frame


@tables.remembered
def _changes(section: str) -> type[Form]:
    """What a scenario may hold under ``assumptions``: each within what its unit allows."""
    limits = {
        name: next(UNITS[each] for each in UNITS if unit.startswith(each))
        for name, unit in _listed(section)["unit"].items()
    }
    fields = {
        name: (float | None, Field(None, ge=low, le=high)) for name, (low, high) in limits.items()
    }
    return create_model("Changes", __base__=Form, **fields)


def assumptions(
    section: str, changes: Mapping[str, float] | None = None, *, where: str | Path = ""
) -> pd.DataFrame:
    """List a model's assumptions.

    Parameters
    ----------
    section : str
        A model's part of ``data/assumptions.yml``, e.g. ``"capacity"``.
    changes : mapping of str to float, optional
        Values of a scenario, by name: each replaces the value and its range.
    where : str or Path
        The scenario's file, which an error about a change names.

    Returns
    -------
    DataFrame
        Indexed by ``name``: ``low, value, high`` (low and high are the value where there is no
        range), ``unit, source``.

    Raises
    ------
    ParameterError
        If an entry has no source, its value lies outside its range or what its unit allows, or
        a change has no entry or is outside what the unit allows.
    """
    frame = _listed(section)
    changes = checked(_changes(section), changes or {}, where or "changes", "assumptions")
    for name, value in changes.model_dump(exclude_none=True).items():
        frame.loc[name, ["low", "value", "high", "source"]] = [value] * 3 + ["scenario"]
    return frame


def sample(assumption: pd.Series, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a number: half of the draws below its value, half above, rarer towards the ends.

    The middle of the draws is the value that is printed. A triangle with its top at the value has
    its middle elsewhere wherever the range is lopsided.

    Parameters
    ----------
    assumption : Series
        ``low, value, high``: a row of :func:`assumptions`, or a range like it.
    size : int
        Draws.
    rng : numpy Generator

    Returns
    -------
    ndarray (size,)
        The value itself, every time, where there is no range.
    """
    low, value, high = (float(assumption[name]) for name in ("low", "value", "high"))
    rank = (rng.permutation(size) + 0.5) / size  # as many in each part of the range as there ought
    below = low + (value - low) * np.sqrt(np.minimum(2 * rank, 1))
    above = high - (high - value) * np.sqrt(np.minimum(2 * (1 - rank), 1))
    return np.where(rank < 0.5, below, above)


QUANTILES = (0.1, 0.5, 0.9)


def interval(name: str, values: np.ndarray, *, axis: int = 1) -> dict[str, np.ndarray]:
    """Sum up simulations in three columns.

    Parameters
    ----------
    name : str
        Of the column that holds the median.
    values : ndarray
        Simulated, the simulations along `axis`.
    axis : int, default 1

    Returns
    -------
    dict of ndarray
        ``name``, ``name_low_80`` and ``name_high_80``.
    """
    values = np.sort(values, axis=axis)  # faster than to part them at each quantile
    low, middle, high = np.quantile(values, QUANTILES, axis=axis)
    return {name: middle, f"{name}_low_80": low, f"{name}_high_80": high}
