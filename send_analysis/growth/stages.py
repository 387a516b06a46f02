"""From request to plan and out again: the ratios that drive the stock, each with its range."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.growth import account, denominators
from send_analysis.growth import series as growth

# Calendar year from which requests are counted with all their outcomes (person-level return).
FIRST_OUTCOMES = 2023
FIRST = account.FIRST_STOCK - 1  # calendar year
SHARE_ASSESSED = "requests assessed"
# Share of requests that are decided on, in England 92 %: below it, the share of these that are
# assessed says how requests are recorded.
LEAST_DECIDED = 0.75
FEWEST_ASKED = 30  # requests without a refusal: in England a quarter are refused
FEWEST = 20  # cases: of fewer no place is told


class Measure(NamedTuple):
    """What a ratio rests on: table and category, and whether it is a part of its denominator."""

    table: str
    category: str
    share: bool = False


MEASURES = {
    "requests per 1,000 residents": Measure("requests", "all"),
    SHARE_ASSESSED: Measure("requests", "assessed", share=True),
    "assessments ending in a plan": Measure("assessments", "plan issued", share=True),
    "new plans per 1,000 residents": Measure("new_plans", "all"),
    "plans ceased": Measure("ceased_plans", "all"),
}


@tables.remembered
def _components() -> dict[str, tuple[pd.Series, pd.Series, float]]:
    """Numerator, denominator and scale of every measure, by area and calendar year."""
    people = account.wide(denominators.residents(), "people")
    asked = pd.DataFrame({
        "all": account.flow("requests", "outcome", "all", "requests"),
        "refused": account.flow("requests", "outcome", "not assessed", "requests"),
        "assessed": account.flow("requests", "outcome", "assessed", "requests"),
    })  # fmt: skip
    # Before the person-level return only refusals were counted: the rest counts as assessed.
    early = asked.index.get_level_values("year") < FIRST_OUTCOMES
    decided = asked["all"].where(early, asked["assessed"] + asked["refused"])
    yes = (asked["all"] - asked["refused"]).where(early, asked["assessed"])
    issued = account.flow("assessments", "outcome", "plan issued", "assessments")
    not_issued = account.flow("assessments", "outcome", "plan not issued", "assessments")
    stock = account.flow("ehc_plans", "age_band", "all", "plans")
    names = list(MEASURES)
    return {
        names[0]: (asked["all"], people, 1000),
        names[1]: (yes, decided, 100),
        names[2]: (issued, issued + not_issued, 100),
        names[3]: (account.flow("new_plans", "age_band", "all", "plans"), people, 1000),
        names[4]: (account.flow("ceased_plans", "reason", "all", "plans"), stock, 100),
    }


@tables.remembered
def _ranked() -> pd.DataFrame:
    """Every area's numerator and denominator of each measure, and its place among authorities.

    Flagged figures are left out.
    """
    current = areas.current()
    parts = []
    for measure, (above, below, scale) in _components().items():
        both = pd.DataFrame({"numerator": above, "denominator": below}).dropna()
        both = both[both["denominator"] > 0].reset_index()
        of = MEASURES[measure]
        both = both[caveats.sound(both, of.table, category=of.category)].assign(measure=measure)
        cases = both["denominator" if of.share else "numerator"]
        local = both[both["area_code"].isin(current) & told(both) & (cases >= FEWEST)]
        value = local["numerator"] / local["denominator"]
        place = value.groupby(local["year"])
        both["rank"] = place.rank(ascending=False, method="min")
        both["level"] = value.groupby([local["year"], value]).transform("size") - 1
        both["ranked"] = place.transform("size")
        parts.append(both.assign(scale=scale))
    return pd.concat(parts, ignore_index=True)


def told(rows: pd.DataFrame) -> pd.Series:
    """Mark ratios that say what an authority does, and not how its requests are recorded.

    Left out are shares of requests that were assessed where a quarter or more were withdrawn or
    open at the end of the year, and where until 2022, when only refusals were counted, none of
    `FEWEST_ASKED` requests or more was refused.

    Parameters
    ----------
    rows : DataFrame
        ``area_code, year, measure, numerator, denominator``, as :func:`ratios` returns them.

    Returns
    -------
    Series of bool
    """
    asked = _components()["requests per 1,000 residents"][0]
    asked = asked.reindex(pd.MultiIndex.from_frame(rows[["area_code", "year"]])).to_numpy()
    decided, early = rows["denominator"], rows["year"] < FIRST_OUTCOMES
    none = early & (rows["numerator"] == decided) & (decided >= FEWEST_ASKED)
    return (rows["measure"] != SHARE_ASSESSED) | ~(none | (decided < LEAST_DECIDED * asked))


@reads.result
def ratios(area: Area, *, start: int = FIRST, end: int | None = None) -> pd.DataFrame:
    """Set the ratios that drive the stock against England, the region and ten neighbours.

    Parameters
    ----------
    area : Area or str
    start, end : int
        Calendar years; population, and so rates by residents, begin in 2018.

    Returns
    -------
    DataFrame
        ``area_code, area, role, year, measure, numerator, denominator, value, low, high``
        (95 % interval for chance and the ordinary ups and downs of a year, as
        :func:`year_to_year` measures them), ``rank, level, ranked`` (the area's place among local
        authorities, 1 highest, and how many others share it; flagged figures are left out),
        ``pooled`` (areas added up: the
        neighbours are one row a year and measure, without those that lack a figure) and
        ``caveat`` (why the row does not compare with the year before).

    Raises
    ------
    MissingDataError
        If the area has none of the figures.

    Notes
    -----
    Shares have Wilson intervals, rates Poisson intervals (statsmodels and scipy), of the number of
    cases that would vary as much by chance alone as this one does from year to year. From 2023
    `requests assessed` counts decisions made; before, requests not refused. Figures of fewer than
    `FEWEST` cases, and those that :func:`told` leaves out, have no rank.
    """
    end = growth.latest(area) - 1 if end is None else end
    listed = growth.comparators(area)
    rows = _ranked()
    rows = rows[rows["year"].between(start, end)].merge(listed, on="area_code")
    pooled = _pool(rows[rows["role"] == "neighbours"])
    out = pd.concat([rows[rows["role"] != "neighbours"].assign(pooled=1), pooled])
    order = {measure: place for place, measure in enumerate(MEASURES)}
    out = out.sort_values("measure", key=lambda name: name.map(order), kind="stable")
    out = out.reset_index(drop=True)
    if not (out["area_code"] == area).any():
        raise MissingDataError(
            f"{area.name} has no figures on requests and plans from {start} to {end}. "
            f"{area.history}".strip()
        )
    out = out.assign(value=out["scale"] * out["numerator"] / out["denominator"])
    out = _intervals(out).astype(dict.fromkeys(["rank", "level", "ranked"], "Int64"))
    out["caveat"] = pd.concat([
        caveats.yearly(rows, MEASURES[measure].table, category=MEASURES[measure].category)
        for measure, rows in out.groupby("measure")
    ])  # fmt: skip
    return out[
        ["area_code", "area", "role", "year", "measure", "numerator", "denominator", "value",
         "low", "high", "rank", "level", "ranked", "pooled", "caveat"]
    ]  # fmt: skip


def _pool(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the neighbours up to one row a measure and year."""
    by = rows.groupby(["measure", "scale", "year"], sort=False)
    grouped = by[["numerator", "denominator"]]
    out = grouped.sum().assign(pooled=grouped.size()).reset_index()
    return out.assign(area_code="", area="ten neighbours", role="neighbours")


def _intervals(rows: pd.DataFrame) -> pd.DataFrame:
    """Add 95 % intervals: Wilson for shares, Poisson for rates, widened for ups and downs."""
    from scipy.stats import chi2
    from statsmodels.stats.proportion import proportion_confint

    above, below, scale = (rows[name].to_numpy() for name in ("numerator", "denominator", "scale"))
    share = rows["measure"].map({name: of.share for name, of in MEASURES.items()}).to_numpy()
    # Ups and downs of authorities taken together even out as their number grows.
    spread = (rows["measure"].map(year_to_year()) / rows["pooled"] / _members(rows)).to_numpy()
    # As many events, or cases, as would vary by chance alone as much as these do.
    events = above / (1 + spread * above)
    low = np.where(events > 0, chi2.ppf(0.025, 2 * np.maximum(events, 1e-9)) / 2, 0)
    high = chi2.ppf(0.975, 2 * (events + 1)) / 2
    each = np.where(events > 0, above / np.maximum(events, 1e-9), 1) / below
    cases = below / (1 + spread * (below - 1))
    within = proportion_confint(np.minimum(above, below) * cases / below, cases, method="wilson")
    low = np.where(share, within[0], low * each)
    high = np.where(share, within[1], high * each)
    return rows.assign(low=scale * low, high=scale * high)


def _members(rows: pd.DataFrame) -> pd.Series:
    """How many authorities each row's area is made of."""
    known = tables.load("areas")
    local = known[known["area_code"].isin(areas.current())]
    counted = pd.concat(
        [local["region_code"].value_counts(), pd.Series({areas.ENGLAND: len(local)})]
    )
    joined = rows["area_code"].str.count(r"\+") + 1
    return rows["area_code"].map(counted).fillna(joined)


@tables.remembered
def year_to_year() -> dict[str, float]:
    """Measure how much more each ratio moves from year to year than chance in its counts would.

    Returns
    -------
    dict of str to float
        φ by measure: 0 where a ratio moves as a Poisson count or a binomial share would.

    Notes
    -----
    From one year to the next an authority's ratio moves by d more than England's. With m the ratio
    of both years together and n its denominators, the variance of d is v(1/n₁ + 1/n₂) + 2φw:
    v = m and w = m² for a rate, which gives a year the variance μ + φμ² of a negative binomial as
    in the panel of growth, v = w = m(1 − m) for a share. φ is what makes the 95 % interval of d
    hold 95 of 100 moves of all authorities, so that the few moves far out are neither left out nor
    taken for the rule. Moves to a year in which the return of flows changed (the table
    `series_breaks`) are left out.
    """
    return {
        measure: _held(_needed(_moves(above, below), share=MEASURES[measure].share))
        for measure, (above, below, _) in _components().items()
    }


def _moves(above: pd.Series, below: pd.Series) -> pd.DataFrame:
    """Each authority's ratio in one year and the year before, with England's beside it."""
    rows = pd.DataFrame({"above": above, "below": below}).dropna()
    rows = rows[rows["below"] > 0].reset_index()
    national = rows[rows["area_code"] == areas.ENGLAND].set_index("year")
    rows["england"] = rows["year"].map(national["above"] / national["below"])
    rows = rows[rows["area_code"].isin(areas.current())]
    before = rows.assign(year=rows["year"] + 1)
    both = before.merge(rows, on=["area_code", "year"], suffixes=("_1", "_2"))
    return both[~both["year"].isin(_new_counts())]


def _new_counts() -> set[int]:
    """Years in which what the measures rest on was begun anew or cut otherwise, for everyone."""
    rows = pd.concat([caveats.breaks(of.table) for of in MEASURES.values()])
    rows = rows[(rows["area_code"] == "") & rows["kind"].isin(["new return", "recode"])]
    return set(rows["year"])


def _needed(moves: pd.DataFrame, *, share: bool) -> np.ndarray:
    """φ at which the 95 % interval of each move just reaches it; below 0 if chance does."""
    x1, x2, n1, n2, england1, england2 = (
        moves[f"{name}_{year}"].to_numpy()
        for name in ("above", "below", "england")
        for year in (1, 2)
    )
    if share:
        mean = (x1 + x2) / (n1 + n2)
        moved = (x2 / n2 - england2) - (x1 / n1 - england1)
        chance = more = mean * (1 - mean)
    else:
        n1, n2 = n1 * england1, n2 * england2  # events, had the ratio been England's
        mean = (x1 + x2) / (n1 + n2)
        moved = x2 / n2 - x1 / n1
        chance, more = mean, mean**2
    usable = more > 0
    needed = (moved / growth.CONFIDENCE_Z) ** 2 - chance * (1 / n1 + 1 / n2)
    return needed[usable] / (2 * more[usable])


def _held(needed: np.ndarray) -> float:
    """φ that holds 95 of 100 moves."""
    return max(0.0, float(np.quantile(needed, 0.95)))
