"""Department for Education: places funded from the high needs block; mainstream school places."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis.cleaning import area_names, reading
from send_analysis.errors import DataError

FUNDED, SCORECARDS = "high_needs_places", "school_places_2025"
# What the publisher calls a kind of institution, and what it is here. "Hospital academies" has
# funding under a heading of places: left out.
PROVISIONS = {
    "Mainstream academies (special educational needs (SEN) units and resourced provision)": (
        "resourced provision or SEN unit"
    ),
    "Special academies": "special academy",
    "Special free schools": "special free school",
    "Alternative provision (AP) academies and free schools": "alternative provision academy",
    "16-19 academies and free schools": "16-19 academy",
    "Further education (FE) and independent learning provider (ILP)": "further education",
}
PLACE_TYPES = {
    "pre-16 sen places funded at £6,000": "pre-16, £6,000",
    "pre-16 sen places funded at £10,000": "pre-16, £10,000",
    "pre-16 sen places": "pre-16",
    "post-16 sen places": "post-16",
    "pre-16 ap places": "pre-16, alternative provision",
    "pre-16 alternative provision (ap) places": "pre-16, alternative provision",
    "fe and ilp": "post-16",
}
MEASURES = {
    ("primary", "pupils on roll"): "PriNOR",
    ("primary", "places"): "PriCap",
    ("secondary", "pupils on roll"): "SecNOR",
    ("secondary", "places"): "SecCap",
}
# z: no school of the phase; empty: capacity was not collected on this basis before 2023/24.
CODES = {"z": "not_applicable", "": "unavailable"}


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the tables `high_needs_places` and `mainstream_places`.

    Returns
    -------
    dict of DataFrame
        ``high_needs_places``: ``area_code, year`` (in which the financial year begins),
        ``provision, place_type, start`` (April or autumn), ``places``: academies, free schools
        and colleges only, as the grant's deductions list no others.
        ``mainstream_places``: ``area_code, year`` (of the May), ``phase, measure``
        (pupils on roll, places), ``number, missing``.
    """
    return {
        "high_needs_places": _funded(root, areas),
        "mainstream_places": _mainstream(root, areas),
    }


def _funded(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Places in the high needs deductions of the dedicated schools grant."""
    frame = reading.read_csv(root, reading.release(FUNDED)["path"])
    file = frame.attrs["file"]
    key = ["financial_year", "old_la_code", "institution_type", "place_type", "period"]
    reading.require_columns(frame, [*key, "la_name", "places"])
    reading.require_unique(frame, key)
    frame = frame[frame["institution_type"] != "Hospital Academies"]
    period = frame["period"].str.extract(r"^(April|August|September) (20\d{2}) to ")
    if period[0].isna().any():
        row = frame.index[period[0].isna()][0]
        raise DataError(
            f"{frame['period'][row]!r} does not begin with a month and a year",
            file=file,
            column="period",
            row=int(row) + 2,
        )
    places, _ = reading.numbers(frame["places"], file=file, codes={})
    kind = reading.check_known(frame["institution_type"], PROVISIONS, file=file)
    place_type = reading.check_known(frame["place_type"].str.lower(), PLACE_TYPES, file=file)
    return pd.DataFrame(
        {
            "area_code": area_names.coded(frame["old_la_code"], frame["la_name"], areas, file=file),
            "year": frame["financial_year"].str[:4].astype("int64"),
            "provision": kind,
            "place_type": place_type,
            "start": period[0].replace({"August": "autumn", "September": "autumn"}),
            "places": places,
        }
    )


def _mainstream(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Pupils on roll and places in mainstream schools, by phase."""
    frame = reading.read_csv(root, reading.release(SCORECARDS)["path"])
    file = frame.attrs["file"]
    place = ["Year", "geographic_level", "LANumber", "new_la_code", "LA_name"]
    reading.require_columns(frame, [*place, *MEASURES.values()])
    reading.require_unique(frame, ["Year", "LANumber"])
    frame = frame[frame["geographic_level"].isin(["National", "Local authority"])]
    local = frame["geographic_level"] == "Local authority"
    name = frame["LA_name"].where(local, "England")
    area_names.check(frame["LANumber"].where(local, ""), name, areas, file=file)
    code = area_names.coded(frame["new_la_code"].where(local, ""), name, areas, file=file)
    parts = []
    for (phase, measure), column in MEASURES.items():
        number, missing = reading.numbers(frame[column], file=file, codes=CODES)
        parts.append(
            pd.DataFrame(
                {
                    "area_code": code,
                    "year": 2000 + frame["Year"].str[-2:].astype("int64"),
                    "phase": phase,
                    "measure": measure,
                    "number": number,
                    "missing": missing,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
