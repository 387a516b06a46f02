"""How far long work is: a bar where somebody watches, a line a tenth where output is kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm


class Bar(Protocol):
    """What the work tells how far it is."""

    def update(self) -> object:
        """One more is done."""


class _Lines:
    """Ten lines instead of a bar, for a log or a pipe."""

    def __init__(self, total: int, done: int, unit: str) -> None:
        self.total, self.done, self.unit = total, done, unit

    def update(self) -> None:
        """Say a line when another tenth is done."""
        before, self.done = self.done, self.done + 1
        if self.done * 10 // self.total > before * 10 // self.total:
            print(f"{self.done:,} of {self.total:,} {self.unit}s", file=sys.stderr, flush=True)


@contextmanager
def progress(total: int, unit: str, *, done: int = 0) -> Iterator[Bar]:
    """Show how far work is on standard error.

    Parameters
    ----------
    total : int
        How much there is to do.
    unit : str
        What is counted, in the singular.
    done : int, default 0
        How much was done before.

    Yields
    ------
    Bar
        Call its ``update`` each time one more is done.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        with tqdm(total=total, initial=done, unit=unit) as bar:
            yield bar
    else:
        yield _Lines(total, done, unit)
