"""What an area lacks: in place of an exhibit a note says what the tables do not have.

A cell that raises `MissingDataError` shows its message as a note; a cell that needs what such a
cell would have made refers to it. So a notebook asks for what it shows and guards nothing, in
JupyterLab and on pages alike. A page says each note once (`report.page`).
"""

from __future__ import annotations

import ast
from types import TracebackType
from typing import TYPE_CHECKING

from send_analysis.errors import MissingDataError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

AGAIN = "Not shown, for the reason given above."
_STATE = "_missing"  # in the notebook's own names, so that it is emptied with them


def install() -> None:
    """Tell IPython, where it runs, how cells end that ask for what is not there."""
    import sys

    if "IPython" in sys.modules:
        from IPython import get_ipython

        shell = get_ipython()
        if shell is not None:
            shell.set_custom_exc((MissingDataError, NameError), _told)


def _told(
    shell: InteractiveShell,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """Show a note for what is missing; any other unknown name is a mistake, shown as ever."""
    from send_analysis.show.page import note

    lost = shell.user_ns.setdefault(_STATE, set())
    if issubclass(kind, NameError) and error.name not in lost:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return
    error.__traceback__ = error.__context__ = None  # IPython would keep it, coloured, at 0.1 s each
    lost |= _names_made(shell.user_ns["In"][-1])
    note(str(error) if issubclass(kind, MissingDataError) else AGAIN, missing=True)


def _names_made(source: str) -> set[str]:
    """Names that a cell assigns."""
    tree = ast.walk(ast.parse(source))
    return {
        node.id for node in tree if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
