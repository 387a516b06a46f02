"""Population by single year of age: published where it is published, else aged on by cohort.

Mid-2019 and mid-2020 are the newest estimates by single year of age for every authority at hand;
they are not rebased to Census 2021. Other years are estimated from them: everyone grows a year
older, and each authority's ratio between mid-2019 and mid-2020 of the same cohort (its net
migration at that age, students' moves above all) is taken to hold. The number aged 0 is held at
its mid-2020 level. One authority, Bury, also has the published 2022-based projection, which starts
from a rebased estimate: its rows stand beside the estimated ones and are told apart by `basis`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis.areas import ENGLAND
from send_analysis.cleaning import reading
from send_analysis.errors import DataError

AGES = [str(age) for age in range(26)]
FIRST, LAST = 2018, 2024  # mid-years before the Januaries 2019 to 2025
# A ratio of cohorts beyond these is a small area's chance (City of London, Isles of Scilly).
RATIO_LIMITS = (0.5, 2.0)

# Age groups of the census, as printed and here.
CENSUS_AGES = {
    "Aged 4 years and under": "0-4",
    "Aged 5 to 9 years": "5-9",
    "Aged 10 to 14 years": "10-14",
    "Aged 15 to 19 years": "15-19",
    "Aged 20 to 24 years": "20-24",
}

# Districts of counties that became unitary after the look-up or the estimates were drawn up
# (Structural Changes Orders 2020/156 and 2022/331), by the successor's code.
SUCCESSORS = {
    "E06000061": ["E07000150", "E07000152", "E07000153", "E07000156"],
    "E06000062": ["E07000151", "E07000154", "E07000155"],
    "E06000063": ["E07000026", "E07000028", "E07000029"],
    "E06000064": ["E07000027", "E07000030", "E07000031"],
}


def _authorities(root: Path, areas: pd.DataFrame) -> dict[str, str]:
    """Code of the authority for education that each district lies in."""
    lookup = reading.read_csv(root, reading.release("districts_2022")["path"])
    reading.require_columns(lookup, ["LTLA22CD", "UTLA22CD"])
    upper = lookup["UTLA22CD"].replace(reading.RECODED)
    of = dict(zip(lookup["LTLA22CD"], upper, strict=True))
    of |= {district: code for code, districts in SUCCESSORS.items() for district in districts}
    return of | dict(zip(areas["area_code"], areas["area_code"], strict=True))


def _estimates(root: Path, name: str, authority: dict[str, str]) -> pd.DataFrame:
    """Published estimates of one mid-year: authorities down, single years of age across."""
    wide = reading.read_csv(root, reading.release(name)["path"])
    reading.require_columns(wide, AGES)
    code = wide.iloc[:, 0].replace(reading.RECODED)
    unknown = ~code.isin(authority.keys())
    if unknown.any():
        row = int(unknown.to_numpy().argmax())
        raise DataError(
            f"district {code.iat[row]!r} is in no authority of the look-up",
            file=wide.attrs["file"],
            column=str(wide.columns[0]),
            row=row + 2,
        )
    file = wide.attrs["file"]
    numbers = {age: reading.numbers(wide[age], file=file, codes={})[0] for age in AGES}
    return pd.DataFrame(numbers).astype("float64").groupby(code.map(authority)).sum()


def _age_on(known: np.ndarray, ratio: np.ndarray, years: int) -> np.ndarray:
    """Age a population (areas × ages) on by so many years; negative years take it back."""
    out = known
    for _ in range(years):
        out = np.hstack([known[:, :1], out[:, :-1] * ratio])
    for _ in range(-years):
        out = np.hstack([out[:, 1:] / ratio, out[:, -1:]])
    return out


def build(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the tables `population` and `census`.

    Returns
    -------
    dict of DataFrame
        ``population``: ``area_code, year`` (mid-year), ``age`` (0 to 25), ``people``, ``basis``
        (published, estimated or projected) and ``release``; ``census``: ``area_code, year``
        (of the census), ``age_group``, ``people`` and ``release``.
    """
    authority = _authorities(root, areas)
    first = _estimates(root, "population_2019", authority)
    second = _estimates(root, "population_2020", authority).reindex(first.index)
    base, later = first.to_numpy(), second.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(later[:, 1:] / base[:, :-1], nan=1.0, posinf=1.0)
    ratio = ratio.clip(*RATIO_LIMITS)
    years = {
        2019: (base, "published", "population_2019"),
        2020: (later, "published", "population_2020"),
    }
    for year in range(FIRST, LAST + 1):
        if year not in years:
            start, origin = (base, 2019) if year < 2019 else (later, 2020)
            years[year] = (_age_on(start, ratio, year - origin), "estimated", "population_2020")
    local = (
        pd.concat(
            [
                pd.DataFrame(people, index=first.index, columns=AGES).assign(
                    year=year, basis=basis, release=release
                )
                for year, (people, basis, release) in years.items()
            ]
        )
        .rename_axis("area_code")
        .reset_index()
    )
    parent = areas.set_index("area_code")["region_code"]
    keys = ["year", "basis", "release"]
    regions = local.assign(area_code=local["area_code"].map(parent))
    regions = regions.groupby(["area_code", *keys], as_index=False)[AGES].sum()
    england = local.groupby(keys, as_index=False)[AGES].sum().assign(area_code=ENGLAND)
    wide = pd.concat([local, regions, england], ignore_index=True)
    long = wide.melt(["area_code", *keys], var_name="age", value_name="people")
    out = pd.concat([long, _projection(root)], ignore_index=True)
    out = out.assign(age=out["age"].astype("int64"), people=out["people"].round(1))
    return {"population": out, "census": _census(root)}


def _census(root: Path) -> pd.DataFrame:
    """Usual residents by five-year age group where the census is at hand: Greater Manchester."""
    name = "census_greater_manchester"
    rows = reading.read_csv(root, reading.release(name)["path"])
    reading.require_columns(rows, ["area_code", "period", "sex", "age_group", "value"])
    reading.require_unique(rows, ["area_code", "period", "sex", "age_group"])
    file = rows.attrs["file"]
    rows = rows[(rows["sex"] == "Persons") & (rows["age_group"] != "All ages")]
    return pd.DataFrame({
        "area_code": rows["area_code"].replace(reading.RECODED),
        "year": rows["period"].str[:4].astype("int64"),
        "age_group": reading.check_known(rows["age_group"], CENSUS_AGES, file=file),
        "people": reading.numbers(rows["value"], file=file, codes={})[0],
        "release": name,
    })  # fmt: skip


def _projection(root: Path) -> pd.DataFrame:
    """Published projection for the one authority that has it here, its base year included."""
    name = "projections_bury_2022"
    wide = reading.read_csv(root, reading.release(name)["path"])
    years = [column for column in wide.columns if column.isdigit()]
    reading.require_columns(wide, ["AREA_CODE", "AGE_GROUP", *years])
    reading.require_unique(wide, ["AREA_CODE", "AGE_GROUP"])
    file = wide.attrs["file"]
    numbers = {year: reading.numbers(wide[year], file=file, codes={})[0] for year in years}
    long = pd.DataFrame(numbers).assign(area_code=wide["AREA_CODE"], age=wide["AGE_GROUP"])
    long = long.melt(["area_code", "age"], var_name="year", value_name="people")
    return long.assign(
        year=long["year"].astype("int64"),
        basis="projected",
        release=name,
        people=long["people"].astype("float64"),
    )
