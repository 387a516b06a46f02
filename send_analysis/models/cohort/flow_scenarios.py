"""Scenarios for the stock-flow models: read a YAML file, check it, turn it into yearly changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from send_analysis.errors import MissingDataError, ParameterError, nearest
from send_analysis.models.cohort.stock_flow import Changes
from send_analysis.models.cohort.transitions import States

KINDS = {  # kind of change → (keys it needs, keys it may have)
    "stop_joiners": ({"setting", "from"}, {"to_year"}),
    "move_joiners": ({"setting", "to", "share", "from"}, {"to_year"}),
    "cap": ({"setting", "at", "overflow", "from"}, {"to_year"}),
    "change_rate": (
        {"rate", "multiply", "from"},
        {"to_year", "settings", "needs", "ages"},
    ),
}


def read_scenario(path: str | Path) -> list[dict[str, Any]]:
    """Read a scenario file and check its keys.

    Parameters
    ----------
    path : path
        YAML with a list `changes`; each item holds one kind of change: `stop_joiners`,
        `move_joiners`, `cap` or `change_rate`. `name` and `source` are free text.

    Returns
    -------
    list of dict
        The changes: `kind` and its keys.

    Raises
    ------
    ParameterError
        Naming the key that is unknown, missing or has an impossible value.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingDataError(f"{path}: there is no such scenario file.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path.name} is not YAML: {error}") from error
    if not isinstance(content, Mapping):
        raise ParameterError(f"{path.name}: expected a mapping with the key 'changes'.")
    _check_keys(content, {"changes"}, {"name", "source"}, path.name)
    if not isinstance(content["changes"], list) or not content["changes"]:
        raise ParameterError(f"{path.name}: key 'changes' must be a list of at least one change.")
    changes = []
    for number, item in enumerate(content["changes"], start=1):
        where = f"{path.name}: changes[{number}]"
        if not isinstance(item, Mapping) or len(item) != 1:
            raise ParameterError(f"{where} must hold one kind of change: {', '.join(KINDS)}.")
        kind, keys = next(iter(item.items()))
        if kind not in KINDS:
            raise ParameterError(f"{where}: unknown kind {kind!r}.{_hint(str(kind), KINDS)}")
        if not isinstance(keys, Mapping):
            raise ParameterError(f"{where}.{kind} must hold keys and values.")
        needed, optional = KINDS[kind]
        _check_keys(keys, needed, optional, f"{where}.{kind}")
        changes.append({"kind": kind, "where": f"{where}.{kind}", **keys})
    return changes


def yearly_changes(
    changes: Sequence[Mapping[str, Any]], states: States, years: Sequence[int]
) -> list[Changes]:
    """Turn a scenario into what changes in each projected year.

    Parameters
    ----------
    changes : sequence of dict
        From `read_scenario`.
    states : States
        Names and ages that the scenario may use.
    years : sequence of int
        Projected years, in order. A change holds from its `from` year until its `to_year`.

    Returns
    -------
    list of Changes
        One a year.

    Raises
    ------
    ParameterError
        Naming the key with an unknown setting, need or age, or an impossible number.
    """
    parts = [_compile(change, states, years) for change in changes]
    compiled = []
    for year in years:
        now = [part for first, last, part in parts if first <= year <= last]
        shape = states.allowed.shape
        factors = {"leave": np.ones(shape), "move": np.ones(shape), "join": np.ones(shape[0])}
        for part in now:
            for rate in factors.keys() & part.keys():
                factors[rate] = factors[rate] * part[rate]
        compiled.append(
            Changes(
                **factors,
                closed=[part["closed"] for part in now if "closed" in part],
                redirect=[part["redirect"] for part in now if "redirect" in part],
                caps=[part["cap"] for part in now if "cap" in part],
            )
        )
    return compiled


def _compile(
    change: Mapping[str, Any], states: States, years: Sequence[int]
) -> tuple[int, int, dict[str, Any]]:
    """Check one change against the states and number its names."""
    where = change["where"]
    first = _number(change, "from", low=1990, high=2100, whole=True)
    last = (
        _number(change, "to_year", low=first, high=2100, whole=True)
        if "to_year" in change
        else 2100
    )
    if first > years[-1] or last < years[0]:
        raise ParameterError(
            f"{where}: key 'from' ({first}) puts the change outside the projected years "
            f"{years[0]}–{years[-1]}."
        )
    kind = change["kind"]
    if kind == "change_rate":
        return first, last, _rate(change, states)
    setting = _name(change, "setting", states.settings)
    if kind == "stop_joiners":
        return first, last, {"closed": setting}
    other = _name(change, "to" if kind == "move_joiners" else "overflow", states.settings)
    if other == setting:
        raise ParameterError(f"{where}: names the same setting twice.")
    if kind == "move_joiners":
        share = _number(change, "share", low=0, high=1)
        return first, last, {"redirect": (setting, other, share)}
    lacking = states.allowed[..., setting] & ~states.allowed[..., other]
    if lacking.any():
        age, need = np.argwhere(lacking)[0]
        raise ParameterError(
            f"{where}: key 'overflow': {change['overflow']!r} does not take need "
            f"{states.needs[need]!r} at {states.ages[age]}, which {change['setting']!r} does. "
            "Choose a setting that takes everyone the capped one takes."
        )
    most = _number(change, "at", low=0, high=10_000_000, whole=True)
    return first, last, {"cap": (setting, most, other)}


def _rate(change: Mapping[str, Any], states: States) -> dict[str, np.ndarray]:
    """Build the factors of a changed rate."""
    where, rate = change["where"], change["rate"]
    if rate not in ("join", "leave", "move"):
        raise ParameterError(f"{where}: key 'rate' must be join, leave or move, not {rate!r}.")
    by = _number(change, "multiply", low=0, high=100)
    ages = _choose(change, "ages", list(states.ages))
    if rate == "join":
        for key in ("settings", "needs"):
            if key in change:
                raise ParameterError(
                    f"{where}: key {key!r} does not go with rate: join, which counts people "
                    "before they have a need or a setting. Use stop_joiners or move_joiners."
                )
        return {"join": np.where(ages, by, 1.0)}
    needs = _choose(change, "needs", states.needs)
    settings = _choose(change, "settings", states.settings)
    chosen = ages[:, None, None] & needs[:, None] & settings
    return {rate: np.where(chosen, by, 1.0)}


def _choose(change: Mapping[str, Any], key: str, known: list) -> np.ndarray:
    """Mark the members of a list that a change names; all when it names none."""
    if key not in change:
        return np.ones(len(known), dtype=bool)
    named = change[key]
    if not isinstance(named, list) or not named:
        raise ParameterError(f"{change['where']}: key {key!r} must be a list.")
    for name in named:
        if name not in known:
            raise ParameterError(
                f"{change['where']}: key {key!r} names {name!r}, which is not one of "
                f"{', '.join(map(str, known))}."
            )
    return np.isin(known, named)


def _name(change: Mapping[str, Any], key: str, known: list[str]) -> int:
    """Return the number of a setting a change names."""
    name = change[key]
    if name not in known:
        raise ParameterError(
            f"{change['where']}: key {key!r} names {name!r}, which is not a setting."
            f"{_hint(str(name), known)}"
        )
    return known.index(name)


def _number(
    change: Mapping[str, Any], key: str, *, low: float, high: float, whole: bool = False
) -> Any:
    """Return a number a change gives, or say what it must be."""
    value = change[key]
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise ParameterError(
            f"{change['where']}: key {key!r} must be {kind} from {low} to {high}, not {value!r}."
        )
    return value


def _check_keys(given: Mapping[str, Any], needed: set[str], optional: set[str], where: str) -> None:
    """Refuse unknown keys and ask for missing ones."""
    for key in given:
        if key not in needed | optional:
            hint = _hint(str(key), sorted(needed | optional))
            raise ParameterError(f"{where}: unknown key {key!r}.{hint}")
    for key in sorted(needed - set(given)):
        raise ParameterError(f"{where}: key {key!r} is missing.")


def _hint(name: str, known: Any) -> str:
    """Offer the nearest known name, or all of them."""
    near = nearest(name, known, count=1)
    return f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}."
