"""Population by single year of age on one base, that of Census 2021, mid-2018 onwards.

* mid-2021 to mid-2024, ``published``: single years of age as first published; ages 0 to 17 of the
  first three, which the publisher has revised since in one number only, scaled to that number.
* mid-2018 to mid-2020, ``rebased``: the single years of mid-2019 and mid-2020 were never held to
  the census. Each cohort (the people born in one year) is off in mid-2021 by the ratio of what is
  published to what the old estimates come to when aged on; the ratio is taken to have grown evenly
  since Census 2011 or, for those born later, since birth. Ages 0 to 17 are then scaled to the
  publisher's revised number. Mid-2018 is mid-2019 a year younger.
* after mid-2024, ``estimated``: aged on at each cohort's ratio from year to year, all years since
  mid-2018 together: the last ones alone would carry the growth of cohorts from 2022 to 2024 on
  for ever.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis import ageing
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import reading
from send_analysis.errors import DataError

AGES = [str(age) for age in range(26)]
CHILDREN = 18  # ages below are in the revised series
REVISED = "population_revised"
OLD_BASE = (2019, 2020)
PUBLISHED = (2021, 2022, 2023, 2024)
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


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `population`.

    Returns
    -------
    dict of DataFrame
        ``population``: ``area_code, year`` (mid-year), ``age`` (0 to 25), ``people`` (whole),
        ``basis`` (rebased, published or estimated) and ``release``, for authorities of today,
        regions and England.
    """
    authority = _authorities(root, areas)
    printed = {
        year: _estimates(root, f"population_{year}", authority) for year in OLD_BASE + PUBLISHED
    }
    codes = printed[PUBLISHED[-1]].index
    revised = _revised(root, codes)
    people = {year: frame.loc[codes].to_numpy() for year, frame in printed.items()}
    for year in PUBLISHED[:-1]:
        people[year] = _to_revised(people[year], revised[year])
    people |= _rebased(people, revised)
    last = PUBLISHED[-1]
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
    return {"population": _labelled(out.astype({"age": "int64", "people": "float64"}))}


def _labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Say of each row what it rests on."""
    first, last = PUBLISHED[0], PUBLISHED[-1]
    basis = np.select([rows["year"] < first, rows["year"] > last], ["rebased", "estimated"],
                      "published")  # fmt: skip
    year = rows["year"].clip(OLD_BASE[0], last).astype("str")
    scaled = rows["year"].between(first, last - 1) & (rows["age"] < CHILDREN)
    return rows.assign(basis=basis, release=("population_" + year).mask(scaled, REVISED))


def _authorities(root: Path, areas: pd.DataFrame) -> dict[str, str]:
    """Code of the authority for education that each district lies in."""
    lookup = reading.read_csv(root, reading.release("districts_2022")["path"])
    reading.require_columns(lookup, ["LTLA22CD", "UTLA22CD"])
    lookup = lookup[lookup["LTLA22CD"].str.startswith("E")]
    upper = lookup["UTLA22CD"].replace(reading.RECODED)
    of = dict(zip(lookup["LTLA22CD"], upper, strict=True))
    of |= {district: code for code, districts in SUCCESSORS.items() for district in districts}
    today = areas["last_year"] == areas["last_year"].max()
    codes = areas.loc[today & (areas["level"] == "local authority"), "area_code"]
    return of | dict(zip(codes, codes, strict=True))


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
    problem = (
        "is in no authority of the look-up; correct the code, or add its successor to SUCCESSORS"
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


def _revised(root: Path, codes: pd.Index) -> dict[int, pd.DataFrame]:
    """Publisher's revised number of people aged 0 to 17, by year.

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
    for year in range(FIRST, PUBLISHED[-1] + 1):
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
    census = PUBLISHED[0]
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
