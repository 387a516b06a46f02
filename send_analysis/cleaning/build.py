"""Build every tidy table from the official releases, all or nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path

import pandas as pd
import yaml
from tqdm import tqdm

from send_analysis import tables
from send_analysis.cleaning import (
    ehc_plans,
    finance,
    geography,
    inspections,
    lait,
    nhs_waits,
    places,
    population,
    tribunals,
)
from send_analysis.cleaning.reading import ENGLAND, release
from send_analysis.errors import DataError, SendAnalysisError

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
)


@cache
def schemas() -> dict:
    """Return `schemas.yml` as it stands in the package."""
    text = resources.files("send_analysis.cleaning").joinpath("schemas.yml").read_text("utf-8")
    return yaml.safe_load(text)


def build(source: Path, out: Path | None = None) -> list[str]:
    """Rebuild the tidy tables from the official releases.

    Everything is written to a temporary folder first; `out` changes only if all tables were
    built.

    Parameters
    ----------
    source : Path
        Folder of the official releases (what `releases.yml` gives as paths are below it).
    out : Path, optional
        Where the tables go; the project's own `data` folder if not given.

    Returns
    -------
    list of str
        Names of the tables.

    Raises
    ------
    DataError
        If a release is not as `releases.yml` and `schemas.yml` say.
    """
    source, out = Path(source), Path(out) if out is not None else tables.data_dir()
    if not source.is_dir():
        raise SendAnalysisError(f"{source} is not a folder of official releases")
    made = _make(source)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".build-") as folder:
        temporary = Path(folder)
        resources_ = [_write(name, made[name], temporary) for name in schemas()["tables"]]
        descriptor = temporary / tables.DESCRIPTOR
        descriptor.write_text(_describe(resources_, source), encoding="utf-8")
        for file in sorted(temporary.iterdir()):
            file.replace(out / file.name)
    tables.clear_cache()
    return list(schemas()["tables"])


def _make(source: Path) -> dict[str, pd.DataFrame]:
    """Run the builders; findings of all of them become the table `quality`."""
    areas = geography.areas(source)
    made, found = {"areas": areas}, []
    for builder in tqdm(BUILDERS, desc="Building tables", disable=None, leave=False):
        parts = builder(source, areas)
        found.append(parts.pop("quality", None))
        made |= parts
    made["quality"] = pd.concat([part for part in found if part is not None], ignore_index=True)
    return made


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
        raise DataError(
            f"two rows for {frame.loc[again, key].iloc[0].to_dict()}", file=f"{name}.csv"
        )
    order = {}
    for column, field in columns.items():
        if field["type"] == "integer":
            frame = frame.assign(**{column: frame[column].astype("Int64")})
        if "values" in field:
            strange = ~frame[column].isin(field["values"])
            if strange.any():
                raise DataError(
                    f"{frame.loc[strange, column].iloc[0]!r} is not among the values "
                    "that schemas.yml lists",
                    file=f"{name}.csv",
                    column=column,
                )
            order[column] = field["values"]
        if "minimum" in field and (frame[column] < field["minimum"]).any():
            raise DataError(f"a value below {field['minimum']}", file=f"{name}.csv", column=column)
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
    return out | ({"constraints": constraints} if constraints else {})


def _describe(resources_: list[dict], source: Path) -> str:
    """Return the Data Package descriptor: each table with the releases it was made from."""
    licences = {
        "OGL-UK-3.0": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
    }
    used = {name for resource in resources_ for name in resource["sources"]}
    sources = {}
    for name in sorted(used):
        entry = release(name)
        content = (source / entry["path"]).read_bytes()
        sources[name] = {
            "name": name,
            "title": entry["title"],
            "publisher": entry["publisher"],
            "published": entry["published"],
            "path": entry["url"],
            "file": entry["path"],
            "licence": entry["licence"],
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    for resource in resources_:
        resource["sources"] = [sources[name] for name in resource["sources"]]
    package = {
        "name": "send-analysis",
        "title": "SEND services in England: tidy tables from official releases",
        "profile": "tabular-data-package",
        "description": "Contains public sector information licensed under the Open Government "
        "Licence v3.0.",
        "licenses": [{"name": name, "path": path} for name, path in licences.items()],
        "resources": resources_,
    }
    return json.dumps(package, indent=1, ensure_ascii=False) + "\n"
