"""Bring the tables up to date with what is published, or leave them as they are."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from send_analysis import publishers, quality, sources, tables
from send_analysis.cleaning import layout, series
from send_analysis.cleaning.build import ALWAYS, build, put, schemas
from send_analysis.errors import MissingFileError, ParameterError, unknown

FOLDER_VARIABLE = "SEND_ANALYSIS_RELEASES"
FETCHED = ".fetched"  # below the folder of releases: what was downloaded, as it came
REVISIONS = "revisions"  # below the folder of tables
NOT_FIGURES = {*ALWAYS, "neighbours"}


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did.

    Attributes
    ----------
    release : str
        Release that was asked for, as `releases.yml` names it.
    written : list of str
        Tables written.
    files : DataFrame
        ``path, bytes, sha256, pinned`` of every release that was fetched: ``pinned`` is the
        SHA-256 that the tables were made from before, empty if it is new.
    revisions : DataFrame
        Figures that were there before and are others now, as
        :func:`send_analysis.quality.revised` lists them.
    unread : DataFrame
        Columns of the release that `releases.yml` does not know: ``file, column, nearest``.
    """

    release: str
    written: list[str]
    files: pd.DataFrame
    revisions: pd.DataFrame
    unread: pd.DataFrame


def default_folder() -> Path:
    """Return the folder of releases: ``SEND_ANALYSIS_RELEASES``, else one in the user's cache."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path.home() / ".cache" / "send-analysis" / "releases"


def refresh(
    release: str = "latest",
    only: Collection[str] = (),
    *,
    folder: Path | None = None,
    out: Path | None = None,
    api: str | None = None,
    site: str | None = None,
    timeout: float = 30.0,
    wait: sources.Wait = time.sleep,
) -> Refreshed:
    """Fetch a release of the EHC plan statistics and rebuild the tables with it.

    Releases that the tables need and that are not in `folder` are fetched too. Tables made of
    files that are neither there nor to be fetched stay as they are. After any failure the tables
    are what they were.

    Parameters
    ----------
    release : str, default "latest"
        Reporting year, such as ``"2026"``, or ``"latest"``.
    only : collection of str, optional
        Tables to refresh; all if empty.
    folder : Path, optional
        Folder of the releases; :func:`default_folder` if not given. What was fetched is kept in
        it and recorded in ``fetched.json`` (address, SHA-256, day).
    out : Path, optional
        Folder of the tables; the project's own if not given.
    api, site : str, optional
        Addresses of the publisher, as :func:`send_analysis.publishers.addresses` takes them.
    timeout : float, default 30
        Seconds without a byte after which an attempt has failed.
    wait : callable
        Takes the seconds between attempts.

    Returns
    -------
    Refreshed

    Raises
    ------
    SourceError
        If the publisher does not give a release.
    DataError
        If a release is not as `releases.yml` says.
    ParameterError
        If there is no entry for the release in `releases.yml`.
    """
    folder = default_folder() if folder is None else Path(folder)
    out = tables.data_dir() if out is None else Path(out)
    for table in only:
        if table not in schemas()["tables"]:
            raise unknown(
                "table", table, schemas()["tables"], hint="See `send-analysis data list`."
            )
    api, site = publishers.addresses(api, site)
    cache = folder / FETCHED
    cache.mkdir(parents=True, exist_ok=True)
    with sources.connect(timeout) as client:
        name = _named(release, client, site, wait)
        fetched = [
            publishers.fetch_release(
                client, layout.release(wanted), cache, api=api, site=site, wait=wait
            )
            for wanted in _wanted(name, folder)
        ]
    with tempfile.TemporaryDirectory() as temporary:
        releases, new = Path(temporary) / "releases", Path(temporary) / "tables"
        _copy([layout.release(entry)["path"] for entry in _all()], folder, releases)
        _copy([record["path"] for record in fetched], cache, releases)
        _copy([tables.DESCRIPTOR, *_table_files(out)], out, new)
        _require(only, releases)
        written = build(releases, new, only=only, keep=True)
        unread = series.unread_columns(releases, name)
        revisions = _revisions(out, new, written)
        files = _compared(fetched, out)
        put(new, out)
    tables.clear_cache()
    _copy([record["path"] for record in fetched], cache, folder)
    if len(revisions):
        (out / REVISIONS).mkdir(exist_ok=True)
        text = revisions.to_csv(index=False, lineterminator="\n")
        (out / REVISIONS / f"{name}.csv").write_text(text, encoding="utf-8")
    return Refreshed(name, written, files, revisions, unread)


def _all() -> list[str]:
    """Names of all releases that `releases.yml` lists."""
    return list(layout.specification()["releases"])


def _table_files(out: Path) -> list[str]:
    """Files of the tables in a folder."""
    descriptor = json.loads((out / tables.DESCRIPTOR).read_text(encoding="utf-8"))
    return [entry["path"] for entry in descriptor["resources"]]


def _named(release: str, client: sources.Client, site: str, wait: sources.Wait) -> str:
    """Name in `releases.yml` of the release asked for."""
    known = {str(layout.release(name)["year"]): name for name in series.known()}
    year = str(release)
    if year == "latest":
        publication = layout.release(series.known()[0])["slugs"]["publication"]
        year = publishers.latest(client, site, publication, wait=wait)
    if year not in known:
        raise ParameterError(
            f"No entry in releases.yml for reporting year {year!r}; there are: "
            f"{', '.join(sorted(known))}. docs/releases.md says how to add one."
        )
    return known[year]


def _wanted(name: str, folder: Path) -> list[str]:
    """Releases to ask for: the one named, older ones not there, files of other publishers."""
    year = layout.release(name)["year"]
    entries = {entry: layout.release(entry) for entry in _all()}
    older = [
        entry
        for entry, spec in entries.items()
        if "slugs" in spec and spec["year"] < year and not (folder / spec["path"]).is_file()
    ]
    return [name, *older, *(entry for entry, spec in entries.items() if "download" in spec)]


def _copy(paths: list[str], source: Path, target: Path) -> None:
    """Copy the files that there are, with the folders they sit in."""
    for path in paths:
        if (source / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, target / path)


def _require(only: Collection[str], releases: Path) -> None:
    """Refuse to go on where a table that was asked for cannot be made."""
    for table in only:
        names = [name for name in schemas()["tables"][table]["sources"] if name in _all()]
        paths = [layout.release(name)["path"] for name in names]
        missing = [path for path in paths if not (releases / path).is_file()]
        if missing:
            raise MissingFileError(
                f"{table} is made from it, and it cannot be fetched; put it into the folder of "
                "releases (--from)",
                file=", ".join(missing),
            )


def _compared(fetched: list[dict], out: Path) -> pd.DataFrame:
    """Set what was fetched beside what the tables were made from before."""
    descriptor = json.loads((out / tables.DESCRIPTOR).read_text(encoding="utf-8"))
    pinned = {
        source["file"]: source["sha256"]
        for resource in descriptor["resources"]
        for source in resource["sources"]
    }
    files = pd.DataFrame(fetched)[["path", "bytes", "sha256"]]
    return files.assign(pinned=files["path"].map(pinned).fillna(""))


def _revisions(before: Path, after: Path, written: list[str]) -> pd.DataFrame:
    """Compare the figures of two folders of tables."""
    entries = json.loads((after / tables.DESCRIPTOR).read_text(encoding="utf-8"))["resources"]
    parts = [quality.no_revision()]
    for entry in entries:
        key = entry["schema"]["primaryKey"]
        here = (before / entry["path"]).is_file() and entry["name"] in {*written} - NOT_FIGURES
        if not here or not {"area_code", "year"} <= set(key):
            continue
        numeric = [
            field["name"]
            for field in entry["schema"]["fields"]
            if field["type"] in {"integer", "number"} and field["name"] not in key
        ]
        columns = {**dict.fromkeys(key, "str"), "year": "int64", numeric[0]: "Float64"}
        old, new = (
            pd.read_csv(
                folder / entry["path"],
                usecols=list(columns),
                dtype=columns,
                keep_default_na=False,
                na_values={numeric[0]: [""]},
            )
            for folder in (before, after)
        )
        parts.append(quality.revised(old, new, table=entry["name"], key=key, value=numeric[0]))
    return pd.concat(parts, ignore_index=True)


def summary(done: Refreshed) -> list[str]:
    """Say in lines what a refresh did, and what needs a look."""
    changed = done.files[
        (done.files["pinned"] != "") & (done.files["pinned"] != done.files["sha256"])
    ]
    lines = [f"{done.release}: {len(done.written)} tables written"]
    lines += [
        f"{row.path}: not the file that the tables were made from before (SHA-256 "
        f"{row.sha256[:12]}…, was {row.pinned[:12]}…)"
        for row in changed.itertuples()
    ]
    lines += [
        f"{row.file}: column {row.column!r} is not known and not read"
        + (f" (nearest: {row.nearest})" if row.nearest else "")
        + "; say in releases.yml what it is"
        for row in done.unread.itertuples()
    ]
    count = len(done.revisions)
    lines.append(
        f"{count:,} figures revised or withdrawn, all in {REVISIONS}/{done.release}.csv"
        if count
        else "no figure revised"
    )
    return lines


def by_table(revisions: pd.DataFrame) -> pd.DataFrame:
    """Count revisions by table, with the largest.

    Parameters
    ----------
    revisions : DataFrame
        As :func:`send_analysis.quality.revised` lists them.

    Returns
    -------
    DataFrame
        ``table, revised`` (another figure now), ``withdrawn`` (none now), ``areas, first_year,
        last_year`` and the figure that changed by most: ``area_code, year, item, old, new``.
    """
    gone = revisions["new"].isna()
    revisions = revisions.assign(revised=~gone, withdrawn=gone)
    size = (revisions["new"] - revisions["old"]).abs().fillna(0)
    groups = revisions.groupby("table", sort=False)
    counts = groups.agg(
        revised=("revised", "sum"),
        withdrawn=("withdrawn", "sum"),
        areas=("area_code", "nunique"),
        first_year=("year", "min"),
        last_year=("year", "max"),
    )
    largest = revisions.loc[size.groupby(revisions["table"], sort=False).idxmax(), quality.REVISION]
    return counts.reset_index().merge(largest, on="table")
