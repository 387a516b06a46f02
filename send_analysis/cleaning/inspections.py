"""Ofsted and the Care Quality Commission: outcomes of area SEND inspections since January 2023."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.cleaning import area_names, reading

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

    Where the summary has no dates of an inspection, those of `releases.yml` stand there, from
    the public document that it names; if none is known, ``dates_missing`` says so.

    Returns
    -------
    dict of DataFrame
        ``inspections``: ``area_code, year, outcome_grade`` (1 best, 3 worst), ``outcome, start,
        end, published, missing, dates_missing``; ``quality``.
    """
    entry = reading.release(NAME)
    frame = reading.read_csv(root, entry["path"])
    file = frame.attrs["file"]
    columns = ["inspection_start_date", "inspection_end_date", "publication_date"]
    reading.require_columns(
        frame, ["la_code", "ltla23cd", "local_authority", "outcome_grade", *columns]
    )
    reading.require_unique(frame, ["la_code"])
    name = frame["local_authority"]
    code = area_names.coded(frame["la_code"], name, areas, file=file)
    faults = area_names.check(
        frame["ltla23cd"], name, areas, file=file, wrong_codes=entry.get("wrong_codes")
    )
    grade = frame["outcome_grade"]
    reading.refuse(
        ~grade.isin([*OUTCOMES, NO_GRADE]),
        grade,
        f"is not a grade ({', '.join(OUTCOMES)}, {NO_GRADE}); {reading.COMPARE}",
        file=file,
    )
    dates = _dates(frame, columns, pd.Timestamp(entry["published"]), file)
    undated = dates["start"].isna()
    elsewhere = pd.DataFrame(entry["dates"]).T
    for name in ("start", "end"):
        known = pd.to_datetime(code.map(elsewhere[name]))
        dates[name] = dates[name].fillna(known.where(undated))
    out = pd.DataFrame(
        {
            "area_code": code,
            "year": dates["start"].fillna(dates["published"]).dt.year,
            "outcome_grade": pd.to_numeric(grade, errors="coerce").astype("Int64"),
            "outcome": grade.map(OUTCOMES).fillna(""),
            **dates,
            "missing": grade.map({NO_GRADE: "unavailable"}).fillna(""),
            "dates_missing": dates["start"].isna().map({True: "unavailable", False: ""}),
        }
    )
    wrong = area_names.findings(
        faults, areas, table="inspections", reason="the three-digit code agrees"
    )
    wrong["year"] = wrong["area_code"].map(out.set_index("area_code")["year"])
    undated = _undated(out[undated], out["area_code"].map(elsewhere["source"]))
    return {"inspections": out, "quality": pd.concat([undated, wrong], ignore_index=True)}


def _dates(
    frame: pd.DataFrame, columns: list[str], published: pd.Timestamp, file: str
) -> pd.DataFrame:
    """Days of each inspection: in their order, none before the first or after the summary."""
    names = ("start", "end", "published")
    dates = pd.DataFrame(
        {
            name: reading.dates(frame[column], file=file, forms=DATES)
            for name, column in zip(names, columns, strict=True)
        }
    )
    latest = published + pd.offsets.MonthEnd()
    for name, column in zip(names, columns, strict=True):
        outside = dates[name].notna() & ~dates[name].between(FIRST, latest)
        problem = f"is not between {FIRST:%B %Y} and {latest:%B %Y}; {reading.COMPARE}"
        reading.refuse(outside, frame[column], problem, file=file)
    for before, after in pairwise(zip(names, columns, strict=True)):
        problem = f"is before {before[1]!r} in the same row; {reading.COMPARE}"
        wrong = dates[after[0]] < dates[before[0]]
        reading.refuse(wrong, frame[after[1]], problem, file=file)
    reading.refuse(
        dates["start"].isna() & dates["published"].isna(),
        frame["publication_date"],
        "is no date, and there is no day of inspection; an inspection needs one of them",
        file=file,
    )
    return dates


def _undated(rows: pd.DataFrame, source: pd.Series) -> pd.DataFrame:
    """Say of inspections without dates in the summary where theirs come from, if anywhere."""
    source = source.reindex(rows.index).astype("str")
    dated = source.notna()
    where = ("; they are those of " + source).fillna("; the year is that of its publication")
    return quality.findings(
        rows[["area_code", "year"]].assign(
            action=dated.map({True: "corrected", False: "unexplained"}),
            note="the summary found no dates in the report" + where,
        ),
        table="inspections",
        item="dates",
        check="dates of the inspection",
    )
