"""How far a decomposition of growth hangs on estimated populations and on how ages are counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from send_analysis import areas, tables
from send_analysis.ages import AGE_BANDS
from send_analysis.models.demand_growth import decomposition

CENSUS_2011, CENSUS_2021 = 2011.24, 2021.22  # census days: 27 March 2011, 21 March 2021
MIDDLE = 0.5  # mid-year estimates are of 30 June


def population_check() -> pd.DataFrame:
    """Measure how far population estimates were off at Census 2021, where the census is at hand.

    Returns
    -------
    DataFrame
        ``area_code, area, age_group, estimated`` (this project's, on census day), ``census``,
        ``ratio`` (census over estimated), for the ten authorities of Greater Manchester.
    """
    census = tables.load("census").query("year == 2021")
    before, after = decomposition.people_by_age(2021), decomposition.people_by_age(2022)
    weight = CENSUS_2021 - (2020 + MIDDLE)
    on_day = (1 - weight) * before + weight * after
    group = {age: f"{age // 5 * 5}-{age // 5 * 5 + 4}" for age in range(25)}
    grouped = on_day[list(group)].T.groupby(group).sum().T.rename_axis(columns="age_group")
    out = census.merge(
        grouped.stack().rename("estimated").reset_index(), on=["area_code", "age_group"]
    )
    out = out.rename(columns={"people": "census"}).astype({"census": "float64"})
    out = out.assign(area=out["area_code"].map(areas.name), ratio=out["census"] / out["estimated"])
    return out[["area_code", "area", "age_group", "estimated", "census", "ratio"]]


def _grown_apart(year: int, since: float, known: float) -> float:
    """Share of a known error that had arisen by mid-`year` (−1 for a January), evenly in time."""
    return (year - 1 + MIDDLE - since) / (known - since)


@tables.remembered
def sensitivity(area: str = "Bury", *, start: int = 2019, end: int = 2025) -> pd.DataFrame:
    """Say how far the decomposition hangs on estimated denominators and on how ages are counted.

    Parameters
    ----------
    area : str, default "Bury"
    start, end : int
        Januaries.

    Returns
    -------
    DataFrame
        ``area_code, variant, component, plans, share``. Variants:

        * ``estimated``: as :func:`decomposition.decompose` has it;
        * ``ages restated``: bands of 2024 and 2025 restated to ages in January, as earlier years
          seem to count them;
        * ``census 2021``: held to the census (Greater Manchester only);
        * ``projected``: the publisher's 2022-based projection at the end, the start put on the
          same base (Bury only);
        * ``projected, start not rebased``: the extreme case in which all of the rebasing is
          growth since the start (Bury only);
        * ``lowest of ten`` and ``highest of ten``: the range if the area's estimates were off
          as those of one of the ten authorities of Greater Manchester were.

    Notes
    -----
    Estimates are taken to have drifted from the truth evenly since Census 2011, when they were
    last rebased, and to go on at that pace. If the area is like the ten (exchangeable with them),
    their range holds its true value with probability 9/11, 82 per cent; for a region or England,
    where errors cancel, it is too wide.
    """
    code = areas.resolve_unit(area)
    found = {}
    for name, ages in (("estimated", "as published"), ("ages restated", "in January")):
        frame = decomposition.decompose(area, start=start, end=end, ages=ages)
        found[name] = frame[frame["age_band"] == "all"].set_index("component")["plans"]
    components = found["estimated"].index
    plans = [
        frame.loc[[code]]
        for frame in decomposition.both_years(decomposition.plans_by_band, start, end)
    ]
    people = [decomposition.people_by_age(year).loc[[code]].to_numpy() for year in (start, end)]

    def variants(factors: list[np.ndarray]) -> np.ndarray:
        """Components, a row for each row of factors on the population by single age."""
        changed = [
            decomposition.in_bands(ages * by) for ages, by in zip(people, factors, strict=True)
        ]
        return decomposition.over_ages(changed, plans)

    ten = population_check().pivot(index="area_code", columns="age_group", values="ratio")
    ten = ten[["0-4", "5-9", "10-14", "15-19", "20-24"]]
    ratio = ten.to_numpy()[:, np.minimum(np.arange(26) // 5, 4)]
    drift = [_grown_apart(year, CENSUS_2011, CENSUS_2021) for year in (start, end)]
    checks = variants([ratio**share for share in drift])
    if code in ten.index:
        found["census 2021"] = checks[ten.index.get_loc(code)]
    found |= _projected(code, start, end, people, variants)
    found |= {"lowest of ten": checks.min(axis=0), "highest of ten": checks.max(axis=0)}
    total = found["estimated"]["all"]
    out = pd.DataFrame(found, index=components).rename_axis(columns="variant")
    out = out.T.stack().rename("plans").reset_index()
    share = 100 * out["plans"] / total if total else np.nan
    out = out.assign(area_code=code, share=share)
    return out[["area_code", "variant", "component", "plans", "share"]]


def _projected(
    code: str,
    start: int,
    end: int,
    people: list[np.ndarray],
    variants: Callable[[list[np.ndarray]], np.ndarray],
) -> dict[str, np.ndarray]:
    """Components on the publisher's projection, where the area has one."""
    known = tables.load("population").query("basis == 'projected' and area_code == @code")
    base = known["year"].min() + 1 if len(known) else 0
    if not len(known) or end < base:
        return {}
    rebased = decomposition.people_by_age(base, basis="projected").loc[[code]].to_numpy()
    estimated = decomposition.people_by_age(base).loc[[code]].to_numpy()
    # The single-age ratio is noisy; ages of one band share theirs.
    ratio = np.empty((1, 26))
    for ages in AGE_BANDS.values():
        band = list(ages)
        ratio[:, band] = rebased[:, band].sum() / estimated[:, band].sum()
    later = decomposition.people_by_age(end, basis="projected").loc[[code]].to_numpy() / people[1]
    if start >= base:
        first = decomposition.people_by_age(start, basis="projected").loc[[code]].to_numpy()
        return {"projected": variants([first / people[0], later])[0]}
    share = _grown_apart(start, CENSUS_2011, base - 1 + MIDDLE)
    return {
        "projected": variants([ratio**share, later])[0],
        "projected, start not rebased": variants([np.ones((1, 26)), later])[0],
    }
