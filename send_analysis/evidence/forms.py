"""What the test of a claim may hold: a form for each kind, checked against the tables."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from send_analysis import areas, definitions, tables
from send_analysis.errors import ParameterError, nearest
from send_analysis.forms import AreaName, Form, Month, Text
from send_analysis.waits import lists


def _listed(table: str) -> str:
    """Refuse a table that there is not."""
    tables.resource(table)
    return table


Table = Annotated[str, AfterValidator(_listed)]
Year = Annotated[int, Field(ge=2000, le=2100)]
Value = str | int | date


def _located(where: dict) -> dict:
    """Find the area that rows are chosen by."""
    return where | {"area": areas.find(where["area"])} if "area" in where else where


Where = Annotated[dict[str, Value | list[Value]], AfterValidator(_located)]


class Over(Form):
    """What a share is of: rows of the same or another table, of that or an earlier year."""

    table: Table | None = None
    value: str | None = None
    where: Where = Field(default_factory=dict)
    years_before: int = Field(0, ge=0, le=2)


class Reading(Form):
    """Another way to read a claim, fixed beforehand: what differs from the plain one."""

    definition: Text | None = None
    area: AreaName | None = None
    table: Table | None = None
    value: str | None = None
    where: Where | None = None
    over: Over | None = None
    at_least: float | None = Field(None, gt=0)
    year: Year | None = None
    month: Month | None = None
    start: Year | None = None
    end: Year | None = None


class Test(Form):
    """What every kind of test may hold."""

    kind: str
    note: Text | None = None


class Growth(Test):
    """Growth in plans between two Januaries."""

    area: AreaName
    start: Year
    end: Year

    @model_validator(mode="after")
    def _in_order(self) -> Growth:
        return _in_order(self)


class Timeliness(Test):
    """Share of plans issued within 20 weeks in a calendar year."""

    area: AreaName
    year: Year


class Inspection(Test):
    """Outcome grade of the latest full inspection."""

    area: AreaName


class Inspections(Test):
    """Full inspections that began in a period: how many, what share, or an area's place."""

    since: date
    until: date
    count: Literal["inspections", "per cent", "place"] = "inspections"
    grade: int | None = Field(None, ge=1, le=3)
    area: AreaName | None = None


class Counted(Test):
    """A series of a table: the sum of a column over some rows, or the share of a larger one.

    What it counts is said by the descriptor. A `definition` may repeat it, and must then be it.
    """

    definition: Text | None = None
    table: Table
    value: str | None = None
    where: Where = Field(default_factory=dict)
    over: Over | None = None
    per: float = Field(100, gt=0)
    readings: list[Reading] = Field(default_factory=list)

    @model_validator(mode="after")
    def _columns_there(self) -> Counted:
        base = self.model_dump(exclude_none=True)
        plain = {key: value for key, value in base.items() if key != "definition"}
        for part in [base, *({**plain, **one} for one in base["readings"])]:
            check_rows(part["table"], part["where"], part.get("value"))
            over = part.get("over")
            if over:
                check_rows(over.get("table", part["table"]), over["where"], over.get("value"))
            _check_words("definition", part.get("definition"), worded(part))
        return self


class Level(Counted):
    """The series in a year or a month."""

    area: AreaName | None = None
    year: Year | None = None
    month: Month | None = None

    @model_validator(mode="after")
    def _when_and_where(self) -> Level:
        monthly, by_area = "month" in columns(self.table), "area_code" in columns(self.table)
        if monthly != (self.month is not None) or monthly == (self.year is not None):
            raise ValueError(f"table {self.table!r} needs {'month' if monthly else 'year'}")
        if by_area and self.area is None:
            raise ValueError("key 'area' is missing; add it")
        if not by_area and "organisation_code" not in self.where:
            raise ValueError("key 'organisation_code' is missing in where; add it")
        return self


class Change(Counted):
    """Growth of the series between two of its years, in per cent."""

    area: AreaName
    start: Year
    end: Year

    @model_validator(mode="after")
    def _in_order(self) -> Change:
        return _in_order(self)


class Rank(Counted):
    """An authority's place by the series, among those of England or of a region."""

    area: AreaName
    year: Year
    among: AreaName = areas.ENGLAND
    order: Literal["highest first", "lowest first"]
    at_least: float | None = Field(None, gt=0)


class Figure(Form):
    """A figure that comes near a claim which cannot be tested, in the words of the descriptor."""

    label: Text | None = None
    table: Table
    value: str
    where: Where
    over: Where | None = None

    @model_validator(mode="after")
    def _columns_there(self) -> Figure:
        check_rows(self.table, self.where, self.value)
        check_rows(self.table, self.over or {}, self.value)
        place = "area" if "area_code" in columns(self.table) else "organisation_code"
        time = "year" if "year" in columns(self.table) else "month"
        for where in [self.where, *([self.over] if self.over is not None else [])]:
            for key in (place, time):
                if not isinstance(where.get(key), Value):
                    raise ValueError(f"key {key!r} is missing in where or over; add one")
        part = {"table": self.table, "where": self.where, "per": 100}
        over = {} if self.over is None else {"over": {"where": self.over}}
        _check_words("label", self.label, worded({**part, **over}))
        return self


class Series(Form):
    """A public series that is not among the tables."""

    title: Text
    publisher: Text
    where: Text


class Nothing(Test):
    """No test: what it would need, and the public series that has it if there is one."""

    needs: Text
    series: Series | None = None
    nearest: list[Figure] = Field(default_factory=list)


class NhsWait(Nothing):
    """Waiting lists of the area's provider and board: near a claim about the area, not its test."""

    area: AreaName
    service: Text | list[Text]
    since: Month | None = None

    @model_validator(mode="after")
    def _within_the_lists(self) -> NhsWait:
        months = lists.then()["month"]
        first, last = months.min(), months.max()
        if self.since and not first <= pd.Timestamp(self.since) <= last:
            raise ValueError(
                f"since: must be a month from {first:%Y-%m} to {last:%Y-%m}, not {self.since!r}"
            )
        for name in [self.service] if isinstance(self.service, str) else self.service:
            lists.service_line(name)
        return self


def _in_order(test: Any) -> Any:
    """Refuse a window that ends before it begins."""
    if test.start >= test.end:
        raise ValueError(f"end: must be after start {test.start}, not {test.end}")
    return test


def worded(part: dict) -> str:
    """Say what a series or a figure counts, in the words of the descriptor.

    Parameters
    ----------
    part : dict
        ``table, where``, and, where it is a share, ``over`` and ``per``; ``at_least``.

    Returns
    -------
    str
        What is counted, and in which organisation; area and time are for who cites it.
    """
    table, where, over = part["table"], part.get("where", {}), part.get("over")
    said = definitions.words(table, where)
    if over:
        said = definitions.share(
            table, where, over.get("table", table), over.get("where", {}),
            per=part["per"], years_before=over.get("years_before", 0),
        )  # fmt: skip
    if "at_least" in part:
        said += f", areas with fewer than {part['at_least']:g} left out"
    return said


def _check_words(key: str, written: str | None, said: str) -> None:
    """Refuse words that are not what a column holds."""
    if written not in (None, said):
        raise ValueError(
            f"{key}: must be left out, or say what the column is: {said!r}, not {written!r}"
        )


@tables.remembered
def columns(table: str) -> dict[str, dict]:
    """Fields of a table by name, as the descriptor has them."""
    return {field["name"]: field for field in tables.resource(table)["schema"]["fields"]}


@tables.remembered
def values(table: str, column: str) -> frozenset:
    """Values that occur in a column."""
    return frozenset(tables.load(table)[column].dropna().unique())


def check_rows(table: str, where: dict, value: str | None = None) -> None:
    """Refuse a selection of rows that a table cannot answer.

    Parameters
    ----------
    table : str
    where : dict
        Column to value or values; ``area`` may stand for ``area_code``.
    value : str, optional
        Column that is added up.

    Raises
    ------
    ParameterError
        If a column, or a value in it, is not there, or a number stands where text is meant.
    """
    fields = columns(table)
    for column in [*where, *([value] if value else [])]:
        if column not in fields and column != "area":
            near = nearest(column, fields) or list(fields)
            raise ParameterError(
                f"table {table!r} has no column {column!r}; nearest: {', '.join(near)}"
            )
    for column, wanted in where.items():
        for one in wanted if isinstance(wanted, list) else [wanted]:
            if column != "area":
                _check_value(table, fields[column], one)


def _check_value(table: str, field: dict, one: str | int | date) -> None:
    """Refuse a value that does not occur in a column."""
    name = field["name"]
    if field["type"] in {"integer", "number"} and isinstance(one, str):
        raise ParameterError(f"where.{name}: must be a number, not {one!r}")
    known = values(table, name)
    if field["type"] == "date":
        one = pd.Timestamp(one)
    if one not in known:
        near = nearest(str(one), map(str, known))
        span = f"from {min(known)} to {max(known)}" if field["type"] != "string" else ""
        hint = f"did you mean {near[0]!r}?" if near else f"the table has values {span}".rstrip()
        shown = f"{one:%Y-%m-%d}" if isinstance(one, pd.Timestamp) else repr(one)
        raise ParameterError(f"where.{name}: {shown} does not occur in table {table!r}; {hint}")
