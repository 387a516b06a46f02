"""NHS Digital, waits into children's mental health services: yearly workbooks to one tidy table.

A workbook has thirty sheets of one shape: referrals that started in a year or a quarter of it,
followed to its end; counted as people or as referrals; for all services, for mental health
services, for learning disability and autism services. What a sheet holds is said in its title.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import reading
from send_analysis.cleaning.nhs_organisations import from_capitals
from send_analysis.cleaning.nhs_sheets import read_sheets
from send_analysis.errors import DataError

TABLE = "mental_health_waits"
RELEASE = "mental_health_waits_{}"  # the year in which the financial year begins
CHECK = "between its parts"
# What the headings begin with, in small letters and without "people" and "referrals".
COLUMNS = {
    "organisation code": "organisation_code",
    "organisation name": "organisation",
    "total number": "referred",
    "average waiting time": "mean_days",
    "waiting between 0 and 4 weeks": "weeks_0_4",
    "waiting between 4 and 6 weeks": "weeks_4_6",
    "waiting between 6 and 8 weeks": "weeks_6_8",
    "waiting between 8 and 10 weeks": "weeks_8_10",
    "waiting between 10 and 12 weeks": "weeks_10_12",
    "waiting over 12 weeks": "weeks_over_12",
    "referral closed before treatment": "closed",
    "still waiting, no contact": "no_contact",
    "still waiting, one contact": "one_contact",
}
MEASURES = {
    "referred": "referred",
    "mean_days": "mean days to second contact",
    "weeks_0_4": "second contact within 4 weeks",
    "weeks_4_6": "second contact after 4 to 6 weeks",
    "weeks_6_8": "second contact after 6 to 8 weeks",
    "weeks_8_10": "second contact after 8 to 10 weeks",
    "weeks_10_12": "second contact after 10 to 12 weeks",
    "weeks_over_12": "second contact after more than 12 weeks",
    "closed": "closed before treatment",
    "no_contact": "open, no contact",
    "one_contact": "open, one contact",
}
VALUES = tuple(MEASURES)
SERVICES = {
    "all services": "all",
    "mental health services": "mental health",
    "learning disability services": "learning disability and autism",
}
_TITLE = re.compile(
    r"Table \d+\w: the number of (?P<counts>children and young people|referrals for children and "
    r"young people) and the time waiting between referral and their second contact, for "
    r"(?P<services>.+?), (?P<first>\w+ \d{4}) - (?P<last>\w+ \d{4})\.?",
    re.IGNORECASE,
)
_KEY = ["year", "period", "counts"]


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `mental_health_waits`.

    Returns
    -------
    dict of DataFrame
        ``mental_health_waits``: ``year`` (in which the financial year begins),
        ``organisation_code, organisation, level`` (england, region, partnership or group),
        ``counts`` (people, referrals), ``services, measure`` (see ``MEASURES``), ``value, missing``
        (suppressed). Quarters are read for the checks and left out: they cut waits off at their
        end. ``quality``: sheets that :func:`contradicting` finds.

    Raises
    ------
    DataError
        If a sheet, heading or cell is not as described here, or a sheet of a whole year
        contradicts its parts.
    """
    read = pd.concat([read_workbook(root, year) for year in _years()], ignore_index=True)
    wrong = contradicting(read)
    whole = wrong[wrong["period"] == "year"]
    if len(whole):
        raise DataError(
            f"sheet {whole['sheet'].iloc[0]} of all services does not lie between its parts; fetch "
            "the workbook again",
            file=reading.release(RELEASE.format(whole["year"].iloc[0]))["path"],
        )
    note = (
        "sheet "
        + wrong["sheet"]
        + " prints for all services fewer than for one of them, or more than for all together"
        + wrong["repeats"].map(lambda sheet: f": it repeats sheet {sheet}" if sheet else "")
        + "; not used"
    )
    found = wrong.assign(
        area_code=ENGLAND,
        item=wrong["period"] + " / " + wrong["counts"] + " / all",
        published=wrong["referred"],
        note=note,
    )
    found = quality.findings(found, table=TABLE, check=CHECK, action="explained")
    table = read[read["period"] == "year"].rename(columns=MEASURES)
    table = table.assign(organisation=table["organisation"].map(from_capitals))
    table = table.melt(
        ["year", "organisation_code", "organisation", "level", "counts", "services"],
        list(MEASURES.values()),
        var_name="measure",
    )
    missing = table["value"].isna().map({True: "suppressed", False: ""})
    return {TABLE: table.assign(missing=missing), "quality": found}


def _years() -> list[int]:
    """Years that `releases.yml` has a workbook of."""
    stem = RELEASE.format("")
    names = reading.layout.specification()["releases"]
    return sorted(int(name.removeprefix(stem)) for name in names if name.startswith(stem))


def read_workbook(root: Path, year: int) -> pd.DataFrame:
    """Read every sheet of one financial year as published.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    year : int
        In which the financial year begins.

    Returns
    -------
    DataFrame
        ``year, period`` (year or a quarter), ``sheet, organisation_code, organisation, level,
        counts, services``, and a column for each of ``VALUES``.
    """
    path = reading.release(RELEASE.format(year))["path"]
    parts = [
        _read(pd.DataFrame(rows, dtype="object"), year, f"{path}!{name}").assign(sheet=name)
        for name, (rows, _) in read_sheets(root, path).items()
        if re.fullmatch(r"\d+[a-z]", name)
    ]
    if not parts:
        raise DataError("has no sheet such as '1a'; is this the workbook of waits?", file=path)
    return pd.concat(parts, ignore_index=True)


def _read(sheet: pd.DataFrame, year: int, where: str) -> pd.DataFrame:
    """Read one sheet, whose title says what it counts."""
    if sheet.empty:
        raise DataError("the sheet is empty; fetch the workbook again", file=where)
    cells = [[str(cell).strip() for cell in row] for row in sheet.to_numpy()]
    sheet = pd.DataFrame(cells, dtype="str")
    sheet.index = sheet.index - 1  # plus 2 is the row as a spreadsheet numbers it
    titles = sheet[0][sheet[0].str.match(r"Table \d")].str.split().str.join(" ")
    match = _TITLE.fullmatch(titles.iloc[0]) if len(titles) else None
    services = SERVICES.get(match["services"].casefold()) if match else None
    if services is None:
        raise DataError(
            f"the title is {titles.iloc[0] if len(titles) else ''!r}; expected 'Table ...: The "
            "number of ... and the time waiting between referral and their second contact, for "
            "... services, ... - ...'",
            file=where,
        )
    first, last = (
        pd.to_datetime(match[part], format="%B %Y", errors="coerce") for part in ("first", "last")
    )
    begins = first.year if first.month >= 4 else first.year - 1
    months = 12 * (last.year - first.year) + last.month - first.month + 1
    if begins != year or (months, first.month % 3) not in {(12, 1), (3, 1)}:
        raise DataError(
            f"the title says {match['first']} to {match['last']}; expected the year from April "
            f"{year}, or a quarter of it",
            file=where,
        )
    head = sheet.index[sheet[0] == "Organisation Code"]
    if not len(head):
        raise DataError("no heading 'Organisation Code'; is the layout new?", file=where)
    frame = _named(sheet.loc[head[0]], sheet.loc[head[0] + 1 :], where)
    frame = frame[frame["organisation"] != ""]
    if frame.empty:
        raise DataError("has no rows below its heading; fetch the workbook again", file=where)
    counts = frame[list(VALUES)].drop(columns="mean_days").melt(ignore_index=False)
    codes = {"*": "suppressed"}
    values, _ = reading.numbers(
        counts["value"], file=where, codes=codes, whole=True, columns=counts["variable"]
    )
    values = counts.assign(value=values.array).pivot(columns="variable", values="value")
    values["mean_days"], _ = reading.numbers(
        frame["mean_days"], file=where, codes=codes, negative=True
    )
    code = frame["organisation_code"].replace({"England": ENGLAND, "UNKNOWN/INVALID": "UNKNOWN"})
    level = _levels(code, where)
    _check_whole(values["referred"].set_axis(code), level, where)
    quarter = f"{first:%B} to {last:%B}" if months == 3 else "year"
    return frame.assign(
        **{column: values[column] for column in VALUES},
        year=year,
        period=quarter,
        organisation_code=code,
        level=level,
        counts="referrals" if match["counts"].casefold().startswith("ref") else "people",
        services=services,
    )


def _named(head: pd.Series, body: pd.DataFrame, where: str) -> pd.DataFrame:
    """Give the columns our names; percentages, which the counts give better, are left out."""
    plain = head.str.casefold().str.replace(r"^number of (people|referrals) ", "", regex=True)
    plain = plain.str.split().str.join(" ")
    found = {}
    for printed, name in COLUMNS.items():
        at = plain.index[plain.str.startswith(printed)]
        if len(at) != 1:
            raise DataError(
                f"{len(at)} headings begin with {printed!r}, expected one; is the layout new?",
                file=where,
                row=int(head.name) + 2,
            )
        found[at[0]] = name
    return body[list(found)].rename(columns=found)


def _levels(code: pd.Series, where: str) -> pd.Series:
    """Kind of organisation by the form of its code."""
    forms = {
        ENGLAND: "england",
        r"Y\d\d": "region",
        r"E54\d{6}|Q\w\w": "partnership",
        "UNKNOWN": "",
        r"\d\d[A-Z]|[A-Z]\d[A-Z]\d[A-Z]": "group",
    }
    level = pd.Series(None, index=code.index, dtype="object")
    for form, name in forms.items():
        level = level.mask(code.str.fullmatch(form), name)
    reading.refuse(
        level.isna(),
        code.rename("Organisation Code"),
        "is no code of a known form; if the publisher has new ones, say so in nhs_mental_health.py",
        file=where,
    )
    return level.mask(level == "").ffill()  # each list ends with those whose place is not known


def _check_whole(referred: pd.Series, level: pd.Series, where: str) -> None:
    """Refuse a sheet whose groups add up to fewer than England: a row is missing.

    They may add up to more, because who moves counts in both groups.
    """
    groups = referred[(level == "group").to_numpy()]
    if (referred.index == ENGLAND).sum() != 1:
        raise DataError("has no row of England, or two; fetch the workbook again", file=where)
    england = float(referred[ENGLAND])
    rounding = 2.5 * len(groups) + 2.5 * groups.isna().sum()  # to 5, and fewer than 5 withheld
    if groups.sum() < england - rounding:
        raise DataError(
            f"its groups add up to {groups.sum():,.0f}, England is {england:,.0f}; a row is "
            "missing. Fetch the workbook again",
            file=where,
        )


def contradicting(read: pd.DataFrame) -> pd.DataFrame:
    """Find sheets of all services that do not lie between the sheets of their parts.

    Who is referred to any service is at least as many as to the largest of its parts, and at most
    as many as to all of them together.

    Parameters
    ----------
    read : DataFrame
        As :func:`read_workbook` returns it.

    Returns
    -------
    DataFrame
        ``year, sheet, period, counts, referred`` (England), ``repeats`` (a sheet of the same
        counts in another quarter with the same figures, or empty).
    """
    england = read[read["organisation_code"] == ENGLAND]
    wide = england.pivot(index=_KEY, columns="services", values="referred").astype(float)
    parts = wide.drop(columns="all")
    complete = parts.notna().all(axis=1)
    outside = (wide["all"] < parts.max(axis=1)) | (complete & (wide["all"] > parts.sum(axis=1)))
    alike = england.groupby(["year", "counts", "services", *VALUES], dropna=False)["sheet"]
    england = england.assign(first=alike.transform("first"))
    found = england[england["services"] == "all"].set_index(_KEY).loc[outside[outside].index]
    found = found.assign(repeats=found["first"].where(found["first"] != found["sheet"], ""))
    return found.reset_index()[["year", "sheet", "period", "counts", "referred", "repeats"]]
