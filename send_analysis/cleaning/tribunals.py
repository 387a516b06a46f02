"""Ministry of Justice: appeals to the First-tier Tribunal (SEND) by authority, 2014 on."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import area_names, layout, reading, series
from send_analysis.errors import DataError, LayoutError

CODES = {"~": "suppressed", "..": "unavailable", "x": "unavailable", "": "blank"}
NONE = "-"  # no appeal
DECISIONS = "decisions"
# The last row of the sheet repeats England without the authorities whose appeals are suppressed.
LEFT_OUT = "England total excluding suppressed"
LEVELS = ("local authority", "england")
REASON = (
    "the table published for 2022, which has no codes, and the Department's interactive tool have "
    "these figures under the name"
)


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `tribunals`.

    A sheet prints three columns a year (appeals, decisions, rate). The 2025 release has for 2024
    two more, "in development", which count decisions anew and must not be mixed with the others;
    later releases have the new count alone, and not the years before. Each year of each measure
    comes from the newest release that has it. The rate is left out: it is appeals over decisions.
    Authorities and England have rows, regions are left out. Where the code beside a name is
    another authority's, the name counts.

    Returns
    -------
    dict of DataFrame
        ``tribunals``: ``area_code, year, measure, cases, missing``; ``quality``.
    """
    parts, wrong = [], []
    for name in series.holding(root, "tribunals"):
        entry = layout.release(name)
        spec = entry["files"]["tribunals"]
        sheet = reading.read_csv(root, entry["path"], spec["member"], header=None)
        file = sheet.attrs["file"]
        body = _body(sheet, areas, file)
        faults = area_names.check(
            body[1].rename("LA code"), body[0], areas, file=file,
            wrong_codes=spec.get("wrong_codes"),
        )  # fmt: skip
        table = _cells(sheet, body, spec["headings"], areas, file)
        latest = table[table["cases"].notna()].groupby("area_code")["year"].max()
        found = area_names.findings(faults, areas, table="tribunals", reason=REASON)
        wrong.append(found.assign(year=found["area_code"].map(latest)))
        key = ["year", "measure"]
        seen = pd.MultiIndex.from_frame(pd.concat([table.iloc[:0], *parts])[key])
        parts.append(table[~pd.MultiIndex.from_frame(table[key]).isin(seen)])
    table = pd.concat(parts, ignore_index=True)
    return {
        "tribunals": table,
        "quality": pd.concat([*wrong, _odd(table, areas)], ignore_index=True),
    }


def _body(sheet: pd.DataFrame, areas: pd.DataFrame, file: str) -> pd.DataFrame:
    """Rows of authorities and England with figures, below the two rows of headings."""
    top = sheet.index[sheet[0].str.strip().str.casefold() == "local authority"]
    if len(top) != 1:
        raise LayoutError(
            "no heading row that begins with 'Local Authority'; is the layout new?", file=file
        )
    if sheet.index[-1] < top[0] + 2 or sheet.shape[1] < 3:
        raise DataError("no rows or no figures below the headings; fetch it again", file=file)
    sheet.attrs["top"] = int(top[0])
    body = sheet.loc[top[0] + 2 :]
    figures = body[sheet.columns[2:]].apply(lambda column: column.str.strip())
    regions = set(areas.loc[areas["level"].isin(["region", "sub-region"]), "area"].str.casefold())
    region = body[0].str.strip().str.casefold().isin(regions) & (body[1].str.strip() == "")
    return body[(figures != "").any(axis=1) & (body[0] != LEFT_OUT) & ~region]


def _measure(title: str, headings: dict[str, str]) -> str:
    """What a heading counts, by the first pattern that it fits; nothing if it fits none."""
    fits = (measure for words, measure in headings.items() if fnmatch(title.casefold(), words))
    return next(fits, "")


def _cells(
    sheet: pd.DataFrame,
    body: pd.DataFrame,
    headings: dict[str, str],
    areas: pd.DataFrame,
    file: str,
) -> pd.DataFrame:
    """One row for each area, year and measure: of the areas that were there in that year."""
    top = sheet.attrs["top"]
    years = sheet.loc[top].str.strip()
    years = years.where(lambda row: row.str.fullmatch(r"20\d{2}")).ffill()
    titles = sheet.loc[top + 1].str.replace(r"\d[\d,]*$", "", regex=True).str.strip()
    name = body[0].rename("Local Authority")
    parts = []
    for column in sheet.columns[2:]:
        measure = _measure(titles[column], headings)
        if not measure:
            continue
        if pd.isna(years[column]):
            raise DataError("no year stands above it", file=file, column=titles[column])
        year = int(years[column])
        heading = f"{titles[column]}, {year}"
        text = body[column].str.strip().rename(heading)
        text = text.str.replace(r"(?<=\d),(?=\d{3}\b)", "", regex=True)
        cases, missing = reading.numbers(
            text.where(text != NONE, "0"), file=file, codes=CODES, whole=True
        )
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
        parts.append(part[code != ""].assign(year=year, measure=measure))
    found = {part["measure"].iat[0] for part in parts}
    for words, measure in headings.items():
        if measure and measure not in found:
            raise LayoutError("no such heading in any year", file=file, column=words)
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
    local = table[(table["area_code"] != ENGLAND) & (table["measure"] == DECISIONS)]
    exchanged = quality.exchanged(local, areas, table="tribunals", value="cases")
    found.append(exchanged.assign(item=DECISIONS))
    return pd.concat(found, ignore_index=True)
