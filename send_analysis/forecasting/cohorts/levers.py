"""Levers on flows of plans: what a scenario may hold, read and checked.

What each lever does stands with :func:`flows.apply`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, create_model, model_validator

from send_analysis import scenarios, tables
from send_analysis.categories import AGE_BANDS
from send_analysis.errors import ParameterError
from send_analysis.forecasting.cohorts.inputs import AGES, SETTINGS
from send_analysis.forms import Form, Text, checked, read_yaml

PREFIX = "demand-"  # of this model's scenario files
TRANSFERS = {"10-11": 10, "15-16": 15}  # into secondary school, out of year 11: age before
SIZES = ("multiply", "share", "keep")
_Year = Annotated[int, Field(ge=2010, le=2060)]


class Lever(Form):
    """What every lever may hold."""

    lever: str
    source: Text | None = None
    from_year: _Year | None = None
    until_year: _Year | None = None
    over_years: int | None = Field(None, ge=1, le=20)

    @model_validator(mode="after")
    def _in_order(self) -> Lever:
        if self.until_year and self.until_year < (self.from_year or 0):
            raise ValueError(f"until_year: must be {self.from_year} or later")
        if hasattr(self, "away") and self.away == self.to:
            raise ValueError("to: must be another setting than from")
        return self


def _size(high: float) -> Any:
    """A number from 0, or the two ends of a range from which each simulation draws one."""

    def in_order(ends: list[float]) -> list[float]:
        if ends[0] > ends[1]:
            raise ValueError(f"a range begins with its lower end, not {ends}")
        return ends

    end = Annotated[float, Field(ge=0, le=high)]
    two = Field(min_length=2, max_length=2, examples=[[0.5, 0.8]])
    ends = Annotated[list[end], two, AfterValidator(in_order)]
    return (end | ends, ...)


_PLACE = Literal[*SETTINGS]
_AGED = {"ages": (list[Literal[*AGES, *AGE_BANDS]] | None, Field(None, min_length=1))}
_PLACED = {"settings": (list[_PLACE] | None, Field(None, min_length=1))}
_STAND_IN = {"substitute": (Literal["footprint", "region", "England"] | None, None)}
_AWAY = {"away": (_PLACE, Field(alias="from")), "to": (_PLACE, ...), "share": _size(1)}
LEVERS = {
    name: create_model(name, __base__=Lever, **keys)
    for name, keys in {
        "requests": {"multiply": _size(20), **_AGED},
        "requests_return": {"to_year": (_Year, ...), **_STAND_IN},
        "requests_stabilise": {},
        "share_assessed": {"share": _size(1), **_STAND_IN},
        "share_issued": {"share": _size(1), **_STAND_IN},
        "new_plans": {"multiply": _size(20), **_AGED},
        "settings_of_new_plans": {**_AWAY, **_AGED},
        "placements": _AWAY,
        "moves": _AWAY,
        "cessation": {"multiply": _size(20), **_AGED, **_PLACED},
        "reassessment": {"transfer": (Literal[*TRANSFERS], ...), "keep": _size(1)},
        "protected": _AGED,
    }.items()
}


class _Any(Form):
    """A lever, by its name."""

    model_config = ConfigDict(extra="allow")
    lever: Literal[*LEVERS]


class Scenario(Form):
    """What a scenario file of demand holds."""

    title: Text
    description: Text | None = None
    levers: list[dict[str, Any]] = Field(min_length=1)


class Levers(list):
    """Levers that were checked, and the file that they stand in, for errors found later."""

    file: str = "scenario"


def read(scenario: str | Path | Sequence[Mapping]) -> Levers:
    """Levers of a scenario.

    Parameters
    ----------
    scenario : str, Path or sequence of mapping
        Name of a file in ``data/scenarios`` (without ``.yml``), a path to one, or the levers.

    Returns
    -------
    Levers
        As :func:`validate`.

    Raises
    ------
    UnknownNameError, MissingDataError, ParameterError
    """
    if not isinstance(scenario, str | Path):
        return validate(scenario)
    content = scenarios.read(scenario, Scenario, prefix=PREFIX)
    return validate(content["levers"], where=content["file"])


@tables.remembered
def titles() -> dict[str, str]:
    """List the scenarios of demand that the project holds.

    Returns
    -------
    dict of str to str
        Name of the scenario, as :func:`read` takes it, by its title.
    """
    files = sorted(tables.parameters("scenarios").glob(f"{PREFIX}*.yml"))
    return {read_yaml(file)["title"]: file.stem for file in files}


def validate(levers: Sequence[Mapping], *, where: str | None = None) -> Levers:
    """Check levers, and refuse what cannot be.

    Parameters
    ----------
    levers : sequence of mapping
        Each has ``lever``, a key of `LEVERS`, and the keys of that lever. It may have
        ``from_year``, the first calendar year whose flows it changes (that of the origin's January
        if left out), ``over_years`` to phase it in by equal steps, ``until_year`` to end it, and
        ``source``. A size is a number, or a range ``[low, high]`` from which each simulation draws
        one.
    where : str, optional
        The file, for errors; what is known of it if not given.

    Returns
    -------
    Levers
        A dict each.

    Raises
    ------
    ParameterError
        Naming the key that is unknown, missing or impossible, and what is allowed.
    """
    where = where or getattr(levers, "file", Levers.file)
    if not isinstance(levers, Sequence):
        raise ParameterError(f"{where}: levers must be a list, not {levers!r}.")
    for number, lever in enumerate(levers, start=1):
        kind = checked(_Any, lever, where, f"levers[{number}]").lever
        checked(LEVERS[kind], lever, where, f"levers[{number}]")
    out = Levers(dict(lever) for lever in levers)
    out.file = where
    return out
