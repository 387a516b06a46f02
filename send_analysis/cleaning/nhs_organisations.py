"""Organisations of the NHS: codes, names, which is counted into which, and which serve an area."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis.areas import ENGLAND, fold
from send_analysis.cleaning import reading
from send_analysis.cleaning.nhs_sheets import rules
from send_analysis.errors import DataError, nearest

_CELL = ["band", "age_group", "service"]


def name_organisations(cells: pd.DataFrame) -> pd.DataFrame:
    """Give every row a code and every code one name.

    Codes come from the months that print them. The name is the newest, so that a renamed
    organisation is one organisation; where the newest is printed in capitals alone, it is written
    as an earlier month wrote it, else in ordinary letters by rule.

    Parameters
    ----------
    cells : DataFrame
        Months as published, with the column ``source`` (file).

    Returns
    -------
    DataFrame
        The same rows without ``source``; ``organisation_code`` and ``organisation`` filled.

    Raises
    ------
    DataError
        If a name has no code in any month and none in nhs_waits.yml.
    """
    who = ["source", "month", "level", "organisation_code", "organisation"]
    heads = cells[who].drop_duplicates()  # one row of some hundred that an organisation has
    heads = heads.assign(key=heads["organisation"].str.casefold())
    printed = heads[heads["organisation_code"] != ""].drop_duplicates(["level", "key"])
    codes = printed.set_index(["level", "key"])["organisation_code"].to_dict()
    codes |= {
        ("provider", name.casefold()): entry["code"]
        for name, entry in rules()["codes_not_printed"].items()
    }
    codes["england", "england"] = ENGLAND
    pairs = heads[["level", "key"]].drop_duplicates()
    unknown = [pair for pair in pairs.itertuples(index=False, name=None) if pair not in codes]
    if unknown:
        level, name = unknown[0]
        first = heads[(heads["key"] == name) & (heads["level"] == level)].iloc[0]
        raise DataError(
            f"{level} {first['organisation']!r} has no code in any workbook ({len(unknown)} such "
            "names). Add it to codes_not_printed in nhs_waits.yml",
            file=first["source"],
        )
    pairs = pairs.assign(code=[codes[p] for p in pairs.itertuples(index=False, name=None)])
    heads = heads.merge(pairs, on=["level", "key"])
    names = heads[["code", "organisation", "key", "month"]].drop_duplicates().sort_values("month")
    capitals = names["organisation"] == names["organisation"].str.upper()
    proper = names[~capitals].drop_duplicates("key", keep="last").set_index("key")["organisation"]
    newest = names.drop_duplicates("code", keep="last").set_index("code")
    written = newest["key"].map(proper)
    name = written.fillna(newest["organisation"].map(from_capitals))
    line = ["level", "organisation"]
    codes = heads[[*line, "code"]].drop_duplicates(line)
    codes = codes.assign(name=codes["code"].map(name))
    cells = cells.merge(codes, on=line)
    return cells.assign(organisation_code=cells["code"], organisation=cells["name"]).drop(
        columns=["source", "code", "name"]
    )


def from_capitals(name: str) -> str:
    """Write a name printed in capitals alone in ordinary letters; others stay as they are."""
    if name != name.upper():
        return name
    words = [w if w in {"NHS", "CIC", "CCG", "STP"} else w.capitalize() for w in name.split()]
    small = {"And", "Of", "The", "For", "On"}
    return " ".join(w.lower() if i and w in small else w for i, w in enumerate(words))


def membership(cells: pd.DataFrame, *, into: str) -> pd.DataFrame:
    """Find the board (or region) that each provider's figures were added into, by month.

    The tables print providers, boards and regions as separate lists. Each list is an exact sum
    of the providers over some 350 cells a month, and no count is below zero. So a provider fits
    into no board that has fewer people in some cell, and a cell of a board that one provider alone
    can fill is that provider's. Step by step the rest is forced: what is found is the only
    assignment. It is returned only if every provider has a place and every sum holds.

    Parameters
    ----------
    cells : DataFrame
        ``month, level, organisation_code, age_group, service, band, waiting``.
    into : {"icb", "region"}
        The list whose sums are explained.

    Returns
    -------
    DataFrame
        ``month, organisation_code, part_of``; providers that sent no figure above 0 that month
        are left out.

    Raises
    ------
    DataError
        No such assignment exists: a row is missing, doubled or split.
    """
    hidden = [(g, s) for g, names in rules()["national_total_only"].items() for s in names]
    lines = pd.MultiIndex.from_frame(cells[["age_group", "service"]])
    use = cells[cells.level.isin(["provider", into]) & ~lines.isin(hidden) & cells.waiting.notna()]
    use = use.assign(waiting=use.waiting.astype(float))
    found = []
    for month, group in use.groupby("month"):
        wide = group.pivot_table(
            index=_CELL, columns=["level", "organisation_code"], values="waiting", aggfunc="sum"
        )
        members, sums = wide["provider"].fillna(0), wide[into].fillna(0)
        members = members.loc[:, members.gt(0).any()]
        place, rest = _assign(members.to_numpy(), sums.to_numpy())
        if (place < 0).any() or rest.any():
            raise DataError(
                f"the provider rows cannot be assigned to the {into} rows so that every sum holds; "
                "a row is missing, doubled or split between two",
                file=f"workbook of {month:%B %Y}",
            )
        found.append(
            pd.DataFrame(
                {
                    "month": month,
                    "organisation_code": members.columns,
                    "part_of": sums.columns[place],
                }
            )
        )
    return pd.concat(found, ignore_index=True)


def _assign(members: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the one column of `sums` that each column of `members` is part of; -1 where none is.

    Returns
    -------
    place : array of int
        A column of `sums` for each of `members`.
    rest : array
        `sums` less what was placed.
    """
    place, rest = np.full(members.shape[1], -1), sums.copy()
    while (place < 0).any():
        left = np.flatnonzero(place < 0)
        fits = (members[:, left, None] <= rest[:, None, :]).all(axis=0)
        new = {left[i]: fits[i].argmax() for i in np.flatnonzero(fits.sum(axis=1) == 1)}
        new = new or _alone(members, rest, left, fits)
        if not new:
            break
        for member, at in new.items():
            place[member] = at
            rest[:, at] -= members[:, member]
        if (rest < 0).any():
            break
    return place, rest


def _alone(
    members: np.ndarray, rest: np.ndarray, left: np.ndarray, fits: np.ndarray
) -> dict[int, int]:
    """First member that alone can fill a cell of a sum, and which sum that is."""
    for at in range(rest.shape[1]):
        could = left[fits[:, at]]
        filling = members[np.ix_(rest[:, at] > 0, could)] > 0
        cells = np.flatnonzero(filling.sum(axis=1) == 1)
        if len(cells):
            return {could[filling[cells[0]].argmax()]: at}
    return {}


def part_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Give the board of each provider, the region of each board, England for each region.

    Parameters
    ----------
    cells : DataFrame
        As for :func:`membership`, all levels.

    Returns
    -------
    DataFrame
        ``month, organisation_code, part_of``. The region of a board is the one most of its
        providers were added into over all months.
    """
    boards = membership(cells, into="icb")
    both = boards.merge(
        membership(cells, into="region"),
        on=["month", "organisation_code"],
        suffixes=("", "_region"),
    )
    counts = both.groupby(["part_of", "part_of_region"]).size().reset_index(name="n")
    usual = counts.sort_values("n").drop_duplicates("part_of", keep="last")
    usual = usual.set_index("part_of").part_of_region
    upper = cells.loc[cells.level.isin(["icb", "region"]), ["month", "organisation_code"]]
    upper = upper.drop_duplicates()
    upper = upper.assign(part_of=upper.organisation_code.map(usual).fillna(ENGLAND))
    return pd.concat([boards, upper], ignore_index=True)


BASES = {
    "only": "the Department's link: its only board",
    "first": "the Department's link: the first of several boards, by name and number of local "
    "branches",
    "further": "the Department's link: a further board; what part of the area it holds is not said",
    "own": "the Department's link: a branch of this authority alone",
    "shared": "the Department's link: a branch that holds other authorities, or parts of them, too",
}
DIVIDED = "; made for the authority before or after its boundaries changed"
COLUMNS = ["area_code", "level", "organisation_code", "rank", "basis", "named", "drawn"]
SINCE = "2022-07-01"  # boundaries of branches in `nhs_boards_2022`, to which areas are linked


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
        (one of ``BASES``, or how a provider is known), ``named`` (the branches), ``drawn`` (month
        from which a branch has these boundaries, where they were others in April 2021).

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
    """Read the Department's link: ``name`` of the area folded, branch, its name, and its board.

    A branch whose ground changed has another code of the statistics office than the group before
    it, of the same letters; ``drawn`` says since when.
    """
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
    reading.require_columns(known, ["SICBL22CDH", "SICBL22CD", "ICB22CDH", "ICB22NM"])
    reading.require_unique(known, ["SICBL22CDH"])
    known = known.set_index("SICBL22CDH")
    before = reading.read_csv(root, reading.release("nhs_groups_2021")["path"])
    reading.require_columns(before, ["CCG21CDH", "CCG21CD"])
    reading.require_unique(before, ["CCG21CDH"])
    redrawn = known["SICBL22CD"] != before.set_index("CCG21CDH")["CCG21CD"].reindex(known.index)
    drawn = pd.Series(pd.NaT, index=known.index).mask(redrawn, pd.Timestamp(SINCE))
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
        "board": frame["nhs_code"].map(known["ICB22CDH"]), "drawn": frame["nhs_code"].map(drawn),
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
