"""Local authorities, regions and England: codes old and new, boundary changes, neighbours."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from send_analysis.cleaning import area_names, layout, reading, series
from send_analysis.errors import DataError, MissingDataError

# Authorities whose boundaries changed since 2010, and the footprint on which a series is unbroken.
# Structural Changes Orders: Dorset 2018/648 (April 2019), Northamptonshire 2020/156 (April 2021),
# Cumbria 2022/331 (April 2023). Christchurch moved from Dorset to the new BCP.
FOOTPRINTS = {
    "E06000058+E06000059": ["E10000009", "E06000028", "E06000029", "E06000058", "E06000059"],
    "E06000061+E06000062": ["E10000021", "E06000061", "E06000062"],
    "E06000063+E06000064": ["E10000006", "E06000063", "E06000064"],
}
LEVELS = {"National": "england", "Regional": "region", "Local authority": "local authority"}
SUBREGIONS = {"E13000001": "E12000007", "E13000002": "E12000007"}  # Inner and Outer London


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `neighbours`."""
    return {"neighbours": neighbours(root, areas)}


def areas(root: Path) -> pd.DataFrame:
    """Every area that a table can name, from the area columns of the EHC plan releases.

    Returns
    -------
    DataFrame
        ``area_code, area, level, old_code, region_code, footprint, first_year, last_year``: the
        years are the first and last January with a row in the releases.
    """
    parts = []
    later = [
        (name, file)
        for name in reversed(series.present(root))
        for file in ("caseload", "primary_need_new")
    ]
    for name, file in [("ehc_plans_2022", "caseload_by_age"), *later]:
        entry = reading.release(name)
        spec = entry["files"][file]
        frame = reading.read_csv(root, entry["path"], spec["member"])
        columns = [*reading.PLACE_COLUMNS, "country_name", "region_name", "la_name"]
        reading.require_columns(frame, columns)
        year = frame["time_period"].str[:2] + frame["time_period"].str[-2:]
        parts.append(
            frame[columns].assign(year=year.astype("int64"), area_code=reading.area_codes(frame))
        )
    rows = pd.concat(parts, ignore_index=True)
    level = rows["geographic_level"].map(LEVELS)
    names = rows["la_name"].where(level == "local authority", rows["region_name"])
    rows = rows.assign(
        level=level.where(~rows["area_code"].isin(SUBREGIONS), "sub-region"),
        area=names.where(level != "england", rows["country_name"]),
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
    out.loc[out["level"] == "region", "region_code"] = ""
    member_of = {code: footprint for footprint, codes in FOOTPRINTS.items() for code in codes}
    local = out["level"] == "local authority"
    own = pd.Series(out.index, index=out.index)
    out["footprint"] = own.map(member_of).fillna(own).where(local, "")
    repeated = out.loc[local, "old_code"].duplicated()
    if repeated.any():
        code = out.loc[local, "old_code"][repeated].iloc[0]
        raise DataError(
            f"two ONS codes for authority {code}; add the change of code to RECODED",
            file="ehc_plans",
            column="new_la_code",
        )
    columns = ["area", "level", "old_code", "region_code", "footprint", "first_year", "last_year"]
    out = out.reset_index()[["area_code", *columns]]
    _check_names(root, out)
    return out


def _check_names(root: Path, areas: pd.DataFrame) -> None:
    """Refuse an EHC plan release that prints one area's code beside another's name."""
    levels = {
        "new_la_code": "la_name",
        "old_la_code": "la_name",
        "region_code": "region_name",
        "country_code": "country_name",
    }
    columns = [*dict.fromkeys([*levels, *levels.values()])]
    for release in (series.OLD, series.MIDDLE, *series.present(root)):
        entry = layout.release(release)
        for spec in entry["files"].values():
            if "values" not in spec:
                continue
            frame = reading.read_csv(root, entry["path"], spec.get("member"))
            reading.require_columns(frame, columns)
            for code, name in levels.items():
                area_names.check(frame[code], frame[name], areas, file=frame.attrs["file"])


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
    content, where = reading.read_bytes(root, entry["path"])
    sheet = pd.read_excel(io.BytesIO(content), engine="calamine", header=None, dtype=str)
    sheet = sheet.fillna("")
    heading = sheet.index[sheet[0] == "LA num"]
    if len(heading) != 1:
        raise DataError("no row that begins with 'LA num'; is the layout new?", file=where)
    sheet = sheet.loc[heading[0] + 1 :]
    sheet = sheet[sheet[0].str.fullmatch(r"\d{3}")]
    sheet = sheet.set_axis(sheet.index - 1)  # no heading in the first row: errors count from there
    own = area_names.coded(sheet[0].rename("LA num"), sheet[1], areas, file=where)
    by_old = areas.loc[areas["level"] == "local authority"].set_index("old_code")["area_code"]
    # The May 2025 tool lists abolished authorities below the current ones: those are left out.
    current = set(areas.loc[areas["last_year"] == areas["last_year"].max(), "area_code"])
    parts = [
        pd.DataFrame(
            {
                "area_code": own,
                "rank": rank,
                "neighbour_code": sheet[3 + 2 * rank].map(by_old),
                "closeness": sheet[4 + 2 * rank].str.lower(),
            }
        )
        for rank in range(1, 11)
    ]
    out = pd.concat(parts)
    out = out[out["area_code"].isin(current)]
    if out["neighbour_code"].isna().any():
        bad = out.loc[out["neighbour_code"].isna(), "area_code"].iloc[0]
        raise MissingDataError(f"{where}: a neighbour of {bad} is not an authority in `areas`")
    return out
