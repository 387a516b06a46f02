"""From request to plan and out again: the account of the stock, and the ratios that drive it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.categories import AGE_BANDS
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import decomposition, denominators
from send_analysis.growth import series as growth

# The last statements became EHC plans in 2018; releases do not count statements that ceased, so
# no account closes before January 2019.
FIRST_STOCK = growth.COMPARABLE
# Calendar year from which requests are counted with all their outcomes (person-level return).
FIRST_OUTCOMES = 2023
REASON_UNKNOWN = "reasons short of the total"
REMAINDER = "not explained by the flows published"

# Measure → unit, and whether a numerator is part of its denominator.
MEASURES = {
    "requests per 1,000 residents": ("requests per 1,000 residents aged 0 to 25", False),
    "requests assessed": ("per cent of requests decided", True),
    "assessments ending in a plan": ("per cent of assessments decided", True),
    "new plans per 1,000 residents": ("new plans per 1,000 residents aged 0 to 25", False),
    "plans ceased": ("per cent of plans in January", False),
}
# Measure → table and category that it rests on.
RESTS_ON = {
    "requests per 1,000 residents": ("requests", "all"),
    "requests assessed": ("requests", "assessed"),
    "assessments ending in a plan": ("assessments", "plan issued"),
    "new plans per 1,000 residents": ("new_plans", "all"),
    "plans ceased": ("ceased_plans", "all"),
}


def _wide(frame: pd.DataFrame, value: str) -> pd.Series:
    """Values by area and year, merged footprints and all, as floats."""
    units = areas.on_footprints(frame, [value])
    merged = units[units["area_code"].str.contains("+", regex=False)]
    both = pd.concat([frame[["area_code", "year", value]], merged])
    return both.set_index(["area_code", "year"])[value].astype("float64")


@tables.remembered
def _flow(table: str, column: str, category: str, value: str) -> pd.Series:
    """One category of a table of flows by area and year."""
    frame = tables.load(table)
    return _wide(frame[frame[column] == category], value)


@tables.remembered
def _reasons() -> pd.DataFrame:
    """Plans that ceased, by area and year: a column a reason, and ``all``."""
    ceased = tables.load("ceased_plans")
    return pd.DataFrame({
        reason: _wide(rows, "plans") for reason, rows in ceased.groupby("reason", sort=False)
    })  # fmt: skip


@reads.result
def stock_account(
    area: Area,
    *,
    start: int = growth.COMPARABLE,
    end: int | None = None,
    by_year: bool = False,
) -> pd.DataFrame:
    """Account for the change in plans: new, ceased by reason, transferred, and what is left over.

    Parameters
    ----------
    area : Area or str
    start, end : int
        Januaries, from 2019.
    by_year : bool, default False
        One account a calendar year, instead of one for the whole period.

    Returns
    -------
    DataFrame
        ``area_code, area, start, end, item, kind, plans``: ``plans in January`` (kind ``stock``),
        ``new plans`` (``in``), reasons why plans ceased (``out``, negative), the remainder
        (``remainder``) and plans in the January at the end (``stock``). The remainder closes the
        account exactly. Plans moving in from another authority are not published, so they are
        in it, with late recording and changes of the return. ``caveat`` says why the years of an
        item do not compare with each other; empty where they do.

    Raises
    ------
    MissingDataError
        If the account cannot be drawn up because a figure is missing.
    ParameterError
        If `start` is not before `end`.
    """
    end = growth.latest(area) if end is None else end
    if start >= end:
        raise ParameterError(f"Account from January {start} to {end}: the first must be earlier.")
    if start < FIRST_STOCK:
        raise MissingDataError(
            f"No account before January {FIRST_STOCK}: until 2018 the stock has statements, and "
            "the releases do not count statements that ceased. growth.flows has the "
            "totals there are."
        )
    stock = _flow("ehc_plans", "age_band", "all", "plans")
    new = _flow("new_plans", "age_band", "all", "plans")
    years = list(range(start, end))
    for series, what, wanted in (
        (stock, "plans in January", [*years, end]), (new, "new plans in", years)
    ):  # fmt: skip
        _require(series, area, wanted, what)
    reasons = _reasons()
    _require(reasons["all"], area, years, "ceased plans in")
    out = reasons.loc[[(area, year) for year in years]].droplevel("area_code")
    known = out.drop(columns="all")
    known = known.loc[:, known.notna().any()].fillna(0)
    known[REASON_UNKNOWN] = out["all"] - known.sum(axis=1)
    account = pd.DataFrame({"plans in January": stock[area].loc[years]})
    account["new plans"] = new[area].loc[years]
    account = account.join(-known)
    after = stock[area].loc[[year + 1 for year in years]].to_numpy()
    account[REMAINDER] = after - account.sum(axis=1)
    account["plans in the January after"] = after
    return _tell(account, area, list(known), by_year)


def _require(series: pd.Series, area: Area, years: list[int], what: str) -> None:
    """Refuse an account that lacks a figure."""
    found = series.reindex([(area, year) for year in years]).droplevel(0)
    if found.isna().any():
        year = found.index[found.isna()][0]
        raise MissingDataError(
            f"{area.name} has no figure for {what} {year}. "
            + (area.history or "Choose other years; data/quality.csv says what was withdrawn.")
        )


def _tell(account: pd.DataFrame, area: Area, out: list[str], by_year: bool) -> pd.DataFrame:
    """Bring an account (years down, items across) into the long form."""
    first, last = account.columns[0], account.columns[-1]
    if not by_year:
        whole = account.sum().to_frame().T.set_axis(account.index[:1])
        whole[first], whole[last] = account[first].iloc[0], account[last].iloc[-1]
        ends = [account.index[-1] + 1]
        account = whole
    else:
        ends = [year + 1 for year in account.index]
    kinds = {first: "stock", last: "stock", "new plans": "in", REMAINDER: "remainder"}
    kinds |= dict.fromkeys(out, "out")
    long = account.rename_axis(index="start", columns="item").stack().rename("plans").reset_index()
    long = long.assign(
        area_code=area,
        area=area.name,
        end=long["start"].map(dict(zip(account.index, ends, strict=True))),
        kind=long["item"].map(kinds),
        plans=long["plans"].round().astype("int64"),
    )
    long = long[(long["item"] != REASON_UNKNOWN) | (long["plans"] != 0)].reset_index(drop=True)
    stock = caveats.crossed(long, "ehc_plans", long["start"], long["end"])
    ceased = caveats.crossed(long, "ceased_plans", long["start"], long["end"] - 1)
    long["caveat"] = ceased.where(long["kind"] == "out", "").mask(long["kind"] == "stock", stock)
    return long[["area_code", "area", "start", "end", "item", "kind", "plans", "caveat"]]


@tables.remembered
def _components() -> dict[str, tuple[pd.Series, pd.Series, float]]:
    """Numerator, denominator and scale of every measure, by area and calendar year."""
    people = _wide(denominators.residents(), "people")
    asked = pd.DataFrame({
        "all": _flow("requests", "outcome", "all", "requests"),
        "refused": _flow("requests", "outcome", "not assessed", "requests"),
        "assessed": _flow("requests", "outcome", "assessed", "requests"),
    })  # fmt: skip
    # Before the person-level return only refusals were counted: the rest counts as assessed.
    early = asked.index.get_level_values("year") < FIRST_OUTCOMES
    decided = asked["all"].where(early, asked["assessed"] + asked["refused"])
    yes = (asked["all"] - asked["refused"]).where(early, asked["assessed"])
    issued = _flow("assessments", "outcome", "plan issued", "assessments")
    not_issued = _flow("assessments", "outcome", "plan not issued", "assessments")
    stock = _flow("ehc_plans", "age_band", "all", "plans")
    names = list(MEASURES)
    return {
        names[0]: (asked["all"], people, 1000),
        names[1]: (yes, decided, 100),
        names[2]: (issued, issued + not_issued, 100),
        names[3]: (_flow("new_plans", "age_band", "all", "plans"), people, 1000),
        names[4]: (_flow("ceased_plans", "reason", "all", "plans"), stock, 100),
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
        table, category = RESTS_ON[measure]
        both = both[caveats.sound(both, table, category=category)]
        local = both[both["area_code"].isin(current)]
        value = local["numerator"] / local["denominator"]
        place = value.groupby(local["year"])
        both["rank"] = place.rank(ascending=False, method="min")
        both["level"] = value.groupby([local["year"], value]).transform("size") - 1
        both["ranked"] = place.transform("size")
        parts.append(both.assign(measure=measure, scale=scale))
    return pd.concat(parts, ignore_index=True)


@reads.result
def ratios(area: Area, *, start: int = FIRST_STOCK - 1, end: int | None = None) -> pd.DataFrame:
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
    `requests assessed` counts decisions made; before, requests not refused.
    """
    end = growth.latest(area) - 1 if end is None else end
    listed = growth.comparators(area)
    rows = _ranked().query("@start <= year <= @end").merge(listed, on="area_code")
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
        caveats.yearly(rows, RESTS_ON[measure][0], category=RESTS_ON[measure][1])
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
    share = rows["measure"].map({name: part for name, (_, part) in MEASURES.items()}).to_numpy()
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
        measure: _held(_needed(_moves(above, below), share=MEASURES[measure][1]))
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
    rows = pd.concat([caveats.breaks(table) for table, _ in RESTS_ON.values()])
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


@reads.result
def counterfactuals(
    area: Area, *, start: int = growth.COMPARABLE, end: int | None = None
) -> pd.DataFrame:
    """Ask how many plans the area would have had it grown as others did.

    Parameters
    ----------
    area : Area or str
    start, end : int
        Januaries; the last published if no end is given.

    Returns
    -------
    DataFrame
        ``area_code, area, role, basis, start, end, growth`` (per cent, of the others), ``plans``
        (the area's own at the end), ``plans_if, difference`` (own less that), ``low, high``
        (plans had it grown as the quarter of those areas that grew least, and most, would allow:
        their 25th and 75th percentile), ``pooled`` (areas in the comparison, without those whose
        series breaks) and ``caveat`` (why the row compares unlike plans; empty where it does not).
        Basis is ``plans``, or ``plans a head`` (age by age, with the area's own population; years
        from 2019 with ages only).

    Raises
    ------
    MissingDataError
        If the area has no plans in one of the years.
    """
    end = growth.latest(area) if end is None else end
    every = _flow("ehc_plans", "age_band", "all", "plans").unstack("year")
    for year in (start, end):
        if start >= end or year not in every:
            raise ParameterError(
                f"January {start} to {end}: give two Januaries, {every.columns.min()} to "
                f"{every.columns.max()}."
            )
        _require(every.stack(future_stack=True), area, [year], "plans in January")
    own = every.loc[area]
    known = tables.load("areas").set_index("area_code")
    footprint = known["footprint"]
    local = known["level"] == "local authority"
    units = every.index[every.index.isin(footprint[local])]
    # A break that is England's too is everyone's: the rows say it. One of an area's own is not.
    listed = pd.DataFrame({"area_code": [*units, areas.ENGLAND]})
    said = caveats.crossed(listed, "ehc_plans", start, end)
    units = units[(said == said.iloc[-1]).to_numpy()[:-1]]
    if area == areas.ENGLAND:
        raise MissingDataError(
            "England has no one to be set against; authorities and regions have."
        )
    groups = {"england": (areas.ENGLAND, units)}
    if area.level == "local authority":
        region = area.region
        groups["region"] = (region, units[known.loc[units.str[:9], "region_code"] == region])
        if area in areas.current():
            near = pd.Index(area.neighbours)
            complete = every.loc[near, [start, end]].notna().all(axis=1).to_numpy()
            near = near.where(complete, footprint[near].to_numpy()).unique()
            groups["neighbours"] = ("", near[near.isin(units)])
    rows = []
    for role, (total, members) in groups.items():
        each = every.loc[members, [start, end]].dropna()
        each = each[each[start] > 0]
        base = every.loc[total, [start, end]] if total else each.sum()
        quarter = np.quantile(each[end] / each[start], [0.25, 0.75])
        name = total.name if total else "ten neighbours"
        rows.append((name, role, "plans", base[end] / base[start], *quarter, len(each)))
    out = pd.DataFrame(rows, columns=["area", "role", "basis", "ratio", "low", "high", "pooled"])
    out = out.assign(
        plans_if=own[start] * out["ratio"], low=own[start] * out["low"],
        high=own[start] * out["high"], growth=100 * (out["ratio"] - 1),
    )  # fmt: skip
    out = pd.concat([out, *_a_head(area, start, end)], ignore_index=True)
    out = out.assign(
        area_code=area, start=start, end=end, plans=own[end], difference=own[end] - out["plans_if"]
    )
    by_age = out["basis"].map({"plans": "all", "plans a head": next(iter(AGE_BANDS))})
    out["caveat"] = caveats.crossed(out, "ehc_plans", start, end, category=by_age)
    return out[
        ["area_code", "area", "role", "basis", "start", "end", "growth", "plans", "plans_if",
         "difference", "low", "high", "pooled", "caveat"]
    ]  # fmt: skip


def _a_head(area: Area, start: int, end: int) -> list[pd.DataFrame]:
    """The same with plans a head of each age growing as England's and the region's did."""
    try:
        plans = decomposition.both_years(decomposition.plans_by_band, start, end)
        people = [decomposition.people_by_age(year) for year in (start, end)]
    except MissingDataError:
        return []
    bands = list(AGE_BANDS)
    others = [(areas.ENGLAND, "england")]
    if area.level == "local authority":
        others.append((area.region, "region"))
    if any(frame.loc[area, bands].isna().any() for frame in plans):
        return []
    rows = []
    for other, role in others:
        rates = [
            frame.loc[other, bands].to_numpy() / decomposition.in_bands(by_age.loc[[other]])[0]
            for frame, by_age in zip(plans, people, strict=True)
        ]
        own = [decomposition.in_bands(by_age.loc[[area]])[0] for by_age in people]
        begin = plans[0].loc[area, bands].to_numpy()
        would = (begin * own[1] / own[0] * rates[1] / rates[0]).sum()
        rows.append({
            "area": other.name, "role": role, "basis": "plans a head",
            "growth": 100 * (would / begin.sum() - 1), "plans_if": would, "pooled": 1,
        })  # fmt: skip
    return [pd.DataFrame(rows)]
