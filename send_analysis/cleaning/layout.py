"""What `releases.yml` says of a release, and how a file's own words become the words used here."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from copy import deepcopy
from fnmatch import fnmatch
from functools import cache
from importlib import resources
from pathlib import Path

import yaml


@cache
def rules(file: str) -> dict:
    """Return a YAML file of this folder as it stands in the package; not to be changed."""
    text = resources.files("send_analysis.cleaning").joinpath(file).read_text("utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def specification() -> dict:
    """Return `releases.yml`."""
    return rules("releases.yml")


@cache
def release(name: str) -> dict:
    """Return one release's entry of `releases.yml`, with what it takes from the one it is like."""
    entry = _entry(name)
    return _dated(entry) if "year" in entry else entry


def _entry(name: str) -> dict:
    """Return an entry before its year is put into the names of columns."""
    entry = specification()["releases"][name]
    return _merged(_entry(entry["like"]), entry) if "like" in entry else entry


def _merged(base: dict, changes: dict) -> dict:
    """Lay changes over a base, at any depth; null takes an entry away."""
    out = deepcopy(base)
    for key, value in changes.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = _merged(out[key], value)
        else:
            out[key] = value
    return out


def _dated(entry: dict) -> dict:
    """Put the calendar year of the release's newest flows where a column name has it."""
    flows = str(entry["year"] - 1)
    files = {
        name: file
        | {"values": {c.replace("{flow_year}", flows): v for c, v in file["values"].items()}}
        if "values" in file
        else file
        for name, file in entry["files"].items()
    }
    return entry | {"files": files}


def find_member(member: str | list[str], names: Iterable[str]) -> str | None:
    """Return the first of an archive's names that fits; None if none does."""
    names = sorted(names)
    wanted = [member] if isinstance(member, str) else member
    return next((n for pattern in wanted for n in names if fnmatch(n, pattern)), None)


def sha256(content: Path | bytes) -> str:
    """SHA-256 of a file or of bytes, in hexadecimal."""
    content = content if isinstance(content, bytes) else content.read_bytes()
    return hashlib.sha256(content).hexdigest()


def members(file: Path, entry: dict) -> dict[str, str]:
    """SHA-256 of each file in an archive that an entry of `releases.yml` reads."""
    with zipfile.ZipFile(file) as archive:
        names = {
            find_member(spec["member"], archive.namelist()) for spec in entry["files"].values()
        }
        return {name: sha256(archive.read(name)) for name in sorted(names - {None})}


def parts(column: str, columns: Iterable[str]) -> list[str]:
    """Columns of a file that make up a column of `releases.yml`.

    Parameters
    ----------
    column : str
        Name in `releases.yml`.
    columns : iterable of str
        Names in the file. Capitals do not matter.

    Returns
    -------
    list of str
        One name; several where the file splits the column (they add up to it); the name itself
        if the file has neither it nor a synonym.
    """
    there = {name.casefold(): name for name in columns}
    for way in [column, *specification()["synonyms"]["columns"].get(column, [])]:
        found = [there.get(part.strip().casefold()) for part in way.split("+")]
        if None not in found:
            return found
    return [column]


def topic_words(topics: Iterable[str], labels: Iterable[str]) -> dict[str, str]:
    """Labels of a file that mean one of `topics` in other words, and which."""
    labels = set(labels)
    synonyms = specification()["synonyms"]["topics"]
    out = {}
    for topic in topics:
        if topic not in labels:
            other = next((word for word in synonyms.get(topic, []) if word in labels), None)
            if other is not None:
                out[other] = topic
    return out


def unread(columns: Iterable[str], read: Iterable[str]) -> list[str]:
    """Columns of a file that are neither read nor listed in `releases.yml` as left out."""
    read = set(read)
    patterns = [pattern.casefold() for pattern in specification()["left_out"]]
    return [
        column
        for column in columns
        if column not in read
        and not any(fnmatch(column.casefold(), pattern) for pattern in patterns)
    ]
