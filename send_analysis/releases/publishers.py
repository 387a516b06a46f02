"""What the publishers offer: where a release is to be had, and what it is made of.

A release of the Department for Education is asked for at its statistics API, data set by data
set. Not every publication is there; one that is not, or that the API does not give, comes as the
archive that the publication's page offers. Population comes from the official labour market
statistics service; files of other publishers have their address in `releases.yml`.

References
----------
Statistics API: https://api.education.gov.uk/statistics/docs. Archives: the paths that the pages
of https://explore-education-statistics.service.gov.uk use, whose source code is public.
Population: data set NM_2002_1 of https://www.nomisweb.co.uk, as public programs ask for it.
"""

from __future__ import annotations

import csv
import json
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from send_analysis.cleaning.layout import sha256
from send_analysis.cleaning.population import CENSUS, HEADING
from send_analysis.errors import SourceError
from send_analysis.releases.sources import Client, ask, connect, fetch, field, pages

API = "https://api.education.gov.uk/statistics/v1"
SITE = "https://content.explore-education-statistics.service.gov.uk/api"
POPULATION = "https://www.nomisweb.co.uk/api/v01/dataset/NM_2002_1.data.csv"
LEDGER = "fetched.json"
API_ATTEMPTS = 2  # what it does not give comes as an archive
# Counties and unitary authorities; nations. An answer holds 25,000 cells at most, and a year of the
# first about 20,000.
PLACES = ("TYPE423", "TYPE499")
AGES = [200, *range(101, 192)]  # all ages; under 1, 1, … 89, 90 and over


class Addresses(NamedTuple):
    """Where the publishers' services are, and how they are asked."""

    api: str
    site: str  # of the archives
    population: str  # of the estimates
    connect: Callable[[], Client] = connect


def addresses(
    api: str | None = None, site: str | None = None, population: str | None = None
) -> Addresses:
    """Return the addresses of the API, of the archives and of the population estimates.

    Those given; else of the environment variables ``SEND_ANALYSIS_API``, ``SEND_ANALYSIS_SITE``
    and ``SEND_ANALYSIS_POPULATION``; else the publishers'.
    """
    api = api or os.environ.get("SEND_ANALYSIS_API") or API
    site = site or os.environ.get("SEND_ANALYSIS_SITE") or SITE
    population = population or os.environ.get("SEND_ANALYSIS_POPULATION") or POPULATION
    return Addresses(api.rstrip("/"), site.rstrip("/"), population)


def _publication(client: Client, api: str, entry: dict) -> str | None:
    """ID of a publication in the API; None if it is not there."""
    title = entry["title"].rpartition(", reporting year")[0]
    url = f"{api}/publications"
    for found in pages(client, url, {"search": title}, attempts=API_ATTEMPTS):
        if field(found, "slug", url) == entry["slugs"]["publication"]:
            return field(found, "id", url)
    return None


def data_sets(client: Client, api: str, entry: dict) -> dict[str, str]:
    """Find the addresses of a release's data sets in the API.

    Parameters
    ----------
    client : Client
        As :func:`sources.connect` gives it.
    api : str
        Address of the API.
    entry : dict
        Release, as `releases.yml` has it.

    Returns
    -------
    dict of str
        Address of each file's CSV by its name in `releases.yml`; none if the API does not have
        the whole release.
    """
    titles = {
        spec["data_set"].casefold(): file
        for file, spec in entry["files"].items()
        if "data_set" in spec
    }
    publication = _publication(client, api, entry) if titles else None
    if publication is None:
        return {}
    found = {}
    listed = f"{api}/publications/{publication}/data-sets"
    for data_set in pages(client, listed, attempts=API_ATTEMPTS):
        file = titles.get(field(data_set, "title", listed).casefold())
        if file is None:
            continue
        url = f"{api}/data-sets/{field(data_set, 'id', listed)}"
        versions = [
            field(version, "version", url)
            for version in pages(client, f"{url}/versions", attempts=API_ATTEMPTS)
            if field(field(version, "release", url), "slug", url) == entry["slugs"]["release"]
            and field(version, "status", url) != "Withdrawn"
        ]
        if versions:
            newest = max(versions, key=lambda text: [int(n) for n in text.split(".")])
            found[file] = f"{url}/csv?dataSetVersion={newest}"
    return found if set(found) == set(titles.values()) else {}


def latest(client: Client, site: str, publication: str) -> str:
    """Return the newest release of a publication, as the addresses of its pages name it."""
    url = f"{site}/publications/{publication}"
    content = ask(client, url)
    return str(field(field(content, "latestRelease", url), "slug", url))


def fetch_release(client: Client, entry: dict, cache: Path, *, at: Addresses) -> dict:
    """Download a release, or make sure that the one in the cache is still what is published.

    Parameters
    ----------
    client : Client
        As :func:`sources.connect` gives it.
    entry : dict
        Release, as `releases.yml` has it.
    cache : Path
        Folder of what was fetched; the file goes to the path below it that the entry gives.
    at : Addresses

    Returns
    -------
    dict
        ``path, sha256, bytes, parts``: what was downloaded for it, as :func:`fetch` describes it.

    Raises
    ------
    SourceError
        If it cannot be had.
    """
    path = entry["path"]
    ledger = _ledger(cache)
    known = {part["url"]: part for part in ledger.get(path, {}).get("parts", [])}

    def get(url: str, file: Path, kind: str, **options) -> dict:
        part = fetch(client, url, file, kind=kind, record=known.get(url), **options)
        known[url] = part
        return part

    if "query" in entry:
        parts = _fetch_population(cache / path, partial(get, kind="csv"), at.population)
    elif "slugs" in entry:
        parts = _fetch_published(client, entry, cache, get, at=at)
    elif "download" in entry:
        kind = "csv" if path.endswith(".csv") else Path(path).suffix.removeprefix(".")
        parts = [get(entry["download"], cache / path, kind)]
    else:
        raise SourceError(
            f"{path}: releases.yml has no address for it; fetch it by hand from {entry['url']}"
        )
    file = cache / path
    record = {"sha256": sha256(file), "bytes": file.stat().st_size, "parts": parts}
    ledger[path] = record
    new = cache / f"{LEDGER}.new"
    new.write_text(json.dumps(ledger, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    new.replace(cache / LEDGER)
    return {"path": path, **record}


def _ledger(cache: Path) -> dict:
    """What is known of the files in the cache."""
    file = cache / LEDGER
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _fetch_published(
    client: Client,
    entry: dict,
    cache: Path,
    get: Callable[[str, Path, str], dict],
    *,
    at: Addresses,
) -> list[dict]:
    """Download a release of the Department: from its API if that gives all, else its archive."""
    file, slugs = cache / entry["path"], entry["slugs"]
    folder = file.with_name(f"{file.stem}.parts")
    try:
        parts = {
            name: get(url, folder / f"{name}.csv", "csv", attempts=API_ATTEMPTS)
            for name, url in data_sets(client, at.api, entry).items()
        }
    except (TypeError, ValueError, AttributeError):  # whatever it is: the archive has it all
        parts = {}
    if parts:
        files = {_member(entry["files"][name]): folder / f"{name}.csv" for name in parts}
        _pack(files, file)
        return list(parts.values())
    url = (
        f"{at.site}/publications/{slugs['publication']}/releases/{slugs['release']}/version-summary"
    )
    version = field(ask(client, url), "id", url)
    archive = folder / "release.zip" if "unpack" in entry else file
    part = get(f"{at.site}/releases/{version}/files", archive, "zip")
    if "unpack" in entry:
        with zipfile.ZipFile(archive) as packed:
            if entry["unpack"] not in packed.namelist():
                raise SourceError(f"{part['url']}: the archive does not hold {entry['unpack']}")
            file.write_bytes(packed.read(entry["unpack"]))
    return [part]


def _fetch_population(file: Path, get: Callable[[str, Path], dict], address: str) -> list[dict]:
    """Download the mid-year estimates since the census, year by year, and join them."""
    folder = file.with_name(f"{file.stem}.parts")
    ages = ",".join(map(str, AGES))
    fixed = f"c_age={ages}&gender=0&measures=20100&select={','.join(HEADING).lower()}"

    def year_of(place: str, date: str) -> tuple[dict, list[list[str]]]:
        """Record of the download of a year, and its rows."""
        part = folder / f"{place}-{date}.csv"
        url = f"{address}?geography={place}&date={date}&{fixed}"
        try:
            record = get(url, part)
        except SourceError as fault:
            raise SourceError(str(fault).replace(ages, "200,101,102,…,191")) from None
        with part.open(encoding="utf-8-sig", newline="") as lines:
            heading, *rows = csv.reader(lines)
        if [name.strip().upper() for name in heading] != HEADING or not rows:
            raise SourceError(
                f"{record['url']}: has {len(rows):,} rows below the heading {','.join(heading)}, "
                f"and not rows below {','.join(HEADING)}; the layout is new, see docs/releases.md"
            )
        return record, rows

    places, nations = PLACES
    record, rows = year_of(places, "latest")
    last = rows[0][0].strip()
    if not last.isdigit():
        raise SourceError(f"{record['url']}: {last!r} is not a year")
    got = [(record, rows), year_of(nations, "latest")]
    got += [year_of(place, str(year)) for year in range(CENSUS, int(last)) for place in PLACES]
    with file.open("w", encoding="utf-8", newline="") as joined:
        writer = csv.writer(joined, lineterminator="\n")
        writer.writerow(HEADING)
        for _, rows in got:
            writer.writerows(rows)
    return [record for record, _ in got]


def _member(spec: dict) -> str:
    """Name that a file gets in an archive made here."""
    member = spec["member"]
    return member if isinstance(member, str) else member[0]


def _pack(files: dict[str, Path], file: Path) -> None:
    """Put files into one archive: the same files give the same bytes."""
    new = file.with_name(f"{file.name}.new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name].read_bytes())
    new.replace(file)
