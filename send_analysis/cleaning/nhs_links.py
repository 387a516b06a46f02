"""Which NHS boards, and which local branches of them, serve which local authority."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis.areas import fold
from send_analysis.cleaning import reading
from send_analysis.cleaning.nhs_sheets import rules
from send_analysis.errors import DataError, nearest

BASES = {
    "only": "the Department's link: its only board",
    "first": "the Department's link: the first of several boards, by name and number of local "
    "branches",
    "further": "the Department's link: a further board; what part of the area it holds is not said",
    "own": "the Department's link: a branch of this authority alone",
    "shared": "the Department's link: a branch that holds other authorities, or parts of them, too",
}
DIVIDED = "; made for the authority before or after its boundaries changed"
COLUMNS = ["area_code", "level", "organisation_code", "rank", "basis", "named"]


def nhs_area_links(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Link every local authority to its boards and to their local branches.

    The Department's own link names the local branches (former clinical commissioning groups) that
    an authority's residents are in, and their boards. An authority that it does not know, because
    boundaries changed, has the links of those it shares its ground with.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    areas : DataFrame
        The table `areas`.

    Returns
    -------
    DataFrame
        ``area_code, level`` (provider, icb or sub_icb), ``organisation_code, rank`` (1 is the
        board that holds most of the area, as far as names and numbers of branches say), ``basis``
        (one of ``BASES``, or how a provider is known), ``named`` (the branches).

    Raises
    ------
    DataError
        If a name is no authority's, a branch is not in the look-up of branches, or the two name
        different boards for it.
    """
    local = areas[areas["level"] == "local authority"]
    links = _of_every_area(_branches(root, local), local)
    newest = set(local.loc[local["last_year"] == local["last_year"].max(), "area_code"])
    now = links[links["area_code"].isin(newest)]
    count = now.groupby("organisation_code")["area_code"].nunique()
    sharing = links["organisation_code"].map(count)
    branches = links.assign(
        level="sub_icb",
        rank=links.groupby("area_code").cumcount() + 1,
        basis=sharing.gt(1).map({True: BASES["shared"], False: BASES["own"]}),
    )
    boards = _boards(links)
    providers = pd.DataFrame(rules()["area_providers"]).assign(
        level="provider", named="", rank=1, divided=False
    )
    out = pd.concat([branches, boards, providers], ignore_index=True)
    return out.assign(basis=out["basis"].where(~out["divided"], out["basis"] + DIVIDED))[COLUMNS]


def _branches(root: Path, local: pd.DataFrame) -> pd.DataFrame:
    """Read the Department's link: ``name`` of the area folded, branch, its name, and its board."""
    frame = reading.read_csv(root, reading.release("nhs_area_links_2024")["path"])
    reading.require_columns(frame, ["la_name", "icb_name", "nhs_code", "nhs_name"])
    reading.require_unique(frame, ["la_name", "nhs_code"])
    file = frame.attrs["file"]
    name = frame["la_name"].map(fold)
    strange = ~name.isin(local["area"].map(fold))
    if strange.any():
        text = frame.loc[strange, "la_name"].iloc[0]
        near = ", ".join(nearest(text, local["area"])) or "none"
        raise DataError(
            f"no authority is called {text!r}; nearest names: {near}. Correct the name",
            file=file,
            column="la_name",
            row=int(strange.idxmax()) + 2,
        )
    known = reading.read_csv(root, reading.release("nhs_boards_2022")["path"])
    reading.require_columns(known, ["SICBL22CDH", "ICB22CDH", "ICB22NM"])
    reading.require_unique(known, ["SICBL22CDH"])
    known = known.set_index("SICBL22CDH")
    board = frame["nhs_code"].map(known["ICB22NM"])
    same = (
        board.str.removesuffix(" Integrated Care Board").str.casefold()
        == frame["icb_name"].str.removesuffix(" ICB").str.casefold()
    )
    if not same.all():
        row = frame[~same].iloc[0]
        raise DataError(
            f"{row['nhs_name']} ({row['nhs_code']}) is said to be in {row['icb_name']}; the "
            f"look-up of branches has {board[row.name]}. Compare with the publishers' files",
            file=file,
            column="icb_name",
            row=int(row.name) + 2,
        )
    return pd.DataFrame({
        "name": name, "organisation_code": frame["nhs_code"], "named": frame["nhs_name"],
        "board": frame["nhs_code"].map(known["ICB22CDH"]),
    })  # fmt: skip


def _of_every_area(branches: pd.DataFrame, local: pd.DataFrame) -> pd.DataFrame:
    """Branches of each authority; one that the link lacks takes those on its own ground."""
    named = local.assign(name=local["area"].map(fold))[["area_code", "name", "footprint"]]
    found = named.merge(branches, on="name").assign(divided=False)
    rest = named[~named["area_code"].isin(found["area_code"])]
    taken = rest.drop(columns="name").merge(found.drop(columns="area_code"), on="footprint")
    taken = taken.drop_duplicates(["area_code", "organisation_code"]).assign(divided=True)
    return pd.concat([found, taken], ignore_index=True).drop(columns="footprint")


def _boards(links: pd.DataFrame) -> pd.DataFrame:
    """Boards of each authority: first those whose branches carry its name, then by their number."""
    folded = links["named"].map(fold)
    carries = [name in text for name, text in zip(links["name"], folded, strict=True)]
    group = links.assign(carries=carries).groupby(["area_code", "board"], sort=False)
    out = group.agg(
        named=("named", "; ".join), carries=("carries", "max"), count=("named", "size"),
        divided=("divided", "first"),
    ).reset_index()  # fmt: skip
    out = out.sort_values(
        ["area_code", "carries", "count"], ascending=[True, False, False], kind="stable"
    )
    rank = out.groupby("area_code").cumcount() + 1
    several = out.groupby("area_code")["board"].transform("size") > 1
    kind = several.map({True: "first", False: "only"}).mask(rank > 1, "further")
    return out.rename(columns={"board": "organisation_code"}).assign(
        level="icb", rank=rank, basis=kind.map(BASES)
    )
