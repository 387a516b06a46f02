"""Build every tidy table from the official releases, all or nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

import pandas as pd
from tqdm import tqdm

from send_analysis import tables
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import (
    comparability,
    completeness,
    ehc_plans,
    finance,
    geography,
    inspections,
    lait,
    nhs_mental_health,
    nhs_waits,
    places,
    population,
    series,
    tribunals,
    witnesses,
)
from send_analysis.cleaning.layout import release, rules
from send_analysis.errors import DataError, MissingFileError, SendAnalysisError, unknown
from send_analysis.files import writable_folder

R = TypeVar("R")

# Each takes the folder of the releases and the table `areas`, and gives tables by name; findings
# about the releases go into `quality`.
BUILDERS = (
    ehc_plans.build,
    population.build,
    lait.build,
    inspections.build,
    tribunals.build,
    places.build,
    finance.build,
    geography.build,
    nhs_waits.build,
    nhs_mental_health.build,
)

# Written with every table: a new release can bring areas, and findings about it.
ALWAYS = ("areas", "area_codes", "quality", "series_breaks")


def schemas() -> dict:
    """Return `schemas.yml`."""
    return rules("schemas.yml")


def build(
    source: Path, out: Path | None = None, *, only: Collection[str] = (), keep: bool = False
) -> list[str]:
    """Rebuild the tidy tables from the official releases.

    Everything is written to a temporary folder first; `out` changes only if all tables were
    built.

    Parameters
    ----------
    source : Path
        Folder of the official releases (what `releases.yml` gives as paths are below it).
    out : Path, optional
        Where the tables go; the project's own `data` folder if not given.
    only : collection of str, optional
        Tables to write; `areas`, `area_codes` and `quality` are written with them. The others
        stay as they are in `out`. All if empty.
    keep : bool, default False
        Leave tables whose releases are not in `source` as they are in `out`, instead of refusing.

    Returns
    -------
    list of str
        Names of the tables written.

    Raises
    ------
    DataError
        If a release is not as `releases.yml` and `schemas.yml` say.
    """
    source, out = Path(source), Path(out) if out is not None else tables.data_dir()
    if not source.is_dir():
        raise SendAnalysisError(f"{source} is not a folder of official releases")
    for name in only:
        if name not in schemas()["tables"]:
            raise unknown("table", name, schemas()["tables"], hint="See `send-analysis data list`.")
    standing = _standing(writable_folder(out))
    made = _make(source, keep)
    if only:
        made = {name: made[name] for name in made if name in {*only, *ALWAYS}}
    _check_against_standing(made, standing, out)
    old = standing if only or keep else {}
    for name in ("quality", "series_breaks"):
        if name in old:
            made[name] = _with_standing(made[name], set(made), out / old[name]["path"])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".build-") as folder:
        temporary = Path(folder)
        entries = [
            _sourced(_write(name, made[name], temporary), source) if name in made else old[name]
            for name in schemas()["tables"]
            if name in made or name in old
        ]
        (temporary / tables.DESCRIPTOR).write_text(_describe(entries), encoding="utf-8")
        put(temporary, out)
    tables.clear_cache()
    return [name for name in schemas()["tables"] if name in made]


def _make(source: Path, keep: bool) -> dict[str, pd.DataFrame]:
    """Run the builders; findings of all of them become the table `quality`."""
    areas = _foreseen(geography.areas, source)
    made, found = {"areas": areas, "area_codes": geography.area_codes(areas)}, []
    for builder in tqdm(BUILDERS, desc="Building tables", disable=None, leave=False):
        try:
            parts = _foreseen(builder, source, areas)
        except MissingFileError:
            if not keep:
                raise
            continue
        found.append(parts.pop("quality", None))
        made |= parts
    found.append(comparability.findings(made, areas))
    if "pupils" in made and set(made) >= witnesses.TABLES:  # the tool is there, and what to hold
        found.append(witnesses.check(source, areas, made))
    made["quality"] = pd.concat([part for part in found if part is not None], ignore_index=True)
    completeness.check_tables(made, areas, {name: _made_from(name) for name in made})
    made["series_breaks"] = comparability.breaks(made, areas, made["quality"])
    return made


def _foreseen(read: Callable[..., R], *arguments: object) -> R:
    """Read releases; a fault that no rule foresaw says where it came up, and is one line too."""
    try:
        return read(*arguments)
    except SendAnalysisError:
        raise
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        raise DataError(
            f"a fault that no rule here foresaw ({type(error).__name__}: {error}; "
            f"{Path(at.filename).name}, line {at.lineno}); compare the releases that it reads with "
            "those of the year before",
            file=read.__module__.rsplit(".", 1)[-1],
        ) from error


def _made_from(name: str) -> str:
    """Say which releases a table is made from."""
    return ", ".join(schemas()["tables"][name]["sources"])


def _standing(out: Path) -> dict[str, dict]:
    """Entries of the descriptor that is in a folder now, by table."""
    if not (out / tables.DESCRIPTOR).is_file():
        return {}
    return {
        entry["name"]: entry
        for entry in tables.read_descriptor(out)["resources"]
        if entry["name"] in schemas()["tables"]
    }


def _check_against_standing(
    made: dict[str, pd.DataFrame], standing: dict[str, dict], out: Path
) -> None:
    """Refuse tables that lack a year or an authority which those in the folder have."""
    for name in sorted((made.keys() & standing.keys()) - {*ALWAYS, *completeness.PARTIAL}):
        file = out / standing[name]["path"]
        columns = [field["name"] for field in standing[name]["schema"]["fields"]]
        # A table that is made otherwise than before is another table.
        same = columns == list(fields(name)) and _same_sources(standing[name], name)
        if same and {"area_code", "year"} <= set(columns) and file.is_file():
            used = [c for c in ("area_code", "year", "release") if c in columns]
            before = pd.read_csv(file, usecols=used, dtype="str", keep_default_na=False)
            completeness.check_against(
                made[name], before, file=f"{name} (from {_made_from(name)})", standing=str(file)
            )


def _same_sources(entry: dict, name: str) -> bool:
    """Say whether a table that stands was made from releases that it is made from now."""
    now = schemas()["tables"][name]["sources"]
    possible = {part for source in now for part in series.known(source) or [source]}
    fixed = {source for source in now if not series.known(source)}
    then = {source["name"] for source in entry["sources"]}
    return fixed <= then <= possible


def _with_standing(new: pd.DataFrame, made: set[str], file: Path) -> pd.DataFrame:
    """What is said about the tables made now, and what was said about tables that stay."""
    numbers = {name: kind for name, kind in new.dtypes.items() if kind == "Float64"}
    standing = pd.read_csv(file, keep_default_na=False, na_values=dict.fromkeys(numbers, ""))
    standing = standing[~standing["table"].isin(made | {""})]
    rows = new[new["table"].isin(made | {""})]
    return pd.concat([standing.astype(numbers), rows], ignore_index=True)


def put(new: Path, out: Path) -> None:
    """Move every file of a folder over those of another; put the old ones back if one fails."""
    with tempfile.TemporaryDirectory(dir=out, prefix=".before-") as folder:
        before = Path(folder)
        files = sorted(file.name for file in new.iterdir())
        for name in files:
            if (out / name).is_file():
                shutil.copy2(out / name, before / name)
        done = []
        try:
            for name in files:
                done.append(name)
                (new / name).replace(out / name)
        except BaseException:
            for name in done:
                if (before / name).is_file():
                    (before / name).replace(out / name)
                else:
                    (out / name).unlink(missing_ok=True)
            raise


def fields(name: str) -> dict[str, dict]:
    """Return the fields of a table by column name, in order, as `schemas.yml` describes them."""
    known = schemas()["fields"]
    return {known[key].get("name", key): known[key] for key in schemas()["tables"][name]["columns"]}


def _collected(frame: pd.DataFrame, value: str, key: list[str]) -> pd.DataFrame:
    """Leave out categories without a figure for England that year: they were not collected."""
    category = [column for column in key if column != "area_code"]
    national = frame[(frame["area_code"] == ENGLAND) & frame[value].isna()]
    return frame[
        ~pd.MultiIndex.from_frame(frame[category]).isin(
            pd.MultiIndex.from_frame(national[category])
        )
    ]


def _write(name: str, frame: pd.DataFrame, folder: Path) -> dict:
    """Write one table in the order of its key, and describe it."""
    spec, columns = schemas()["tables"][name], fields(name)
    key = [schemas()["fields"][column].get("name", column) for column in spec["key"]]
    values = [
        column for column, field in columns.items() if field.get("unit") and column not in key
    ]
    if "missing" in columns and "area_code" in columns and len(key) > 1 and values:
        frame = _collected(frame, values[0], key)
    frame = frame[list(columns)]
    again = frame.duplicated(key)
    if again.any():
        twice = frame.loc[again, key].iloc[0].to_dict()
        raise _not_as_described(name, None, f"two rows for {twice}")
    order = {}
    for column, field in columns.items():
        if field["type"] == "integer":
            broken = (frame[column] % 1 != 0).fillna(False)
            if broken.any():
                value = frame.loc[broken, column].iloc[0]
                raise _not_as_described(name, column, f"{value} is not a whole number")
            frame = frame.assign(**{column: frame[column].astype("Int64")})
        if "values" in field:
            strange = ~frame[column].isin(field["values"])
            if strange.any():
                value = frame.loc[strange, column].iloc[0]
                problem = f"{value!r} is not among the values that schemas.yml lists"
                raise _not_as_described(name, column, problem)
            order[column] = field["values"]
        if "minimum" in field and (frame[column] < field["minimum"]).any():
            value = frame[column].min()
            raise _not_as_described(name, column, f"{value} is below {field['minimum']}")
    place = {
        c: frame[c].map({v: i for i, v in enumerate(vs)}) for c, vs in order.items() if c in key
    }
    frame = frame.assign(**place).sort_values(key).assign(**{c: frame[c] for c in place})
    text = frame.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")
    content = text.encode("utf-8")
    path = f"{name}.csv"
    if spec.get("compressed"):
        # No time stamp within, so that the same rows are the same bytes.
        path, content = f"{name}.csv.gz", gzip.compress(content, mtime=0)
    (folder / path).write_bytes(content)
    years = [int(frame["year"].min()), int(frame["year"].max())] if "year" in columns else []
    return {
        "name": name,
        "title": spec["title"],
        **({"counts": spec["counts"]} if "counts" in spec else {}),
        "path": path,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "rows": len(frame),
        "years": years,
        "sources": spec["sources"],
        "schema": {
            "fields": [_field(column, field, column in key) for column, field in columns.items()],
            "primaryKey": key,
            "missingValues": [""],
        },
    }


def _not_as_described(name: str, column: str | None, problem: str) -> DataError:
    """Refuse a table that is not as `schemas.yml` says, naming the releases it is made from."""
    return DataError(
        f"{problem}; compare with the releases that it is made from ({_made_from(name)})",
        file=f"{name}.csv",
        column=column,
    )


def _field(name: str, field: dict, in_key: bool) -> dict:
    """Describe one field in the terms of Table Schema."""
    constraints = {}
    if field.get("required") or (in_key and field["type"] != "string"):
        constraints["required"] = True
    if "minimum" in field:
        constraints["minimum"] = field["minimum"]
    if "values" in field:
        constraints["enum"] = field["values"]
    out = {"name": name, "type": field["type"], "description": field["description"]}
    if "unit" in field:
        out["unit"] = field["unit"]
    out |= {key: field[key] for key in ("wording", "definitions", "within") if key in field}
    return out | ({"constraints": constraints} if constraints else {})


def _sourced(resource: dict, source: Path) -> dict:
    """Say of a table which releases it was made from; of a series, those that are there."""
    names = []
    for name in resource["sources"]:
        in_series = series.known(name)
        names += reversed(series.present(source, name)) if in_series else [name]
    # Only the findings are made without one of their releases, where that is kept as it was.
    names = [name for name in names if (source / release(name)["path"]).is_file()]
    return resource | {"sources": [_origin(name, source) for name in names]}


def _origin(name: str, source: Path) -> dict:
    """Describe one release and pin its content."""
    entry = release(name)
    content = (source / entry["path"]).read_bytes()
    return {
        "name": name,
        "title": entry["title"],
        "publisher": entry["publisher"],
        "published": entry["published"],
        "path": entry["url"],
        "file": entry["path"],
        "licence": entry["licence"],
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _describe(described: list[dict]) -> str:
    """Return the Data Package descriptor."""
    licences = {
        "OGL-UK-3.0": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
    }
    package = {
        "name": "send-analysis",
        "title": "SEND services in England: tidy tables from official releases",
        "profile": "tabular-data-package",
        "description": "Contains public sector information licensed under the Open Government "
        "Licence v3.0.",
        "licenses": [{"name": name, "path": path} for name, path in licences.items()],
        "first_published": rules("releases.yml")["first_published"],
        "resources": described,
    }
    return json.dumps(package, indent=1, ensure_ascii=False) + "\n"
