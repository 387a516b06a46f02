"""When a report was made, by which code, and how it is cited.

The day is that of the run, or the one that is asked for: the same inputs of the same day give the
same bytes. What a page says is otherwise read off the releases.
"""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, date, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from send_analysis import __version__
from send_analysis.errors import ParameterError

EPOCH = "SOURCE_DATE_EPOCH"  # seconds since 1970: https://reproducible-builds.org/specs/
AUTHORS = "The send_analysis authors"  # as in CITATION.cff


class Edition(NamedTuple):
    """Day on which a report is rendered, and the commit of the code ("" if it is not known)."""

    day: date
    commit: str

    @property
    def rendered(self) -> str:
        """The day in words."""
        return f"{self.day.day} {self.day:%B %Y}"

    @property
    def package(self) -> str:
        """Package, version and commit."""
        return f"send_analysis {__version__}" + (f" ({self.commit})" if self.commit else "")

    def cited(self, title: str, released: str) -> str:
        """Say how a page is cited.

        Parameters
        ----------
        title : str
            Of the page, with its area.
        released : str
            Month of the latest release behind it; may be empty.
        """
        statistics = "official statistics" + (f" released to {released}" if released else "")
        where = f" {address()}" if address() else ""
        return (
            f"{AUTHORS} ({self.day.year}). {title}. Made from {statistics} by {self.package}; "
            f"rendered on {self.rendered}.{where}"
        )


def edition_of(day: str | None = None) -> Edition:
    """Return the edition of this run.

    Parameters
    ----------
    day : str, optional
        As 2026-01-31; by default that of the environment variable ``SOURCE_DATE_EPOCH``, and where
        there is none, today.

    Raises
    ------
    ParameterError
        If that is no day.
    """
    epoch = os.environ.get(EPOCH, "")
    try:
        if day is not None:
            return Edition(date.fromisoformat(day), _commit())
        if epoch:
            return Edition(datetime.fromtimestamp(int(epoch), UTC).date(), _commit())
    except (ValueError, OverflowError, OSError):
        given = f"--date {day}" if day is not None else f"{EPOCH}={epoch}"
        example = "2026-01-31" if day is not None else "a number of seconds"
        raise ParameterError(f"{given}: that is no day; give {example}.") from None
    return Edition(date.today(), _commit())


@cache
def _commit() -> str:
    """Commit that the code is of: of its repository, or the one that pip installed."""
    root = Path(__file__).parents[2]
    if (root / ".git").exists():
        asked = ["git", "-C", str(root), "describe", "--always", "--dirty=, changed", "--exclude=*"]
        try:
            return subprocess.run(
                asked, capture_output=True, text=True, check=True, timeout=10
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return ""
    try:
        direct = metadata.distribution("send-analysis").read_text("direct_url.json") or ""
    except metadata.PackageNotFoundError:
        return ""
    found = re.search(r'"commit_id": *"([0-9a-f]{7})', direct)
    return found[1] if found else ""


@cache
def address() -> str:
    """Where the project is kept, if its metadata says so."""
    try:
        named = metadata.metadata("send-analysis").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    known = dict(entry.split(", ", 1) for entry in named)
    return known.get("Repository", "")
