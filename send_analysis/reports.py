"""Notebooks executed for an area and rendered to pages that stand alone.

One kernel a notebook; a page is one HTML file without a script or a request; an index links the
pages of an area. `send_analysis.display` says what a notebook shows. The same tables, code and
notebooks give the same bytes.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm import tqdm

from send_analysis import __version__, pages, tables
from send_analysis import areas as places
from send_analysis.display import html_table, month, slug
from send_analysis.errors import MissingDataError, NotebookError, ParameterError

if TYPE_CHECKING:
    from jinja2 import Environment
    from nbformat import NotebookNode

HERE = Path(__file__).parent
SECONDS_A_CELL = 300  # a cell that takes longer hangs: a whole report is meant to take 45 s


def render(
    areas: Iterable[str] = ("Bury",),
    out: str | Path = "reports",
    *,
    notebooks: Iterable[str | Path] | None = None,
    jobs: int = 2,
) -> pd.DataFrame:
    """Execute the notebooks for each area and write its report.

    Parameters
    ----------
    areas : iterable of str
        Areas as people type them, see `send_analysis.areas.resolve`.
    out : str or Path
        Folder of the reports; an area's report is replaced as a whole, or not at all.
    notebooks : iterable of str or Path, optional
        Paths, or names in the project's ``notebooks`` folder without the ending. By default all
        numbered notebooks there, from 01 on.
    jobs : int
        Notebooks executed at the same time.

    Returns
    -------
    pandas.DataFrame
        One row a page, index pages first in each area: ``area_code, area, page, title, finding,
        path`` (`finding` is missing for an index page).

    Raises
    ------
    UnknownNameError
        If an area is not known; nothing is executed then.
    MissingDataError
        If a notebook is not there.
    NotebookError
        If a cell fails, or a notebook breaks a rule that its readers rely on. The area, notebook
        and cell are named, and the area's earlier report is left as it was.
    """
    codes = list(dict.fromkeys(places.resolve(area) for area in areas))
    paths = _notebook_paths(notebooks)
    results = []
    with tqdm(total=len(codes) * len(paths), unit="page", disable=None) as progress:
        for code in codes:
            with ThreadPoolExecutor(jobs) as pool:
                made = []
                for page in pool.map(partial(_page_of, code), paths):
                    made.append(page)
                    progress.update()
            results.append(_write(code, made, Path(out)))
    return pd.concat(results, ignore_index=True)


def execute(notebook: str | Path, *, area: str) -> NotebookNode:
    """Execute a notebook with `area` as its parameter, in a kernel of its own.

    Parameters
    ----------
    notebook : str or Path
        Path of a notebook with one cell tagged ``parameters``.
    area : str
        Put into a cell after that one, as the variable ``area``.

    Returns
    -------
    nbformat.NotebookNode
        The notebook with its outputs; the file is not touched.

    Raises
    ------
    NotebookError
        If a cell fails or takes longer than 300 s, or no cell is tagged ``parameters``.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    path = Path(notebook)
    where = f"{area}, {path.name}"
    nb = nbformat.read(path, as_version=4)
    tagged = [i for i, cell in enumerate(nb.cells) if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise NotebookError(
            f"{where}: {len(tagged)} cells are tagged 'parameters'. Tag the one that sets `area`."
        )
    given = nbformat.v4.new_code_cell(f"area = {area!r}", id="given-parameters")
    nb.cells.insert(tagged[0] + 1, given)
    client = NotebookClient(
        nb,
        kernel_name="python3",
        timeout=SECONDS_A_CELL,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--HistoryManager.enabled=False", "--IPKernelApp.log_level=40"],
    )
    # One thread and one hash seed: the order of sums and of sets is the same in every run. The
    # path: the notebook must run the very code that renders it.
    fixed = {
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
    }
    try:
        client.execute(env=os.environ | fixed)
    except CellExecutionError as error:
        number = next(_failed(nb))
        # The inserted cell is not one that the author counts.
        number -= number > tagged[0] + 1
        raise NotebookError(
            f"{where}, cell {number}: {error.ename}: {error.evalue}\n{_line_of(error.traceback)}"
        ) from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise NotebookError(f"{where}: {str(error).splitlines()[0]}") from None
    nb.cells.remove(given)
    return nb


def _failed(nb: NotebookNode) -> Iterator[int]:
    """Numbers, from 1, of the cells that failed."""
    for number, cell in enumerate(nb.cells, start=1):
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            yield number


def _line_of(traceback: str) -> str:
    """Line of the cell that failed, out of a coloured traceback."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    found = re.search(r"^-+> *\d+ (.*)$", plain, re.MULTILINE)
    return f"    {found[1].strip()}" if found else ""


def _notebook_paths(notebooks: Iterable[str | Path] | None) -> list[Path]:
    """Paths of the notebooks asked for."""
    packed = HERE / "_notebooks"
    folder = packed if packed.is_dir() else HERE.parent / "notebooks"
    if notebooks is None:
        paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
        paths = [path for path in paths if not path.name.startswith("00_")]
    else:
        paths = [
            Path(name) if Path(name).suffix == ".ipynb" else folder / f"{name}.ipynb"
            for name in notebooks
        ]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        raise MissingDataError(
            f"No notebook {', '.join(missing) or folder / '01_*.ipynb'}. Give a path that ends in "
            f".ipynb, or a name in {folder}."
        )
    return [path.resolve() for path in paths]


def _page_of(code: str, path: Path) -> dict[str, Any]:
    """Execute a notebook for an area and take its page apart."""
    area = places.name(code)
    nb = execute(path, area=area)
    return pages.parts(nb, name=path.stem, where=f"{area}, {path.name}")


@cache
def _templates() -> Environment:
    """Templates of whole pages."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(pages.TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _write(code: str, made: Sequence[dict[str, Any]], out: Path) -> pd.DataFrame:
    """Write an area's pages beside its earlier report, then put them in its place."""
    area = places.name(code)
    target = out / slug(area)
    strange = [path.name for path in target.glob("*") if path.suffix != ".html"]
    if strange:
        raise ParameterError(
            f"{target} holds {strange[0]!r}, which is no page of a report: move it, or give "
            "another folder with --out. Nothing was changed."
        )
    shared = {
        "area": area,
        "code": code,
        "pages": made,
        "css": (pages.TEMPLATES / "report.css").read_text(encoding="utf-8"),
        "version": __version__,
    }
    everything = {"tables": sorted({name for page in made for name in page["tables"]})}
    rendered = {
        "index": _templates()
        .get_template("overview.html.j2")
        .render(page=None, faults=_faults(code), **_provenance(everything), **shared)
    }
    for page in made:
        template = _templates().get_template("page.html.j2")
        rendered[page["name"]] = template.render(page=page, **_provenance(page), **shared)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=out) as folder:
        fresh = Path(folder) / "fresh"
        fresh.mkdir()
        for name, html in rendered.items():
            (fresh / f"{name}.html").write_text(html, encoding="utf-8", newline="\n")
        if target.exists():
            target.rename(Path(folder) / "earlier")
        fresh.rename(target)
    return pd.DataFrame(
        {
            "area_code": code,
            "area": area,
            "page": list(rendered),
            "title": [f"SEND services in {area}", *(page["title"] for page in made)],
            "finding": [None, *(page["headline"] for page in made)],
            "path": [str(target / f"{name}.html") for name in rendered],
        }
    )


def _provenance(page: dict[str, Any]) -> dict[str, Any]:
    """Releases behind a page: of the tables it names, or of all where it names none."""
    names = page["tables"] or [entry["name"] for entry in tables.descriptor()["resources"]]
    found = {
        source["name"]: source for name in names for source in tables.resource(name)["sources"]
    }
    latest = max((source["published"] for source in found.values()), default="")
    return {
        "releases": [
            found[name] | {"month": month(found[name]["published"])} for name in sorted(found)
        ],
        "date": month(latest) if latest else "",
    }


def _faults(code: str) -> str:
    """Table of the faults found in the releases for an area, its region and England, if any."""
    around = [code, places.ENGLAND]
    if places.level(code) == "local authority":
        around.insert(1, places.region(code))
    names = {near: places.name(near) for near in around}
    known = tables.load("quality")
    found = known[known["area_code"].isin(around)]
    if found.empty:
        return ""
    found = found.assign(
        table=found["table"].str.replace("_", " ").str.replace("ehc", "EHC"),
        area=pd.Categorical(found["area_code"].map(names), names.values()),
    ).sort_values(["area", "table", "year"], kind="stable")
    columns = ["area", *found.columns.drop(["area_code", "area"])]
    return html_table(found[columns], "What the checks found, and what was done about it")
