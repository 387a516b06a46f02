"""NHS England, community health services waiting lists: monthly workbooks to one tidy table.

Each workbook holds one month: a sheet for the whole list and one for each band of weeks waited,
organisations down the side, service lines across. A month is taken whole or refused: regions,
boards and providers must each add up to England, and England must be what the publisher's own
national table prints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from send_analysis.areas import ENGLAND
from send_analysis.categories import WAIT_BANDS as BANDS
from send_analysis.cleaning import layout
from send_analysis.cleaning.nhs_organisations import name_organisations, nhs_area_links, part_of
from send_analysis.cleaning.nhs_sheets import (
    Sheet,
    bands,
    read_band,
    read_sheets,
    rules,
    service_line,
    title,
)
from send_analysis.errors import DataError

SHEET_OF_SERIES = "Table 2"
SHEET_OF_ENGLAND = "Table 3"
SPLIT = ("52-104", "104+")  # parts of 52+, printed from December 2024
COLUMNS = ["month", "organisation_code", "organisation", "level", "part_of", "age_group",
           "service", "band", "waiting", "repeated", "missing"]  # fmt: skip
_CELL = ["month", "band", "age_group", "service"]
_MONTH = re.compile(
    r"(January|February|March|April|May|June|July|August|September|October|November|December)"
    r" (\d{4})"
)


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the tables `nhs_waits` and `nhs_area_links`.

    Returns
    -------
    dict of DataFrame
        ``nhs_waits`` as :func:`nhs_waits` returns it, ``nhs_area_links`` as
        :func:`send_analysis.cleaning.nhs_organisations.nhs_area_links` does.
    """
    paths = [
        entry["path"]
        for name, entry in layout.specification()["releases"].items()
        if name.startswith("nhs_waits_")
    ]
    releases = {Path(path).name: read_sheets(root, path) for path in paths}
    return {"nhs_waits": nhs_waits(releases), "nhs_area_links": nhs_area_links(root, areas)}


def nhs_waits(releases: Mapping[str, Mapping[str, Sheet]]) -> pd.DataFrame:
    """Join months into one table.

    Parameters
    ----------
    releases : dict
        File name to sheets, as :func:`send_analysis.cleaning.nhs_sheets.read_sheets` gives them.
        Months without a workbook are left out.

    Returns
    -------
    DataFrame
        ``month`` (first day of the month that the data are about), ``organisation_code,
        organisation, level`` (england, region, icb, provider), ``part_of`` (the board a
        provider's figures were added into that month, the region of a board, England for a
        region; empty where an organisation sent nothing), ``age_group`` (cyp, adult), ``service,
        band`` (total or weeks), ``waiting, missing`` (empty, suppressed or not_returned). A
        service line is there in every month from the organisation's first to its last, unless it
        was never reported.

    Raises
    ------
    DataError
        If a workbook is not as nhs_waits.yml says, or two hold the same month.
    """
    months = {name: read_release(sheets, source=name) for name, sheets in releases.items()}
    _check_months({name: cells["month"].iloc[0] for name, cells in months.items()})
    cells = name_organisations(pd.concat(months, names=["source"]).reset_index(level=0))
    # Adults serve to find who was added into what; only England's lists are kept.
    kept = cells[(cells["age_group"] == "cyp") | (cells["level"] == "england")]
    out = _complete(kept).merge(part_of(cells), on=["month", "organisation_code"], how="left")
    out = out.assign(part_of=out["part_of"].fillna(""))
    return out.assign(repeated=_from_repeats(out))[COLUMNS]


def read_release(sheets: Mapping[str, Sheet], *, source: str) -> pd.DataFrame:
    """Read one month, cell by cell, as it was published.

    Parameters
    ----------
    sheets : dict
        Sheet name to (rows, merged cells).
    source : str
        Name of the file, for errors.

    Returns
    -------
    DataFrame
        ``month, organisation_code`` (empty where the workbook prints none), ``organisation`` (as
        printed), ``level, age_group, service, band, waiting`` (Int64), ``missing``.

    Raises
    ------
    DataError
        If there is a sheet, label, service line or title that no known layout has; a negative or
        fractional count; a text that is no missing code; one organisation twice with different
        numbers; or levels and tables that do not add up.
    """
    known = bands(sheets)
    absent = [s for s in (*known, SHEET_OF_SERIES, SHEET_OF_ENGLAND) if s not in sheets]
    if absent:
        raise DataError(
            f"no sheet {', '.join(map(repr, absent))}; it has {', '.join(sheets)}. Is this a "
            "workbook of community health services waiting lists?",
            file=source,
        )
    month = _month(sheets, source)
    parts = [
        read_band(sheets[name], name=name, expected=spec["title"], source=source).assign(
            band=spec["band"]
        )
        for name, spec in known.items()
    ]
    cells = _without_twins(pd.concat(parts, ignore_index=True).assign(month=month), source)
    cells = _name_missing(cells)
    check_levels_add(cells, source=source)
    printed = [spec["band"] for spec in known.values()]
    _check_against_national(cells, sheets[SHEET_OF_ENGLAND], printed, source)
    cells = _join_split(cells)
    return cells[[column for column in COLUMNS if column not in {"part_of", "repeated"}]]


def check_levels_add(cells: pd.DataFrame, *, source: str) -> None:
    """Refuse a month whose regions, boards or providers do not add up to England.

    Parameters
    ----------
    cells : DataFrame
        As :func:`read_release` returns them.
    source : str
        Name of the file, for errors.

    Raises
    ------
    DataError
        Names the level, service, band and both figures.
    """
    counts = cells[cells["missing"] != "suppressed"]
    sums = counts.pivot_table(index=_CELL, columns="level", values="waiting", aggfunc="sum")
    for level in ("region", "icb", "provider"):
        # England alone has figures for the services that are suppressed elsewhere.
        wrong = sums[sums[level].notna() & (sums[level] != sums["england"])]
        if len(wrong):
            at = dict(zip(_CELL, wrong.index[0], strict=True))
            raise DataError(
                f"{level} rows add up to {wrong[level].iloc[0]:.0f}, England is "
                f"{wrong['england'].iloc[0]:.0f}, for {at['age_group']} {at['service']!r}, band "
                f"{at['band']} ({len(wrong)} such cells); a row is missing or counted twice",
                file=source,
            )


def _month(sheets: Mapping[str, Sheet], source: str) -> pd.Timestamp:
    """Find the month of the data: the last with figures in the national series.

    The cover gives the day of publication, and one month's titles name no month at all.
    """
    where = f"{source}, sheet {SHEET_OF_SERIES!r}"
    rows, _ = sheets[SHEET_OF_SERIES]
    at = next((i for i, r in enumerate(rows) if any(_as_month(x) is not None for x in r)), None)
    if at is None or at + 1 == len(rows):
        raise DataError("no row of months with figures below it", file=where)
    filled = [
        month
        for month, x in zip(map(_as_month, rows[at]), rows[at + 1], strict=True)
        if month is not None and isinstance(x, int | float)
    ]
    if not filled:
        raise DataError("no month has figures", file=where, row=at + 2)
    month = max(filled)
    for name in bands(sheets):
        printed = _MONTH.search(title(sheets[name][0]))
        if printed and pd.Timestamp(f"1 {printed[0]}") != month:
            raise DataError(
                f"the title says {printed[0]}, {SHEET_OF_SERIES} ends with {month:%B %Y}; check "
                "which month this workbook holds",
                file=f"{source}, sheet {name!r}",
            )
    return month


def _as_month(value: Any) -> pd.Timestamp | None:
    """Read a heading such as a date or "Apr-23" as the first day of the month."""
    if hasattr(value, "year"):
        return pd.Timestamp(value.year, value.month, 1)
    if isinstance(value, str) and re.fullmatch(r"[A-Z][a-z]{2}-\d{2}", value.strip()):
        return pd.to_datetime(value.strip(), format="%b-%y")
    return None


def _without_twins(cells: pd.DataFrame, source: str) -> pd.DataFrame:
    """Keep one row an organisation: names that differ in letter case alone are the same one."""
    who = ["level", "twin", "band", "age_group", "service"]
    keyed = cells.assign(twin=cells["organisation"].str.casefold())
    again = keyed.duplicated(who, keep=False)
    if not again.any():
        return cells
    clash = keyed[again].groupby(who)["waiting"].nunique(dropna=False).gt(1)
    if clash.any():
        level, name, band, _, service = clash[clash].index[0]
        raise DataError(
            f"{level} {name!r} stands there twice with different numbers ({service}, band {band}); "
            "remove the wrong row",
            file=source,
        )
    return cells[~keyed.duplicated(who)]


def _name_missing(cells: pd.DataFrame) -> pd.DataFrame:
    """Mark blanks of service lines published for England alone as suppressed."""
    hidden = [(g, s) for g, names in rules()["national_total_only"].items() for s in names]
    is_hidden = pd.MultiIndex.from_frame(cells[["age_group", "service"]]).isin(hidden)
    blank = cells["missing"] == "not_returned"
    return cells.assign(missing=cells["missing"].mask(blank & is_hidden, "suppressed"))


def _join_split(cells: pd.DataFrame) -> pd.DataFrame:
    """Add the band over 52 weeks where it is printed in two."""
    parts = cells[cells["band"].isin(SPLIT)]
    if parts.empty:
        return cells
    line = [c for c in parts if c not in {"band", "waiting", "missing"}]
    group = parts.groupby(line, sort=False)
    # The first of the reasons, by number: to compare texts group by group takes ten times as long.
    reasons = sorted(parts["missing"].unique())
    number = parts["missing"].map({reason: place for place, reason in enumerate(reasons)})
    first = number.groupby([parts[column] for column in line], sort=False).min()
    whole = group["waiting"].sum(min_count=1).to_frame()
    whole = whole.assign(missing=first.map(dict(enumerate(reasons))).astype(parts["missing"].dtype))
    return pd.concat([cells, whole.reset_index().assign(band=BANDS[-1])], ignore_index=True)


def _check_against_national(
    cells: pd.DataFrame, sheet: Sheet, printed: list[str], source: str
) -> None:
    """Refuse sheets by organisation whose England is not what the national overview prints."""
    england = cells[(cells["level"] == "england") & cells["waiting"].notna()]
    ours = england.set_index(["age_group", "service", "band"])["waiting"]
    alone = {(group, name) for group, names in rules()["national_total_only"].items()
             for name in names}  # fmt: skip
    for i, row in enumerate(sheet[0]):
        at = next((j for j, x in enumerate(row) if service_line(x)), None)
        if at is None:
            continue
        # Of lines published as totals alone the overview does print one band.
        bands_there = printed[:1] if service_line(row[at]) in alone else printed
        for band, value in zip(bands_there, row[at + 1 :], strict=False):
            figure = ours.get((*service_line(row[at]), band))
            if isinstance(value, int | float) and figure != value:
                raise DataError(
                    f"{value:.0f} in band {band}; the sheets by organisation give {figure} for "
                    "England",
                    file=f"{source}, sheet {SHEET_OF_ENGLAND!r}",
                    row=i + 1,
                )


def _check_months(months: Mapping[str, pd.Timestamp]) -> None:
    """Refuse a month held twice."""
    found = pd.Series(months).sort_values()
    twice = found[found.duplicated(keep=False)]
    if len(twice):
        raise DataError(
            f"holds {twice.iloc[0]:%B %Y}, as {twice.index[0]} does; keep one of the two",
            file=twice.index[1],
        )


def _complete(cells: pd.DataFrame) -> pd.DataFrame:
    """Give every line an organisation ever reported in each month held, from its first to its last.

    An organisation that misses a month is absent from that month's sheets; here it is present
    and marked as not returned, so that the gap shows.
    """
    line = ["level", "organisation_code", "organisation", "age_group", "service"]
    seen = cells.groupby("organisation_code")["month"].agg(first="min", last="max")
    lines = cells.loc[cells["waiting"].notna(), line].drop_duplicates()
    grid = lines.merge(cells[["month", "band"]].drop_duplicates(), how="cross")
    grid = grid.merge(seen, left_on="organisation_code", right_index=True)
    grid = grid[grid["month"].between(grid["first"], grid["last"])]
    grid = grid.drop(columns=["first", "last"])
    key = ["month", "organisation_code", "age_group", "service", "band"]
    out = grid.merge(cells[[*key, "waiting", "missing"]], on=key, how="left")
    return out.assign(missing=out["missing"].fillna("not_returned"))


FEWEST = 20  # children; a smaller list may come out the same by chance
_LIST = ["organisation_code", "age_group", "service"]


def repeats(cells: pd.DataFrame) -> pd.DataFrame:
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


def _from_repeats(table: pd.DataFrame) -> pd.Series:
    """Count the people in each cell who are from lists that repeat the month before.

    Parameters
    ----------
    table : DataFrame
        As for :func:`repeats`, with ``part_of``.

    Returns
    -------
    Series
        Aligned with `table`: all of a provider's own list, and in a board, a region and England
        what came from such lists; else 0.
    """
    key = ["month", "age_group", "service", "band"]
    own = table[table["level"] == "provider"].merge(repeats(table), on=["month", *_LIST])
    above = table.drop_duplicates(["month", "organisation_code"])
    region = above.set_index(["month", "organisation_code"])["part_of"]
    at = pd.MultiIndex.from_frame(own[["month", "part_of"]])
    places = (own["organisation_code"], own["part_of"], region.reindex(at).to_numpy(), ENGLAND)
    parts = [own[[*key, "waiting"]].assign(organisation_code=place) for place in places]
    sums = pd.concat(parts).groupby([*key, "organisation_code"])["waiting"].sum()
    where = pd.MultiIndex.from_frame(table[[*key, "organisation_code"]])
    return pd.Series(sums.reindex(where).fillna(0).to_numpy(), index=table.index, dtype="Int64")
