"""Department for Education: high needs money: the grant, what was spent, the deficit."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pandas as pd

from send_analysis.cleaning import area_names, reading
from send_analysis.errors import DataError

GRANT = "dedicated_schools_grant_{}"
GRANT_YEARS = range(2020, 2024)  # year in which the financial year begins
BENCHMARKING, DEFICITS = "high_needs_benchmarking_2021", "dsg_deficits"
# Both accounts are of 2021-22. A cell of the workbook left over from an earlier edition says
# "2020-21" beside the outturn, but its amounts are those published for 2021-22: independent and
# non-maintained special schools add to 1,343.5 million pounds (2020-21: 1,133.7; parliamentary
# answer 100030), and the Department's dashboard prints each authority's as 2021-22.
ACCOUNTS = {"Section 251 budget": ("budget", 2021), "Section 251 outturn": ("outturn", 2021)}
# Heading of a group of columns, and what the money is for.
FUNDING = {
    "Place funding": "place funding",
    "Top up funding (maintained schools, academies, free schools and colleges)": (
        "top-up, state-funded"
    ),
    "Top up funding (non-maintained and independent schools and colleges)": "top-up, independent",
}
PROVISIONS = {
    "Early Years": "early years",
    "Primary": "primary",
    "Secondary": "secondary",
    "Special schools and academies": "special",
    "PRUs and AP academies": "alternative provision",
    "Post School": "post-16",
    "Income": "income",
}
SERVICES = {
    "SEN support and inclusion services": "SEN support and inclusion",
    "Alternative provision services": "alternative provision services",
    "Hospital education services": "hospital education",
    "Therapies and other health related services": "therapies",
}
TITLES, HEADINGS, CODES = 2, 3, 2  # rows of the two headings, and column of the code, from 0
ABSORBED = {"928", "835", "836", "837"}  # abolished authorities: rows without money


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the tables `high_needs_funding`, `high_needs_spending` and `dsg_deficits`.

    Returns
    -------
    dict of DataFrame
        ``high_needs_funding``: ``area_code, year`` (in which the financial year begins),
        ``grant, high_needs`` (pounds, before recoupment and deductions), ``special_pupils``.
        ``high_needs_spending``: ``area_code, year, account`` (outturn or budget), ``funding,
        provision, pounds``.
        ``dsg_deficits``: ``area_code, year, deficit`` (cumulative, per cent of income).
    """
    return {
        "high_needs_funding": pd.concat(
            [_grant(root, areas, year) for year in GRANT_YEARS], ignore_index=True
        ),
        "high_needs_spending": _spending(root, areas),
        "dsg_deficits": _deficits(root, areas),
    }


def _open_document(content: bytes, where: str) -> bytes:
    """Give an OpenDocument archive the entry `mimetype` that these lack and the reader needs."""
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
            target.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            for name in source.namelist():
                if name != "mimetype":
                    target.writestr(name, source.read(name))
    except reading.DAMAGED as error:
        raise DataError(f"damaged or cut short ({error}); fetch it again", file=where) from None
    return out.getvalue()


def _codes(sheet: pd.DataFrame, column: int, where: str) -> pd.Series:
    """Authorities' codes in a column; rows without a number there are regions and notes."""
    code = sheet[column].str.replace(r"\.0$", "", regex=True).rename("LA code")
    number = code.str.match(r"\d")
    if not number.any():
        raise DataError("no authority's code in it; is the layout new?", file=where)
    reading.refuse(
        number.cummax() & ~number & (sheet[column + 1] != ""),
        code,
        "is no code, and an authority's name stands beside it",
        file=where,
    )
    return code


def _column(sheet: pd.DataFrame, heading: str, where: str) -> pd.Series:
    """Cells below the first column with a heading among the first rows that begins so."""
    for column in sheet.columns:
        if sheet[column].iloc[:5].str.startswith(heading).any():
            return sheet[column].rename(heading)
    raise DataError("no such heading; is the layout new?", file=where, column=heading)


def _grant(root: Path, areas: pd.DataFrame, year: int) -> pd.DataFrame:
    """Allocations of one financial year."""
    content, where = reading.read_bytes(root, reading.release(GRANT.format(year))["path"])
    content = _open_document(content, where)
    wanted = {
        "grant": ("Allocations_summary", "Total DSG allocation"),
        "high_needs": ("Allocations_summary", "High needs block"),
        "special_pupils": ("High_needs_block", "Number of pupils in special schools"),
    }
    parts = {}
    for name, (tab, heading) in wanted.items():
        place = f"{where}!{tab}"
        sheet = reading.read_sheet(content, place, tab)
        code = _codes(sheet, 0, place)
        rows = code.str.match(r"\d") | (code == "ENGLAND")
        values, _ = reading.numbers(_column(sheet, heading, place)[rows], file=place, codes={})
        national = code == "ENGLAND"
        known = area_names.coded(
            code.mask(national, "")[rows],
            sheet[1].mask(national, "England")[rows],
            areas,
            file=place,
        )
        reading.refuse(known.duplicated(), code[rows], "stands there twice", file=place)
        parts[name] = values.set_axis(known.to_numpy())
    out = pd.DataFrame(parts).rename_axis("area_code").reset_index()
    return out.assign(year=year)


def _spending(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """High needs lines of the section 251 returns, by what the money is for."""
    content, where = reading.read_bytes(root, reading.release(BENCHMARKING)["path"])
    sheet = reading.read_sheet(content, where)
    if len(sheet) <= HEADINGS or sheet.shape[1] <= CODES:
        raise DataError("has too few rows or columns; is the layout new?", file=where)
    code = _codes(sheet.iloc[HEADINGS + 2 :], CODES, where)
    rows = code.index[code.str.match(r"\d") & ~code.isin(ABSORBED)]
    area = area_names.coded(code[rows], sheet.loc[rows, CODES + 1], areas, file=where)
    reading.refuse(area.duplicated(), code[rows], "stands there twice", file=where)
    parts = []
    for title, (account, year) in ACCOUNTS.items():
        first = sheet.columns[(sheet.iloc[TITLES] == title).to_numpy()]
        if len(first) != 1:
            raise DataError("no such heading, or two of them", file=where, column=title)
        for (funding, provision), column in _lines(sheet.iloc[HEADINGS], int(first[0]), where):
            pounds, _ = reading.numbers(
                sheet.loc[rows, column].rename(f"{title}: {provision}"),
                file=where,
                codes={},
                negative=True,  # income that exceeds what it is set against
            )
            parts.append(
                pd.DataFrame(
                    {
                        "area_code": area,
                        "year": year,
                        "account": account,
                        "funding": funding,
                        "provision": provision,
                        "pounds": pounds,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _lines(headings: pd.Series, start: int, where: str) -> list[tuple[tuple[str, str], int]]:
    """What each column from `start` to the next empty heading is for."""
    out, group = [], None
    for column in range(start, len(headings)):
        text = re.sub(r"\s*\(\d\)$", "", re.sub(r"\s+", " ", headings[column]))
        if text in FUNDING:
            group = FUNDING[text]
            out.append(((group, "all"), column))
        elif text in PROVISIONS and group:
            out.append(((group, PROVISIONS[text]), column))
        elif text in SERVICES:
            out.append((("services", SERVICES[text]), column))
        elif text == "":
            break
        else:
            raise DataError(f"heading {text!r} is not known here", file=where)
    return out


def _deficits(root: Path, areas: pd.DataFrame) -> pd.DataFrame:
    """Cumulative deficit of the dedicated schools grant, per cent of income."""
    sheet = reading.read_sheet(*reading.read_bytes(root, reading.release(DEFICITS)["path"]))
    where = sheet.attrs["file"]
    sheet = sheet.iloc[1:].set_axis(sheet.iloc[0], axis=1)
    sheet.attrs["twice"] = list(sheet.columns[sheet.columns.duplicated()])
    columns = ["time_period", "geographic_level", "region_name", "la_name", "deficit"]
    reading.require_columns(sheet, columns)
    reading.require_unique(sheet, columns[:4])
    level = sheet["geographic_level"]
    reading.check_known(level, {name: name for name in reading.LEVELS}, file=where)
    latest = int(reading.release(DEFICITS)["published"][:4])
    year = reading.first_years(sheet["time_period"], file=where, between="", latest=latest)
    deficit, _ = reading.numbers(sheet["deficit"], file=where, codes={}, negative=True)
    local = level == "Local authority"
    # No codes: each name is that of the authority of the time (Dorset's code changed in 2019).
    parts = [
        area_names.of_their_time(name[rows], year[rows] + 1, areas, file=where, levels=levels)
        for name, rows, levels in (
            (sheet["la_name"], local, ("local authority",)),
            (sheet["region_name"], ~local, ("region", "england")),
        )
    ]
    code = pd.concat(parts).reindex(sheet.index)
    if (code == "").any():
        row = int((code == "").to_numpy().argmax())
        raise DataError(
            f"{sheet['la_name'].iat[row]!r} did not exist in {sheet['time_period'].iat[row]}",
            file=where,
            column="la_name",
            row=int(sheet.index[row]) + 2,
        )
    return pd.DataFrame({"area_code": code, "year": year, "deficit": deficit})
