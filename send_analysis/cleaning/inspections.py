"""Ofsted and the Care Quality Commission: outcomes of area SEND inspections since January 2023."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis.cleaning import reading

NAME = "inspections_2025"
OUTCOMES = {
    "1.0": "typically positive experiences and outcomes",
    "2.0": "inconsistent experiences and outcomes",
    "3.0": "widespread and/or systemic failings",
}


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `inspections`: the latest full inspection of each area.

    Returns
    -------
    dict of DataFrame
        ``inspections``: ``area_code, year, outcome_grade`` (1 best, 3 worst), ``outcome, start,
        end, published, missing``.
    """
    frame = reading.read_csv(root, reading.release(NAME)["path"])
    columns = [
        "la_code",
        "outcome_grade",
        "inspection_start_date",
        "inspection_end_date",
        "publication_date",
    ]
    reading.require_columns(frame, columns)
    reading.require_unique(frame, ["la_code"])
    by_old = areas[areas["level"] == "local authority"].set_index("old_code")["area_code"]
    grade, missing = reading.numbers(
        frame["outcome_grade"], file=frame.attrs["file"], codes={"nan": "unavailable"}
    )
    dates = {
        name: pd.to_datetime(frame[column], format="%d/%m/%y")
        for name, column in zip(("start", "end", "published"), columns[2:], strict=True)
    }
    out = pd.DataFrame(
        {
            "area_code": reading.check_known(
                frame["la_code"], by_old.to_dict(), file="inspections"
            ),
            "year": dates["start"].fillna(dates["published"]).dt.year,
            "outcome_grade": grade.astype("Int64"),
            "outcome": frame["outcome_grade"].map(OUTCOMES).fillna(""),
            **dates,
            "missing": missing,
        }
    )
    return {"inspections": out}
