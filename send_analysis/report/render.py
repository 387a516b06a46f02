"""Notebooks executed for an area and rendered to pages that stand alone.

A page is one HTML file without a script or a request; an index links the pages of an area.
Kernels are kept from notebook to notebook, see `execution`. `display` says what a notebook shows.
The same tables, code and notebooks give the same bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm import tqdm

from send_analysis import __version__, reads, tables
from send_analysis.areas import Area, slug
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.files.disk import writable_folder
from send_analysis.report import page as pages
from send_analysis.report.kernel import Kernel, execute
from send_analysis.show.origin import month
from send_analysis.show.table import html_table

if TYPE_CHECKING:
    from jinja2 import Environment

PACKAGE = Path(__file__).parents[1]
SIMULATED = {"03_demand_forecast", "04_capacity"}  # pages that one simulation is behind


@reads.found
def render(
    areas: Sequence[Area],
    out: str | Path = "reports",
    *,
    notebooks: Iterable[str | Path] | None = None,
    jobs: int = 2,
) -> pd.DataFrame:
    """Execute the notebooks for each area and write its report.

    Parameters
    ----------
    areas : sequence of Area or str
    out : str or Path
        Folder of the reports; an area's report is replaced as a whole, or not at all.
    notebooks : iterable of str or Path, optional
        Paths, or names in the project's ``notebooks`` folder without the ending. By default all
        numbered notebooks there, from 01 on.
    jobs : int
        Kernels, each with its share of the notebooks.

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
    codes = list(dict.fromkeys(areas))
    paths = notebook_paths(notebooks)
    out = writable_folder(out)
    shares, names = _shares(paths, jobs), [path.stem for path in paths]
    results = []
    with (
        ExitStack() as kernels,
        ThreadPoolExecutor(len(shares)) as pool,
        tqdm(total=len(codes) * len(paths), unit="page", disable=None) as progress,
    ):

        def pages_of(code: Area, share: list[Path], kernel: Kernel) -> list[dict[str, Any]]:
            """Make the pages of a share with its kernel."""
            made = []
            for path in share:
                made.append(page_of(code, path, kernel=kernel))
                progress.update()
            return made

        kept = [kernels.enter_context(Kernel()) for _ in shares]
        for code in codes:
            made = chain(*pool.map(partial(pages_of, code), shares, kept))
            made = sorted(made, key=lambda page: names.index(page["name"]))
            results.append(_write(code, made, out))
    return pd.concat(results, ignore_index=True)


def _shares(paths: Sequence[Path], jobs: int) -> list[list[Path]]:
    """Share notebooks out among kernels, a simulation and what is made of it in one."""
    if jobs == 1:
        return [list(paths)]
    simulated = [path for path in paths if path.stem in SIMULATED]
    others = [path for path in paths if path.stem not in SIMULATED]
    shares = [simulated, *(others[first :: jobs - 1] for first in range(jobs - 1))]
    return [share for share in shares if share]


def notebook_paths(notebooks: Iterable[str | Path] | None = None) -> list[Path]:
    """Find notebooks.

    Parameters
    ----------
    notebooks : iterable of str or Path, optional
        As for :func:`render`.

    Raises
    ------
    MissingDataError
        If one is not there.
    """
    packed = PACKAGE / "_notebooks"
    folder = packed if packed.is_dir() else PACKAGE.parent / "notebooks"
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


@reads.found
def page_of(code: Area, path: Path, *, kernel: Kernel | None = None) -> dict[str, Any]:
    """Execute a notebook for an area and take its page apart.

    Parameters
    ----------
    code : Area
    path : Path
        Notebook.
    kernel : Kernel, optional
        Kernel to use again; by default the notebook gets one of its own.

    Returns
    -------
    dict
        As :func:`pages.parts` returns it.
    """
    area = code.name
    nb = execute(path, area=area, kernel=kernel)
    return pages.parts(nb, name=path.stem, where=f"{area}, {path.name}")


@cache
def templates() -> Environment:
    """Return the templates of whole pages."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(pages.TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@reads.found
def html_of(code: Area, made: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Put an area's pages into their templates.

    Parameters
    ----------
    code : Area
    made : sequence of dict
        Pages as :func:`page_of` returns them.

    Returns
    -------
    dict of str to str
        HTML by name of page, ``index`` first.
    """
    shared = {
        "area": code.name,
        "code": code,
        "pages": made,
        "css": (pages.TEMPLATES / "report.css").read_text(encoding="utf-8"),
        "version": __version__,
    }
    everything = {"tables": sorted({name for page in made for name in page["tables"]})}
    rendered = {
        "index": templates()
        .get_template("overview.html.j2")
        .render(page=None, faults=_faults(code), **provenance(everything["tables"]), **shared)
    }
    for page in made:
        template = templates().get_template("page.html.j2")
        rendered[page["name"]] = template.render(page=page, **provenance(page["tables"]), **shared)
    return rendered


@reads.found
def put(code: Area, rendered: dict[str, str], out: Path) -> Path:
    """Write an area's pages beside its earlier report, then put them in its place.

    Parameters
    ----------
    code : Area
    rendered : dict of str to str
        As :func:`html_of` returns it.
    out : Path
        Folder of the reports.

    Returns
    -------
    Path
        Folder of the area's report.

    Raises
    ------
    ParameterError
        If that folder holds something else; nothing is changed then.
    """
    target = out / slug(code.name)
    strange = [path.name for path in target.glob("*") if path.suffix != ".html"]
    if strange:
        raise ParameterError(
            f"{target} holds {strange[0]!r}, which is no page of a report: move it, or give "
            "another folder with --out. Nothing was changed."
        )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=out) as folder:
        fresh = Path(folder) / "fresh"
        fresh.mkdir()
        for name, html in rendered.items():
            (fresh / f"{name}.html").write_text(html, encoding="utf-8", newline="\n")
        if target.exists():
            target.rename(Path(folder) / "earlier")
        fresh.rename(target)
    return target


def _write(code: Area, made: Sequence[dict[str, Any]], out: Path) -> pd.DataFrame:
    """Write an area's report and list its pages."""
    area = code.name
    rendered = html_of(code, made)
    target = put(code, rendered, out)
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


def provenance(named: Sequence[str] = ()) -> dict[str, Any]:
    """List the releases behind tables, for the foot of a page.

    Parameters
    ----------
    named : sequence of str
        Tables; by default all there are.

    Returns
    -------
    dict
        ``releases``, sources as the descriptor has them with ``month``, and ``date``, the month
        of the latest.
    """
    names = named or [entry["name"] for entry in tables.descriptor()["resources"]]
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


def _faults(code: Area) -> str:
    """Table of the faults found in the releases for an area, its region and England, if any."""
    around = [code, *([code.region] if code.level == "local authority" else [])]
    names = {near: near.name for near in around}
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
