"""Which tables a result was made from: recorded as they are read, carried by the result.

Nobody types a source. `tables.load` marks what it reads; a result function that is decorated with
`result` puts the names of what was read while it ran, and of what its arguments were made from,
into ``attrs["tables"]`` of the frame that it returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from inspect import formatannotation, signature
from typing import Any, ParamSpec, TypeVar

import pandas as pd

P = ParamSpec("P")
R = TypeVar("R")

KEY = "tables"
MADE = "made"  # names of the functions that made a frame, the last first
# What areas are called, where they lie and which figures are in doubt: every result leans on these,
# none shows them as figures, so that they are not among its sources.
NOT_SHOWN = frozenset({"areas", "area_codes", "quality", "series_breaks", "hexagons"})


class Names(tuple):
    """Names that a frame carries. pandas copies what it carries deeply, with every slice of it."""

    def __deepcopy__(self, memo: object) -> Names:
        return self


_open: ContextVar[tuple[set[str], ...]] = ContextVar("open", default=())


def mark(names: Iterable[str]) -> None:
    """Add tables to every record that is being made."""
    for record in _open.get():
        record.update(names)


@contextmanager
def recording() -> Iterator[set[str]]:
    """Record the tables that are read within the block, also by results kept in memory."""
    record: set[str] = set()
    token = _open.set((*_open.get(), record))
    try:
        yield record
    finally:
        _open.reset(token)


@contextmanager
def aside() -> Iterator[None]:
    """Record nothing within the block: it reads tables to check something, no figure is made."""
    token = _open.set(())
    try:
        yield
    finally:
        _open.reset(token)


def of(*things: Any) -> tuple[str, ...]:
    """Return the tables that results were made from, those that are not shown left out.

    Parameters
    ----------
    *things : object
        Frames, series and other results; what carries no tables adds none.

    Returns
    -------
    tuple of str
        In alphabetical order.
    """
    names = set().union(*map(_carried, things))
    return tuple(sorted(names - NOT_SHOWN))


def stamp(made: R, names: Iterable[str]) -> R:
    """Let a result carry the tables that it was made from; what cannot carry them is left alone."""
    carried = of(made)
    names = Names(sorted({*names, *carried} - NOT_SHOWN))
    if names == carried:
        return made
    if isinstance(made, pd.DataFrame | pd.Series):
        made.attrs[KEY] = names
    elif _has_field(made):
        made = replace(made, **{KEY: names})
    return made


# What finds the thing that people mean by what they type, by the annotation of a parameter.
FINDERS: dict[str, Callable[[Any], Any]] = {}


def found(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that people call: what they typed for an area is found, once."""
    kinds = {name: _kind(it.annotation) for name, it in signature(function).parameters.items()}
    finders = {name: FINDERS[kind] for name, kind in kinds.items() if kind in FINDERS}
    if not finders:
        return function

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        named = zip(kinds, args, strict=False)
        args = [finders[name](it) if name in finders else it for name, it in named]
        kwargs |= {name: finders[name](kwargs[name]) for name in finders.keys() & kwargs}
        return signed(function, function(*args, **kwargs))

    return call


def _kind(annotation: Any) -> str:
    """Annotation of a parameter as it is written, without modules."""
    written = annotation if isinstance(annotation, str) else formatannotation(annotation)
    return re.sub(r"\w+\.", "", written)


def result(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that people call and whose result is shown.

    What they typed for an area is found, and the result carries what it was made from.
    """
    made_by = found(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with recording() as names:
            made = made_by(*args, **kwargs)
        made = stamp(made, names.union(*map(_carried, (*args, *kwargs.values()))))
        return signed(function, made)

    return call


def signed(function: Callable[P, R], made: R) -> R:
    """Let a frame carry the name of a public function that made it, before those of others."""
    own = f"{function.__module__}.{function.__qualname__}"
    if isinstance(made, pd.DataFrame) and "._" not in own and own not in makers(made):
        made, before = made.copy(deep=False), makers(made)  # the other may be kept as it is
        made.attrs[MADE] = Names([own, *before])
    return made


def makers(made: pd.DataFrame) -> tuple[str, ...]:
    """Name the result functions that made a frame, the last first."""
    return made.attrs.get(MADE, ())


def _carried(thing: Any) -> Iterable[str]:
    """Tables that one thing carries."""
    if isinstance(thing, pd.DataFrame | pd.Series):
        return thing.attrs.get(KEY, ())
    return getattr(thing, KEY) if _has_field(thing) else ()


def _has_field(thing: Any) -> bool:
    """Whether a thing is a result of a class of ours that has room for its tables."""
    return (
        is_dataclass(thing)
        and not isinstance(thing, type)
        and any(field.name == KEY for field in fields(thing))
    )
