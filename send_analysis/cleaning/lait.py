"""Local Authority Interactive Tool of the Department for Education: pupils with SEN in schools."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis.cleaning import area_names, reading
from send_analysis.errors import DataError

NAME = "lait_2026"
MEASURES = {"SEN_TotStat": "EHC plan or statement", "SEN_TotSENSuP": "SEN support"}


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `pupils`: pupils with a plan and with SEN support, of all pupils in schools.

    An authority that did not exist in a year has no row. The shares are of pupils in the area's
    state-funded schools in January, wherever they live.

    Returns
    -------
    dict of DataFrame
        ``pupils``: ``area_code, year, support, percent``.
    """
    frame = reading.read_csv(root, reading.release(NAME)["path"])
    reading.require_columns(frame, ["Short Desc", "Years", "Values", "LA Number", "LA and Regions"])
    rows = frame[frame["Short Desc"].isin(MEASURES)]
    for measure in MEASURES:
        if not (rows["Short Desc"] == measure).any():
            raise DataError(
                f"no row has {measure!r}", file=frame.attrs["file"], column="Short Desc"
            )
    code = area_names.coded(
        rows["LA Number"], rows["LA and Regions"], areas, file=frame.attrs["file"]
    )
    regions = areas.loc[areas["level"].isin(["region", "sub-region"]), "area_code"]
    value, missing = reading.numbers(
        rows["Values"], file=frame.attrs["file"], codes=reading.release(NAME)["missing"]
    )
    out = pd.DataFrame(
        {
            "area_code": code,
            "year": rows["Years"].astype("int64"),
            "support": rows["Short Desc"].map(MEASURES),
            # Printed to one decimal place; the file holds binary noise (2.2000000000000002).
            "percent": value.round(1),
        }
    )
    return {"pupils": out[~code.isin(regions) & (missing != "not_applicable")]}
