"""Which NHS board serves which local authority, as far as official look-ups name them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from send_analysis.areas import ENGLAND
from send_analysis.cleaning import area_names, reading
from send_analysis.cleaning.nhs_sheets import rules

BASES = {
    1: "board or its local branch named after the area",
    2: "board or its local branch named after districts or parts of the area",
    3: "NHS region of the same name",
    4: "none: England alone",
}


def nhs_area_links(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Link every local authority to the NHS organisations that the look-ups tie it to.

    There is no look-up of local authorities to integrated care boards among the official files.
    What there is names the boards, and their local branches after the clinical commissioning
    groups they replaced: an area is linked where one of these carries its name, or the name of
    its districts. An area that no board is named after is linked to the NHS region of the same
    name as its own, else to England: its board is not guessed.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    areas : DataFrame
        The table `areas`.

    Returns
    -------
    DataFrame
        ``area_code, level`` (provider, icb, region or england), ``organisation_code, basis`` (one
        of ``BASES``, or how a provider is known), ``named`` (what carries the area's name). Several
        rows where an area lies in several boards.
    """
    places = _places(root)
    local = areas[areas["level"] == "local authority"]
    names = _names(local.set_index("area_code")["area"])
    districts = _names(_districts(root, areas), taken=set(names))
    direct = _mentions(places, names).assign(rank=1)
    unnamed = local[~local["area_code"].isin(direct["area_code"])].set_index("area_code")["area"]
    counties = _names(unnamed.map(_county))
    found = pd.concat(
        [
            direct,
            _mentions(places, districts).assign(rank=2),
            _mentions(places, counties).assign(rank=2),
        ]
    )
    found = found[found["area_code"].isin(local["area_code"])]
    found = found.sort_values(["area_code", "organisation_code", "rank"], kind="stable")
    found = found.drop_duplicates(["area_code", "organisation_code"]).assign(level="icb")
    rest = local[~local["area_code"].isin(found["area_code"])]
    regions = places[places["level"] == "region"].set_index("place")["organisation_code"]
    parent = areas.set_index("area_code")["area"]
    own = rest["region_code"].map(parent).map(_plain)
    upper = pd.DataFrame(
        {
            "area_code": rest["area_code"],
            "organisation_code": own.map(regions).fillna(ENGLAND),
            "named": rest["region_code"].map(parent),
        }
    )
    known = upper["organisation_code"] != ENGLAND
    upper = upper.assign(
        rank=known.map({True: 3, False: 4}), level=known.map({True: "region", False: "england"})
    )
    out = pd.concat([found, upper]).assign(basis=lambda d: d["rank"].map(BASES))
    providers = pd.DataFrame(rules()["area_providers"]).assign(level="provider", named="")
    columns = ["area_code", "level", "organisation_code", "basis", "named"]
    return pd.concat([out[columns], providers[columns]], ignore_index=True)


def _plain(name: str) -> str:
    """Bring a place name to the form in which names are compared."""
    text = re.sub(r", (city|county) of$", "", name.casefold())
    text = re.sub(r"[-,.]", " ", text.replace("&", "and"))
    text = rules()["place_names"].get(" ".join(text.split()), text)
    return " ".join(text.split())


def _county(name: str) -> str:
    """Name of the county that a split authority was part of."""
    plain = _plain(name)
    county = re.sub(r"^(north|south|east|west|central)\s+|\s+(east|west)$", "", plain)
    return rules()["counties"].get(plain, county)


def _places(root: Path) -> pd.DataFrame:
    """Names of boards, of their local branches and of regions, with the NHS code of each."""
    branches = reading.read_csv(root, reading.release("nhs_boards_2022")["path"])
    reading.require_columns(
        branches, ["SICBL22CDH", "ICB22CDH", "ICB22NM", "NHSER22CDH", "NHSER22NM"]
    )
    groups = reading.read_csv(root, reading.release("nhs_groups_2021")["path"])
    reading.require_columns(groups, ["CCG21CDH", "CCG21NM"])
    named = branches.merge(groups, left_on="SICBL22CDH", right_on="CCG21CDH")
    parts = {
        "branch": named[["CCG21NM", "ICB22CDH"]],
        "icb": branches[["ICB22NM", "ICB22CDH"]],
        "region": branches[["NHSER22NM", "NHSER22CDH"]],
    }
    out = pd.concat(
        [
            part.set_axis(["name", "organisation_code"], axis=1).assign(level=level)
            for level, part in parts.items()
        ]
    ).drop_duplicates()
    place = out["name"].str.replace(r"^NHS | CCG$| Integrated Care Board$", "", regex=True)
    return out.assign(place=place.map(_plain)).reset_index(drop=True)


def _districts(root: Path, areas: pd.DataFrame) -> pd.Series:
    """District names, indexed by the authority above them."""
    entry = reading.release("districts_2022")
    frame = reading.read_csv(root, entry["path"])
    reading.require_columns(frame, ["LTLA22NM", "LTLA22CD", "UTLA22CD", "UTLA22NM"])
    below = frame[frame["LTLA22CD"] != frame["UTLA22CD"]]
    code = area_names.coded(below["UTLA22CD"], below["UTLA22NM"], areas, file=frame.attrs["file"])
    return below.set_index(code)["LTLA22NM"]


def _names(names: pd.Series, *, taken: set[str] = frozenset()) -> dict[str, list[str]]:
    """Comparable name to the areas it may mean; names that belong to others are left out."""
    out: dict[str, list[str]] = {}
    for code, name in names.map(_plain).items():
        if name not in taken:
            out.setdefault(name, []).append(code)
    return out


def _mentions(places: pd.DataFrame, names: dict[str, list[str]]) -> pd.DataFrame:
    """Boards and branches whose name holds one of ``names``; the longest name wins."""
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b")
    boards = places[places["level"] != "region"]
    hits = boards.assign(hit=boards["place"].map(pattern.findall)).explode("hit").dropna()
    hits = hits.assign(area_code=hits["hit"].map(names)).explode("area_code")
    return hits[["area_code", "organisation_code", "name"]].rename(columns={"name": "named"})
