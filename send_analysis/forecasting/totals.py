"""Probabilistic forecasts of EHC plans each January, for every authority and for England.

The method is in :mod:`demand`, how its results are made to add up in :mod:`reconciliation`, and how
well it did in :mod:`scoring`. Everything is conditional on the law staying as it is: no method
would have foreseen the reform of 2014 in the figures of 2013.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import areas as places
from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.forecasting import longrange, panel, reconciliation
from send_analysis.forecasting.demand import (
    CHOSEN,
    FIRST_ORIGIN,
    LEVELS,
    Specification,
    UnitForecast,
    predict,
)

COLUMNS = [
    "area_code",
    "area",
    "origin",
    "year",
    "horizon",
    "measure",
    "category",
    "quantile",
    "value",
]
LONGEST = 15  # years; accuracy is measured for 5, beyond them see `longrange`


class Worked(NamedTuple):
    """Forecast of all authorities, before any is chosen or added up."""

    known: pd.DataFrame  # authorities
    units: UnitForecast
    point: np.ndarray  # plans, authorities by years
    own: np.ndarray  # spread of an authority's own errors, log points
    far: longrange.Start | None  # of years beyond the tested ones
    wider: np.ndarray | None  # how much wider each quantile is there


@reads.found
def forecast(
    areas: Sequence[Area] | None = None,
    horizon: int = 5,
    as_of: int | None = None,
    *,
    specification: Specification = CHOSEN,
) -> pd.DataFrame:
    """Forecast the number of EHC plans each January.

    Parameters
    ----------
    areas : Area or str, or several, optional
        Authorities, regions or England; all authorities and England if not given.
    horizon : int, default 5
        Years ahead, 1 to 15. Accuracy is known for 1 to 5; beyond them :mod:`longrange` goes on
        from there, untested, and from the latest January only.
    as_of : int, optional
        January to forecast from, 2016 or later; the latest one published if not given. Nothing
        published after that January's release is used: flows of the calendar year before it
        are, later plans and flows are not.
    specification : Specification, optional
        Numbers of the method.

    Returns
    -------
    DataFrame
        ``area_code, area, origin, year, horizon, measure, category, quantile, value``, sorted.
        ``measure`` is ``plans``; ``category`` is ``all`` (:func:`.views.forecast` has ages
        and settings too); ``quantile`` is .025, .1, .25, .5, .75, .9 or .975; ``value`` is a
        number of plans.

    Raises
    ------
    UnknownNameError, MissingDataError, ParameterError
        An unknown area; an area that did not exist at `as_of`; an `as_of` without data; a horizon
        that cannot be.

    Notes
    -----
    Coherence: at quantile .5, the point forecast, authorities add to their region and to England.
    The other quantiles do not add, because errors of authorities partly cancel: a sum's spread
    comes from its parts' (own errors independent, the shared error common). See
    :mod:`reconciliation`.

    An authority made from others since 2010 gets the growth of the footprint on which the
    series is unbroken, from its own number of plans, with the wider interval of its size.
    """
    if isinstance(horizon, bool) or horizon != int(horizon) or not 1 <= horizon <= LONGEST:
        raise ParameterError(f"horizon is {horizon!r}; give whole years from 1 to {LONGEST}.")
    origin = _origin(panel.build(), as_of)
    known, units, point, own, far, wider = _work_out(origin, horizon, specification)
    codes = known["area_code"].to_numpy()
    if areas is None:
        chosen, sums = np.ones(len(codes), dtype=bool), [places.ENGLAND]
    else:
        listed = list(dict.fromkeys(areas))
        chosen, sums = np.isin(codes, listed), [each for each in listed if each not in set(codes)]
    parts = [
        reconciliation.areas_frame(
            codes[chosen], point[chosen], own[chosen], units.common, units.shape
        )
    ]
    members = [_members(each, known, origin) for each in sums]
    parts += [
        reconciliation.sum_frame(code, member, point, own, units.common)
        for code, member in zip(sums, members, strict=True)
    ]
    frame = pd.concat(parts, ignore_index=True)
    if far is not None:
        wider = [wider[chosen], *(far.wider(m, point, own, units.common) for m in members)]
        row = pd.Index([*codes[chosen], *sums]).get_indexer(frame["area_code"])
        level = np.searchsorted(LEVELS, frame["quantile"])
        frame["value"] *= np.concatenate(wider)[row, frame["step"] - 1, level]
    return _tidy(frame, origin)


@tables.remembered
def _work_out(origin: int, horizon: int, specification: Specification) -> Worked:
    """Forecast all authorities."""
    known = _authorities(origin)
    units = predict(panel.build(), origin, horizon, specification)
    unit = pd.Series(range(len(units.units)), index=units.units)[known["footprint"]].to_numpy()
    plans = known["plans"].to_numpy(dtype=float)
    unit_plans = np.bincount(unit, plans, minlength=len(units.units))
    point, own = reconciliation.to_areas(units, unit, plans, unit_plans, specification.small_area)
    far = wider = None
    if horizon > longrange.TESTED:
        far = longrange.start(known["area_code"].to_numpy(), origin, horizon)
        log = units.shape * np.hypot(own, units.common)[..., None]
        point, wider = longrange.extend(far, point, log)
    return Worked(known, units, point, own, far, wider)


def _origin(history: panel.Panel, as_of: int | None) -> int:
    """January to forecast from."""
    last = int(history.years[-1])
    if as_of is None:
        return last
    if as_of != int(as_of) or not FIRST_ORIGIN <= as_of <= last:
        raise MissingDataError(
            f"as_of is {as_of!r}; forecasts can be made from January {FIRST_ORIGIN} (earlier ones "
            f"have no record of errors to take an interval from) to {last}, the latest published."
        )
    return int(as_of)


def _authorities(origin: int) -> pd.DataFrame:
    """Authorities with plans at the origin: ``area_code, plans, footprint, region_code``."""
    plans = tables.load("ehc_plans")
    plans = plans[(plans["year"] == origin) & (plans["age_band"] == "all") & plans["plans"].notna()]
    known = tables.load("areas")
    known = known[known["level"] == "local authority"]
    out = plans[["area_code", "plans"]].merge(known, on="area_code")
    return out[["area_code", "plans", "footprint", "region_code"]]


def _members(area: Area, known: pd.DataFrame, origin: int) -> np.ndarray:
    """Mark the authorities within a region or England."""
    if area == places.ENGLAND:
        return np.ones(len(known), dtype=bool)
    member = (known["region_code"] == area).to_numpy()
    if not member.any():
        raise MissingDataError(
            f"{area.name} has no plans of its own in January {origin}, so nothing to "
            f"forecast from. {area.history or 'Give an authority, a region or England.'}"
        )
    return member


def _tidy(frame: pd.DataFrame, origin: int) -> pd.DataFrame:
    """Name areas, order rows, and give the result its columns."""
    frame = frame.assign(
        area=frame["area_code"].map(places.name),
        origin=origin,
        year=origin + frame["step"],
        horizon=frame["step"],
        measure="plans",
        category="all",
    )
    frame = frame.sort_values(["area_code", "horizon", "quantile"], kind="stable")
    return frame[COLUMNS].reset_index(drop=True)
