"""Scenarios for the stock-flow models: read a YAML file, check it, turn it into yearly changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from send_analysis.errors import ParameterError, nearest
from send_analysis.forecasting.cohorts.stock_flow import Changes
from send_analysis.forecasting.transitions.files import States
from send_analysis.forms import Form, Share, Text, checked, read_yaml

LAST_YEAR = 2100
_Year = Annotated[int, Field(ge=1990, le=LAST_YEAR)]


class When(Form):
    """What every kind of change may hold."""

    since: _Year = Field(alias="from")
    to_year: _Year | None = None


class StopJoiners(When):
    """No new plan goes to a setting."""

    setting: Text


class MoveJoiners(StopJoiners):
    """A share of a setting's new plans goes to another."""

    to: Text
    share: Share


class Cap(StopJoiners):
    """A setting holds so many; the others go elsewhere."""

    at: int = Field(ge=0, le=10_000_000)
    overflow: Text


class ChangeRate(When):
    """A rate is multiplied, for all or for some settings, needs or ages."""

    rate: Literal["join", "leave", "move"]
    multiply: float = Field(ge=0, le=100)
    settings: list[Text] | None = Field(None, min_length=1)
    needs: list[Text] | None = Field(None, min_length=1)
    ages: list[int] | None = Field(None, min_length=1)


class OneChange(Form):
    """One kind of change."""

    stop_joiners: StopJoiners | None = None
    move_joiners: MoveJoiners | None = None
    cap: Cap | None = None
    change_rate: ChangeRate | None = None


class FlowScenario(Form):
    """What a scenario file of the stock-flow models holds."""

    name: Text | None = None
    source: Text | None = None
    changes: list[OneChange] = Field(min_length=1)


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
    content = read_yaml(path)
    checked(FlowScenario, content, path)
    changes = []
    for number, item in enumerate(content["changes"], start=1):
        where = f"{path}, changes[{number}]"
        if len(item) != 1:
            kinds = ", ".join(OneChange.model_fields)
            raise ParameterError(f"{where}: must hold one kind of change: {kinds}.")
        kind, keys = next(iter(item.items()))
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


class Compiled(NamedTuple):
    """A change with its names numbered: the years that it holds in, and what it does."""

    first: int
    last: int
    part: dict[str, Any]


def _compile(change: Mapping[str, Any], states: States, years: Sequence[int]) -> Compiled:
    """Check one change against the states and number its names."""
    where = change["where"]
    first, last = change["from"], change.get("to_year", LAST_YEAR)
    if last < first:
        raise ParameterError(f"{where}: key 'to_year' ({last}) comes before 'from' ({first}).")
    if first > years[-1] or last < years[0]:
        raise ParameterError(
            f"{where}: key 'from' ({first}) puts the change outside the projected years "
            f"{years[0]}–{years[-1]}."
        )
    kind = change["kind"]
    if kind == "change_rate":
        return Compiled(first, last, _rate(change, states))
    setting = _name(change, "setting", states.settings)
    if kind == "stop_joiners":
        return Compiled(first, last, {"closed": setting})
    other = _name(change, "to" if kind == "move_joiners" else "overflow", states.settings)
    if other == setting:
        raise ParameterError(f"{where}: names the same setting twice.")
    if kind == "move_joiners":
        return Compiled(first, last, {"redirect": (setting, other, change["share"])})
    lacking = states.allowed[..., setting] & ~states.allowed[..., other]
    if lacking.any():
        age, need = np.argwhere(lacking)[0]
        raise ParameterError(
            f"{where}: key 'overflow': {change['overflow']!r} does not take need "
            f"{states.needs[need]!r} at {states.ages[age]}, which {change['setting']!r} does. "
            "Choose a setting that takes everyone the capped one takes."
        )
    return Compiled(first, last, {"cap": (setting, int(change["at"]), other)})


def _rate(change: Mapping[str, Any], states: States) -> dict[str, np.ndarray]:
    """Build the factors of a changed rate."""
    where, rate, by = change["where"], change["rate"], change["multiply"]
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
        near = nearest(name, known, count=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}."
        raise ParameterError(
            f"{change['where']}: key {key!r} names {name!r}, which is not a setting.{hint}"
        )
    return known.index(name)
