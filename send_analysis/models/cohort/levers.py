"""Levers on flows of plans: what a scenario may hold, read and checked.

What each lever does stands with :func:`flows.apply`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, create_model

from send_analysis import tables
from send_analysis.ages import AGE_BANDS
from send_analysis.errors import ParameterError
from send_analysis.models import scenarios
from send_analysis.models.cohort.cohort_data import AGES, SETTINGS
from send_analysis.models.user_files import Form, Text, checked, read_yaml

PREFIX = "demand-"  # of this model's scenario files
TRANSFERS = {"10-11": 10, "15-16": 15}  # into secondary school, out of year 11: age before


def _size(highest: float) -> Any:
    """A number from 0, or a range of two from which each simulation draws one."""
    number = Annotated[float, Field(ge=0, le=highest)]
    two = Annotated[list[number], Field(min_length=2, max_length=2)]
    return number | two


SIZES = ("multiply", "share", "keep")
_Year = Annotated[int, Field(ge=2010, le=2060)]
_Ages = Annotated[list[Literal[*AGES, *AGE_BANDS]], Field(min_length=1)]
_Settings = Annotated[list[Literal[*SETTINGS]], Field(min_length=1)]
_FACTOR = {"multiply": (_size(20), ...)}
_SHARE = {"share": (_size(1), ...)}
_AGES = {"ages": (_Ages | None, None)}
_BETWEEN = {
    "source_setting": (Literal[*SETTINGS], Field(alias="from")),
    "to": (Literal[*SETTINGS], ...),
}
_STAND_IN = {"substitute": (Literal["footprint", "region", "England"] | None, None)}


class Lever(Form):
    """What every lever may hold."""

    lever: str
    source: Text | None = None
    from_year: _Year | None = None
    until_year: _Year | None = None
    over_years: int = Field(1, ge=1, le=20)


LEVERS = {
    name: create_model(name, __base__=Lever, **fields)
    for name, fields in {
        "requests": _FACTOR | _AGES,
        "requests_return": {"to_year": (_Year, ...)} | _STAND_IN,
        "requests_stabilise": {},
        "share_assessed": _SHARE | _STAND_IN,
        "share_issued": _SHARE | _STAND_IN,
        "new_plans": _FACTOR | _AGES,
        "settings_of_new_plans": _BETWEEN | _SHARE | _AGES,
        "placements": _BETWEEN | _SHARE,
        "moves": _BETWEEN | _SHARE,
        "cessation": _FACTOR | _AGES | {"settings": (_Settings | None, None)},
        "reassessment": {"transfer": (Literal[*TRANSFERS], ...), "keep": (_size(1), ...)},
        "protected": _AGES,
    }.items()
}


class AnyLever(Form):
    """A lever whose other keys are not looked at yet."""

    model_config = ConfigDict(extra="allow")
    lever: Literal[*LEVERS]


class DemandScenario(Form):
    """What a scenario file of this model holds."""

    title: Text
    description: Text | None = None
    levers: list[dict[str, Any]] = Field(min_length=1)


def read(scenario: str | Path | Sequence[Mapping]) -> list[dict]:
    """Levers of a scenario.

    Parameters
    ----------
    scenario : str, Path or sequence of mapping
        Name of a file in ``data/scenarios`` (without ``.yml``), a path to one, or the levers.

    Returns
    -------
    list of dict
        As :func:`validate`.

    Raises
    ------
    UnknownNameError, MissingDataError, ParameterError
    """
    if not isinstance(scenario, str | Path):
        return validate(scenario)
    content = scenarios.read(scenario, DemandScenario, prefix=PREFIX)
    return validate(content["levers"], file=content["file"])


def titles() -> dict[str, str]:
    """List the scenarios of demand that the project holds.

    Returns
    -------
    dict of str to str
        Name of the scenario, as :func:`read` takes it, by its title.
    """
    files = sorted(tables.parameters("scenarios").glob(f"{PREFIX}*.yml"))
    return {read_yaml(file)["title"]: file.stem for file in files}


def validate(levers: Sequence[Mapping], *, file: str | Path = "scenario") -> list[dict]:
    """Check levers, and refuse what cannot be.

    Parameters
    ----------
    levers : sequence of mapping
        Each has ``lever``, a key of `LEVERS`, and the keys of that lever. It may have
        ``from_year``, the first calendar year whose flows it changes (that of the origin's January
        if left out), ``over_years`` to phase it in by equal steps, ``until_year`` to end it, and
        ``source``. A size is a number, or a range ``[low, high]`` from which each simulation draws
        one.
    file : str or Path
        What an error begins with.

    Returns
    -------
    list of dict
        The levers.

    Raises
    ------
    ParameterError
        Naming the key that is unknown, missing or impossible, and what is allowed.
    """
    for number, lever in enumerate(levers, start=1):
        at = f"levers[{number}]"
        kind = checked(AnyLever, lever, file, at).lever
        held = checked(LEVERS[kind], lever, file, at)
        if held.until_year and held.until_year < (held.from_year or 0):
            raise ParameterError(f"{file}, {at}.until_year: must be {held.from_year} or later.")
        for key, size in lever.items():
            if key in SIZES and isinstance(size, list) and size[0] > size[1]:
                raise ParameterError(
                    f"{file}, {at}.{key}: must begin with its lower end, not {size}."
                )
        if "from" in lever and lever["from"] == lever["to"]:
            raise ParameterError(f"{file}, {at}.to: must be another setting than from.")
    return [dict(lever) for lever in levers]
