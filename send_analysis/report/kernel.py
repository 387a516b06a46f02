"""Notebooks executed: in a kernel of their own, or one after another in a kernel that is kept.

Starting a kernel and importing what a notebook needs takes longer than the notebook. A kept kernel
does it once; it is emptied before each notebook, and what it has read and fitted stays in memory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from send_analysis.errors import NotebookError

if TYPE_CHECKING:
    from nbclient import NotebookClient
    from nbformat import NotebookNode

SECONDS_A_CELL = 300  # a cell that takes longer hangs: a whole report is meant to take 45 s
SOFT = "MissingDataError"  # what a cell raises for an area that has no figures of a kind

# A notebook must not see the one before: names, open figures, settings, folder. What is left then,
# tables and fitted models, stays: frozen, so that the garbage collector passes it over; and that
# comes once for two figures, of some 50,000 objects each, not a hundred times for one.
_EMPTY = """
def _empty():
    import os, sys
    os.chdir({folder!r})
    if "matplotlib" in sys.modules:
        import matplotlib
        matplotlib.rc_file_defaults()
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
_empty()
get_ipython().reset(new_session=True)
__import__("send_analysis.show.missing").show.missing.install()
__import__("gc").freeze()
__import__("gc").set_threshold(100_000)
"""


class Kernel:
    """A kernel that is kept for many notebooks; started when needed, and anew once it has died.

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(self) -> None:
        self._manager: Any = None
        self._client: Any = None

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def manager(self) -> Any:
        """Start the kernel unless it runs."""
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_core.utils import run_sync

        if self._manager is None or not run_sync(self._manager.is_alive)():
            self.close()
            self._manager = AsyncKernelManager(kernel_name="python3")
            start = run_sync(self._manager.start_kernel)
            start(env=_environment(), extra_arguments=_ARGUMENTS)
        return self._manager

    def run(self, runner: NotebookClient) -> None:
        """Let a client of this kernel's manager execute its notebook, over a kept connection."""
        runner.kc = self._client
        try:
            runner.execute()
        finally:
            self._client = runner.kc

    def close(self) -> None:
        """Stop the kernel."""
        from jupyter_core.utils import run_sync

        if self._client is not None:
            self._client.stop_channels()
        if self._manager is not None:
            run_sync(self._manager.shutdown_kernel)(now=True)
        self._client = self._manager = None


_ARGUMENTS = ["--HistoryManager.enabled=False", "--IPKernelApp.log_level=40"]


def _environment() -> dict[str, str]:
    """Environment of a kernel.

    One thread and one hash seed: the order of sums and of sets is the same in every run. The path:
    the notebook must run the very code that renders it.
    """
    fixed = {
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(
            [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        ),
    }
    return os.environ | fixed


def _notebook(path: Path, where: str) -> NotebookNode:
    """Read a notebook and hold it against the format, so that a fault names the file and cell."""
    import nbformat
    from nbformat.reader import NotJSONError

    try:
        nb = nbformat.read(path, as_version=4)
        nbformat.validate(nb)
    except nbformat.ValidationError as error:
        cells = [part for part in getattr(error, "absolute_path", ()) if isinstance(part, int)]
        cell = f", cell {cells[0] + 1}" if cells else ""
        raise NotebookError(
            f"{where}{cell}: not as the notebook format says ({_first_line(error)}); save it with "
            "JupyterLab"
        ) from None
    except (NotJSONError, UnicodeDecodeError) as error:
        raise NotebookError(
            f"{where}: not a notebook, or cut short ({_first_line(error)}); restore it"
        ) from None
    return nb


def _first_line(error: Exception) -> str:
    """First line of an error's message, without what may follow in hundreds."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def execute(notebook: str | Path, *, area: str, kernel: Kernel | None = None) -> NotebookNode:
    """Execute a notebook with `area` as its parameter.

    Parameters
    ----------
    notebook : str or Path
        Path of a notebook with one cell tagged ``parameters``.
    area : str
        Put into a cell after that one, as the variable ``area``.
    kernel : Kernel, optional
        Kernel to use, emptied first; by default the notebook gets one of its own.

    Returns
    -------
    nbformat.NotebookNode
        The notebook with its outputs; the file is not touched. Where the area has no figures for
        a cell (it raises `MissingDataError`) a note in its place says what is missing, and cells
        that need what it would have made are left out.

    Raises
    ------
    NotebookError
        If a cell fails or takes longer than 300 s, or no cell is tagged ``parameters``.
    """
    if kernel is None:
        with Kernel() as own:
            return execute(notebook, area=area, kernel=own)

    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    path = Path(notebook).resolve()
    where = f"{area}, {path.name}"
    nb = _notebook(path, where)
    tagged = [i for i, cell in enumerate(nb.cells) if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise NotebookError(
            f"{where}: {len(tagged)} cells are tagged 'parameters'. Tag the one that sets `area`."
        )
    empty = nbformat.v4.new_code_cell(_EMPTY.format(folder=str(path.parent)), id="given-empty")
    given = nbformat.v4.new_code_cell(f"area = {area!r}", id="given-parameters")
    nb.cells.insert(tagged[0] + 1, given)
    nb.cells.insert(0, empty)
    runner = NotebookClient(
        nb,
        km=kernel.manager(),
        timeout=SECONDS_A_CELL,
        record_timing=False,
        allow_error_names=[SOFT, "NameError"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        kernel.run(runner)
    except CellExecutionError:
        pass  # what failed stands in the cell
    except (CellTimeoutError, DeadKernelError) as error:
        kernel.close()
        raise NotebookError(f"{where}: {str(error).splitlines()[0]}") from None
    # The inserted cells are not ones that the author counts.
    nb.cells = [cell for cell in nb.cells if cell is not empty and cell is not given]
    for number, error in _failed(nb):
        line = _line_of("\n".join(error.traceback))
        raise NotebookError(f"{where}, cell {number}: {error.ename}: {error.evalue}\n{line}")
    _with_finding(nb, area)
    return nb


def _failed(nb: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Cells that failed: number from 1, and the error."""
    for number, cell in enumerate(nb.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield number, output


def _line_of(traceback: str) -> str:
    """Line of the cell that failed, out of a coloured traceback."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    found = re.search(r"^-+> *\d+ (.*)$", plain, re.MULTILINE)
    return f"    {found[1].strip()}" if found else ""


def _with_finding(nb: NotebookNode, area: str) -> None:
    """Say what is missing in place of a finding that a notebook could not make."""
    from nbformat.v4 import new_output

    marks = [
        (cell, output, output.get("metadata", {}).get("send_analysis", {}))
        for cell in nb.cells
        for output in cell.get("outputs", [])
    ]
    lost = [(cell, output) for cell, output, it in marks if it.get("missing")]
    if lost and not any(it.get("kind") == "finding" for _, _, it in marks):
        cell, output = lost[0]
        reason = output.data["text/plain"].removeprefix("Note: ")
        text = f"The official tables do not have what this page needs for {area}. {reason}"
        html = f'<div class="finding"><p><strong>{escape(text)}</strong></p></div>'
        made = new_output(
            "display_data",
            {"text/html": html, "text/plain": text},
            metadata={"send_analysis": {"kind": "finding", "headline": text}},
        )
        cell.outputs.insert(0, made)
