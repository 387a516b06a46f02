"""Bring the tables up to date with what is published, or leave them as they are."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from send_analysis import quality, tables
from send_analysis.cleaning import layout, series
from send_analysis.cleaning.build import ALWAYS, build, put, schemas
from send_analysis.disk import writable_folder
from send_analysis.errors import DataError, ParameterError, SourceError, unknown
from send_analysis.releases import publishers, sources

FOLDER_VARIABLE = "SEND_ANALYSIS_RELEASES"
FETCHED = ".fetched"  # below the folder of releases: what was downloaded, as it came
REVISIONS = "revisions"  # below the folder of tables
NOT_FIGURES = {*ALWAYS, "neighbours", "hexagons"}
ESTIMATES = "population_latest"
_NO_COLUMN = pd.DataFrame(columns=["file", "column", "nearest"])


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did.

    Attributes
    ----------
    release : str
        Release that was asked for, as `releases.yml` names it.
    written : list of str
        Tables written.
    kept : dict of str
        Why, by table, others are what they were, though their releases were fetched.
    lacking : dict of str
        Why, by release, others than the one asked for could not be had: what the tables have of
        them stays.
    files : DataFrame
        ``path, bytes, pinned, changed`` of every release that was fetched: ``pinned`` says
        whether the tables were made from it before, ``changed`` which of its files are others now.
    revisions : DataFrame
        Figures that were there before and are others now, as
        :func:`send_analysis.quality.revised` lists them.
    unread : DataFrame
        Columns of the release that `releases.yml` does not know: ``file, column, nearest``.
    """

    release: str
    written: list[str]
    kept: dict[str, str]
    lacking: dict[str, str]
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
    archive: Path | None = None,
    estimates: Path | None = None,
    at: publishers.Addresses | None = None,
) -> Refreshed:
    """Fetch a release of the EHC plan statistics and rebuild the tables with it.

    Older releases that the tables need and that are not in `folder` are fetched too, and the
    newest population estimates. Tables that cannot be made of what there is then, or of a release
    whose layout is not known, stay as they are; after a failure all do.

    Parameters
    ----------
    release : str, default "latest"
        Reporting year, such as ``"2026"``, or ``"latest"``.
    only : collection of str, optional
        Tables to refresh; all if empty.
    folder : Path, optional
        Folder of the releases; :func:`default_folder` if not given. What was fetched is kept in
        it and recorded in ``fetched.json`` (address, SHA-256, day).
    archive, estimates : Path, optional
        Archive of a release, and file of population estimates, that a person has downloaded. With
        one of them nothing is asked of the network.
    at : Addresses, optional
        Of the publishers; those of :func:`send_analysis.releases.publishers.addresses`.

    Raises
    ------
    SourceError
        If the publisher does not give the release.
    DataError
        If a release is faulty.
    ParameterError
        If there is no entry for the release in `releases.yml`.
    """
    folder = default_folder() if folder is None else Path(folder)
    out = tables.data_dir()
    for table in only:
        if table not in schemas()["tables"]:
            raise unknown(
                "table", table, schemas()["tables"], hint="See `send-analysis data list`."
            )
    cache = writable_folder(folder) / FETCHED
    cache.mkdir(parents=True, exist_ok=True)
    if archive or estimates:
        only = only or ([] if archive else ["population"])
        given = {ESTIMATES: estimates, _name_of(archive) if archive else "": archive}
        given = {name: _there(Path(file)) for name, file in given.items() if file}
        name = next((name for name in given if name != ESTIMATES), ESTIMATES)
        lacking: dict[str, str] = {}
    else:
        at = publishers.addresses() if at is None else at
        with at.connect() as client:
            name = _named(release, client, at.site)
            get = partial(publishers.fetch_release, client, cache=cache, at=at)
            given, lacking = _fetched(name, folder, only, get)
    with tempfile.TemporaryDirectory() as temporary:
        releases, new = Path(temporary) / "releases", Path(temporary) / "tables"
        releases.mkdir()
        _copy([layout.release(entry)["path"] for entry in _all()], folder, releases)
        for entry, file in given.items():
            _put(file, releases / layout.release(entry)["path"])
        _copy([tables.DESCRIPTOR, *_table_files(out)], out, new)
        done = build(releases, new, only=only, lenient=True)
        known = name in series.known()
        unread = series.unread_columns(releases, name) if known else _NO_COLUMN
        revisions = _revisions(out, new, done.written)
        files = _compared(given, out)
        put(new, out)
    tables.clear_cache()
    for entry, file in given.items():
        _put(file, folder / layout.release(entry)["path"])
    if len(revisions):
        (out / REVISIONS).mkdir(exist_ok=True)
        text = revisions.to_csv(index=False, lineterminator="\n")
        (out / REVISIONS / f"{name}.csv").write_text(text, encoding="utf-8")
    kept = {table: why for table, why in done.kept.items() if _looked_for(table, given)}
    return Refreshed(name, done.written, kept, lacking, files, revisions, unread)


def _looked_for(table: str, given: Collection[str]) -> bool:
    """Whether a table is made of releases that were fetched or given."""
    made_of = schemas()["tables"][table]["sources"]
    return any(name in made_of or layout.release(name).get("series") in made_of for name in given)


def _name_of(archive: Path) -> str:
    """Release of the Department that an archive is, by the newest January in it."""
    file = Path(archive)
    newest = layout.release(series.known()[0])
    member = newest["files"]["caseload"]["member"]
    try:
        with zipfile.ZipFile(file) as packed:
            found = layout.find_member(member, packed.namelist())
            text = packed.read(found) if found else b""
    except OSError as fault:
        raise ParameterError(f"{file}: cannot be read ({fault.strerror or fault}).") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as fault:
        raise DataError(
            f"not a whole archive ({fault}); download it again from {newest['url']}", file=str(file)
        ) from None
    try:
        period = pd.read_csv(io.BytesIO(text), usecols=["time_period"], dtype="str")["time_period"]
    except ValueError:
        period = pd.Series([], dtype="str")
    years = period[period.str.fullmatch(r"20\d{4}").fillna(False)]
    if years.empty:
        raise DataError(
            f"the archive has no {member} with a time_period; download it again from "
            f"{newest['url']}",
            file=str(file),
        )
    return _entry(f"20{years.max()[-2:]}")


def _there(file: Path) -> Path:
    """Make sure of a file that a person has downloaded."""
    if not file.is_file():
        raise ParameterError(f"{file}: there is no such file.")
    return file


class Fetched(NamedTuple):
    """What a publisher gave."""

    given: dict[str, Path]  # where each release is
    lacking: dict[str, str]  # why, by release, others than the one asked for cannot be had


def _fetched(
    name: str, folder: Path, only: Collection[str], get: Callable[[dict], dict]
) -> Fetched:
    """Fetch a release and what else the tables need."""
    given, lacking = {}, {}
    for wanted in _wanted(name, folder, only):
        entry = layout.release(wanted)
        try:
            get(entry)
        except SourceError as fault:
            if wanted == name:
                raise SourceError(f"{fault}. {_by_hand(entry)}") from None
            lacking[wanted] = f"{fault}. {_by_hand(entry)}"
            continue
        given[wanted] = get.keywords["cache"] / entry["path"]
    if not layout.members(given[name], layout.release(name)):
        raise DataError(
            f"the archive holds no file of this release; {_by_hand(layout.release(name))}",
            file=given[name].name,
        )
    return Fetched(given, lacking)


def _by_hand(entry: dict) -> str:
    """What a person can do where the program does not get through."""
    option = "--population" if "query" in entry else "--zip"
    return (
        f"Or download it with a browser from {entry['url']} and run `send-analysis data refresh "
        f"{option} FILE`"
    )


def _all() -> list[str]:
    """Names of all releases that `releases.yml` lists."""
    return list(layout.specification()["releases"])


def _table_files(out: Path) -> list[str]:
    """Files of the tables in a folder."""
    return [entry["path"] for entry in tables.read_descriptor(out)["resources"]]


def _named(release: str, client: sources.Client, site: str) -> str:
    """Name in `releases.yml` of the release asked for."""
    year = str(release)
    if year == "latest":
        newest = layout.release(series.known()[0])
        try:
            year = publishers.latest(client, site, newest["slugs"]["publication"])
        except SourceError as fault:
            raise SourceError(f"{fault}. {_by_hand(newest)}") from None
    return _entry(year)


def _entry(year: str) -> str:
    """Name in `releases.yml` of a reporting year."""
    known = {str(layout.release(name)["year"]): name for name in series.known()}
    if year not in known:
        raise ParameterError(
            f"No entry in releases.yml for reporting year {year!r}; there are: "
            f"{', '.join(sorted(known))}. docs/releases.md says how to add one."
        )
    return known[year]


def _wanted(name: str, folder: Path, only: Collection[str]) -> list[str]:
    """Releases to ask for: the one named, older ones not there, files of other publishers."""
    year = layout.release(name)["year"]
    entries = {entry: layout.release(entry) for entry in _all()}
    older = [
        entry
        for entry, spec in entries.items()
        if "slugs" in spec and spec["year"] < year and not (folder / spec["path"]).is_file()
    ]
    others = [
        entry
        for entry, spec in entries.items()
        if "download" in spec or ("query" in spec and (not only or "population" in only))
    ]
    return [name, *older, *others]


def _put(file: Path, target: Path) -> None:
    """Copy a file to where the builders look for it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (target.exists() and target.samefile(file)):
        shutil.copy2(file, target)


def _copy(paths: list[str], source: Path, target: Path) -> None:
    """Copy the files that there are, with the folders they sit in."""
    for path in paths:
        if (source / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, target / path)


def _compared(given: dict[str, Path], out: Path) -> pd.DataFrame:
    """Set what was fetched beside what the tables were made from before."""
    pinned = {
        source["name"]: source
        for resource in tables.read_descriptor(out)["resources"]
        for source in resource["sources"]
    }
    rows = []
    for name, file in given.items():
        entry, before = layout.release(name), pinned.get(name, {})
        if "members" in before:
            now = layout.members(file, entry)
            changed = [member for member in now.keys() & before["members"].keys()
                       if now[member] != before["members"][member]]  # fmt: skip
        else:
            same = before.get("sha256") in {None, layout.sha256(file)}
            changed = [] if same or "query" in entry else [file.name]
        size = file.stat().st_size
        rows.append((entry["path"], size, name in pinned, ", ".join(sorted(changed))))
    return pd.DataFrame(rows, columns=["path", "bytes", "pinned", "changed"])


def _revisions(before: Path, after: Path, written: list[str]) -> pd.DataFrame:
    """Compare the figures of two folders of tables."""
    entries = tables.read_descriptor(after)["resources"]
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
    lines = [f"{done.release}: {len(done.written)} tables written"]
    reasons: dict[str, list[str]] = {}
    for table, why in done.kept.items():
        reasons.setdefault(why, []).append(table)
    lines += [f"{', '.join(names)}: as before, because {why}" for why, names in reasons.items()]
    lines += [
        f"{layout.release(name)['title']}: not to be had; what the tables have of it stays. {why}"
        for name, why in done.lacking.items()
    ]
    lines += [
        f"{row.path}: not what the tables were made from before; changed: {row.changed}"
        for row in done.files[done.files["changed"] != ""].itertuples()
    ]
    lines += [
        f"{row.file}: column {row.column!r} is not known and not read"
        + (f" (nearest: {row.nearest})" if row.nearest else "")
        + "; say in releases.yml what it is"
        for row in done.unread.itertuples()
    ]
    kinds = {kind: int(is_so.sum()) for kind, is_so in _kinds(done.revisions).items()}
    said = [f"{count:,} {kind}" for kind, count in kinds.items() if count]
    lines.append(
        f"Figures of earlier years: {', '.join(said)}; all in {REVISIONS}/{done.release}.csv"
        if said
        else "no figure revised"
    )
    return lines


def by_hand(only: Collection[str] = ()) -> list[str]:
    """Say how the tables come up to date whose publisher has no address that a program can ask.

    Parameters
    ----------
    only : collection of str, optional
        Tables; all if empty.

    Returns
    -------
    list of str
        A line a table, as ``renewed`` in `schemas.yml` says.
    """
    return [
        f"{name}: not fetched; {spec['renewed']} ({layout.release(spec['sources'][0])['url']})"
        for name, spec in schemas()["tables"].items()
        if "renewed" in spec and (not only or name in only)
    ]


def _kinds(revisions: pd.DataFrame) -> dict[str, pd.Series]:
    """Which rows are figures revised, withdrawn, and new where there was none."""
    was, is_now = revisions["old"].notna(), revisions["new"].notna()
    return {"revised": was & is_now, "withdrawn": was & ~is_now, "new": ~was}


def by_table(revisions: pd.DataFrame) -> pd.DataFrame:
    """Count revisions by table, with the largest.

    Parameters
    ----------
    revisions : DataFrame
        As :func:`send_analysis.quality.revised` lists them.

    Returns
    -------
    DataFrame
        ``table, revised`` (another figure now), ``withdrawn`` (none now), ``added`` (none before),
        ``areas, first_year, last_year`` and the figure that changed by most: ``area_code, year,
        item, old, new``.
    """
    kinds = _kinds(revisions)
    revisions = revisions.assign(**{kind.replace("new", "added"): so for kind, so in kinds.items()})
    size = (revisions["new"] - revisions["old"]).abs().fillna(0)
    groups = revisions.groupby("table", sort=False)
    counts = groups.agg(
        revised=("revised", "sum"),
        withdrawn=("withdrawn", "sum"),
        added=("added", "sum"),
        areas=("area_code", "nunique"),
        first_year=("year", "min"),
        last_year=("year", "max"),
    )
    largest = revisions.loc[size.groupby(revisions["table"], sort=False).idxmax(), quality.REVISION]
    return counts.reset_index().merge(largest, on="table")
