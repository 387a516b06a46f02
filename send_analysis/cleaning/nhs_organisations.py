"""Organisations of the NHS waiting lists: codes, names, and which is counted into which."""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis.areas import ENGLAND
from send_analysis.cleaning.nhs_sheets import rules
from send_analysis.errors import DataError

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
        providers were added into over all months; see :func:`misplaced` for those that were not.
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


def misplaced(cells: pd.DataFrame) -> pd.DataFrame:
    """List providers that a month's tables add into another region than their board's.

    Parameters
    ----------
    cells : DataFrame
        The table `nhs_waits`.

    Returns
    -------
    DataFrame
        ``month, organisation_code, organisation, board, region_of_board, counted_in``.
    """
    own = cells.drop_duplicates(["month", "organisation_code"])
    regions = own[own.level == "icb"].set_index(["month", "organisation_code"]).part_of
    counted = membership(cells, into="region").rename(columns={"part_of": "counted_in"})
    found = own[own.level == "provider"].merge(counted, on=["month", "organisation_code"])
    found = found.rename(columns={"part_of": "board"}).merge(
        regions.rename("region_of_board"),
        left_on=["month", "board"],
        right_index=True,
    )
    columns = ["month", "organisation_code", "organisation", "board", "region_of_board"]
    wrong = found.region_of_board != found.counted_in
    return found.loc[wrong, [*columns, "counted_in"]].reset_index(drop=True)
