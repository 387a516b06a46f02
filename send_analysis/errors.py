"""Domain errors: each message names what is wrong, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SendAnalysisError(ValueError):
    """Any mistake in data or arguments that a user can put right."""


class DataError(SendAnalysisError):
    """An input file is not what its release should be.

    Parameters
    ----------
    problem : str
        What is wrong and what to do.
    file : str
        File, with the archive it sits in where there is one.
    column : str, optional
        Column, as the file spells it.
    row : int, optional
        Row, counted as a spreadsheet shows it: the heading is row 1.
    """

    def __init__(
        self, problem: str, *, file: str, column: str | None = None, row: int | None = None
    ):
        place = [file]
        if column is not None:
            place.append(f"column {column!r}")
        if row is not None:
            place.append(f"row {row:,}")
        super().__init__(f"{', '.join(place)}: {problem}")
        self.file, self.column, self.row = file, column, row


class LayoutError(DataError):
    """A release has another layout than `releases.yml` knows: columns, labels or files."""


class MissingFileError(DataError):
    """A release is not in the folder that it is looked for in."""


class SourceError(SendAnalysisError):
    """A publisher's site does not give what was asked for."""


class UnknownNameError(SendAnalysisError):
    """A name that is not in the list it should come from."""


class MissingDataError(SendAnalysisError):
    """What was asked for is not in the official tables, or is marked there as missing."""


class ParameterError(SendAnalysisError):
    """An argument, or a key of a parameter file, has an impossible value."""


class NotebookError(SendAnalysisError):
    """A notebook fails, or shows something its readers could not use."""


def either(words: Iterable[object], last: str = "or") -> str:
    """Join words with commas, and `last` before the last of them; nothing of none."""
    *most, end = [text for word in words if (text := str(word))] or [""]
    return f"{', '.join(most)} {last} {end}" if most else end


def nearest(text: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Names in `known` that look most like `text`, best first (possibly none)."""
    folded = {name.casefold(): name for name in known}
    matches = difflib.get_close_matches(text.casefold(), folded, n=count, cutoff=0.6)
    return [folded[match] for match in matches]


def unknown(kind: str, text: str, known: Iterable[str], *, hint: str) -> UnknownNameError:
    """Build the error for a name that is not known, with the nearest names there are."""
    near = nearest(text, known)
    suggestion = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return UnknownNameError(f"Unknown {kind} {text!r}.{suggestion} {hint}")
