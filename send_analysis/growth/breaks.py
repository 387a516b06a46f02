"""Did growth break: with the reforms, the pandemic, the new collection? England and areas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from send_analysis import areas, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import either
from send_analysis.growth import panel, series

# What happened, and the first January that can show it.
FIRST = 2010  # the series begins
BREAKS = {
    "reforms": (2015, "Children and Families Act 2014, in force from September 2014"),
    "pandemic": (2021, "schools closed to most pupils from March 2020"),
    "person-level return": (2023, "SEN2 collected person by person from January 2023"),
}
# Januaries at the end of the years that are set against each other: those from one change to the
# next, and the two on either side of the return of 2023. No release moves them.
SIDES = {
    "reforms": (range(2011, 2015), range(2015, 2021)),
    "pandemic": (range(2015, 2021), range(2021, 2023)),
    "person-level return": ((2021, 2022, 2024, 2025), (2023,)),
}


@reads.found
def step(before: pd.DataFrame, after: pd.DataFrame, *, area: Area | None = None) -> pd.DataFrame:
    """Test whether each area's growth against others changed between two sets of years.

    Parameters
    ----------
    before, after : DataFrame
        What :func:`.panel.transitions` returns, before and after.
    area : Area or str, optional
        Authority to test; all if not given.

    Returns
    -------
    DataFrame
        ``area_code, log_before, log_after`` (mean log growth ratio), ``log_step, se, p`` (two
        sides, normal), for areas in both sets. One overdispersion is estimated from both.
    """
    from scipy.stats import norm

    alpha = panel.overdispersion(before, after)
    sides = []
    for name, rows in (("before", before), ("after", after)):
        rows = panel.only(rows, area)
        fitted = panel.fit(rows, alpha)
        codes = np.sort(rows["area_code"].unique())
        sides.append(pd.DataFrame(
            {f"log_{name}": fitted.params, f"se_{name}": fitted.bse},
            index=pd.Index(codes, name="area_code"),
        ))  # fmt: skip
    out = sides[0].join(sides[1], how="inner").reset_index()
    out = out.assign(
        log_step=out["log_after"] - out["log_before"],
        se=np.hypot(out.pop("se_before"), out.pop("se_after")),
    )
    return out.assign(p=2 * norm.sf((out["log_step"] / out["se"]).abs()))


@reads.result
def breaks(area: Area | None = None) -> pd.DataFrame:
    """Test for breaks in England's growth, and in areas' growth against England's.

    Parameters
    ----------
    area : Area or str, optional
        Authority to report beside England; all of them if not given.

    Returns
    -------
    DataFrame
        ``area_code, area, against`` (empty where an area's own growth is tested), ``what`` (key
        of :data:`BREAKS`), ``january`` (the first that can show it), ``measured``, ``before,
        after`` (per cent a year; against England: relative to its growth), ``step, low, high``
        (after over before, 95 % interval), ``p``, ``januaries_before, januaries_after`` (those at
        the end of the years, in words).

        The reforms and the pandemic are tested as a change in yearly growth that lasts until the
        next break. The return of 2023 is tested as a one-off change: growth to that January
        against the two years on either side.

    Notes
    -----
    England is one series: its test is a t test of yearly growth, with as few degrees of freedom
    as there are years. Authorities are tested against England with the overdispersion of all 150.
    """
    parts = []
    for what in SIDES:
        found = _tested(what)
        local = found["against"] != ""
        parts += [found[~local], panel.only(found[local], area)]
    return pd.concat(parts, ignore_index=True)


@tables.remembered
def _tested(what: str) -> pd.DataFrame:
    """Test for one break in the growth of England and of every authority, as :func:`breaks`."""
    years = SIDES[what]
    rows = panel.transitions(start=FIRST, end=max(map(max, years)))
    before, after = (rows[rows["year"].isin(side)] for side in years)
    local = step(before, after).assign(against="England")
    national = series.totals([areas.ENGLAND]).set_index("year")["plans"].astype("float64")
    yearly = np.log(national).diff()
    one = _national_step(*(yearly.loc[list(side)].to_numpy() for side in years))
    out = pd.concat([one, local], ignore_index=True)
    reach = out.pop("reach").fillna(series.CONFIDENCE_Z * out["se"])
    out = out.assign(
        area=out["area_code"].map(areas.name), step=np.exp(out["log_step"]),
        low=np.exp(out["log_step"] - reach), high=np.exp(out["log_step"] + reach),
        before=100 * np.expm1(out["log_before"]), after=100 * np.expm1(out["log_after"]),
        what=what, january=BREAKS[what][0],
        januaries_before=_told(years[0]), januaries_after=_told(years[1]),
        measured="one-off change" if len(years[1]) == 1 else "growth a year",
    )  # fmt: skip
    return out[
        ["area_code", "area", "against", "what", "january", "measured", "before", "after", "step",
         "low", "high", "p", "januaries_before", "januaries_after"]
    ]  # fmt: skip


def _told(years: Sequence[int]) -> str:
    """Put years into words: the first and last of a range, else each."""
    if isinstance(years, range) and len(years) > 2:
        return f"{years[0]} to {years[-1]}"
    return either(years, "and")


def _national_step(before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    """Difference of England's mean log growth between two sets of years, by least squares."""
    from statsmodels.regression.linear_model import OLS

    growth_ = np.concatenate([before, after])
    later = np.repeat([0.0, 1.0], [len(before), len(after)])
    fitted = OLS(growth_, np.column_stack([np.ones(len(later)), later])).fit()
    low, high = fitted.conf_int()[1]
    return pd.DataFrame({
        "area_code": [areas.ENGLAND], "against": "", "log_before": fitted.params[0],
        "log_after": fitted.params.sum(), "log_step": fitted.params[1], "se": fitted.bse[1],
        "p": fitted.pvalues[1], "reach": (high - low) / 2,
    })  # fmt: skip
