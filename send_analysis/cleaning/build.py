"""Build every tidy table from the official releases, all or nothing."""

from __future__ import annotations

import gzip
import hashlib
import inspect
import json
import shutil
import tempfile
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

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
    hexagons,
    inspections,
    lait,
    nhs_children,
    nhs_mental_health,
    nhs_waits,
    places,
    population,
    series,
    tribunals,
)
from send_analysis.cleaning.layout import members, release, rules, sha256
from send_analysis.cleaning.standing import Standing
from send_analysis.disk import writable_folder
from send_analysis.errors import (
    DataError,
    LayoutError,
    MissingFileError,
    SendAnalysisError,
    unknown,
)

R = TypeVar("R")

# Each takes the folder of the releases (or `Standing`, which has it) and the table `areas`, and
# gives the tables named here; findings about the releases go into `quality`.
BUILDERS = {
    ehc_plans.caseload: ("ehc_plans", "ehc_plans_by_age", "placements"),
    ehc_plans.primary_need: ("primary_need",),
    ehc_plans.new_plans: ("new_plans", "new_plans_by_age", "new_plans_by_placement"),
    ehc_plans.ceased_plans: ("ceased_plans", "ceased_plans_by_age", "ceased_plans_by_setting"),
    ehc_plans.requests: ("requests",),
    ehc_plans.assessments: ("assessments",),
    ehc_plans.timeliness: ("timeliness",),
    ehc_plans.annual_reviews: ("annual_reviews",),
    population.build: ("population",),
    lait.build: ("pupils",),
    inspections.build: ("inspections",),
    tribunals.build: ("tribunals",),
    places.build: ("high_needs_places", "mainstream_places"),
    finance.build: ("high_needs_funding", "high_needs_spending", "dsg_deficits"),
    geography.build: ("neighbours",),
    hexagons.build: ("hexagons",),
    nhs_waits.build: ("nhs_waits", "nhs_area_links"),
    nhs_mental_health.build: ("mental_health_waits",),
    nhs_children.contacts: ("mental_health_contacts", "mental_health_spending"),
    nhs_children.first_contacts: ("mental_health_first_contacts",),
    nhs_children.autism: ("autism_referrals",),
}

# Written with every table: a new release can bring areas, and findings about it.
ALWAYS = ("areas", "area_codes", "quality", "series_breaks")


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes
    ----------
    written : list of str
        Tables written.
    kept : dict of str
        Why, by table, the others are what they were.
    """

    written: list[str]
    kept: dict[str, str]


def schemas() -> dict:
    """Return `schemas.yml`."""
    return rules("schemas.yml")


def build(
    source: Path, out: Path | None = None, *, only: Collection[str] = (), lenient: bool = False
) -> Built:
    """Rebuild the tidy tables from the official releases.

    Everything is written to a temporary folder first; `out` changes only if no release is faulty.
    Tables whose releases are not in `source` stay as they are in `out`, and so does what they have
    of older releases that are not there. A table in `out` that was made from a newer release than
    any in `source` stays as well.

    Parameters
    ----------
    source : Path
        Folder of the official releases (what `releases.yml` gives as paths are below it).
    out : Path, optional
        Where the tables go; the project's own `data` folder if not given.
    only : collection of str, optional
        Tables to write; `areas`, `area_codes` and `quality` are written with them. The others
        stay as they are in `out`. All if empty.
    lenient : bool, default False
        Whether tables also stay as they are where the layout of their release is not known.

    Raises
    ------
    DataError
        If a release is not as `releases.yml` and `schemas.yml` say.
    MissingFileError
        If there is no release for a table in `only`, or for any table at all.
    """
    source, out = Path(source), Path(out) if out is not None else tables.data_dir()
    if not source.is_dir():
        raise SendAnalysisError(f"{source} is not a folder of official releases")
    for name in only:
        if name not in schemas()["tables"]:
            raise unknown("table", name, schemas()["tables"], hint="See `send-analysis data list`.")
    standing = _standing(writable_folder(out))
    before = _before(standing, source, out)
    made, faults, used = _make(before, set(only), lenient)
    faults |= _check_against_standing(made, standing, source, out, lenient)
    lacking = [faults[name] for name in only if name in faults] or list(faults.values())
    if lacking and (only or not set(made) - {*ALWAYS}):
        raise lacking[0]
    for name in ("quality", "series_breaks"):
        if name in standing:
            file = out / standing[name]["path"]
            made[name] = _with_standing(name, made, file)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".build-") as folder:
        temporary = Path(folder)
        entries = [
            _sourced(
                _write(name, made[name], temporary), source,
                standing[name]["sources"] if name in used else [],
            )
            if name in made else standing[name]
            for name in schemas()["tables"]
            if name in made or name in standing
        ]  # fmt: skip
        (temporary / tables.DESCRIPTOR).write_text(_describe(entries), encoding="utf-8")
        put(temporary, out)
    tables.clear_cache()
    kept = {name: str(fault) for name, fault in faults.items()}
    return Built([name for name in schemas()["tables"] if name in made], kept)


class Made(NamedTuple):
    """What the builders gave."""

    tables: dict[str, pd.DataFrame]  # `quality` has the findings of all
    faults: dict[str, DataError]  # why, by table, others could not be made
    used: set[str]  # tables in which something of those that stand goes on


def _make(before: Standing, only: set[str], lenient: bool) -> Made:
    """Run the builders."""
    source, passing = before.source, (MissingFileError, *([LayoutError] if lenient else []))
    made, found, faults, whole = {}, [], {}, {}
    outdated = before.outdated()
    try:
        if outdated:
            raise outdated
        areas = _foreseen(geography.areas, before)
        made = {"areas": areas, "area_codes": geography.area_codes(areas)}
    except passing as fault:
        if "areas" not in before.entries:
            raise
        faults = dict.fromkeys(("areas", "area_codes"), fault)
        areas = before.read("areas")
    wanted = {make: names for make, names in BUILDERS.items() if not only or only & {*names}}
    for make, names in tqdm(wanted.items(), desc="Building tables", disable=None, leave=False):
        if outdated and any(map(series.known, schemas()["tables"][names[0]]["sources"])):
            faults |= dict.fromkeys(names, outdated)
            continue
        given = before if "standing" in inspect.signature(make).parameters else source
        try:
            parts = _foreseen(make, given, areas)
        except passing as fault:
            faults |= dict.fromkeys(names, fault)
            continue
        found.append(parts.pop("quality", None))
        for name, part in parts.items():
            made[name] = before.kept(name, part)
            years = before.years_of(name, part, made[name])
            whole |= {} if years is None else {name: years}
    found.append(comparability.findings(made, areas))
    witnessed = "pupils" in made and set(made) >= lait.TABLES  # the tool, and what to hold
    if witnessed:
        found.append(lait.check(source, areas, made))
    new = pd.concat([part for part in found if part is not None], ignore_index=True)
    made["quality"] = new
    if "quality" in before.entries:
        old = before.read("quality")
        stays = pd.Series(False, index=old.index)
        for name, years in whole.items():
            stays |= (old["table"] == name) & old["year"].isin(years)
        if not witnessed:
            stays |= lait.hold(old, made)
        old = old[stays].astype(new.dtypes[["published", "expected"]].to_dict())
        made["quality"] = pd.concat([old, new]).drop_duplicates(_key("quality"), keep="last")
    completeness.check_tables(made, areas, {name: _made_from(name) for name in made})
    made["series_breaks"] = comparability.breaks(made, areas, made["quality"])
    if only:
        made = {name: made[name] for name in made if name in {*only, *ALWAYS}}
    used = {*whole, *(ALWAYS if whole or any(map(before.absent, ALWAYS)) else [])}
    return Made(made, faults, used)


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


def _before(standing: dict[str, dict], source: Path, out: Path) -> Standing:
    """Tables that stand and have the columns that they would have now."""
    same = {
        name: entry
        for name, entry in standing.items()
        if list(fields(name)) == _columns(entry) and (out / entry["path"]).is_file()
    }
    return Standing(source, out, same)


def _is_there(release_name: str, source: Path) -> bool:
    """Say whether a release is at hand."""
    return (source / release(release_name)["path"]).is_file()


def _columns(entry: dict) -> list[str]:
    """Columns of a table that stands."""
    return [field["name"] for field in entry["schema"]["fields"]]


def _check_against_standing(
    made: dict[str, pd.DataFrame],
    standing: dict[str, dict],
    source: Path,
    out: Path,
    lenient: bool,
) -> dict[str, DataError]:
    """Refuse tables that lack a year or an authority which those in the folder have.

    A table that lacks them because a release is not at hand stays as it is instead: it is taken
    out of `made`, and the fault returned.
    """
    faults = {}
    for name in sorted((made.keys() & standing.keys()) - {*ALWAYS, *completeness.PARTIAL}):
        file = out / standing[name]["path"]
        columns = _columns(standing[name])
        # A table that is made otherwise than before is another table.
        same = columns == list(fields(name)) and _same_sources(standing[name], name)
        if same and {"area_code", "year"} <= set(columns) and file.is_file():
            used = [c for c in ("area_code", "year", "release") if c in columns]
            before = pd.read_csv(file, usecols=used, dtype="str", keep_default_na=False)
            try:
                completeness.check_against(
                    made[name], before, file=f"{name} (from {_made_from(name)})", standing=str(file)
                )
            except DataError as fault:
                sources = [entry["name"] for entry in standing[name]["sources"]]
                if not lenient and all(_is_there(entry, source) for entry in sources):
                    raise
                faults[name] = fault
                del made[name]
    return faults


def _same_sources(entry: dict, name: str) -> bool:
    """Say whether a table that stands was made from releases that it is made from now."""
    now = schemas()["tables"][name]["sources"]
    possible = {part for source in now for part in series.known(source) or [source]}
    fixed = {n for n in now if not series.known(n) and "query" not in release(n)}
    then = {source["name"] for source in entry["sources"]}
    return fixed <= then <= possible


def _with_standing(name: str, made: dict[str, pd.DataFrame], file: Path) -> pd.DataFrame:
    """What is said of the tables made now, and what was said of those that stay."""
    new, written = made[name], {*made, ""}
    numbers = {name: kind for name, kind in new.dtypes.items() if kind == "Float64"}
    standing = pd.read_csv(file, keep_default_na=False, na_values=dict.fromkeys(numbers, ""))
    stays = standing[~standing["table"].isin(written)].astype(numbers)
    both = pd.concat([stays, new[new["table"].isin(written)]], ignore_index=True)
    return both.drop_duplicates(_key(name), keep="last")


def _key(name: str) -> list[str]:
    """Columns that name a row of a table once."""
    return [schemas()["fields"][key].get("name", key) for key in schemas()["tables"][name]["key"]]


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
    key = _key(name)
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


def _sourced(resource: dict, source: Path, before: list[dict]) -> dict:
    """Say of a table which releases it was made from; of a series, those that are there.

    `before` are the sources of the table that some of its years come from.
    """
    then = {entry["name"]: entry for entry in before}
    names = []
    for name in resource["sources"]:
        names += reversed(series.known(name)) if series.known(name) else [name]
    sources = [
        _origin(name, source) if _is_there(name, source) else then[name]
        for name in names
        if _is_there(name, source) or name in then
    ]
    return resource | {"sources": sources}


def _origin(name: str, source: Path) -> dict:
    """Describe one release and pin its content: of an archive, the files in it that are read.

    The Department packs its archives anew every hour, with the same files in them.
    """
    entry = release(name)
    file = source / entry["path"]
    pins: dict = {"sha256": sha256(file)}
    if "query" in entry:
        pins["published"] = population.published(file)
    if file.suffix == ".zip":
        inside = members(file, entry)
        listed = "".join(f"{digest}  {member}\n" for member, digest in inside.items())
        pins = {"sha256": sha256(listed.encode("utf-8")), "members": inside}
    return {
        "name": name,
        "title": entry["title"],
        "publisher": entry["publisher"],
        "published": entry["published"],
        "path": entry["url"],
        "file": entry["path"],
        "licence": entry["licence"],
        **pins,
    }


def _under(licence: str, described: list[dict]) -> str:
    """Name the tables that have a source under a licence."""
    used = [it["name"] for it in described if licence in tables.licences(it["sources"])]
    return f"table{'s' if len(used) > 1 else ''} {', '.join(used)}"


def _describe(described: list[dict]) -> str:
    """Return the Data Package descriptor."""
    licences = [
        {
            "name": "OGL-UK-3.0",
            "title": "Open Government Licence v3.0",
            "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            "covers": "public sector information",
        },
        {
            "name": "OPL-UK-3.0",
            "title": "Open Parliament Licence v3.0",
            "path": "https://www.parliament.uk/site-information/copyright-parliament/"
            "open-parliament-licence/",
            "covers": "Parliamentary information",
        },
        {
            "name": "MIT",
            "title": "MIT licence",
            "path": "https://opensource.org/license/mit",
            "covers": "a summary of inspection reports by Data to Insight",
        },
    ]
    package = {
        "name": "send-analysis",
        "title": "SEND services in England: tidy tables from official releases",
        "profile": "tabular-data-package",
        "description": " ".join(
            f"Contains {it['covers']} licensed under the {it['title']}"
            + (f" ({_under(it['name'], described)})." if it is not licences[0] else ".")
            for it in licences
        ),
        "licenses": licences,
        "first_published": rules("releases.yml")["first_published"],
        "resources": described,
    }
    return json.dumps(package, indent=1, ensure_ascii=False) + "\n"
