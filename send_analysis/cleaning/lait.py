"""Local Authority Interactive Tool of the Department for Education.

Pupils with SEN in schools are a table of its own; its other figures witness those of the tables
that are made from the releases.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis import quality
from send_analysis.cleaning import area_names, reading
from send_analysis.cleaning.reading import COMPARE
from send_analysis.errors import DataError

NAME = "lait_2026"
SUPPORT = {"SEN_TotStat": "EHC plan or statement", "SEN_TotSENSuP": "SEN support"}


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `pupils`: pupils with a plan and with SEN support, of all pupils in schools.

    An authority that did not exist in a year has no row. The shares are of pupils in the area's
    schools in January, independent ones included, wherever they live.

    Returns
    -------
    dict of DataFrame
        ``pupils``: ``area_code, year, support, percent``.
    """
    frame = reading.read_csv(root, reading.release(NAME)["path"])
    file = frame.attrs["file"]
    key = ["Short Desc", "Years", "LA Number"]
    reading.require_columns(frame, [*key, "Values", "LA and Regions"])
    rows = frame[frame["Short Desc"].isin(SUPPORT)]
    for measure in SUPPORT:
        if not (rows["Short Desc"] == measure).any():
            raise DataError(f"no row has {measure!r}", file=file, column="Short Desc")
    reading.require_unique(rows, key)
    code = area_names.coded(rows["LA Number"], rows["LA and Regions"], areas, file=file)
    regions = areas.loc[areas["level"].isin(["region", "sub-region"]), "area_code"]
    released = reading.release(NAME)
    value, missing = reading.numbers(rows["Values"], file=file, codes=released["missing"])
    reading.refuse(
        (value > 100).fillna(False), rows["Values"], f"is above 100 per cent; {COMPARE}", file=file
    )
    latest = int(released["published"][:4])
    out = pd.DataFrame(
        {
            "area_code": code,
            "year": reading.first_years(rows["Years"], file=file, latest=latest),
            "support": rows["Short Desc"].map(SUPPORT),
            # Printed to one decimal place; the file holds binary noise (2.2000000000000002).
            "percent": value.round(1),
        }
    )
    return {"pupils": out[~code.isin(regions) & (missing != "not_applicable")]}


# Measure of the tool: table, column of counts, rows counted, and for a percentage the rows that
# it is of. The tool's text calls its new plans "active at any point during the year".
MEASURES: dict[str, tuple] = {
    "SEN_CASES_JAN": ("ehc_plans", "plans", {"age_band": "all"}, None),
    "SEN_CASES_DUR_YEAR": ("new_plans", "plans", {"age_band": "all"}, None),
    "SEN_TOT_CEASED_EHC_PLAN": ("ceased_plans", "plans", {"reason": "all"}, None),
    "SEN_INIT_REQ": ("requests", "requests", {"outcome": "all"}, None),
    "EHCP_Initial_req_refused": (
        "requests", "requests", {"outcome": "not assessed"}, {"outcome": "all"}
    ),
    "SEN_ASSESSMENT": ("assessments", "assessments", {"outcome": "all"}, None),
    "SEN_PLAN_ISSUED": (
        "assessments", "assessments", {"outcome": "plan issued"}, {"outcome": "all"}
    ),
    "SEN_PLAN_NOT_ISSUED": (
        "assessments", "assessments", {"outcome": "plan not issued"}, {"outcome": "all"}
    ),
    "SEN_EHC_All_20wks": (
        "timeliness", "plans",
        {"exceptions": "included", "issued_within": "20 weeks or less"},
        {"exceptions": "included", "issued_within": "any time"},
    ),
    "SEN_EHC_Excpt_20wks": (
        "timeliness", "plans",
        {"exceptions": "excluded", "issued_within": "20 weeks or less"},
        {"exceptions": "excluded", "issued_within": "any time"},
    ),
    "SEN_AN_REVIEW_EXPECTED": ("annual_reviews", "plans", {"measure": "review expected"}, None),
    "SEN_AN_REVIEW_MEET_REC": (
        "annual_reviews", "plans", {"measure": "review meeting held in any year"}, None
    ),
    "SEN_PEC_AN_REVIEW_EXPECTED": (
        "annual_reviews", "plans", {"measure": "review expected"}, {"measure": "plans"}
    ),
    "SEN_PEC_AN_REVIEW_MEET_REC": (
        "annual_reviews", "plans",
        {"measure": "review meeting held in any year"}, {"measure": "review expected"},
    ),
    "SEN_PEC_OUTCOME_COM_4WKS": (
        "annual_reviews", "plans", {"measure": "decided within 4 weeks"},
        {"measure": ["decided within 4 weeks", "decided after 4 weeks"]},
    ),
    "SEN_AppealableDec": (
        "tribunals", "cases", {"measure": "appeals"}, {"measure": "decisions"}
    ),
}  # fmt: skip
TABLES = {spec[0] for spec in MEASURES.values()}
JANUARY = {"SEN_CASES_JAN"}  # the others are flows, of the authorities of the January after
KEY = ["area_code", "year"]
DECIMALS = 2  # the most that the tool prints; what it holds beyond is noise


def tool(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Read the tool's figures of `MEASURES`.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    areas : DataFrame
        The table `areas`.

    Returns
    -------
    DataFrame
        ``measure, area_code, year, printed`` and ``half``, about half of the unit that the
        measure is rounded to in that year.
    """
    entry = reading.release(NAME)
    frame = reading.read_csv(root, entry["path"])
    columns = ["Short Desc", "Years", "Values", "LA Number", "LA and Regions"]
    reading.require_columns(frame, columns)
    file = frame.attrs["file"]
    rows = frame[frame["Short Desc"].isin(MEASURES)]
    name = rows["LA and Regions"]
    code = area_names.coded(rows["LA Number"], name, areas, file=file)
    value, missing = reading.numbers(rows["Values"], file=file, codes=entry["missing"])
    measure = rows["Short Desc"]
    year = reading.first_years(rows["Years"], file=file, latest=int(entry["published"][:4]))
    # The tool gives Dorset one code; the authority of that name before 2019 is another.
    local = code.map(areas.set_index("area_code")["level"]) == "local authority"
    january = year + (~measure.isin(JANUARY)).astype("int64")
    then = area_names.of_their_time(name[local], january[local], areas, file=file)
    code = code.mask(local, then)
    out = pd.DataFrame({"measure": measure, "area_code": code, "year": year, "printed": value})
    # It prints 0, or a dash, for an authority that did not exist.
    return _rounded(out[(missing == "") & (code != "")].reset_index(drop=True), areas)


def _rounded(rows: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Add half of the unit that a measure is rounded to in a year; regions' rates are unrounded."""
    cells = rows["printed"].astype("float64")
    whole = np.stack([np.isclose(cells, cells.round(d), atol=1e-9) for d in range(DECIMALS)])
    places = pd.Series(np.where(whole.any(axis=0), whole.argmax(axis=0), DECIMALS))
    local = rows["area_code"].map(areas.set_index("area_code")["level"]) == "local authority"
    places = places.where(local, 0)
    places = places.groupby([rows["measure"], rows["year"]]).transform("max")
    # A tenth more: figures rounded twice (15.65495 to 15.655 to 15.66).
    return rows.assign(half=1.1 * 0.5 / 10**places)


def ours(tables: dict[str, pd.DataFrame], measure: str) -> pd.Series:
    """Work a measure of the tool out of the tables, by area and year."""
    table, value, part, whole = MEASURES[measure]
    top = _picked(tables[table], value, part)
    return top if whole is None else 100 * top / _picked(tables[table], value, whole)


def _picked(frame: pd.DataFrame, value: str, where: dict) -> pd.Series:
    """Add up the rows that the conditions name; missing where one of them is."""
    for column, wanted in where.items():
        frame = frame[frame[column].isin([wanted] if isinstance(wanted, str) else wanted)]
    rows = frame.groupby(["area_code", "year"])[value]
    return rows.sum().where(rows.count() == rows.size()).astype("Float64")


def compared(root: Path, areas: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Set the tool's figures beside those of the tables.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    areas : DataFrame
        The table `areas`.
    tables : dict of DataFrame
        The tables that `MEASURES` names.

    Returns
    -------
    DataFrame
        The columns of :func:`tool`, ``ours`` (missing where the tables have no figure) and
        ``agree``.
    """
    rows = tool(root, areas)
    known = pd.concat({measure: ours(tables, measure) for measure in MEASURES})
    place = pd.MultiIndex.from_frame(rows[["measure", "area_code", "year"]])
    rows = rows.assign(ours=known.reindex(place).array)
    agree = (rows["printed"] - rows["ours"]).abs() <= rows["half"]
    return rows.assign(agree=agree.fillna(False).astype("bool"))


def check(root: Path, areas: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Find where the tool and the tables print different figures.

    Two faults are the tool's by rule: a region's total in place of an authority's, and 0 where
    the release has no figure. Regions' appeal rates are the tool's alone.

    Returns
    -------
    DataFrame
        Findings: ``published`` is what the tool prints, ``expected`` what the table holds.
    """
    rows = compared(root, areas, tables)
    level = rows["area_code"].map(areas.set_index("area_code")["level"])
    rows = rows[~rows["agree"] & (rows["ours"].notna() | (level == "local authority"))]
    region = rows["area_code"].map(areas.set_index("area_code")["region_code"]).fillna("")
    totals = pd.concat({measure: ours(tables, measure) for measure in MEASURES})
    place = pd.MultiIndex.from_arrays([rows["measure"], region, rows["year"]])
    copied = (rows["printed"] == totals.reindex(place).array).fillna(False).astype("bool")
    empty = rows["ours"].isna() & (rows["printed"] == 0)
    says = pd.Series("the figures differ, and nothing says which is right", index=rows.index)
    says = says.mask(copied, "the tool repeats the region's total")
    says = says.mask(empty, "the tool prints 0 where the release has no figure")
    kinds = rows["measure"].map({name: spec[0] for name, spec in MEASURES.items()})
    item = rows["measure"].map(
        {name: " / ".join(map(str, spec[2].values())) for name, spec in MEASURES.items()}
    )
    found = pd.DataFrame(
        {
            "table": kinds,
            "area_code": rows["area_code"],
            "year": rows["year"],
            "item": item,
            "published": rows["printed"],
            "expected": rows["ours"],
            "action": np.where(copied | empty, "explained", "unexplained"),
            "note": "the Department's interactive tool prints 'published', the table has "
            "'expected': " + says,
        }
    )
    return quality.findings(found, check=quality.TOOL)


def hold(found: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.Series:
    """Say which earlier findings of :func:`check` hold: the tables have the figures that they had.

    Parameters
    ----------
    found : DataFrame
        Findings of any check.
    tables : dict of DataFrame
        Tables by name.
    """
    out = pd.Series(False, index=found.index)
    for measure, (table, _, part, _) in MEASURES.items():
        rows = found[(found["check"] == quality.TOOL) & (found["table"] == table)]
        rows = rows[rows["item"] == " / ".join(map(str, part.values()))]
        if len(rows) and table in tables:
            known = ours(tables, measure).reindex(pd.MultiIndex.from_frame(rows[KEY]))
            was = rows["expected"].to_numpy(dtype=float, na_value=np.nan)
            now = known.to_numpy(dtype=float, na_value=np.nan)
            out[rows.index] |= np.isclose(was, now, equal_nan=True)
    return out
