"""Lists that repeat the month before: found by rule, counted out of every sum they went into."""

from __future__ import annotations

import pandas as pd

from send_analysis.areas import ENGLAND

FEWEST = 20  # children; a smaller list may come out the same by chance
_LIST = ["organisation_code", "age_group", "service"]


def lists(cells: pd.DataFrame) -> pd.DataFrame:
    """Find the lists of providers that repeat, cell by cell, those of the month before.

    A list in which children are seen, join and grow older by a month does not come out the same in
    its total and in every band. It repeats if it does and holds ``FEWEST`` children or more, or if
    all lists of the provider do and hold as many together.

    Parameters
    ----------
    cells : DataFrame
        ``month, organisation_code, level, age_group, service, band, waiting``.

    Returns
    -------
    DataFrame
        ``month, organisation_code, age_group, service``.
    """
    own = cells[(cells["level"] == "provider") & cells["waiting"].notna()]
    wide = own.pivot(index=[*_LIST, "month"], columns="band", values="waiting")
    wide = wide.drop(columns=["52-104", "104+"], errors="ignore")  # within 52+
    wide = wide.astype("Float64").astype(float).fillna(-1).reset_index()
    before = wide.assign(month=wide["month"] + pd.DateOffset(months=1))
    both = wide.merge(before, on=[*_LIST, "month"], how="left", suffixes=("", " before"))
    bands = [column for column in wide if column not in {*_LIST, "month"}]
    same = pd.Series(True, index=both.index)
    for band in bands:
        same &= both[band] == both[f"{band} before"]
    filled = both.assign(same=same)[both["total"] > 0]
    group = filled.groupby(["organisation_code", "age_group", "month"])
    whole = group["same"].transform("all") & (group["total"].transform("sum") >= FEWEST)
    found = filled[filled["same"] & (whole | (filled["total"] >= FEWEST))]
    return found[["month", *_LIST]].reset_index(drop=True)


def counted(table: pd.DataFrame) -> pd.Series:
    """Count the people in each cell who are from lists that repeat the month before.

    Parameters
    ----------
    table : DataFrame
        As for :func:`lists`, with ``part_of``.

    Returns
    -------
    Series
        Aligned with `table`: all of a provider's own list, and in a board, a region and England
        what came from such lists; else 0.
    """
    key = ["month", "age_group", "service", "band"]
    own = table[table["level"] == "provider"].merge(lists(table), on=["month", *_LIST])
    above = table.drop_duplicates(["month", "organisation_code"])
    region = above.set_index(["month", "organisation_code"])["part_of"]
    at = pd.MultiIndex.from_frame(own[["month", "part_of"]])
    places = (own["organisation_code"], own["part_of"], region.reindex(at).to_numpy(), ENGLAND)
    parts = [own[[*key, "waiting"]].assign(organisation_code=place) for place in places]
    sums = pd.concat(parts).groupby([*key, "organisation_code"])["waiting"].sum()
    where = pd.MultiIndex.from_frame(table[[*key, "organisation_code"]])
    return pd.Series(sums.reindex(where).fillna(0).to_numpy(), index=table.index, dtype="Int64")
