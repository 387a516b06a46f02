"""An area's briefing: one A4 page with its main figures, as HTML and as PDF."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from send_analysis import disk, reads
from send_analysis.areas import Area, slug
from send_analysis.capacity import words as capacity
from send_analysis.errors import ParameterError
from send_analysis.evidence import words as evidence
from send_analysis.forecasting import words as forecasting
from send_analysis.growth import words as growth
from send_analysis.report import page, render
from send_analysis.report.edition import Edition
from send_analysis.show.page import summary_html

CHAPTERS = {
    "02_demand_growth": growth,
    "03_demand_forecast": forecasting,
    "04_capacity": capacity,
    "01_inspection_evidence": evidence,
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge",
            "microsoft-edge", "chrome")  # fmt: skip
BROWSER = "SEND_ANALYSIS_BROWSER"  # environment variable: the browser to print with
SECONDS_TO_PRINT = 60
DATES = re.compile(rb"/(?:CreationDate|ModDate) \(D:(\d{14})")


class Written(NamedTuple):
    """The files that were written, and why there is no PDF (empty where there is)."""

    paths: list[Path]
    why: str


@reads.found
def write(
    areas: Sequence[Area], out: str | Path, edition: Edition, *, browser: str | None = None
) -> Written:
    """Write the briefings of areas, without their other pages.

    Parameters
    ----------
    areas : sequence of Area or str
    out : str or Path
        Folder: ``bury-briefing.html`` and, where there is a browser, ``bury-briefing.pdf``.
    edition : Edition
    browser : str, optional
        Browser to print with; by default that of ``SEND_ANALYSIS_BROWSER``, else the first of
        :data:`BROWSERS` on the path.

    Returns
    -------
    Written

    Raises
    ------
    UnknownNameError
        If an area is not known; nothing is written then.
    ParameterError
        If the browser that was named is not there, or fails.
    """
    codes = list(dict.fromkeys(areas))
    out = disk.writable_folder(out)
    program, why = find_browser(browser)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for code in codes:
        path = out / f"{slug(code.name)}-briefing.html"
        disk.write_text(path, html(code, edition, out))
        written.append(path)
        if program:
            written.append(printed(path, program, edition))
    return Written(written, why)


@reads.found
def html(code: Area, edition: Edition, out: Path) -> str:
    """Return the briefing of an area; its links lead to what is in the folder of the reports.

    Parameters
    ----------
    code : Area
    edition : Edition
    out : Path
        Folder of the reports.
    """
    folder = slug(code.name)
    pages = []
    for path in render.notebook_paths():
        made = {"name": path.stem, "title": render.title(path), "short": page.short(path.stem)}
        with reads.recording() as read:
            things = CHAPTERS[path.stem].things(code) if path.stem in CHAPTERS else []
        link = f"{folder}/{path.stem}.html"
        made |= {
            "summary": [summary_html(thing) for thing in things],
            "tables": sorted(read - reads.NOT_SHOWN),
            "link": link if (out / link).is_file() else "",
        }
        pages.append(made)
    return render.briefing(code, pages, edition, render.around(code, out, home=""))


def find_browser(named: str | None = None) -> tuple[str, str]:
    """Find a browser that prints.

    Parameters
    ----------
    named : str, optional
        Path or name.

    Returns
    -------
    tuple of str and str
        Its path, or "" and a line that says so.

    Raises
    ------
    ParameterError
        If the one that was named is not there.
    """
    named = named or os.environ.get(BROWSER, "")
    found = (shutil.which(name) for name in ([named] if named else BROWSERS))
    program = next(filter(None, found), "")
    if named and not program:
        raise ParameterError(f"No browser {named!r} (--browser, {BROWSER}): give its path.")
    why = "" if program else (
        f"No PDF: none of {', '.join(BROWSERS[:3])} or {BROWSERS[4]} is installed. Print the page "
        f"from your browser, or name one with --browser or {BROWSER}."
    )  # fmt: skip
    return program, why


def printed(path: Path, program: str, edition: Edition) -> Path:
    """Print a page to a PDF beside it.

    Parameters
    ----------
    path : Path
        HTML file.
    program : str
        Browser of the Chromium family.
    edition : Edition
        Its day is the date of the file.

    Raises
    ------
    ParameterError
        If the browser fails.
    """
    target = path.with_suffix(".pdf")
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / target.name
        asked = [
            program, "--headless", "--disable-gpu", f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer", f"--print-to-pdf={fresh}", path.resolve().as_uri(),
        ]  # fmt: skip
        if getattr(os, "geteuid", lambda: 1)() == 0:
            asked.insert(1, "--no-sandbox")  # Chromium has none for root
        try:
            subprocess.run(asked, capture_output=True, timeout=SECONDS_TO_PRINT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ParameterError(f"{program} did not print {path}: {error}") from None
        if not fresh.is_file():
            raise ParameterError(f"{program} did not print {path}: give another with --browser.")
        content = _dated(fresh.read_bytes(), edition)
    disk.write_bytes(target, content)
    return target


def _dated(content: bytes, edition: Edition) -> bytes:
    """Put the day of the edition in the place of the clock's: as many bytes as before."""
    stamp = f"{edition.day:%Y%m%d}000000".encode()
    return DATES.sub(lambda found: found[0].replace(found[1], stamp), content)
