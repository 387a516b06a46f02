"""Why the number of plans changed: more children, other ages, or more plans a child."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.categories import AGE_BANDS
from send_analysis.errors import MissingDataError, ParameterError, either
from send_analysis.growth import denominators, series
from send_analysis.rounding import controlled_rounding

AGE_COUNTS = ("as published", "in January")
COMPONENTS = ("population size", "age structure", "prevalence")
EDGES = ("fewest residents", "most residents")  # of the range of estimated residents
# From January 2023 ages seem to be counted at the start of the school year, before it in January:
# inferred in docs/growth.md from the flows. Of those aged a on 31 August, this share is a year
# older by the census day in the third week of January (138 of 365 days).
BIRTHDAYS_BEFORE_CENSUS = 138 / 365
FIRST_PERSON_LEVEL = 2023  # January from which single years of age were collected


def das_gupta(
    people_start: np.ndarray, plans_start: np.ndarray, people_end: np.ndarray, plans_end: np.ndarray
) -> np.ndarray:
    """Split a change in plans into population size, age structure and prevalence, exactly.

    Parameters
    ----------
    people_start, plans_start, people_end, plans_end : ndarray, shape (..., groups)
        People and plans by age group at the start and the end.

    Returns
    -------
    ndarray, shape (..., 3, groups)
        Plans added by each of :data:`COMPONENTS` in each age group. They add up to
        ``plans_end - plans_start``, in each group and in all.

    Notes
    -----
    With N people, shares s of them in each age group and plans a head r, plans are Σ N·s·r. The
    effect of one factor is its change times the other two averaged over the orders in which the
    three can change: for N, (N₁−N₀)·[(s₀r₀ + s₁r₁)/3 + (s₀r₁ + s₁r₀)/6], and so on.

    References
    ----------
    Das Gupta, P. (1993) *Standardization and decomposition of rates: a user's manual*, US Bureau
    of the Census, P23-186, chapter 2.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = [
            np.where(plans == 0, 0.0, plans / people)
            for people, plans in ((people_start, plans_start), (people_end, plans_end))
        ]
    size = [people.sum(axis=-1, keepdims=True) for people in (people_start, people_end)]
    share = [people_start / size[0], people_end / size[1]]

    def effect(factor: list, other: list, another: list) -> np.ndarray:
        """Change of one factor, the other two averaged over the orders."""
        alike = other[0] * another[0] + other[1] * another[1]
        mixed = other[0] * another[1] + other[1] * another[0]
        return (factor[1] - factor[0]) * (alike / 3 + mixed / 6)

    parts = [effect(size, share, rate), effect(share, size, rate), effect(rate, size, share)]
    return np.stack(np.broadcast_arrays(*parts), axis=-2)


@tables.remembered
def plans_by_band(year: int, *, ages: str = "as published") -> pd.DataFrame:
    """Plans by age band in one January, ages counted alike in all years if so asked.

    Parameters
    ----------
    year : int
    ages : {"as published", "in January"}
        ``in January`` restates years from 2023 on, which seem to count ages at the start of the
        school year, from their single years of age: an inference, for sensitivity.

    Returns
    -------
    DataFrame
        Indexed by ``area_code`` (merged footprints too): one column a band and ``all``; the
        bands are missing where the area or year has no split.

    Raises
    ------
    ParameterError
        If `ages` is neither of the two.
    """
    if ages not in AGE_COUNTS:
        raise ParameterError(f"ages={ages!r}: give {' or '.join(map(repr, AGE_COUNTS))}.")
    bands = tables.load("ehc_plans").query("year == @year")
    wide = _with_footprints(bands, "age_band", "plans").reindex(columns=[*AGE_BANDS, "all"])
    if ages == "as published" or year < FIRST_PERSON_LEVEL:
        return wide
    single = tables.load("ehc_plans_by_age").query("year == @year and setting == 'all'")
    single = _with_footprints(single, "age", "plans")
    last = [str(band[-1]) for band in list(AGE_BANDS.values())[:-1]]
    older = single.reindex(index=wide.index, columns=last).to_numpy() * BIRTHDAYS_BEFORE_CENSUS
    none = np.zeros((len(wide), 1))
    wide[list(AGE_BANDS)] += np.hstack([none, older]) - np.hstack([older, none])
    return wide


def _with_footprints(frame: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    """Areas and merged footprints down, the categories of a column across, as floats."""
    units = areas.on_footprints(frame, [value], by=(column,))
    merged = units[units["area_code"].str.contains("+", regex=False)]
    both = pd.concat([frame[["area_code", column, value]], merged])
    return both.pivot(index="area_code", columns=column, values=value).astype("float64")


@tables.remembered
def people_by_age(year: int) -> pd.DataFrame:
    """Residents by single year of age in the middle of the year before a January.

    Parameters
    ----------
    year : int
        The January.

    Returns
    -------
    DataFrame
        Indexed by ``area_code`` (merged footprints too), one column a year of age, 0 to 25.

    Raises
    ------
    MissingDataError
        If there is no such population for that year.
    """
    people = tables.load("population")
    found = people[people["year"] == year - 1]
    if found.empty:
        raise MissingDataError(
            f"No population for mid-{year - 1}, which January {year} is set against: the table "
            f"begins with mid-{people['year'].min()}. Choose Januaries from "
            f"{people['year'].min() + 1}."
        )
    return _with_footprints(found, "age", "people")


class ByBand(NamedTuple):
    """Plans and residents of an area by age band, a row a year, and what `lacks` in them."""

    plans: np.ndarray
    people: np.ndarray
    lacks: str


@reads.found
def in_both(group: Area, plans: list[pd.DataFrame], people: list[pd.DataFrame]) -> ByBand:
    """Plans and residents of England or a region by age band, in the same areas at both ends.

    Where some plans have no age in one of the years, those of the areas whose plans all have one
    in both: plans a head would else be too few, because their residents count.

    Parameters
    ----------
    group : Area
        England or a region; any other area has its own figures.
    plans, people : list of DataFrame
        As :func:`plans_by_band` and :func:`people_by_age` return them, for two years.

    Returns
    -------
    ByBand
    """
    bands, members, lacks = list(AGE_BANDS), pd.Index([group]), ""
    aged = [frame[bands].sum(axis=1) == frame["all"] for frame in plans]
    if group.level != "local authority" and not all(known[group] for known in aged):
        units = tables.load("areas").query("level == 'local authority'")
        if group != areas.ENGLAND:
            units = units[units["region_code"] == group]
        units = pd.Index(units["footprint"].unique())
        members = units[[all(known.get(unit, False) for known in aged) for unit in units]]
        left = either(units.difference(members).map(areas.name), "and")
        lacks = f"{group.name} here without {left}: not all their plans have an age in both years."
    return ByBand(
        np.stack([frame.loc[members, bands].to_numpy().sum(axis=0) for frame in plans]),
        np.stack([in_bands(frame.loc[members]).sum(axis=0) for frame in people]),
        lacks,
    )


def in_bands(people: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Add people by single year of age, 0 to 25 across, up to age bands."""
    first = [ages[0] for ages in AGE_BANDS.values()]
    return np.add.reduceat(np.asarray(people), first, axis=1)


def over_ages(people: list[np.ndarray], plans: list[pd.DataFrame]) -> np.ndarray:
    """Components added over the ages, for many populations at once.

    Parameters
    ----------
    people : list of ndarray (n, bands)
        People at the start and the end.
    plans : list of DataFrame
        One row each, as :func:`plans_by_band` has them.

    Returns
    -------
    ndarray (n, 5)
        The three of :data:`COMPONENTS`, ``age not recorded`` and ``all``.
    """
    bands = list(AGE_BANDS)
    counts = [frame[bands].to_numpy() for frame in plans]
    parts = das_gupta(people[0], counts[0], people[1], counts[1]).sum(axis=-1)
    total = np.full((len(parts), 1), plans[1]["all"].iloc[0] - plans[0]["all"].iloc[0])
    return np.hstack([parts, total - parts.sum(axis=1, keepdims=True), total])


@reads.result
def decompose(
    area: Area | None = None,
    *,
    start: int = series.COMPARABLE,
    end: int | None = None,
    ages: str = "as published",
    whole: bool = False,
) -> pd.DataFrame:
    """Split an area's growth in plans into population size, age structure and prevalence by age.

    Parameters
    ----------
    area : Area or str, optional
        Every footprint, region and England with the figures, if not given.
    start, end : int
        Januaries; from 2019, since population by age begins at mid-2018.
    ages : {"as published", "in January"}
        Whether ages are counted alike in both years (see :func:`plans_by_band`).
    whole : bool, default False
        Give whole plans: each number rounded up or down so that all still add up as printed.

    Returns
    -------
    DataFrame
        ``area_code, area, start, end, component, age_band, plans, share``: plans added and their
        share of the whole change in per cent, by component and age band and for ``all`` bands.
        The components are population size, age structure, prevalence, and ``age not recorded``
        (plans in the total but in no band). They add up to component ``all``, the change
        published. ``caveat`` says why a part does not compare the same ages, or the total the same
        plans, at both ends; empty where it does.

    Raises
    ------
    MissingDataError
        If the area or year has no plans by age band, or no population.
    ParameterError
        If `start` is not before `end`.
    """
    end = series.latest(area) if end is None else end
    plans = both_years(plans_by_band, start, end, ages=ages)
    people = [people_by_age(year) for year in (start, end)]
    if area is None:
        codes = _whole(plans).intersection(people[0].index)
    else:
        codes = [area]
        _require(area, dict(zip((start, end), plans, strict=True)), "plans by age band")
        _require(area, dict(zip((start, end), people, strict=True)), "population by age")
    codes = list(codes)
    people = [in_bands(frame.loc[codes]) for frame in people]
    return _decompose(codes, start, end, plans, people, whole=whole)


@reads.found
@tables.remembered
def sensitivity(
    area: Area, *, start: int = series.COMPARABLE, end: int | None = None
) -> pd.DataFrame:
    """Say how far a decomposition hangs on how ages are counted and on estimated residents.

    Parameters
    ----------
    area : Area or str
    start, end : int
        Januaries; the last published if no end is given.

    Returns
    -------
    DataFrame
        ``area_code, variant, component, plans, share``. Variants: ``ages as published``, as
        :func:`decompose` has it; ``ages in January``, bands of 2023 on restated to ages in
        January, as earlier years seem to count them; and, where residents of the last year are
        estimated, ``fewest residents`` and ``most residents``, the ends of their range (all ages
        alike).
    """
    end = series.latest(area) if end is None else end
    found = {}
    for ages in AGE_COUNTS:
        frame = decompose(area, start=start, end=end, ages=ages)
        whole = frame[frame["age_band"] == "all"].set_index("component")["plans"]
        found[f"ages {ages}"] = whole
    components = found["ages as published"].index
    people = denominators.residents().query("year == @end - 1")
    last = people[people["area_code"].isin(area.members)]
    if (last["basis"] == "estimated").any():
        plans = [frame.loc[[area]] for frame in both_years(plans_by_band, start, end)]
        bands = [in_bands(people_by_age(year).loc[[area]]) for year in (start, end)]
        total = last[["people", "low", "high"]].sum()
        for variant, edge in zip(EDGES, ("low", "high"), strict=True):
            changed = [bands[0], bands[1] * total[edge] / total["people"]]
            found[variant] = over_ages(changed, plans)[0]
    out = pd.DataFrame(found, index=components).rename_axis(columns="variant")
    out = out.T.stack().rename("plans").reset_index()
    change = found["ages as published"]["all"]
    share = 100 * out["plans"] / change if change else np.nan
    out = out.assign(area_code=area, share=share)
    return out[["area_code", "variant", "component", "plans", "share"]]


def both_years(make, start: int, end: int, **options) -> list[pd.DataFrame]:
    """Check the two Januaries and make a frame for each."""
    if start >= end:
        raise ParameterError(f"Growth from January {start} to {end}: the first must be earlier.")
    return [make(year, **options) for year in (start, end)]


def _whole(plans: list[pd.DataFrame]) -> pd.Index:
    """England, regions and footprints with plans by band in both years."""
    known = tables.load("areas")
    units = known.loc[known["level"] == "local authority", "footprint"]
    wanted = known.loc[known["level"].isin(["england", "region"]), "area_code"]
    both = plans[0].dropna().index.intersection(plans[1].dropna().index)
    return both[both.isin([*units, *wanted])]


def _require(area: Area, frames: dict[int, pd.DataFrame], what: str) -> None:
    """Refuse an area without figures in one of the years, saying what there is instead."""
    for year, frame in frames.items():
        if area not in frame.index or frame.loc[area].isna().any():
            history = area.history
            if history:
                history += f" Its code is '{area.footprint}'."
            raise MissingDataError(
                f"{area.name} has no {what} for January {year}. "
                + (history or "Choose another year; January 2023 has no ages for any area.")
            )


def _decompose(
    codes: list[str],
    start: int,
    end: int,
    plans: list[pd.DataFrame],
    people: list[np.ndarray],
    *,
    whole: bool,
) -> pd.DataFrame:
    """Decompose for many areas at once, in the long form."""
    bands, known = list(AGE_BANDS), [frame.loc[codes] for frame in plans]
    counts = [frame[bands].to_numpy() for frame in known]
    parts = das_gupta(people[0], counts[0], people[1], counts[1])
    if whole:
        parts = np.stack([controlled_rounding(one) for one in parts]).astype(float)
    parts = np.concatenate([parts, parts.sum(axis=-2, keepdims=True)], axis=-2)
    parts = np.concatenate([parts.sum(axis=-1, keepdims=True), parts], axis=-1)
    total = (known[1]["all"] - known[0]["all"]).to_numpy()
    unknown = total - parts[:, -1, 0]
    parts[:, -1, 0] = total
    ages = ["all", *bands]
    rows = [*product(COMPONENTS, ages), ("age not recorded", "all"), *product(["all"], ages)]
    component, age = zip(*rows, strict=True)
    added = np.hstack([parts[:, :-1].reshape(len(codes), -1), unknown[:, None], parts[:, -1]])
    out = pd.DataFrame({
        "area_code": [code for code in codes for _ in rows], "component": component * len(codes),
        "age_band": age * len(codes), "plans": added.ravel(),
    })  # fmt: skip
    change = out["area_code"].map(dict(zip(codes, total, strict=True)))
    share = 100 * out["plans"] / change.where(change != 0)
    out = out.assign(start=start, end=end, share=share, area=out["area_code"].map(areas.name))
    # Every part but the whole change of all ages rests on how ages are counted.
    counted = out["age_band"].mask(out["component"] != "all", bands[0])
    out["caveat"] = caveats.crossed(out, "ehc_plans", start, end, category=counted)
    columns = ["area_code", "area", "start", "end", "component", "age_band", "plans", "share"]
    return out[[*columns, "caveat"]]


@reads.result
def prevalence(
    area: Area, *, start: int = series.COMPARABLE, end: int | None = None
) -> pd.DataFrame:
    """Plans per 1,000 residents of each age band, in an area and in England.

    Parameters
    ----------
    area : Area or str
    start, end : int
        Januaries; the last published if no end is given.

    Returns
    -------
    DataFrame
        ``area_code, area, year, age_band, plans, people, rate``: ages counted in January, people
        in the middle of the year before; ``caveat``: why the end does not compare with the start;
        ``lacks``: areas left out of England, as :func:`in_both` says.

    Raises
    ------
    MissingDataError
        If the area or year has no plans by age band, or no population.
    """
    end = series.latest(area) if end is None else end
    codes = list(dict.fromkeys([area, areas.ENGLAND]))
    plans = dict(zip((start, end), both_years(plans_by_band, start, end), strict=True))
    people = {year: people_by_age(year) for year in plans}
    for code in codes:
        _require(code, plans, "plans by age band")
        _require(code, people, "population by age")
    index = pd.MultiIndex.from_product(
        [plans, codes, AGE_BANDS], names=["year", "area_code", "age_band"]
    )
    counts = [in_both(code, list(plans.values()), list(people.values())) for code in codes]
    # One after another: years, then areas, then bands.
    both = {
        name: np.stack([getattr(it, name) for it in counts], axis=1).ravel()
        for name in ("plans", "people")
    }
    out = pd.DataFrame(both, index=index).reset_index()
    rate = 1000 * out["plans"] / out["people"]
    lacks = out["area_code"].map({code: it.lacks for code, it in zip(codes, counts, strict=True)})
    out = out.assign(area=out["area_code"].map(areas.name), rate=rate, lacks=lacks)
    out["caveat"] = caveats.crossed(out, "ehc_plans", start, end, category=out["age_band"])
    return out[
        ["area_code", "area", "year", "age_band", "plans", "people", "rate", "caveat", "lacks"]
    ]
