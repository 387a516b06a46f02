"""Ofsted and the Care Quality Commission: outcomes of area SEND inspections since January 2023."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd

from send_analysis.cleaning import reading

NAME = "inspections_2025"
OUTCOMES = {
    "1.0": "typically positive experiences and outcomes",
    "2.0": "inconsistent experiences and outcomes",
    "3.0": "widespread and/or systemic failings",
}

NO_GRADE = "nan"
DATES = {r"\d{1,2}/\d{1,2}/\d{2}": "%d/%m/%y", r"\d{1,2}/\d{1,2}/\d{4}": "%d/%m/%Y"}
FIRST = pd.Timestamp("2023-01-01")  # the framework of area SEND inspections began


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
    file = frame.attrs["file"]
    grade = frame["outcome_grade"]
    reading.refuse(
        ~grade.isin([*OUTCOMES, NO_GRADE]),
        grade,
        f"is not a grade ({', '.join(OUTCOMES)}, {NO_GRADE}); {reading.COMPARE}",
        file=file,
    )
    dates = {
        name: reading.dates(frame[column], file=file, forms=DATES)
        for name, column in zip(("start", "end", "published"), columns[2:], strict=True)
    }
    for (before, earlier), (column, later) in pairwise(
        zip(columns[2:], dates.values(), strict=True)
    ):
        problem = f"is before {before!r} in the same row; {reading.COMPARE}"
        reading.refuse(later < earlier, frame[column], problem, file=file)
    # The file says nothing of inspections after its own date, and there were none before 2023.
    latest = pd.Timestamp(reading.release(NAME)["published"]) + pd.offsets.MonthEnd()
    for name, column in zip(dates, columns[2:], strict=True):
        outside = dates[name].notna() & ~dates[name].between(FIRST, latest)
        problem = f"is not between {FIRST:%B %Y} and {latest:%B %Y}; {reading.COMPARE}"
        reading.refuse(outside, frame[column], problem, file=file)
    day = dates["start"].fillna(dates["published"])
    reading.refuse(
        day.isna(),
        frame["inspection_start_date"],
        "is no date, and there is no publication date; an inspection needs one of them",
        file=file,
    )
    out = pd.DataFrame(
        {
            "area_code": reading.check_known(frame["la_code"], by_old.to_dict(), file=file),
            "year": day.dt.year,
            "outcome_grade": pd.to_numeric(grade, errors="coerce").astype("Int64"),
            "outcome": grade.map(OUTCOMES).fillna(""),
            **dates,
            "missing": grade.map({NO_GRADE: "unavailable"}).fillna(""),
        }
    )
    return {"inspections": out}
