"""Is an area's growth different from England's beyond chance? A panel of all authorities."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import series

if TYPE_CHECKING:
    from statsmodels.genmod.generalized_linear_model import GLMResultsWrapper

REFERENCES = ("england", "region", "neighbours")
MOST_ALPHA = 1.0  # growth would be off by as much as itself: no fit above that is believable
SPREADS, MOST_SPREADS = 200, 2  # grid of τ, to twice the scatter of raw ratios, far above it
SCORING_STEPS = 8  # converged to 1e-12 after 4 on the tables
FEWEST_YEARS = 2  # changes from one January to the next that an area needs to be judged


def transitions(
    *, start: int = series.COMPARABLE, end: int | None = None, against: str = "england"
) -> pd.DataFrame:
    """Return what every authority's stock became from one January to the next, beside others.

    Parameters
    ----------
    start, end : int
        Januaries; the last published if no end is given.
    against : {"england", "region", "neighbours"}
        Whose growth gives the number expected.

    Returns
    -------
    DataFrame
        ``area_code`` (150 units with unbroken series), ``year`` (of the January at the end),
        ``before, plans, expected`` (before × growth of the others). Changes to and from a figure
        that the table `series_breaks` marks as a jump (far outside what all authorities show) are
        left out.

    Raises
    ------
    ParameterError
        If the years or the reference are not those there are.
    """
    end = series.latest() if end is None else end
    if against not in REFERENCES:
        raise ParameterError(f"against={against!r}: give {', '.join(REFERENCES)}.")
    plans = series.totals()
    units = areas.on_footprints(plans, ["plans"]).pivot(
        index="area_code", columns="year", values="plans"
    )
    units = units.astype("float64")
    if start >= end or start not in units or end not in units:
        raise ParameterError(
            f"January {start} to {end}: give two Januaries between {units.columns.min()} and "
            f"{units.columns.max()}, the earlier first."
        )
    years = range(start, end + 1)
    units = units[list(years)]
    cells = pd.MultiIndex.from_product([units.index, units.columns])
    units = units.mask(cells.isin(_jumps()).reshape(units.shape))
    before, after = units.shift(axis=1), units
    out = pd.DataFrame({
        "before": before.iloc[:, 1:].stack(),
        "plans": after.iloc[:, 1:].stack(),
        "ratio": _others(plans, before, after, against).iloc[:, 1:].stack(),
    }).dropna().rename_axis(["area_code", "year"]).reset_index()  # fmt: skip
    out = out[out["before"] > 0]
    out = out.assign(expected=out["before"] * out["ratio"]).reset_index(drop=True)
    return out[["area_code", "year", "before", "plans", "expected"]]


@tables.remembered
def _jumps() -> pd.MultiIndex:
    """Unit and January of each figure after a change that no authority can make."""
    jumps = caveats.breaks("ehc_plans").query("kind == 'jump'")
    footprint = tables.load("areas").set_index("area_code")["footprint"]
    return pd.MultiIndex.from_arrays([jumps["area_code"].map(footprint), jumps["year"]])


def _jumped(start: int, end: int) -> set[str]:
    """Units with such a figure in these years."""
    return {unit for unit, year in _jumps() if start <= year <= end}


def _others(
    plans: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame, against: str
) -> pd.DataFrame:
    """Growth of what each unit is set against, units down and years across."""
    if against == "neighbours":
        footprint = tables.load("areas").set_index("area_code")["footprint"]
        pairs = tables.load("neighbours")
        pairs = pd.DataFrame({
            "unit": pairs["area_code"].map(footprint),
            "other": pairs["neighbour_code"].map(footprint),
        }).drop_duplicates()  # fmt: skip
        pairs = pairs[pairs["unit"] != pairs["other"]]
        unit = pairs["unit"].to_numpy()
        # A neighbour counts in the years in which both of its figures stand.
        sums = [
            side.where(before.notna() & after.notna()).loc[pairs["other"]].groupby(unit).sum()
            for side in (before, after)
        ]
        return (sums[1] / sums[0].replace(0, np.nan)).reindex(after.index)
    wide = plans.pivot(index="area_code", columns="year", values="plans").astype("float64")
    codes = [areas.ENGLAND if against == "england" else Area(u).region for u in after.index]
    wide = wide.loc[codes, after.columns].set_axis(after.index)
    return wide / wide.shift(axis=1)


def fit(rows: pd.DataFrame, alpha: float) -> GLMResultsWrapper:
    """Fit each area's mean log growth ratio, with a negative binomial of this dispersion."""
    from statsmodels.genmod import families
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    codes, _ = pd.factorize(rows["area_code"], sort=True)
    design = np.zeros((len(rows), codes.max() + 1))
    design[np.arange(len(rows)), codes] = 1
    family = families.NegativeBinomial(alpha=alpha) if alpha > 0 else families.Poisson()
    model = GLM(
        rows["plans"].to_numpy(),
        design,
        family=family,
        offset=np.log(rows["expected"].to_numpy()),
        hasconst=False,  # spares a search for a constant among the columns
    )
    with warnings.catch_warnings():
        # One year an area is fitted exactly, which is meant where it is set against other years.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        warnings.filterwarnings("ignore", ".*scalar divide", RuntimeWarning)
        return model.fit(start_params=_means(rows, alpha)[0])


def _means(rows: pd.DataFrame, alpha: float) -> tuple[np.ndarray, float]:
    """Each area's mean log growth ratio, and Pearson's χ², by scoring area by area.

    The areas share no parameter but α, so that the search for α need not go through a design of
    150 columns each time.
    """
    codes, _ = pd.factorize(rows["area_code"], sort=True)
    plans, expected = rows["plans"].to_numpy(), rows["expected"].to_numpy()
    beta = np.log(np.maximum(np.bincount(codes, plans), 0.5) / np.bincount(codes, expected))
    for _ in range(SCORING_STEPS):
        mu = expected * np.exp(beta[codes])
        weight = 1 / (1 + alpha * mu)
        beta = beta + np.bincount(codes, (plans - mu) * weight) / np.bincount(codes, mu * weight)
    mu = expected * np.exp(beta[codes])
    return beta, float(((plans - mu) ** 2 / (mu + alpha * mu**2)).sum())


def overdispersion(*samples: pd.DataFrame) -> float:
    """Estimate how much more growth varies from year to year than a Poisson count would.

    Parameters
    ----------
    *samples : DataFrame
        What :func:`transitions` returns; each area has a growth of its own in each sample.

    Returns
    -------
    float
        α of the negative binomial, variance μ + αμ²: the value at which Pearson's χ² equals its
        degrees of freedom, 0 where a Poisson already varies as much.

    References
    ----------
    Breslow, N. (1984) "Extra-Poisson variation in log-linear models", *Applied Statistics* 33.
    """
    from scipy.optimize import brentq

    free = sum(len(rows) - rows["area_code"].nunique() for rows in samples)
    if free < 1:
        raise MissingDataError("Too few years to tell chance from growth: take a longer period.")

    def excess(alpha: float) -> float:
        """Pearson's χ² over its degrees of freedom, less 1."""
        return sum(_means(rows, alpha)[1] for rows in samples) / free - 1

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 1e-9, MOST_ALPHA, rtol=1e-3, xtol=1e-7))


def shrink(rows: pd.DataFrame) -> pd.DataFrame:
    """Estimate every area's growth ratio, shrunk to the typical area as far as chance demands.

    Parameters
    ----------
    rows : DataFrame
        What :func:`transitions` returns.

    Returns
    -------
    DataFrame
        ``area_code, years, log_raw, se_raw`` (an area by itself), ``log_ratio, se`` (shrunk),
        and the same in every row: ``alpha`` (overdispersion), ``spread`` (standard deviation
        between areas of the true log ratio), ``centre`` (its mean).

    Notes
    -----
    plans ~ NB(μ, α) given the January before, log μ = log(expected) + βᵢ, βᵢ ~ N(m, τ²). β̂ᵢ and
    its standard error sᵢ come from the model with βᵢ fixed. Given τ, βᵢ is shrunk to
    m + Bᵢ(β̂ᵢ − m), Bᵢ = τ²/(τ² + sᵢ²), with variance Bᵢsᵢ² + (1 − Bᵢ)² var(m); mean and variance
    are averaged over the posterior of τ under a flat prior, so that intervals stay honest where
    the areas hardly differ and τ is poorly known.

    References
    ----------
    Morris, C. (1983) "Parametric empirical Bayes inference", *JASA* 78.
    Gelman, A. and others (2013) *Bayesian data analysis*, 3rd edition, section 5.4.
    """
    years = rows.groupby("area_code")["year"].transform("size")
    rows = rows[years >= min(FEWEST_YEARS, rows["year"].nunique())]
    alpha = overdispersion(rows)
    fitted = fit(rows, alpha)
    raw, se = fitted.params, fitted.bse
    tau, share, centre, mean, variance = _over_spreads(raw, se)
    shrunk = share @ mean
    posterior = share @ (variance + (mean - shrunk) ** 2)
    counted = rows.groupby("area_code").size()
    return pd.DataFrame({
        "area_code": counted.index, "years": counted.to_numpy(), "log_raw": raw, "se_raw": se,
        "log_ratio": shrunk, "se": np.sqrt(posterior), "alpha": alpha,
        "spread": share @ tau, "centre": share @ centre,
    })  # fmt: skip


def _over_spreads(raw: np.ndarray, se: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each spread on a grid: its posterior share, the centre, each area's mean and variance."""
    grid = np.linspace(0, MOST_SPREADS * raw.std(), SPREADS + 1)
    tau = (grid[1:] + grid[:-1])[:, None] / 2
    total = tau**2 + se**2
    precision = (1 / total).sum(axis=1)
    centre = (raw / total).sum(axis=1) / precision
    misfit = ((raw - centre[:, None]) ** 2 / total + np.log(total)).sum(axis=1)
    log_share = -(misfit + np.log(precision)) / 2
    share = np.exp(log_share - log_share.max())
    weight = tau**2 / total
    mean = centre[:, None] + weight * (raw - centre[:, None])
    variance = weight * se**2 + (1 - weight) ** 2 / precision[:, None]
    return tau[:, 0], share / share.sum(), centre, mean, variance


def ways(rows: pd.DataFrame) -> pd.Series:
    """Say which areas grew faster or slower than others by more than chance explains.

    Parameters
    ----------
    rows : DataFrame
        As :func:`growth_ratios` returns them.

    Returns
    -------
    Series of str
        ``faster`` or ``slower``; empty where the interval holds equal growth.
    """
    found = np.select([rows["low"] > 1, rows["high"] < 1], ["faster", "slower"], "")
    return pd.Series(found, index=rows.index)


@reads.result
def growth_ratios(
    area: Area | None = None,
    *,
    start: int = series.COMPARABLE,
    end: int | None = None,
    against: str = "england",
    draws: int = 4000,
    seed: int = 1,
) -> pd.DataFrame:
    """Set every authority's growth against others', with an interval and its rank.

    Parameters
    ----------
    area : Area or str, optional
        Return this authority only (its merged footprint where its boundaries changed).
    start, end : int
        Januaries. From 2019 the stock holds EHC plans only.
    against : {"england", "region", "neighbours"}
        Whose growth an area's is set against; an area counts in its own region and England.
    draws, seed : int
        Draws of all areas' ratios from their distributions, for the uncertainty of ranks.

    Returns
    -------
    DataFrame
        ``area_code, area, start, end, against, years`` (changes used), ``growth, growth_others``
        (per cent a year), ``ratio, low, high`` (yearly growth factor over the others', shrunk,
        95 % interval), ``ratio_raw``, ``more, more_low, more_high`` (plans at the end more than
        with the others' growth), ``rank, rank_low, rank_high`` (1 grew most; 95 % interval),
        ``ranked``, ``chance`` (per cent by which a year's growth in an area of this size strays
        by chance, one standard deviation), ``spread`` (the same between areas, not chance).
        By rank. Areas in whose plans there is a jump in these years are not judged.

    Raises
    ------
    ParameterError
        If the years or the reference are not those there are.
    MissingDataError
        If `area` is none of those judged.
    """
    end = series.latest(area) if end is None else end
    found = _all_ratios(start, end, against, draws, seed)
    if area is not None and area.footprint in _jumped(start, end):
        raise MissingDataError(series.broken(area, start=start, end=end))
    return only(found, area)


@tables.remembered
def _all_ratios(start: int, end: int, against: str, draws: int, seed: int) -> pd.DataFrame:
    """Set every authority's growth against others'."""
    rows = transitions(start=start, end=end, against=against)
    out = shrink(rows)
    grown = rows.assign(
        own=np.log(rows["plans"] / rows["before"]),
        others=np.log(rows["expected"] / rows["before"]),
    )
    with np.errstate(divide="ignore"):
        mean = np.expm1(grown.groupby("area_code")[["own", "others"]].mean())
    last = rows.sort_values("year").groupby("area_code")["plans"].last()
    out = out.merge(mean, on="area_code").merge(last, on="area_code")
    out = out[~out["area_code"].isin(_jumped(start, end))].reset_index(drop=True)
    reach = series.CONFIDENCE_Z * out["se"]
    for name, log in (("ratio", 0), ("low", -reach), ("high", reach)):
        out[name] = np.exp(out["log_ratio"] + log)
        more = out["plans"] * (1 - out[name] ** -(end - start))
        out[name.replace("ratio", "more") if name == "ratio" else f"more_{name}"] = more
    places = _ranks(out, draws=draws, seed=seed)
    size = rows.groupby("area_code")["plans"].mean().reindex(out["area_code"]).to_numpy()
    out = out.assign(
        area=out["area_code"].map(areas.name),
        start=start,
        end=end,
        against=against,
        growth=100 * out["own"],
        growth_others=100 * out["others"],
        ratio_raw=np.exp(out["log_raw"]),
        rank=out["log_ratio"].rank(ascending=False, method="first").astype("int64"),
        rank_low=places[0],
        rank_high=places[1],
        ranked=len(out),
        chance=100 * np.sqrt(out["alpha"] + 1 / size),
        spread=100 * out["spread"],
    )
    columns = [
        "area_code", "area", "start", "end", "against", "years", "growth", "growth_others",
        "ratio", "low", "high", "ratio_raw", "more", "more_low", "more_high", "rank", "rank_low",
        "rank_high", "ranked", "chance", "spread",
    ]  # fmt: skip
    return out[columns].sort_values("rank")


@reads.found
def only(result: pd.DataFrame, area: Area | None) -> pd.DataFrame:
    """Rows of one authority, or of the footprint it lies in; all if none is named."""
    if area is None:
        return result.reset_index(drop=True)
    found = result[result["area_code"] == area.footprint]
    if found.empty:
        raise MissingDataError(
            f"{area.name} is not among the areas judged, which are local authorities that had "
            f"plans in at least {FEWEST_YEARS + 1} of the Januaries."
        )
    return found.reset_index(drop=True)


def _ranks(shrunk: pd.DataFrame, *, draws: int, seed: int) -> np.ndarray:
    """95 % interval of each area's rank, from draws of all areas' ratios."""
    noise = np.random.default_rng(seed).standard_normal((draws, len(shrunk)))
    drawn = shrunk["log_ratio"].to_numpy() + noise * shrunk["se"].to_numpy()
    places = (-drawn).argsort(axis=1).argsort(axis=1) + 1
    return np.quantile(places, [0.025, 0.975], axis=0).round().astype("int64")
