"""Department for Education: places funded from the high needs block; mainstream school places."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis.cleaning import area_names, reading

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
    year = reading.first_years(frame["financial_year"], file=file, between="-")
    period = frame["period"].str.extract(r"^(April|August|September) (20\d{2}) to ")
    begins = pd.to_numeric(period[1])
    reading.refuse(
        begins.isna() | (begins != year),
        frame["period"],
        "does not begin with April, August or September of its financial year; " + reading.COMPARE,
        file=file,
    )
    places, _ = reading.numbers(frame["places"], file=file, codes={})
    kind = reading.check_known(frame["institution_type"], PROVISIONS, file=file)
    place_type = reading.check_known(frame["place_type"], PLACE_TYPES, file=file)
    return pd.DataFrame(
        {
            "area_code": area_names.coded(frame["old_la_code"], frame["la_name"], areas, file=file),
            "year": year,
            "provision": kind,
            "place_type": place_type,
            "start": period[0].replace({"August": "autumn", "September": "autumn"}),
            "places": places,
        }
    )


def _mainstream(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Pupils on roll and places in mainstream schools, by phase."""
    entry = reading.release(SCORECARDS)
    frame = reading.read_csv(root, entry["path"])
    file = frame.attrs["file"]
    place = ["Year", "geographic_level", "LANumber", "new_la_code", "LA_name"]
    reading.require_columns(frame, [*place, *MEASURES.values()])
    level = reading.check_known(
        frame["geographic_level"], {name: name for name in reading.LEVELS}, file=file
    )
    latest = int(entry["published"][:4])
    year = 1 + reading.first_years(frame["Year"], file=file, between="/", latest=latest)
    frame = frame.assign(year=year)[level != "Regional"]
    local = frame["geographic_level"].str.casefold() == "local authority"
    reading.refuse(
        local & ~frame["new_la_code"].str.fullmatch(reading.LOCAL),
        frame["new_la_code"],
        "is not the code of an authority",
        file=file,
    )
    name = frame["LA_name"].where(local, "England")
    area_names.check(frame["LANumber"].where(local, ""), name, areas, file=file)
    code = area_names.coded(frame["new_la_code"].where(local, ""), name, areas, file=file)
    reading.require_unique(frame.assign(area_code=code), ["year", "area_code"])
    parts = []
    for (phase, measure), column in MEASURES.items():
        number, missing = reading.numbers(frame[column], file=file, codes=CODES, whole=True)
        parts.append(
            pd.DataFrame(
                {
                    "area_code": code,
                    "year": frame["year"],
                    "phase": phase,
                    "measure": measure,
                    "number": number,
                    "missing": missing,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
