"""Local authorities, regions and England: codes old and new, boundary changes, neighbours."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis.cleaning import area_names, completeness, reading, series
from send_analysis.cleaning.standing import Standing
from send_analysis.errors import DataError

LEVELS = {"National": "england", "Regional": "region", "Local authority": "local authority"}
RANKS = 10  # statistical neighbours of an authority
# "Bristol, City of": the name that stands in sentences is what is before it.
RANK_OF_PLACE = r", (City|County) of$"
SUBREGIONS = {"E13000001": "E12000007", "E13000002": "E12000007"}  # Inner and Outer London


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `neighbours`."""
    return {"neighbours": neighbours(root, areas)}


def areas(standing: Standing) -> pd.DataFrame:
    """Every area that a table can name, from the area columns of the EHC plan releases.

    Parameters
    ----------
    standing : Standing
        Folder of the releases, and tables that have the areas of older ones not in it.

    Returns
    -------
    DataFrame
        ``area_code, area, level, old_code, region_code, footprint, first_year, last_year``: the
        years are the first and last January with a row in the releases.
    """
    root, parts = standing.source, []
    later = [
        (name, file)
        for name in reversed(series.present(root))
        for file in ("caseload", "primary_need_new")
    ]
    if not standing.replaces(series.OLD, "areas"):
        later = [(series.OLD, "caseload_by_age"), *later]
    for name, file in later:
        entry = reading.release(name)
        spec = entry["files"][file]
        frame = reading.read_csv(root, entry["path"], spec["member"])
        names = ["country_name", "region_name", "la_name"]
        reading.require_columns(frame, ["time_period", *reading.PLACE_COLUMNS, *names])
        frame = reading.placed(frame, entry, spec)
        _one_name_a_code(frame)
        completeness.check_years(frame, entry)
        if file.startswith("caseload"):
            # An authority that lacks in the newest January would be taken for abolished.
            completeness.refuse_missing(completeness.missing_rows(frame), frame, few=0)
        parts.append(frame[[*reading.PLACE_COLUMNS, *names, "area_code", "year"]])
    rows = pd.concat(parts, ignore_index=True)
    level = rows["geographic_level"].map(LEVELS)
    names = rows["la_name"].where(level == "local authority", rows["region_name"])
    rows = rows.assign(
        level=level.where(~rows["area_code"].isin(SUBREGIONS), "sub-region"),
        area=names.where(level != "england", rows["country_name"]).str.replace(
            RANK_OF_PLACE, "", regex=True
        ),
        parent=rows["region_code"].replace(SUBREGIONS),
    )
    out = rows.groupby("area_code").agg(
        area=("area", "first"),
        level=("level", "first"),
        old_code=("old_la_code", "first"),
        region_code=("parent", "first"),
        first_year=("year", "min"),
        last_year=("year", "max"),
    )
    if standing.absent("areas"):
        before = standing.read("areas").set_index("area_code")[list(out)]
        both = pd.concat([before, out]).groupby(level="area_code")
        years = {"first_year": both["first_year"].min(), "last_year": both["last_year"].max()}
        out = both.first().assign(**years)
    out.loc[out["level"] == "region", "region_code"] = ""
    member_of = {code: unit for unit, codes in reading.FOOTPRINTS.items() for code in codes}
    local = out["level"] == "local authority"
    own = pd.Series(out.index, index=out.index)
    out["footprint"] = own.map(member_of).fillna(own).where(local, "")
    repeated = out.loc[local, "old_code"].duplicated(keep=False)
    if repeated.any():
        code = out.loc[local, "old_code"][repeated].iloc[0]
        several = " and ".join(out.index[local & (out["old_code"] == code)])
        raise DataError(
            f"authority {code} has the codes {several} in the releases of EHC plans; correct the "
            "one that is wrong, or add a change of code to RECODED",
            file=reading.release(series.present(root)[0])["path"],
            column="new_la_code",
        )
    columns = ["area", "level", "old_code", "region_code", "footprint", "first_year", "last_year"]
    out = out.reset_index()[["area_code", *columns]]
    return out


def _one_name_a_code(frame: pd.DataFrame) -> None:
    """Refuse a code that stands beside another three-digit code than in the other rows."""
    local = frame[frame["geographic_level"] == "Local authority"]
    first = local.groupby(["area_code", "year"])["old_la_code"].transform("first")
    reading.refuse(
        local["old_la_code"] != first,
        local["old_la_code"],
        "is not the code that the same authority has in other rows; " + reading.COMPARE,
        file=frame.attrs["file"],
    )


def area_codes(areas: pd.DataFrame) -> pd.DataFrame:
    """Return every code of an area: its own, its three-digit one, ONS codes it had before."""
    old = areas.loc[areas["old_code"] != "", ["old_code", "area_code"]]
    parts = {
        "ONS": areas[["area_code"]].assign(code=areas["area_code"]),
        "Department for Education": old.rename(columns={"old_code": "code"}),
        "ONS, former": pd.DataFrame(reading.RECODED.items(), columns=["code", "area_code"]),
    }
    out = pd.concat(parts, names=["system"]).reset_index("system")
    return out[["code", "area_code", "system"]].reset_index(drop=True)


def neighbours(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Ten statistical neighbours of each authority, closest first (May 2025 tool).

    Returns
    -------
    DataFrame
        ``area_code, rank, neighbour_code, closeness``.
    """
    entry = reading.release("neighbours_2025")
    sheet = reading.read_sheet(*reading.read_bytes(root, entry["path"]))
    where = sheet.attrs["file"]
    heading = sheet.index[sheet[0] == "LA num"]
    if len(heading) != 1:
        raise DataError("no row that begins with 'LA num'; is the layout new?", file=where)
    if sheet.shape[1] < 5 + 2 * RANKS:
        raise DataError(
            f"has {sheet.shape[1]} columns, too few for {RANKS} neighbours and how close each is; "
            "is the layout new?",
            file=where,
        )
    sheet = sheet.loc[heading[0] + 1 :]
    number = sheet[0].str.replace(r"\.0$", "", regex=True).rename("LA num")
    own = number[number != ""]
    own = area_names.coded(own, sheet.loc[own.index, 1], areas, file=where)
    by_old = areas.loc[areas["level"] == "local authority"].set_index("old_code")["area_code"]
    # The May 2025 tool lists abolished authorities below the current ones: those are left out.
    current = set(areas.loc[areas["last_year"] == areas["last_year"].max(), "area_code"])
    local = areas.loc[areas["area_code"].isin(current) & (areas["level"] == "local authority")]
    absent = local[~local["area_code"].isin(own)]
    if len(absent):
        raise DataError(
            f"no row for {absent['old_code'].iloc[0]} ({absent['area'].iloc[0]}); fetch it again",
            file=where,
            column="LA num",
        )
    rows = own.isin(current)
    parts = []
    for rank in range(1, RANKS + 1):
        place = 3 + 2 * rank
        cells = sheet.loc[own.index[rows], place].str.replace(r"\.0$", "", regex=True)
        cells = cells.rename(f"neighbour {rank}")
        parts.append(
            pd.DataFrame(
                {
                    "area_code": own[rows],
                    "rank": rank,
                    "neighbour_code": reading.check_known(cells, by_old.to_dict(), file=where),
                    "closeness": sheet.loc[own.index[rows], place + 1].str.lower(),
                }
            )
        )
    out = pd.concat(parts)
    again = out.duplicated(["area_code", "neighbour_code"]) | (
        out["area_code"] == out["neighbour_code"]
    )
    reading.refuse(
        again, out["neighbour_code"], "stands there twice, or is the authority itself", file=where
    )
    return out.reset_index(drop=True)
