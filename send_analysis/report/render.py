"""Notebooks executed for an area and rendered to pages that stand alone.

A page is one HTML file without a script or a request; an index links the pages of an area.
Kernels are kept from notebook to notebook, see `execution`. `display` says what a notebook shows.
The same tables, code and notebooks give the same bytes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from tqdm import tqdm

from send_analysis import reads, tables, terms
from send_analysis.areas import Area, slug
from send_analysis.disk import writable_folder
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import series
from send_analysis.report import glossary
from send_analysis.report import page as pages_of
from send_analysis.report.edition import Edition, address, edition_of
from send_analysis.report.kernel import Kernel, execute
from send_analysis.show.origin import month, origin
from send_analysis.show.table import html_table

if TYPE_CHECKING:
    from jinja2 import Environment

PACKAGE = Path(__file__).parents[1]
CLAIMS = "01_inspection_evidence"  # its figures stand last in the briefing
METHODS = {  # what each page's methods are described in
    CLAIMS: "docs/evidence.md",
    "02_demand_growth": "docs/growth.md",
    "03_demand_forecast": "docs/forecasting.md",
    "04_capacity": "docs/capacity.md",
    "05_waiting_times": "docs/waiting_times.md",
    "06_families": "docs/outcomes.md",
}
HOME = "../"  # from a page of an area to the folder of the reports
SIMULATED = {"03_demand_forecast", "04_capacity"}  # pages that one simulation is behind


class Around(NamedTuple):
    """Where the pages of an area lead besides each other: addresses, "" where nothing is.

    Parameters
    ----------
    index : str
        The index of all areas.
    neighbours : list of tuple of str
        Name and address of each statistical neighbour, closest first.
    """

    index: str
    neighbours: list[tuple[str, str]]


@reads.found
def render(
    areas: Sequence[Area],
    out: str | Path = "reports",
    *,
    notebooks: Iterable[str | Path] | None = None,
    jobs: int = 2,
    day: str | None = None,
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
    day : str, optional
        Day that stands on the pages, as :func:`.edition.edition_of` takes it.

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
    edition = edition_of(day)
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
            results.append(_write(code, made, out, edition, beside=codes))
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


def title(notebook: Path) -> str:
    """Return the title of a notebook: its first heading."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "".join(cells[0]["source"]).partition("\n")[0].removeprefix("# ")


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
        As :func:`page.parts` returns it.
    """
    area = code.name
    nb = execute(path, area=area, kernel=kernel)
    return pages_of.parts(nb, name=path.stem, where=f"{area}, {path.name}")


@cache
def templates() -> Environment:
    """Return the templates of whole pages."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(pages_of.TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["glossary"] = glossary.disclosure(glossary.entries(), "Glossary")
    return made


@reads.found
def html_of(
    code: Area, made: Sequence[dict[str, Any]], edition: Edition, around: Around
) -> dict[str, str]:
    """Put an area's pages into their templates.

    Parameters
    ----------
    code : Area
    made : sequence of dict
        Pages as :func:`page_of` returns them.
    edition : Edition
        When and by what they are made.
    around : Around
        Where they lead besides each other.

    Returns
    -------
    dict of str to str
        HTML by name of page, ``index`` first.
    """
    made = [page | {"link": f"{page['name']}.html"} for page in made]
    rendered = {"index": briefing(code, made, edition, around)}
    template = templates().get_template("page.html.j2")
    shared = _shared(code, made, around)
    for page in made:
        told = provenance(page["tables"], edition, f"{page['title']}: {shared['area']}")
        method = METHODS.get(page["name"], "")
        html = template.render(page=page, method=method, **told, **shared)
        rendered[page["name"]] = pages_of.with_articles(html)
    return rendered


@reads.found
def briefing(code: Area, pages: Sequence[dict[str, Any]], edition: Edition, around: Around) -> str:
    """Put what pages have for the area's first page into its template.

    Parameters
    ----------
    code : Area
    pages : sequence of dict
        ``name, short, title, summary, tables`` of pages, and ``link`` ("" where there is none).
    edition, around
        As for :func:`html_of`.
    """
    named = sorted({name for page in pages for name in page["tables"]})
    shared = _shared(code, pages, around)
    told = provenance(named, edition, f"SEND services in {shared['area']}")
    # What is claimed comes after what is.
    ordered = sorted(pages, key=lambda page: page["name"] == CLAIMS)
    more = (pages_of.TEMPLATES / "briefing.css").read_text(encoding="utf-8")
    html = (
        templates()
        .get_template("overview.html.j2")
        .render(
            page=None, ordered=ordered, faults=_faults(code), more_css=more, method="",
            **told, **shared,
        )
    )  # fmt: skip
    return pages_of.tied(pages_of.with_articles(html))


def _shared(code: Area, pages: Sequence[dict[str, Any]], around: Around) -> dict[str, Any]:
    """What every page of an area is given."""
    return {
        "area": code.name,
        "code": code,
        "pages": pages,
        "around": around,
        "css": (pages_of.TEMPLATES / "report.css").read_text(encoding="utf-8"),
    }


@reads.found
def around(
    code: Area, out: Path, *, home: str = HOME, made: Iterable[str] = (), indexed: bool = False
) -> Around:
    """Say where an area's pages lead: to the index of all, and to areas like it.

    Parameters
    ----------
    code : Area
    out : Path
        Folder of the reports; what is there can be led to.
    home : str
        Path from a page of the area to that folder.
    made : iterable of str
        Codes of areas whose reports are being made too.
    indexed : bool
        Whether an index of them all is being made.
    """
    made = set(made)
    try:
        near = code.neighbours
    except MissingDataError:
        near = []
    there = [
        (one.name, f"{home}{slug(one.name)}/index.html")
        if one in made or (out / slug(one.name) / "index.html").is_file()
        else (one.name, "")
        for one in near
    ]
    index = f"{home}index.html" if indexed or (out / "index.html").is_file() else ""
    return Around(index, there)


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


def _write(
    code: Area,
    made: Sequence[dict[str, Any]],
    out: Path,
    edition: Edition,
    *,
    beside: Iterable[str] = (),
) -> pd.DataFrame:
    """Write an area's report and list its pages; reports of `beside` are made in the same run."""
    area = code.name
    rendered = html_of(code, made, edition, around(code, out, made=beside))
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


def provenance(named: Sequence[str], edition: Edition, title: str) -> dict[str, Any]:
    """Say what a page is made from, when and by what, for its head and foot.

    Parameters
    ----------
    named : sequence of str
        Tables; where none is named, all there are.
    edition : Edition
    title : str
        What the page is cited as.

    Returns
    -------
    dict
        ``releases``, sources as the descriptor has them with ``month``; ``used``, the same in a
        sentence; ``dates``, what stands in the head: latest figures, latest release, day, code;
        ``date``, the month of the latest release; ``package``; ``citation``; ``project``, where
        it is kept.
    """
    names = named or [entry["name"] for entry in tables.descriptor()["resources"]]
    found = {
        source["name"]: source for name in names for source in tables.resource(name)["sources"]
    }
    latest = max((source["published"] for source in found.values()), default="")
    released = month(latest) if latest else ""
    dates = [
        *_latest(names, edition),
        f"Releases to {released}" if released else "",
        f"Rendered on {edition.rendered}",
        edition.package,
    ]
    return {
        "releases": [
            found[name] | {"month": month(found[name]["published"])} for name in sorted(found)
        ],
        "used": origin(tuple(names)),
        "dates": [one for one in dates if one],
        "date": released,
        "package": edition.package,
        "citation": edition.cited(title, released),
        "project": address(),
    }


def _latest(names: Sequence[str], edition: Edition) -> list[str]:
    """Say how far the figures go, and since when newer ones have been due."""
    said = []
    if "ehc_plans" in names:
        published = max(one["published"] for one in tables.resource("ehc_plans")["sources"])
        due = pd.Period(published, "M") + 12  # the return is published once a year
        late = f" (the next were due in {due:%B %Y})" if edition.day > due.end_time.date() else ""
        said.append(f"Plans to January {series.latest()}{late}")
    if "nhs_waits" in names:
        said.append(f"NHS waiting lists to {tables.load('nhs_waits')['month'].max():%B %Y}")
    return said


def _faults(code: str) -> str:
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
    names = {"published": "as_printed", "expected": "held_against"}
    quoted = {f"'{name}'": f"“{terms.heading(to)}”" for name, to in names.items()}
    found["note"] = found["note"].replace(quoted, regex=True)
    columns = ["area", *found.columns.drop(["area_code", "area"])]
    found = found[columns].rename(columns=names)
    return html_table(found, "What the checks found, and what was done about it")
