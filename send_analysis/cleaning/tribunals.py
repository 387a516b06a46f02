"""Ministry of Justice: appeals to the First-tier Tribunal (SEND) by authority, 2014 on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis.cleaning import layout, reading, series
from send_analysis.errors import DataError

CODES = {"~": "suppressed", "..": "unavailable", "x": "unavailable", "": "blank"}
NONE = "-"  # no appeal
MEASURES = {
    "Appeals registered": "appeals",
    "Total Appealable Decisions": "decisions",
    "In development: Total Appealable Decisions": "decisions, in development",
}


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `tribunals`.

    The sheet prints three columns a year (appeals, decisions, rate); for 2024 two more, "in
    development", count decisions anew and must not be mixed with the others. The rate is left
    out: it is appeals over decisions.

    Returns
    -------
    dict of DataFrame
        ``tribunals``: ``area_code, year, measure, cases, missing``.
    """
    entry = layout.release(series.holding(root, "tribunals"))
    sheet = reading.read_csv(
        root, entry["path"], entry["files"]["tribunals"]["member"], header=None
    )
    file = sheet.attrs["file"]
    top = sheet.index[sheet[0] == "Local Authority"]
    if len(top) != 1:
        raise DataError(
            "no heading row that begins with 'Local Authority'; is the layout new?", file=file
        )
    if sheet.index[-1] < top[0] + 2 or sheet.shape[1] < 3:
        raise DataError("no rows or no figures below the headings; fetch it again", file=file)
    years = sheet.loc[top[0]].where(lambda row: row.str.fullmatch(r"20\d{2}")).ffill()
    titles = sheet.loc[top[0] + 1].str.replace(r"\d[\d,]*$", "", regex=True).str.strip()
    by_old = areas[areas["level"] == "local authority"].set_index("old_code")["area_code"]
    body = sheet.loc[top[0] + 2 :]
    # Rows without a code are regions and notes.
    body = body[body[1].str.match(r"\s*\d")]
    if body.empty:
        raise DataError("no row has an authority's code; fetch it again", file=file)
    code = reading.check_known(body[1].rename("LA code"), by_old.to_dict(), file=file)
    reading.refuse(code.duplicated(), body[1].rename("LA code"), "stands there twice", file=file)
    parts = []
    for column in sheet.columns[2:]:
        if titles[column] not in MEASURES:
            continue
        title = f"{titles[column]}, {years[column]}"
        if pd.isna(years[column]):
            raise DataError("no year stands above it", file=file, column=titles[column])
        text = body[column].str.strip().rename(title)
        text = text.str.replace(r"(?<=\d),(?=\d{3}\b)", "", regex=True)
        text = text.where(text != NONE, "0")
        cases, missing = reading.numbers(text, file=file, codes=CODES, whole=True)
        parts.append(
            pd.DataFrame(
                {
                    "area_code": code,
                    "year": int(years[column]),
                    "measure": MEASURES[titles[column]],
                    "cases": cases,
                    "missing": missing,
                }
            )
        )
    found = {part["measure"].iat[0] for part in parts}
    for title, measure in MEASURES.items():
        if measure not in found:
            raise DataError("no such heading in any year", file=file, column=title)
    out = pd.concat(parts, ignore_index=True)
    # An authority not yet, or no longer, there has an empty cell.
    return {"tribunals": out[out["missing"] != "blank"]}
