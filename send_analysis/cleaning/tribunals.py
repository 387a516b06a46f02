"""Ministry of Justice: appeals to the First-tier Tribunal (SEND) by authority, 2014 on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import area_names, layout, reading, series
from send_analysis.errors import DataError

CODES = {"~": "suppressed", "..": "unavailable", "x": "unavailable", "": "blank"}
NONE = "-"  # no appeal
DECISIONS = "Total Appealable Decisions"
MEASURES = {
    "Appeals registered": "appeals",
    DECISIONS: "decisions",
    f"In development: {DECISIONS}": "decisions, in development",
}
# The last row of the sheet repeats England without the authorities whose appeals are suppressed.
LEFT_OUT = "England total excluding suppressed"
LEVELS = ("local authority", "england")
REASON = (
    "the table published for 2022, which has no codes, and the Department's interactive tool have "
    "these figures under the name"
)


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `tribunals`.

    The sheet prints three columns a year (appeals, decisions, rate); for 2024 two more, "in
    development", count decisions anew and must not be mixed with the others. The rate is left
    out: it is appeals over decisions. Authorities and England have rows; regions are headings
    without figures. Where the code beside a name is another authority's, the name counts.

    Returns
    -------
    dict of DataFrame
        ``tribunals``: ``area_code, year, measure, cases, missing``; ``quality``.
    """
    entry = layout.release(series.holding(root, "tribunals"))
    spec = entry["files"]["tribunals"]
    sheet = reading.read_csv(root, entry["path"], spec["member"], header=None)
    file = sheet.attrs["file"]
    body = _body(sheet, file)
    faults = area_names.check(
        body[1].rename("LA code"), body[0], areas, file=file, wrong_codes=spec.get("wrong_codes")
    )
    table = _cells(sheet, body, areas, file)
    latest = table[table["cases"].notna()].groupby("area_code")["year"].max()
    wrong = area_names.findings(faults, areas, table="tribunals", reason=REASON)
    wrong["year"] = wrong["area_code"].map(latest)
    return {
        "tribunals": table,
        "quality": pd.concat([wrong, _odd(table, areas)], ignore_index=True),
    }


def _body(sheet: pd.DataFrame, file: str) -> pd.DataFrame:
    """Rows with figures below the two rows of headings."""
    top = sheet.index[sheet[0] == "Local Authority"]
    if len(top) != 1:
        raise DataError(
            "no heading row that begins with 'Local Authority'; is the layout new?", file=file
        )
    sheet.attrs["top"] = int(top[0])
    body = sheet.loc[top[0] + 2 :]
    figures = body[sheet.columns[2:]].apply(lambda column: column.str.strip())
    body = body[(figures != "").any(axis=1) & (body[0] != LEFT_OUT)]
    # An error names the row as a spreadsheet counts it; this sheet's first row is no heading.
    return body.set_axis(body.index - 1)


def _cells(sheet: pd.DataFrame, body: pd.DataFrame, areas: pd.DataFrame, file: str) -> pd.DataFrame:
    """One row for each area, year and measure: of the areas that were there in that year."""
    top = sheet.attrs["top"]
    years = sheet.loc[top].where(lambda row: row.str.fullmatch(r"20\d{2}")).ffill()
    titles = sheet.loc[top + 1].str.replace(r"\d[\d,]*$", "", regex=True).str.strip()
    name = body[0].rename("Local Authority")
    parts = []
    for column in sheet.columns[2:]:
        if titles[column] not in MEASURES:
            continue
        year = int(years[column])
        heading = f"{titles[column]}, {year}"
        text = body[column].str.replace(",", "").str.strip().rename(heading)
        cases, missing = reading.numbers(text.where(text != NONE, "0"), file=file, codes=CODES)
        there, before = (
            area_names.of_their_time(name, year + later, areas, file=file, levels=LEVELS)
            for later in (1, 0)
        )
        code = there.where(there != "", before)
        strange = (code == "") & cases.notna()
        if strange.any():
            row = int(strange.to_numpy().argmax())
            raise DataError(
                f"{text.iat[row]!r} for {name.iat[row]!r}, which did not exist then",
                file=file,
                column=heading,
                row=int(body.index[row]) + 2,
            )
        # An authority not yet, or no longer, there has "..", but for appeals before it ended.
        code = code.where(cases.notna() | (there != ""), "")
        part = pd.DataFrame({"area_code": code, "cases": cases, "missing": missing})
        parts.append(part[code != ""].assign(year=year, measure=MEASURES[titles[column]]))
    found = {part["measure"].iat[0] for part in parts}
    for title, measure in MEASURES.items():
        if measure not in found:
            raise DataError("no such heading in any year", file=file, column=title)
    return pd.concat(parts, ignore_index=True)


def _odd(table: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Find decisions of two authorities that look exchanged, and sums that are not England's."""
    found = []
    for measure, rows in table.groupby("measure", sort=False):
        england = rows["area_code"] == ENGLAND
        found.append(
            quality.parts_against_total(
                rows[~england].assign(area_code=ENGLAND),
                rows[england],
                table="tribunals",
                value="cases",
                check="areas against the total",
            ).assign(item=measure)
        )
    local = table[(table["area_code"] != ENGLAND) & (table["measure"] == MEASURES[DECISIONS])]
    exchanged = quality.exchanged(local, areas, table="tribunals", value="cases")
    found.append(exchanged.assign(item=MEASURES[DECISIONS]))
    return pd.concat(found, ignore_index=True)
