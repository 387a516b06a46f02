"""What-if levers on a forecast: requests fall or level off, new plans end for an age, more cease.

A lever changes flows (new plans, plans that cease), and the stock follows: fewer new plans this
year are fewer plans at each later age. Only the difference from the forecast is simulated, so a
scenario without levers is the forecast itself. The levers say what would follow from a change,
not that it will come; an interval under a scenario holds the forecast's uncertainty only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis import tables
from send_analysis.ages import AGE_BANDS
from send_analysis.areas import ENGLAND
from send_analysis.errors import MissingDataError
from send_analysis.models import scenarios
from send_analysis.models.scenarios import Choice, Number

BANDS = list(AGE_BANDS)
# Years that a plan spends in a band: its width, but ages 3 and 4 for the first (few plans before).
YEARS_IN_BAND = np.array([2, 6, 5, 4, 6])
PREFIX = "demand-"  # of this model's scenario files
_YEAR = Number(2010, 2060, whole=True)
LEVERS = {
    "request_rate_returns": {
        "to_year": _YEAR,
        "from_year": _YEAR,
        "over_years": Number(1, 20, whole=True),
    },
    "requests_stabilise": {"from_year": _YEAR},
    "new_plans_end": {"age_band": Choice(tuple(BANDS)), "from_year": _YEAR},
    "cessation_rises": {
        "age": Choice((16, 19)),  # the ages at which school and college years end
        "multiplier": Number(0, 20),  # 0: none cease
        "from_year": _YEAR,
    },
}
FORM = {"title": str, "description?": str, "levers": [{"lever": str, "*": object}]}


def validate(levers: Sequence[dict]) -> list[dict]:
    """Check levers, and refuse what cannot be.

    Parameters
    ----------
    levers : sequence of dict
        Each has ``lever``, a key of `LEVERS`, and that lever's parameters:

        - ``request_rate_returns``: requests per head return to their level of calendar year
          ``to_year``, in equal steps over ``over_years`` from ``from_year``;
        - ``requests_stabilise``: new plans stay at their number of the year before ``from_year``;
        - ``new_plans_end``: no new plan in ``age_band`` from ``from_year`` on;
        - ``cessation_rises``: plans that cease at ``age`` are multiplied from ``from_year`` on.

    Returns
    -------
    list of dict
        The levers.

    Raises
    ------
    ParameterError
        An unknown lever, a parameter missing, unknown or impossible.
    """
    for place, lever in enumerate(levers, start=1):
        where = f"levers[{place}]"
        scenarios.check(lever, {"lever": Choice(tuple(LEVERS)), "*": object}, where)
        scenarios.check(lever, {"lever": str, "source?": str, **LEVERS[lever["lever"]]}, where)
    return [dict(lever) for lever in levers]


def read(scenario: str | Path | Sequence[dict]) -> list[dict]:
    """Levers of a scenario.

    Parameters
    ----------
    scenario : str, Path or sequence of dict
        Name of a file in ``data/scenarios`` (without ``.yml``), a path to one, or the levers.

    Returns
    -------
    list of dict
        As :func:`validate`.
    """
    if not isinstance(scenario, str | Path):
        return validate(scenario)
    return validate(scenarios.read(scenario, FORM, prefix=PREFIX)["levers"])


def titles() -> dict[str, str]:
    """List the scenarios of demand that the project holds.

    Returns
    -------
    dict of str to str
        Name of the scenario, as :func:`read` takes it, by its title.
    """
    files = sorted(tables.parameters("scenarios").glob(f"{PREFIX}*.yml"))
    return {scenarios.read_yaml(file)["title"]: file.stem for file in files}


def apply(
    baseline: np.ndarray,
    codes: np.ndarray,
    origin: int,
    levers: Sequence[dict],
    load: Callable[[str], pd.DataFrame] = tables.load,
) -> np.ndarray:
    """Change a forecast by levers.

    Parameters
    ----------
    baseline : ndarray, areas × (1 + horizons) × age bands
        Median plans by band in the order of `BANDS`, the origin's January first.
    codes : ndarray of str
        Codes of the areas.
    origin : int
        Year of the January forecast from.
    levers : sequence of dict
        As :func:`validate` wants them.
    load : callable, optional
        Gives a tidy table by name.

    Returns
    -------
    ndarray
        As `baseline`, with the levers pulled.

    Raises
    ------
    MissingDataError
        The tables lack the flows of the calendar year before `origin`.

    Notes
    -----
    With D the difference from the baseline in a band, w the years in a band, c England's share of
    plans that cease in a year (ageing out apart)::

        D(b, t+1) = (1 − c(b)) [D(b, t) (1 − 1/w(b)) + D(b−1, t) / w(b−1)] + ΔN(b, t) − ΔC(b, t)

    Flows of calendar year y change the stock from January y to January y + 1. New plans and plans
    that cease at 16 and 19 keep to the baseline's stock unless a lever says otherwise.
    """
    levers = validate(levers)
    new, ceased, rate = _flows(codes, baseline[:, 0].sum(1), origin - 1, load)
    growth = baseline.sum(2) / baseline[:, :1].sum(2)
    last_school_band = BANDS.index("16-19")  # plans that cease at 16 or at 19 leave this band
    out = baseline.copy()
    difference = np.zeros_like(baseline[:, 0])
    for step in range(1, baseline.shape[1]):
        year = origin + step - 1
        expected = new * growth[:, step, None]
        wanted, extra = expected.copy(), np.zeros(len(codes))
        for lever in levers:
            if year < lever["from_year"]:
                continue
            if lever["lever"] == "request_rate_returns":
                reached = min(1.0, (year - lever["from_year"] + 1) / lever["over_years"])
                level = new * _request_ratio(codes, lever["to_year"], origin - 1, load)[:, None]
                wanted += reached * (level - expected)
            elif lever["lever"] == "requests_stabilise":
                wanted = np.minimum(
                    wanted, new * growth[:, max(0, lever["from_year"] - origin), None]
                )
            elif lever["lever"] == "new_plans_end":
                wanted[:, BANDS.index(lever["age_band"])] = 0
            else:
                extra += (lever["multiplier"] - 1) * ceased[lever["age"]] * growth[:, step]
        moved = difference / YEARS_IN_BAND
        stayed = difference - moved
        stayed[:, 1:] += moved[:, :-1]
        difference = (1 - rate) * stayed + wanted - expected
        difference[:, last_school_band] -= extra
        difference = np.maximum(difference, -baseline[:, step])  # a stock cannot fall below zero
        out[:, step] = baseline[:, step] + difference
    return out


def _flows(
    codes: np.ndarray, plans: np.ndarray, year: int, load: Callable[[str], pd.DataFrame]
) -> tuple[np.ndarray, dict[int, np.ndarray], np.ndarray]:
    """New plans by band, plans ceased at 16 and 19, and England's share ceasing by band."""
    table = load("new_plans")
    new = table[table["year"] == year].pivot(index="area_code", columns="age_band", values="plans")
    new = new.astype("float64").reindex(columns=[*BANDS, "all"])
    ages = load("ceased_plans_by_age")
    ages = ages[(ages["year"] == year) & (ages["reason"] == "all")]
    ceased = ages.pivot(index="area_code", columns="age", values="plans").astype("float64")
    if ENGLAND not in new.index or new.loc[ENGLAND].isna().any() or ENGLAND not in ceased.index:
        raise MissingDataError(
            f"Scenarios need new and ceased plans by age of calendar year {year}; the tables have "
            "them for the last years only. Leave `as_of` out, or the scenario."
        )
    usual = (new.loc[ENGLAND, BANDS] / new.loc[ENGLAND, "all"]).to_numpy()
    stock = load("ehc_plans")
    stock = stock[(stock["year"] == year + 1) & (stock["area_code"] == ENGLAND)]
    stock = stock.set_index("age_band")["plans"].astype("float64")
    total = new["all"].reindex(codes).to_numpy()
    total = np.where(np.isnan(total), plans * new.loc[ENGLAND, "all"] / stock["all"], total)
    bands = new[BANDS].reindex(codes).to_numpy()
    bands = np.where(np.isnan(bands).any(1)[:, None], total[:, None] * usual, bands)
    at = {}
    for age in (16, 19):
        column = ceased[str(age)].reindex(codes).to_numpy()
        at[age] = np.where(
            np.isnan(column), plans * ceased.loc[ENGLAND, str(age)] / stock["all"], column
        )
    share = _ceasing_by_band(ceased.loc[ENGLAND]) / stock[BANDS].to_numpy()
    return bands, at, share


def _ceasing_by_band(by_age: pd.Series) -> np.ndarray:
    """Add plans ceased at single years of age up to age bands."""
    by_age = by_age.dropna()
    start = by_age.index.str.extract(r"^(\d+)", expand=False)
    known = start.notna()
    first = [ages[0] for ages in AGE_BANDS.values()]
    band = np.searchsorted(first[1:], start[known].astype(int), side="right")
    return np.bincount(band, by_age[known].to_numpy(), minlength=len(BANDS))


def _request_ratio(
    codes: np.ndarray, to_year: int, now: int, load: Callable[[str], pd.DataFrame]
) -> np.ndarray:
    """Requests per head in `to_year` over those `now`; England's where an area has no figures."""
    requests = load("requests")
    requests = requests[requests["outcome"] == "all"]
    requests = requests.pivot(index="area_code", columns="year", values="requests").astype(
        "float64"
    )
    people = load("population")
    people = people.groupby(["area_code", "year"])["people"].sum().unstack().astype("float64")
    for year in (to_year, now):
        if year not in requests.columns or year not in people.columns:
            raise MissingDataError(
                f"Requests per head of {year} are not in the tables: they hold "
                f"{max(requests.columns.min(), people.columns.min())} to "
                f"{min(requests.columns.max(), people.columns.max())}."
            )
    rate = requests[[to_year, now]] / people[[to_year, now]]
    ratio = rate[to_year] / rate[now]
    ratio = ratio.where(np.isfinite(ratio) & (ratio > 0))
    return ratio.reindex(codes).fillna(ratio[ENGLAND]).to_numpy()
