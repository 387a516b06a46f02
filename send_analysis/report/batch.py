"""The reports of every area, made by many workers, taken up where they were left, with an index.

An area's report is what :func:`.render.render` writes, and leads to the index. Workers send
pages back and this process writes them, so that workers need no common disk.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pandas as pd
from pydantic import Field
from tqdm import tqdm

from send_analysis import areas as places
from send_analysis import reads, tables
from send_analysis.areas import Area, slug
from send_analysis.disk import read_bytes, writable_folder, write_text
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.forms import Form, checked
from send_analysis.report import england, index, render
from send_analysis.report.edition import Edition, edition_of
from send_analysis.report.kernel import Kernel

MANIFEST = "reports.json"
# Packages whose version can change a page.
DRAWN_WITH = ("pandas", "numpy", "scipy", "statsmodels", "matplotlib", "nbconvert", "jinja2")
SECONDS_TO_CONNECT = 20
MOST_TOGETHER, MANY = 4, 16  # areas in a task; fewer where there are not 16 times as many areas
_worker = threading.local()  # a worker's kernel; threads of one process do not share it


class Told(Form):
    """A figure of a report that the index has too, as :func:`.page.parts` returns it."""

    label: str
    value: str
    words: str
    number: float | None = None
    tables: list[str]


class Written(Form):
    """What is noted of an area's report: what it was made from, each page's hash, its figures."""

    inputs: str
    pages: dict[str, str]
    figures: dict[str, Told] = Field(default_factory=dict)


class Report(NamedTuple):
    """What a worker sends back of an area: HTML and figures by name, or what went wrong."""

    code: Area
    pages: dict[str, str]
    figures: dict[str, dict[str, Any]]
    error: str = ""


@reads.found
def render_all(
    areas: Sequence[Area] | None = None,
    out: str | Path = "reports",
    *,
    notebooks: Iterable[str | Path] | None = None,
    jobs: int = 2,
    scheduler: str | None = None,
    day: str | None = None,
) -> pd.DataFrame:
    """Write the reports of all areas, those that are not up to date, and the index of all.

    Parameters
    ----------
    areas : sequence of Area or str, optional
        By default every local authority of today, and England.
    out : str or Path
        Folder of the reports.
    notebooks : iterable of str or Path, optional
        As for :func:`.render.render`.
    jobs : int, default 2
        Areas at the same time on this machine; each takes a process with a kernel.
    scheduler : str, optional
        Address of a Dask scheduler, ``"tcp://host:8786"``, whose workers are used instead. They
        need the same package, tables and notebooks; a task of a worker that dies goes to another.
    day : str, optional
        Day that stands on the pages, as :func:`.edition.edition_of` takes it. Reports that are up
        to date keep theirs.

    Returns
    -------
    pandas.DataFrame
        One row an area, in the order asked for: ``area_code, area, state`` (``written``,
        ``unchanged`` or ``failed``), ``error`` (empty unless failed), ``path`` (its index page).

    Raises
    ------
    UnknownNameError, MissingDataError
        As :func:`.render.render`, before anything is executed.
    ParameterError
        If the scheduler does not answer, or Dask is not installed.
    """
    if notebooks is not None:
        notebooks = [str(name) for name in notebooks]
    codes = list(dict.fromkeys(areas or [places.ENGLAND, *places.current()]))
    edition = edition_of(day)
    out = writable_folder(out)
    stamp = fingerprint(render.notebook_paths(notebooks))
    done = _read(out)
    around = {code: render.around(code, out, made=codes, indexed=True) for code in codes}
    inputs = {code: _with_links(stamp, around[code]) for code in codes}
    todo = [code for code in codes if not _is_current(done.get(code), inputs[code], code, out)]
    errors: dict[str, str] = {}
    with (
        _pool(jobs, scheduler) as run,
        progress(len(codes), "area", done=len(codes) - len(todo)) as bar,
    ):
        tasks = [
            ([(code, around[code]) for code in task], notebooks, stamp, edition)
            for task in together(todo)
        ]
        results = run(_reports, tasks)
        england.summary()  # for the index, while the workers begin
        for code, rendered, figures, error in chain.from_iterable(results):
            if not error:
                try:
                    render.put(code, rendered, out)
                    done[code] = {
                        "inputs": inputs[code],
                        "pages": _hashes(rendered),
                        "figures": figures,
                    }
                    _write(done, out)
                except (ParameterError, OSError) as problem:
                    error = str(problem)
            if error:
                errors[code] = error
            bar.update()
    told = pd.DataFrame({"area_code": codes, "area": [code.name for code in codes]})
    told["state"] = [
        "failed" if code in errors else "written" if code in todo else "unchanged" for code in codes
    ]
    told["error"] = [errors.get(code, "") for code in codes]
    told["path"] = [str(_folder(code, out) / "index.html") for code in codes]
    index.write(told, out, edition, made=_made(done, out))
    return told


def _made(done: dict[str, Any], out: Path) -> dict[str, dict[str, Any]]:
    """Figures of each report that is there; none of one whose first page is another by now."""
    made = {}
    for code, entry in done.items():
        first = _folder(code, out) / "index.html"
        if first.parent.is_dir():
            same = first.is_file() and _hash(first.read_bytes()) == entry["pages"].get("index")
            made[code] = entry.get("figures", {}) if same else {}
    return made


def _with_links(stamp: str, around: render.Around) -> str:
    """Hash what a report is made from, with what its pages lead to."""
    return hashlib.sha256(f"{stamp} {around}".encode()).hexdigest()


def fingerprint(notebooks: Iterable[Path]) -> str:
    """Hash all that a report is made from: tables, code, templates, notebooks, packages.

    Parameters
    ----------
    notebooks : iterable of Path

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    package = Path(__file__).parents[1]
    code = [path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    installed = {"_data", "_notebooks"}  # copies in an installed package, hashed below
    code = [path for path in code if path.relative_to(package).parts[0] not in installed]
    folder = tables.data_dir()
    files = {f"code/{path.relative_to(package).as_posix()}": path for path in code}
    files |= {
        f"data/{path.relative_to(folder).as_posix()}": path
        for path in folder.rglob("*")
        if path.is_file()
    }
    files |= {
        f"data/{path.relative_to(beside.parent).as_posix()}": path
        for beside in map(tables.parameters, tables.PARAMETERS)
        if beside.parent != folder
        for path in [beside, *beside.rglob("*")]
        if path.is_file()
    }
    files |= {f"notebooks/{path.name}": path for path in notebooks}
    whole = hashlib.sha256()
    for name, path in sorted(files.items()):
        whole.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for name in DRAWN_WITH:
        whole.update(f"{name} {metadata.version(name)}\n".encode())
    return whole.hexdigest()


@reads.found
def together(codes: Sequence[Area]) -> list[list[Area]]:
    """Share areas out among tasks: those of one NHS board, whose pictures are the same, together.

    A task lost with its worker is done anew, and the last worker is waited for, so tasks are short:
    up to `MOST_TOGETHER` areas where there are many, one where there are few.
    """
    most = max(1, min(MOST_TOGETHER, len(codes) // MANY))
    links = tables.load("nhs_area_links").query("level == 'icb'").sort_values("rank")
    boards = links.drop_duplicates("area_code").set_index("area_code")["organisation_code"]
    of_board: dict[str, list[Area]] = {}
    for code in codes:
        of_board.setdefault(boards.get(code, code), []).append(code)
    parts = [it[at : at + most] for it in of_board.values() for at in range(0, len(it), most)]
    return sorted(parts, key=len, reverse=True)


def _reports(
    areas: list[tuple[Area, render.Around]],
    notebooks: list[str] | None,
    stamp: str,
    edition: Edition,
) -> list[Report]:
    """Make the pages of some areas in a worker that has the inputs asked for, one after another."""
    try:
        paths = render.notebook_paths(notebooks)
        if fingerprint(paths) != stamp:
            raise ParameterError(
                "This worker has other tables, code, notebooks or packages than the machine that "
                "asked. Bring it up to date."
            )
    except Exception as error:  # as of an area's pages
        return [_failed(code, error) for code, _ in areas]
    if getattr(_worker, "stamp", None) != stamp:
        _close()  # what the kernel keeps in memory is from other inputs
        _worker.kernel, _worker.stamp = Kernel(), stamp
        atexit.register(_worker.kernel.close)
    return [_report(code, paths, edition, around) for code, around in areas]


def _report(code: Area, paths: list[Path], edition: Edition, around: render.Around) -> Report:
    """Make an area's pages in a worker."""
    try:
        made = [render.page_of(code, path, kernel=_worker.kernel) for path in paths]
        figures = {name: it for page in made for name, it in page["figures"].items()}
        return Report(code, render.html_of(code, made, edition, around), figures)
    except Exception as error:  # whatever it is, it must not stop the other areas
        return _failed(code, error)


def _failed(code: Area, error: Exception) -> Report:
    """Say what went wrong."""
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return Report(code, {}, {}, f"{kind}{error}" or type(error).__name__)


def _close() -> None:
    """Stop this thread's kernel, if it has one."""
    if getattr(_worker, "kernel", None) is not None:
        _worker.kernel.close()
    _worker.kernel = _worker.stamp = None


@contextmanager
def _pool(jobs: int, scheduler: str | None) -> Iterator[Any]:
    """Workers on this machine or of a Dask cluster, as a function that maps over arguments."""
    from joblib import Parallel, delayed, parallel_config

    def run(function: Any, arguments: list[tuple]) -> Iterator[Any]:
        # Short tasks, one by one: what a worker has done is lost with it only since its last.
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")
        return parallel(delayed(function)(*each) for each in arguments)

    if scheduler is None:
        broken_off, told = True, threading.excepthook
        # What loky's thread meets when Ctrl-C takes its work away, and joblib says of it.
        threading.excepthook = lambda fault: None if _of_pool(fault.thread) else told(fault)
        warnings.filterwarnings("ignore", "[0-9]+ tasks", UserWarning, "joblib")
        try:
            with parallel_config("loky", n_jobs=jobs):
                yield run
            broken_off = False
        finally:
            from joblib.externals.loky import get_reusable_executor

            _close()
            # Kept workers would go on with the tables and the code of today.
            get_reusable_executor().shutdown(wait=True, kill_workers=broken_off)
            if not broken_off:
                threading.excepthook = told
        return
    try:
        from distributed import Client
    except ImportError:
        raise ParameterError(
            "--scheduler needs Dask: pip install 'send-analysis[dask]', here and on the workers."
        ) from None
    try:
        client = Client(scheduler, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        raise ParameterError(f"No Dask scheduler answers at {scheduler!r}: {error}") from None
    with client, parallel_config("dask", client=client, n_jobs=-1):
        yield run


def _of_pool(thread: threading.Thread | None) -> bool:
    """Whether a thread is one that joblib keeps its workers busy with."""
    module = type(thread).__module__
    return module.startswith("joblib.") or getattr(thread, "name", "").startswith("ExecutorManager")


def _folder(code: str, out: Path) -> Path:
    """Folder of an area's report."""
    return out / slug(places.name(code))


def _hashes(rendered: dict[str, str]) -> dict[str, str]:
    """SHA-256 of each page."""
    return {name: _hash(html.encode()) for name, html in rendered.items()}


def _hash(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _is_current(entry: dict[str, Any] | None, stamp: str, code: str, out: Path) -> bool:
    """Whether an area's report was made from these inputs, and is still what was written."""
    if entry is None or entry["inputs"] != stamp:
        return False
    found = {path.stem: path for path in _folder(code, out).glob("*.html") if path.is_file()}
    return found.keys() == entry["pages"].keys() and all(
        _hash(found[name].read_bytes()) == digest for name, digest in entry["pages"].items()
    )


def _read(out: Path) -> dict[str, Any]:
    """What was written so far, by area; nothing where that cannot be made out."""
    try:
        content = read_bytes(out / MANIFEST)
    except MissingDataError:
        return {}
    try:
        checked(dict[str, Written], done := json.loads(content), MANIFEST)
    except (ValueError, RecursionError):
        return {}
    return done


def _write(done: dict[str, Any], out: Path) -> None:
    """Note what is written, in one step, so that a run broken off leaves no half a file."""
    write_text(out / MANIFEST, json.dumps(done, indent=1, sort_keys=True))


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
