"""Parameters that people may change: assumptions, scenario files, and how both are checked.

A *form* says what a file may hold. It is a type (``str``, ``bool``), a :class:`Number`, a list with
the form of each item, or a dict from key to form; ``"key?"`` may be left out and ``"*"`` stands for
any name. :func:`check` compares and names the key that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from send_analysis import tables
from send_analysis.errors import MissingDataError, ParameterError, nearest, unknown

ASSUMPTIONS = "assumptions.yml"


class Number(NamedTuple):
    """A number within limits; `whole` if it must not have a fraction."""

    low: float
    high: float
    whole: bool = False


class Choice(NamedTuple):
    """One of some words or numbers."""

    words: tuple[str | int, ...]


# What an assumption can be, by its unit as `assumptions.yml` writes it. Hours and weeks worked
# divide: they are not 0. A share is from 0 to 1, whatever it is of; the rest is not below 0.
UNITS = {
    "hours": Number(1, 168),
    "weeks a year": Number(1, 52),
    "weeks": Number(0, 520),
    "years": Number(0, 30),
}
SHARE, AMOUNT = Number(0, 1), Number(0, 1e9)

FIRST_YEAR, LAST_YEAR = 2020, 2060
YEAR = Number(FIRST_YEAR, LAST_YEAR, whole=True)


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises
    ------
    MissingDataError
        If there is no such file.
    ParameterError
        If it is not YAML; the message has the line.
    """
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingDataError(f"{path}: there is no such file.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: not YAML; {' '.join(str(error).split())}.") from None


def check(value: object, form: object, where: str) -> None:
    """Refuse a value that does not have its form.

    Parameters
    ----------
    value : object
        What a YAML file holds.
    form : type, Number, Choice, list or dict
        What it may hold; see the module.
    where : str
        File, and keys so far joined by dots: the message begins with it.

    Raises
    ------
    ParameterError
        Naming the key that is unknown, missing, or has an impossible value.
    """
    if isinstance(form, dict):
        _check_keys(value, form, where)
    elif isinstance(form, list):
        if not isinstance(value, list) or not value:
            raise ParameterError(f"{where}: must be a list with at least one item, not {value!r}.")
        for number, item in enumerate(value, start=1):
            check(item, form[0], f"{where}[{number}]")
    elif isinstance(form, Choice):
        if value not in form.words:
            near = nearest(str(value), map(str, form.words))
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ParameterError(f"{where}: must be {_either(form.words)}, not {value!r}.{hint}")
    elif isinstance(form, Number):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if (
            not number
            or not form.low <= value <= form.high
            or (form.whole and not isinstance(value, int))
        ):
            kind = "a whole number" if form.whole else "a number"
            raise ParameterError(
                f"{where}: must be {kind} from {form.low:g} to {form.high:g}, not {value!r}."
            )
    elif not isinstance(value, form):
        words = {str: "text", bool: "true or false"}
        raise ParameterError(f"{where}: must be {words[form]}, not {value!r}.")


def _either(words: Iterable[object]) -> str:
    """Join words with commas, and "or" before the last."""
    *most, last = map(str, words)
    return f"{', '.join(most)} or {last}" if most else last


def _check_keys(value: object, form: dict, where: str) -> None:
    """Check a mapping against the forms of its keys."""
    if not isinstance(value, Mapping):
        raise ParameterError(f"{where}: must hold keys and values, not {value!r}.")
    forms = {key.removesuffix("?"): item for key, item in form.items()}
    for key in value:  # before the missing ones: a key misspelt is both
        if key not in forms and "*" not in forms:
            near = nearest(str(key), forms)
            hint = f" Did you mean {near[0]!r}?" if near else f" Keys: {_either(forms)}."
            raise ParameterError(f"{where}: key {key!r} is unknown.{hint}")
    for key in form:
        if key != "*" and not key.endswith("?") and key not in value:
            raise ParameterError(f"{where}: key {key!r} is missing; add it.")
    for key, item in value.items():
        check(item, forms.get(key, forms.get("*")), f"{where}.{key}")


def read(scenario: str | Path, form: dict, *, prefix: str = "") -> dict:
    """Read a scenario by the name of a file in ``data/scenarios``, or by its path.

    Parameters
    ----------
    scenario : str or Path
        ``capacity-semh-school-2030``, or the path of a YAML file.
    form : dict
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
    check(content, form, str(path))
    return {**content, "file": str(path)}


@tables.remembered
def _listed(section: str) -> pd.DataFrame:
    """A model's assumptions as the file has them."""
    path = tables.parameters(ASSUMPTIONS)
    content = read_yaml(path)
    number = Number(-1e12, 1e12)
    form = {"value": number, "low?": number, "high?": number, "unit": str, "source": str}
    check(content, {section: {"*": form}, "*": {"*": form}}, str(path))
    frame = pd.DataFrame.from_dict(content[section], orient="index").rename_axis("name")
    unsourced = frame["source"].str.strip() == ""
    if unsourced.any():
        name = frame.index[unsourced][0]
        raise ParameterError(
            f"{path}: {section}.{name}: has no source; name one or write illustrative."
        )
    frame = frame.reindex(columns=["low", "value", "high", "unit", "source"])
    for bound in ("low", "high"):
        frame[bound] = frame[bound].astype("float64").fillna(frame["value"])
    for name, row in frame.iterrows():
        for column in ("low", "value", "high"):
            check(row[column], _limits(row["unit"]), f"{path}: {section}.{name}.{column}")
    outside = ~frame["value"].between(frame["low"], frame["high"])
    if outside.any():
        name = frame.index[outside][0]
        raise ParameterError(f"{path}: {section}.{name}: value is not between low and high.")
    return frame


def _limits(unit: str) -> Number:
    """What an assumption in a unit can be."""
    return SHARE if unit.split()[:1] == ["share"] else UNITS.get(unit, AMOUNT)


def assumptions(
    section: str, changes: Mapping[str, float] | None = None, *, where: str = ""
) -> pd.DataFrame:
    """List a model's assumptions.

    Parameters
    ----------
    section : str
        A model's part of ``data/assumptions.yml``, e.g. ``"capacity"``.
    changes : mapping of str to float, optional
        Values of a scenario, by name: each replaces the value and its range.
    where : str
        What an error about a change begins with: the scenario's file and a full stop.

    Returns
    -------
    DataFrame
        Indexed by ``name``: ``low, value, high`` (low and high are the value where there is no
        range), ``unit, source``.

    Raises
    ------
    ParameterError
        If an entry has no source, its value lies outside its range, a change has no entry, or a
        value
        is outside what its unit allows.
    """
    path, frame = tables.parameters(ASSUMPTIONS), _listed(section)
    for name, value in (changes or {}).items():
        if name not in frame.index:
            near = nearest(name, frame.index)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ParameterError(f"{where}assumptions.{name}: no such assumption in {path}.{hint}")
        check(value, _limits(frame.loc[name, "unit"]), f"{where}assumptions.{name}")
        frame.loc[name, ["low", "value", "high", "source"]] = [value] * 3 + ["scenario"]
    return frame


def sample(assumption: pd.Series, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw an assumption from the triangle over its range, its value at the top.

    Parameters
    ----------
    assumption : Series
        ``low, value, high``: a row of :func:`assumptions`.
    size : int
        Draws.
    rng : numpy Generator

    Returns
    -------
    ndarray (size,)
        The value itself, every time, where there is no range.
    """
    low, value, high = (float(assumption[name]) for name in ("low", "value", "high"))
    return np.full(size, value) if low == high else rng.triangular(low, value, high, size)
