"""Population by single year of age on one base, that of Census 2021, mid-2018 onwards.

* from mid-2021, ``published``: single years of age as the publisher's service has them now, where
  its file is at hand (`population_latest`). Else as first published (mid-2021 to mid-2024); ages 0
  to 17 of the first three, which the publisher revised in one number only, scaled to that number.
* mid-2018 to mid-2020, ``rebased``: the single years of mid-2019 and mid-2020 were never held to
  the census. Each cohort (the people born in one year) is off in mid-2021 by the ratio of what is
  published to what the old estimates come to when aged on; the ratio is taken to have grown evenly
  since Census 2011 or, for those born later, since birth. Ages 0 to 17 are then scaled to the
  publisher's revised number. Mid-2018 is mid-2019 a year younger.
* after the last of them, ``estimated``: aged on at each cohort's ratio from year to year, all
  years since mid-2018 together: the last ones alone would carry the growth of cohorts from 2022 to
  2024 on for ever.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import ageing
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import layout, reading
from send_analysis.cleaning.standing import Standing
from send_analysis.errors import DataError, LayoutError, MissingFileError

AGES = [str(age) for age in range(26)]
CHILDREN = 18  # ages below are in the revised series
REVISED = "population_revised"
LATEST = "population_latest"
DISTRICTS = "districts_2022"
HEADING = ["DATE_NAME", "GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "C_AGE_NAME", "OBS_VALUE"]
OLDEST_AGE = 90  # and over
WHOLE = -1  # stands for all ages
OLD_BASE = (2019, 2020)
CENSUS = 2021
FIRST = 2018  # mid-year before the first January that the newest releases have
AHEAD = 16  # years aged on: 15 are simulated at most, from a January up to 2 years later
LAST_CENSUS = 2011
# A cohort further off than this is a small area's chance (City of London, Isles of Scilly).
FACTOR_LIMITS = (0.25, 4.0)

# Districts of counties that became unitary after the look-up or the estimates were drawn up
# (Structural Changes Orders 2020/156 and 2022/331), by the successor's code.
SUCCESSORS = {
    "E06000061": ["E07000150", "E07000152", "E07000153", "E07000156"],
    "E06000062": ["E07000151", "E07000154", "E07000155"],
    "E06000063": ["E07000026", "E07000028", "E07000029"],
    "E06000064": ["E07000027", "E07000030", "E07000031"],
}
# Counties that the revised series has whole until they were divided.
DIVIDED = {"E06000061": "E10000021", "E06000062": "E10000021",
           "E06000063": "E10000006", "E06000064": "E10000006"}  # fmt: skip
# The revised series has neither these nor what was there before them until they were made.
NOT_REVISED = {2018: {"E06000058", "E06000059"}}


def build(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `population`.

    Where the newest file is at hand and an older one is not, the years before are those of the
    table that stands.

    Returns
    -------
    dict of DataFrame
        ``population``: ``area_code, year`` (mid-year), ``age`` (0 to 25), ``people`` (whole),
        ``basis`` (rebased, published or estimated) and ``release``, for authorities of today,
        regions and England.
    """
    root = standing.source
    stood = _stood(areas, standing)
    if stood is None:
        authority = _authorities(root, areas)
        printed = {year: _estimates(root, f"population_{year}", authority) for year in _printed()}
        codes = printed[max(printed)].index
        people = {year: frame.loc[codes].to_numpy() for year, frame in printed.items()}
        revised = _revised(root, codes, max(people))
        scaled = {year for year in people if CENSUS <= year < max(people)}
        for year in scaled:
            people[year] = _to_revised(people[year], revised[year])
        newest: set[int] = set()
    else:
        codes, people, scaled, newest = stood
        at_hand = (root / reading.release(DISTRICTS)["path"]).exists()
        authority = _authorities(root, areas) if at_hand else dict(zip(codes, codes, strict=True))
    latest = {year: frame.loc[codes].to_numpy() for year, frame in _latest(root, authority).items()}
    if stood is None:
        people |= latest
        people |= _rebased(people, revised)
    elif (latest.get(CENSUS, people[CENSUS]) != people[CENSUS]).any():
        raise MissingFileError(
            f"has mid-{CENSUS} otherwise than the table that stands, and the years before rest on "
            f"it; put the older files beside it ({', '.join(_older(root))} below {root}; "
            "data/datapackage.json has their addresses)",
            file=reading.release(LATEST)["path"],
        )
    people |= latest
    newest |= {*latest}
    last = max(people)
    absent = sorted({*range(CENSUS, last)} - {*people})
    if absent:
        raise LayoutError(
            f"goes to mid-{last}, and nothing has mid-{absent[0]}; put that year into it as well",
            file=reading.release(LATEST)["path"],
        )
    ratio = ageing.ratios([people[year] for year in sorted(people)])
    ahead = ageing.age_on(people[last], ratio, AHEAD)
    people |= {last + 1 + i: aged.round() for i, aged in enumerate(ahead)}
    local = pd.concat({y: pd.DataFrame(people[y], codes, range(26)) for y in sorted(people)})
    local = local.rename_axis(index=["year", "area_code"]).reset_index()
    parent = areas.set_index("area_code")["region_code"]
    regions = local.assign(area_code=local["area_code"].map(parent))
    regions = regions.groupby(["area_code", "year"], as_index=False).sum()
    england = local.groupby("year", as_index=False).sum(numeric_only=True)
    wide = pd.concat([local, regions, england.assign(area_code=ENGLAND)], ignore_index=True)
    out = wide.melt(["area_code", "year"], var_name="age", value_name="people")
    rows = out.astype({"age": "int64", "people": "float64"})
    basis = np.select([rows["year"] < CENSUS, rows["year"] > last], ["rebased", "estimated"],
                      "published")  # fmt: skip
    release = "population_" + rows["year"].clip(OLD_BASE[0], last).astype("str")
    release = release.mask(rows["year"].isin(scaled) & (rows["age"] < CHILDREN), REVISED)
    release = release.mask(rows["year"].clip(upper=last).isin(newest), LATEST)
    return {"population": rows.assign(basis=basis, release=release)}


def _older(root: Path) -> list[str]:
    """Files that the table is made from, the newest estimates apart, and that are not at hand."""
    names = [*(f"population_{year}" for year in _printed()), REVISED, DISTRICTS]
    paths = [reading.release(name)["path"] for name in names]
    return [path for path in paths if not (root / path).exists()]


class Stood(NamedTuple):
    """What the table that stands has of years up to the last published."""

    codes: pd.Index  # of the authorities
    people: dict[int, np.ndarray]  # by year: authorities down, ages across
    scaled: set[int]  # years of which ages 0 to 17 are scaled to the revised number
    newest: set[int]  # years from the newest estimates before


def _stood(areas: pd.DataFrame, standing: Standing) -> Stood | None:
    """What the table that stands has.

    None if the files are at hand, or the newest estimates are not, or the authorities are others.
    """
    root = standing.source
    if not (root / reading.release(LATEST)["path"]).exists() or not _older(root):
        return None
    if not standing.absent("population"):
        return None
    rows = standing.read("population")
    codes = pd.Index(sorted(_today(areas)), name="area_code")
    rows = rows[rows["area_code"].isin(codes) & (rows["basis"] != "estimated")]
    wide = rows.pivot(index=["year", "area_code"], columns="age", values="people")
    whole = pd.MultiIndex.from_product([sorted(rows["year"].unique()), codes])
    wide = wide.reindex(index=whole, columns=range(len(AGES)))
    if wide.empty or wide.isna().any(axis=None):
        return None
    people = {int(year): frame.to_numpy(dtype=float) for year, frame in wide.groupby(level=0)}
    scaled, newest = (
        {*rows.loc[rows["release"] == name, "year"].astype(int)} for name in (REVISED, LATEST)
    )
    return Stood(codes, people, scaled, newest)


def _printed() -> list[int]:
    """Mid-years that `releases.yml` has a file of."""
    names = layout.specification()["releases"]
    found = (re.fullmatch(r"population_(\d{4})", name) for name in names)
    return sorted(int(match[1]) for match in found if match)


def _latest(root: Path, authority: dict[str, str]) -> dict[int, pd.DataFrame]:
    """Estimates as the publisher's service has them now, by year: as :func:`_estimates` gives them.

    None if its file is not at hand.
    """
    path = reading.release(LATEST)["path"]
    if not (root / path).is_file():
        return {}
    rows = reading.read_csv(root, path)
    rows.columns = rows.columns.str.strip().str.upper()
    file = rows.attrs["file"]
    if not {*HEADING} <= {*rows}:
        raise LayoutError(
            f"its heading is {','.join(rows)}, and {','.join(HEADING)} are needed", file=file
        )
    rows = rows[rows["GEOGRAPHY_CODE"].str.startswith("E")]
    words = rows["C_AGE_NAME"].str.strip().str.casefold()
    age = words.str.extract(r"^(?:aged? )?(\d+)(?:\+| and over)?$")[0]
    age = age.mask(words.str.fullmatch("all ages"), str(WHOLE))
    age = age.mask(words.str.fullmatch(r"(?:aged? )?under 1(?: year)?"), "0")
    reading.refuse(
        ~age.isin(map(str, range(WHOLE, OLDEST_AGE + 1))), rows["C_AGE_NAME"],
        "is not a single year of age, 90 and over, or all ages; ask for those alone",
        file=file, error=LayoutError,
    )  # fmt: skip
    year = reading.first_years(rows["DATE_NAME"].str.strip(), file=file)
    people, _ = reading.numbers(rows["OBS_VALUE"], file=file, codes={}, whole=True)
    code = rows["GEOGRAPHY_CODE"].replace(reading.RECODED)
    known = {**authority, ENGLAND: ENGLAND}
    _require_known(code, known, file=file, column="GEOGRAPHY_CODE")
    rows = rows.assign(year=year, code=code, age=age.astype("int64"), people=people)
    reading.require_unique(rows, ["DATE_NAME", "GEOGRAPHY_CODE", "C_AGE_NAME"])
    wide = rows.pivot(index=["year", "code"], columns="age", values="people")
    wide = wide.reindex(columns=range(WHOLE, OLDEST_AGE + 1)).astype("float64")
    wrong = ~(wide.drop(columns=WHOLE).sum(axis=1, skipna=False) == wide[WHOLE])
    if wrong.any():
        of, place = wide.index[wrong][0]
        raise LayoutError(
            f"the single years of age of {place} in {of} are not all there or do not add up to all "
            "ages; ask for both, 90 and over included, and download it again", file=file,
        )  # fmt: skip
    out = {}
    for of, rows in wide.groupby(level="year"):
        rows = rows.droplevel("year")
        local = rows.drop(index=ENGLAND, errors="ignore")
        _require_all(set(local.index), authority, file=file, column="GEOGRAPHY_CODE")
        if ENGLAND in rows.index and not (local.sum() == rows.loc[ENGLAND]).all():
            raise LayoutError(
                f"the places do not add up to England in {of}; download it again", file=file
            )
        local = local.groupby(local.index.map(authority)).sum()
        out[int(of)] = local[range(len(AGES))].set_axis(AGES, axis=1)
    return {of: frame for of, frame in out.items() if of >= CENSUS}


def _authorities(root: Path, areas: pd.DataFrame) -> dict[str, str]:
    """Code of the authority for education that each district lies in."""
    lookup = reading.read_csv(root, reading.release(DISTRICTS)["path"])
    reading.require_columns(lookup, ["LTLA22CD", "UTLA22CD"])
    lookup = lookup[lookup["LTLA22CD"].str.startswith("E")]
    upper = lookup["UTLA22CD"].replace(reading.RECODED)
    of = dict(zip(lookup["LTLA22CD"], upper, strict=True))
    of |= {district: code for code, districts in SUCCESSORS.items() for district in districts}
    codes = _today(areas)
    return of | dict(zip(codes, codes, strict=True))


def _today(areas: pd.DataFrame) -> list[str]:
    """Codes of the authorities of today."""
    today = areas["last_year"] == areas["last_year"].max()
    return areas.loc[today & (areas["level"] == "local authority"), "area_code"].tolist()


def _estimates(root: Path, name: str, authority: dict[str, str]) -> pd.DataFrame:
    """Published estimates of one mid-year: authorities down, single years of age across."""
    entry = reading.release(name)
    wide = reading.read_csv(root, entry["path"])
    file, place = wide.attrs["file"], str(wide.columns[0])
    whole = "all" if "all" in wide else "total_population"
    reading.require_columns(wide, [*AGES, whole])
    reading.require_unique(wide, [place])
    strange = [column for column in wide if column.isdigit() and column not in AGES]
    if strange:
        raise DataError("not a year of age from 0 to 25; leave the column out", file=file,
                        column=strange[0])  # fmt: skip
    code = wide[place].replace(reading.RECODED)
    _require_known(code, authority, file=file, column=place)
    _require_all(set(code), authority, file=file, column=place)
    numbers = reading.whole_numbers(wide, [*AGES, whole])
    reading.refuse(
        numbers[AGES].sum(axis=1) > numbers[whole],
        wide[whole],
        "people of all ages are fewer than those aged 0 to 25 together; compare the row with the "
        "publisher's table",
        file=file,
    )
    total = int(numbers[whole].sum())
    if total != entry["england"]:
        raise DataError(
            f"the districts add up to {total:,} people, England as published is "
            f"{entry['england']:,}; fetch the file again",
            file=file, column=whole,
        )  # fmt: skip
    return numbers[AGES].groupby(code.map(authority)).sum()


def _require_known(code: pd.Series, known: dict[str, str], *, file: str, column: str) -> None:
    """Refuse a code that is no district or authority of the look-up."""
    districts = any(of != code for code, of in known.items())
    problem = (
        "is in no authority of the look-up; correct the code, or add its successor to SUCCESSORS"
        if districts
        else "is no authority of today; ask for counties and unitary authorities, or put "
        f"{reading.release(DISTRICTS)['path']} beside it for districts"
    )
    reading.refuse(~code.isin(known.keys()), code.rename(column), problem, file=file)


def _require_all(codes: set[str], authority: dict[str, str], *, file: str, column: str) -> None:
    """Refuse a file that has neither an authority nor one of the districts it is made of."""
    known = pd.Series(authority).rename_axis("code").rename("authority").reset_index()
    whole = known["code"] == known["authority"]
    divided = known.loc[~whole, "authority"]
    due = known[~known["authority"].isin(codes) & (~whole | ~known["authority"].isin(divided))]
    missing = due[~due["code"].isin(codes)]
    if len(missing):
        code, where = missing.iloc[0]
        raise DataError(
            f"no row for {code!r} (authority {where!r}); fetch the whole file again",
            file=file, column=column,
        )  # fmt: skip


def _revised(root: Path, codes: pd.Index, last: int) -> dict[int, pd.DataFrame]:
    """Publisher's revised number of people aged 0 to 17, by year to the `last`.

    Returns
    -------
    dict of DataFrame
        Indexed by authority: ``whole`` (its code, or that of the county which was divided into it
        later) and ``people`` (of that whole; missing where the series has none).
    """
    rows = reading.read_csv(root, reading.release(REVISED)["path"])
    reading.require_columns(rows, ["code", "year", "age", "people"])
    reading.require_unique(rows, ["code", "year", "age"])
    file = rows.attrs["file"]
    people = reading.whole_numbers(rows, ["year", "people"])
    problem = "is not 0-17, the only ages of this series; leave the row out"
    reading.refuse(rows["age"] != "0-17", rows["age"], problem, file=file)
    code = rows["code"].replace(reading.RECODED)
    rows = people.assign(whole=code)[people["year"] >= FIRST]
    known = {code: code for code in [*codes, *DIVIDED.values()]}
    _require_known(rows["whole"], known, file=file, column="code")
    out = {}
    for year in range(FIRST, last + 1):
        there = rows[rows["year"] == year].set_index("whole")["people"]
        whole = pd.Series(codes, codes).where(codes.isin(there.index), codes.map(DIVIDED))
        absent = [
            code for code in codes[~whole.isin(there.index)]
            if code not in NOT_REVISED.get(year, ())
        ]  # fmt: skip
        if absent:
            raise DataError(
                f"no row for {absent[0]!r} in {year}; fetch the whole file again",
                file=file, column="code",
            )  # fmt: skip
        whole = whole.fillna(pd.Series(codes, codes))
        out[year] = pd.DataFrame({"whole": whole, "people": whole.map(there)})
    return out


def _to_revised(people: np.ndarray, revised: pd.DataFrame) -> np.ndarray:
    """Scale ages 0 to 17 so that they add up to the revised number, in whole people."""
    out = people.round()
    whole = pd.factorize(revised["whole"])[0]
    aim = revised["people"].to_numpy(dtype=float, na_value=np.nan)
    have = np.bincount(whole, people[:, :CHILDREN].sum(axis=1))[whole]
    factor = np.where(np.isnan(aim), 1.0, aim / have)[:, None]
    cells = pd.DataFrame({
        "exact": (people[:, :CHILDREN] * factor).ravel(), "whole": whole.repeat(CHILDREN)
    })  # fmt: skip
    cells["floor"] = np.floor(cells["exact"])
    # Whole people that add up: the largest remainders are rounded up.
    sums = cells.groupby("whole")
    short = (sums["exact"].sum() - sums["floor"].sum()).round()
    order = (cells["floor"] - cells["exact"]).groupby(cells["whole"]).rank(method="first")
    up = order <= cells["whole"].map(short)
    out[:, :CHILDREN] = (cells["floor"] + up).to_numpy().reshape(-1, CHILDREN)
    return out


def _rebased(people: dict[int, np.ndarray], revised: dict[int, pd.DataFrame]) -> dict:
    """Mid-years before Census 2021 on its base: cohorts meet what is published for mid-2021."""
    first, last = OLD_BASE
    census = CENSUS
    old = ageing.age_on(people[last], ageing.ratios([people[first], people[last]]), 1)[0]
    factor = np.log((people[census] / np.maximum(old, 1)).clip(*FACTOR_LIMITS))
    ages, out = np.arange(len(AGES)), {}
    for year in OLD_BASE:
        # A cohort that is past the last age in mid-2021 takes the factor of that age.
        cohort = factor[:, np.minimum(ages + census - year, ages[-1])]
        since = np.minimum(year - LAST_CENSUS, ages + 1)
        grown = np.exp(cohort * since / (since + census - year))
        out[year] = _to_revised(people[year] * grown, revised[year])
    back = ageing.age_back(out[first], ageing.ratios([out[first], out[last]]))
    return {FIRST: _to_revised(back, revised[FIRST])} | out


def published(file: Path) -> str:
    """Month in which the newest estimates of a file came out: the July after, since 2023."""
    newest = pd.read_csv(file, usecols=[0], dtype=str).iloc[:, 0].str.strip().max()
    return f"{int(newest) + 1}-07"
