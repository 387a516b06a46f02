"""Codes and names of areas that a release prints side by side: both must mean one area.

A release that says the same thing twice can be checked. Where the code and the name beside it
are two areas', one of them is the publisher's fault, and nothing in the row says which: the file
is refused, unless `releases.yml` lists the pair among the release's ``wrong_codes`` with the
evidence that the name is right. Then the name counts, and the pair becomes a finding.
"""

from __future__ import annotations

import re

import pandas as pd

from send_analysis import quality
from send_analysis.areas import ENGLAND, fold
from send_analysis.cleaning import reading
from send_analysis.errors import DataError, nearest

# Codes of the Department's interactive tool for areas above authorities (its column "LA Number").
TOOL_CODES = {
    "970": ENGLAND,
    "980": "E12000001",
    "981": "E12000002",
    "982": "E12000003",
    "983": "E12000004",
    "984": "E12000005",
    "985": "E12000006",
    "986": "E12000007",
    "987": "E13000001",
    "988": "E13000002",
    "989": "E12000008",
    "990": "E12000009",
}
# What publishers write about a name: "(Pre LG)" in the tool and "(New, LA code 838)" in the
# workbooks tell authorities of before and after April 2019 apart, digits are footnotes, "Total"
# closes a sheet.
_REMARKS = re.compile(r"\(pre lg\)|\(new, la code \d+\)|\btotal(?=[\d,]*$)|[\d,]+$", re.IGNORECASE)
# Names of an area that differ by more than capitals and words such as "City of".
_SPELLINGS = {"london (inner)": "inner london", "london (outer)": "outer london"}


def _folded(name: str) -> str:
    """Reduce a printed name to what tells it apart."""
    plain = _REMARKS.sub("", name.strip()).strip()
    return fold(_SPELLINGS.get(plain.casefold(), plain))


def _by_code(areas: pd.DataFrame) -> dict[str, str]:
    """ONS code of each code that any publisher uses for an area."""
    old = areas.loc[areas["old_code"] != "", ["old_code", "area_code"]]
    return {
        **dict(zip(areas["area_code"], areas["area_code"], strict=True)),
        **dict(zip(old["old_code"], old["area_code"], strict=True)),
        **{old: new for old, new in reading.RECODED.items() if new in set(areas["area_code"])},
        **TOOL_CODES,
    }


def _by_name(areas: pd.DataFrame) -> pd.Series:
    """ONS code of each name, folded, that one area has: Dorset and London are two areas' each."""
    names = areas.set_index(areas["area"].map(fold))["area_code"]
    return names[~names.index.duplicated(keep=False)]


def disagreeing(code: pd.Series, name: pd.Series, areas: pd.DataFrame) -> pd.DataFrame:
    """Find rows whose code is one area's and whose name is another's.

    Parameters
    ----------
    code : Series of str
        As printed: three digits or nine characters, current or former; empty where the release
        prints none.
    name : Series of str
        As printed beside it.
    areas : DataFrame
        The table `areas`.

    Returns
    -------
    DataFrame
        ``code, name, says``: both as printed, and the area whose code it is (empty where no area
        has it, or none has the name), with the index of the rows; none where all agree.
    """
    printed = pd.DataFrame({"code": code, "name": name}).drop_duplicates()
    printed = printed[printed["code"] != ""]
    owner = printed["code"].str.removesuffix(".0").map(_by_code(areas)).fillna("")
    folded = printed["name"].map(_folded)
    known = areas["area"].map(fold)
    agree = pd.MultiIndex.from_arrays([folded, owner]).isin(
        pd.MultiIndex.from_arrays([known, areas["area_code"]])
    )
    says = owner.map(areas.set_index("area_code")["area"]).where(folded.isin(known)).fillna("")
    return printed.assign(says=says)[~agree]


def check(
    code: pd.Series,
    name: pd.Series,
    areas: pd.DataFrame,
    *,
    file: str,
    wrong_codes: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Refuse a release in which a code and the name beside it are two areas'.

    Parameters
    ----------
    code, name : Series of str
        As :func:`disagreeing` takes them; the index plus 2 is the row that an error names.
    areas : DataFrame
        The table `areas`.
    file : str
        Name of the file for errors.
    wrong_codes : dict, optional
        Faults of the publisher that are known: the printed code by the name it stands beside.

    Returns
    -------
    DataFrame
        The known faults that are there, as :func:`disagreeing` gives them.

    Raises
    ------
    DataError
        If another pair does not agree, or an area is not known by its code or name.
    """
    pairs = disagreeing(code, name, areas)
    plain = pairs["name"].str.replace(_REMARKS, "", regex=True).str.strip()
    excused = plain.map(wrong_codes or {}) == pairs["code"]
    if not excused.all():
        row = pairs[~excused].iloc[0]
        known = areas["area"].tolist()
        if row["says"]:
            problem = (
                f"{row['code']!r} is the code of {row['says']}, but the name beside it is "
                f"{row['name']!r}; if other releases show that the name is right, list the pair "
                "among the release's wrong_codes in releases.yml"
            )
        elif _folded(row["name"]) in set(areas["area"].map(fold)):
            problem = (
                f"no area has the code {row['code']!r}, and the name beside it is "
                f"{row['name']!r}; {reading.COMPARE}"
            )
        else:
            near = ", ".join(nearest(row["name"], known)) or "none"
            problem = (
                f"no area has the code {row['code']!r} or the name {row['name']!r}; nearest "
                f"names: {near}. Another spelling goes into cleaning/area_names.py"
            )
        column = None if code.name is None else str(code.name)
        raise DataError(problem, file=file, column=column, row=int(row.name) + 2)
    return pairs[excused]


def check_release(frame: pd.DataFrame, areas: pd.DataFrame) -> None:
    """Refuse an EHC plan file that prints one area's code beside another's name."""
    levels = {
        "new_la_code": "la_name",
        "old_la_code": "la_name",
        "region_code": "region_name",
        "country_code": "country_name",
    }
    reading.require_columns(frame, [*dict.fromkeys([*levels, *levels.values()])])
    for code, name in levels.items():
        check(frame[code], frame[name], areas, file=frame.attrs["file"])


def coded(code: pd.Series, name: pd.Series, areas: pd.DataFrame, *, file: str) -> pd.Series:
    """ONS code of each row, whose printed code and name must be one area's.

    Parameters
    ----------
    code, name, areas, file
        As :func:`check` takes them. Where no code is printed (England's rows), the name counts.

    Returns
    -------
    Series of str

    Raises
    ------
    DataError
        As :func:`check`, or if a row without a code has a name that is not one area's.
    """
    check(code, name, areas, file=file)
    alone = name.map(_folded).map(_by_name(areas))
    out = code.str.removesuffix(".0").map(_by_code(areas)).where(code != "", alone)
    if out.isna().any():
        row = int(out.isna().to_numpy().argmax())
        raise DataError(
            f"no code, and {name.iat[row]!r} is not the name of one area",
            file=file,
            column=None if code.name is None else str(code.name),
            row=int(code.index[row]) + 2,
        )
    return out.astype("str").rename("area_code")


def exists(area_code: pd.Series, january: pd.Series, areas: pd.DataFrame) -> pd.Series:
    """Say of each area whether it existed in a January, as far as the EHC plan releases go back.

    Parameters
    ----------
    area_code : Series of str
    january : Series of int
        Year of the January. What happened in a calendar or a financial year is reported by the
        authorities that are there in the January that ends or lies within it: a flow of 2019 is
        of January 2020.
    areas : DataFrame
        The table `areas`.

    Returns
    -------
    Series of bool
    """
    known = areas.set_index("area_code")
    newest, oldest = known["last_year"].max(), known["first_year"].min()
    first = area_code.map(known["first_year"])
    last = area_code.map(known["last_year"])
    return ((january >= first) | (first == oldest)) & ((january <= last) | (last == newest))


def of_their_time(
    name: pd.Series,
    january: pd.Series | int,
    areas: pd.DataFrame,
    *,
    file: str,
    levels: tuple[str, ...] = ("local authority",),
) -> pd.Series:
    """ONS code of the area that had a name in a January: Dorset's changed in 2019.

    Parameters
    ----------
    name : Series of str
        As printed; the index plus 2 is the row that an error names.
    january : int or Series of int
        As :func:`exists` takes it.
    areas : DataFrame
        The table `areas`.
    file : str
        Name of the file for errors.
    levels : tuple of str
        Kinds of area that are meant.

    Returns
    -------
    Series of str
        Empty where the area of that name did not exist.

    Raises
    ------
    DataError
        If no area of these levels ever had the name.
    """
    meant = areas[areas["level"].isin(levels)]
    folded = name.map(_folded)
    known = meant["area"].map(fold)
    strange = ~folded.isin(known)
    if strange.any():
        row = int(strange.to_numpy().argmax())
        near = ", ".join(nearest(name.iat[row], meant["area"].tolist())) or "none"
        raise DataError(
            f"no area is called {name.iat[row]!r}; nearest names: {near}. Another spelling goes "
            "into cleaning/area_names.py",
            file=file,
            column=None if name.name is None else str(name.name),
            row=int(name.index[row]) + 2,
        )
    rows = pd.DataFrame({"row": range(len(name)), "folded": folded, "january": january})
    rows = rows.merge(meant.assign(folded=known)[["folded", "area_code"]], on="folded")
    rows = rows[exists(rows["area_code"], rows["january"], areas)]
    found = rows.set_index("row")["area_code"].reindex(range(len(name))).fillna("")
    return pd.Series(found.to_numpy(), index=name.index, name="area_code", dtype="str")


def findings(faults: pd.DataFrame, areas: pd.DataFrame, *, table: str, reason: str) -> pd.DataFrame:
    """Say of known faults what the release prints and why the name counts.

    Parameters
    ----------
    faults : DataFrame
        As :func:`check` returns it.
    areas : DataFrame
        The table `areas`.
    table : str
        Table that the release becomes.
    reason : str
        How it is known that the name is right.

    Returns
    -------
    DataFrame
        As :func:`send_analysis.quality.findings`.
    """
    rows = pd.DataFrame(
        {
            "area_code": faults["name"].map(_folded).map(_by_name(areas)).astype("str"),
            "item": "LA code " + faults["code"].astype("str"),
            "note": "the release prints the code of "
            + faults["says"].astype("str")
            + f"; the name is used: {reason}",
        }
    )
    return quality.findings(rows, table=table, check="code against name", action="corrected")
