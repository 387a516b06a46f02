"""Waiting lists as queues: target sizes, required capacity, and a simulation to check them.

The formulas are those of Fong and others for waiting lists in equilibrium. They answer what
capacity a list needs; they do not say who waits, and they assume that children are seen in the
order in which they joined.

References
----------
Fong, K. and others (2022), *Waiting list management: a queueing theory perspective*, medRxiv
2022.08.23.22279117; implemented for the NHS in the R package NHSRwaitinglist. Little, J. D. C.
(1961), *Operations Research* 9, 383-387. Kingman, J. F. C. (1961), *Proceedings of the Cambridge
Philosophical Society* 57, 902-904.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis.errors import ParameterError

FACTOR = 4.0  # target wait / mean wait: about exp(-4) = 1.8 % miss the target (Fong 2022, fact 4)


def target_mean_wait(target_wait: float, *, factor: float = FACTOR) -> float:
    """Return the mean wait in weeks at which few miss the target wait.

    Parameters
    ----------
    target_wait : float
        Weeks within which nearly everyone should be seen.
    factor : float
        4 leaves about 1.8 % above the target, 6 about 0.2 %.

    Returns
    -------
    float
        target_wait / factor.
    """
    _check(target_wait=target_wait, factor=factor)
    return target_wait / factor


def target_queue_size(demand: float, target_wait: float, *, factor: float = FACTOR) -> float:
    """Return the size of a list whose mean wait is what the target needs (Little's law).

    Parameters
    ----------
    demand : float
        Children joining a week.
    target_wait : float
        Weeks.
    factor : float
        See :func:`target_mean_wait`.

    Returns
    -------
    float
        demand * target_wait / factor.
    """
    _check(demand=demand)
    return demand * target_mean_wait(target_wait, factor=factor)


def target_capacity(
    demand: float,
    target_wait: float,
    *,
    factor: float = FACTOR,
    cv_demand: float = 1.0,
    cv_capacity: float = 1.0,
) -> float:
    """Return the capacity that keeps a list, once cleared, at its target.

    Parameters
    ----------
    demand : float
        Children joining a week.
    target_wait : float
        Weeks.
    factor : float
        See :func:`target_mean_wait`.
    cv_demand, cv_capacity : float
        Standard deviation / mean of the time between arrivals and between children seen; 1 is
        pure chance, 0 is clockwork.

    Returns
    -------
    float
        Children a week: demand + (cv_demand^2 + cv_capacity^2) / 2 * factor / target_wait.

    Notes
    -----
    With both coefficients 1 this is the M/M/1 queue, whose mean wait is 1 / (capacity - demand);
    otherwise Kingman's approximation for heavy traffic.
    """
    _check(demand=demand, target_wait=target_wait, factor=factor)
    _check(least=0, cv_demand=cv_demand, cv_capacity=cv_capacity)
    return demand + (cv_demand**2 + cv_capacity**2) / 2 * factor / target_wait


def relief_capacity(
    demand: float, queue_size: float, target_size: float, *, weeks: float = 26
) -> float:
    """Return the capacity that brings a list down to its target size by a date.

    Parameters
    ----------
    demand : float
        Children joining a week.
    queue_size, target_size : float
        Children now and then.
    weeks : float
        Until the date.

    Returns
    -------
    float
        Children a week: demand + (queue_size - target_size) / weeks.

    Notes
    -----
    Fong and others advise it where the list is above twice its target size.
    """
    _check(demand=demand, weeks=weeks)
    _check(least=0, queue_size=queue_size, target_size=target_size)
    return demand + (queue_size - target_size) / weeks


def plan(lists: pd.DataFrame, *, target_wait: float = 18, weeks: float = 52) -> pd.DataFrame:
    """Say what each list needs to reach a target wait by a date and to stay there.

    Parameters
    ----------
    lists : DataFrame
        One row a list: queue_size (children), demand and capacity (children a week); any other
        columns are kept.
    target_wait : float
        Weeks within which nearly everyone should be seen.
    weeks : float
        Until the date.

    Returns
    -------
    DataFrame
        ``lists`` with load, target_size, ratio (list / target size), relief_capacity (children
        a week until the date), extra_a_week (over the present capacity), target_capacity
        (children a week afterwards), and size_if_unchanged (children at the date).
    """
    absent = [name for name in ("queue_size", "demand", "capacity") if name not in lists]
    if absent:
        raise ParameterError(f"The lists have no column {absent[0]!r}; add it.")
    try:
        demand, size, seen = (
            lists[name].to_numpy(dtype=float, na_value=np.nan)
            for name in ("demand", "queue_size", "capacity")
        )
    except (ValueError, TypeError):
        raise ParameterError("Demand, capacity and size of a list are numbers.") from None
    _check(demand=demand, capacity=seen, weeks=weeks)
    _check(least=0, queue_size=size)
    target = target_queue_size(demand, target_wait)
    relief = relief_capacity(demand, size, target, weeks=weeks)
    after = target_capacity(demand, target_wait)
    return lists.assign(
        load=demand / seen,
        target_size=target,
        ratio=size / target,
        relief_capacity=np.maximum(relief, after),
        extra_a_week=np.maximum(relief, after) - seen,
        target_capacity=after,
        size_if_unchanged=np.maximum(size + weeks * (demand - seen), 0),
    )


def flows(lists: pd.DataFrame) -> pd.DataFrame:
    """Estimate children joining and leaving a list, as far as month-end stocks can tell.

    Parameters
    ----------
    lists : DataFrame
        One row a list and month, as :func:`lists.wide` returns them.

    Returns
    -------
    DataFrame
        month, level, organisation_code, age_group, service, queue_size (children), joined_a_week
        (half of those who have waited up to two weeks), net_a_week (change of the list since the
        month before, NaN after a gap), left_a_week (joined less net), weeks_of_list (queue_size /
        left_a_week).

    Notes
    -----
    A stock fixes the difference of joining and leaving, never the two apart: add the same number
    to both and every stock stays as it is. What tells them apart here is the youngest bands. All
    children who joined in the last two weeks and were neither seen nor removed are in them, so
    half of them is a **lower bound** of joining a week, and the same holds for leaving. It is
    close to the truth where hardly anyone is seen within two weeks. Children removed without
    being seen, moved between lists or found by validation count as leaving.
    """
    key = ["level", "organisation_code", "age_group", "service"]
    lists = lists.sort_values([*key, "month"])
    group = lists.groupby(key, observed=True)
    since = (lists.month - group.month.shift()).dt.days / 7
    net = (lists["total"] - group["total"].shift()) / since
    joined = (lists["0-1"] + lists["1-2"]) / 2
    left = joined - net.where(since < 5)  # five weeks: longer is a missing month
    out = lists[["month", *key]].assign(
        queue_size=lists["total"],
        joined_a_week=joined,
        net_a_week=net.where(since < 5),
        left_a_week=left,
        weeks_of_list=(lists["total"] / left).where(left > 0),
    )
    return out.reset_index(drop=True)


def simulate_list(
    queue_size: int,
    demand: float,
    capacity: float | np.ndarray,
    *,
    weeks: int = 52,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate a list week by week from its present size, in many draws.

    Parameters
    ----------
    queue_size : int
        Children now.
    demand : float
        Children joining a week (Poisson).
    capacity : float or array of shape (weeks,)
        Children that can be seen a week (Poisson), one number or one a week.
    weeks, draws : int
        How far, how often.
    seed : int
        Of the random generator.

    Returns
    -------
    DataFrame
        week (0 is now), quantile (0.025, 0.1, 0.5, 0.9, 0.975), size (children).
    """
    _check(demand=demand)
    _check(least=0, queue_size=queue_size, capacity=capacity)
    _check(least=1, whole=True, weeks=weeks, draws=draws)
    _check(least=0, whole=True, seed=seed)
    if np.shape(capacity) not in {(), (1,), (weeks,)}:
        raise ParameterError(f"capacity has {np.size(capacity)} numbers; give one, or {weeks}.")
    rng = np.random.default_rng(seed)
    rates = np.broadcast_to(np.asarray(capacity, dtype=float), (weeks,))
    steps = rng.poisson(demand, (draws, weeks)) - rng.poisson(rates, (draws, weeks))
    walk = np.concatenate([np.full((draws, 1), queue_size), steps], axis=1).cumsum(axis=1)
    # A list cannot fall below nobody: push the walk up by as far as it has dipped under 0.
    size = walk - np.minimum(np.minimum.accumulate(walk, axis=1), 0)
    quantiles = [0.025, 0.1, 0.5, 0.9, 0.975]
    values = np.quantile(size, quantiles, axis=0)
    return pd.DataFrame(
        {
            "week": np.tile(np.arange(weeks + 1), len(quantiles)),
            "quantile": np.repeat(quantiles, weeks + 1),
            "size": values.ravel(),
        }
    )


def _check(*, least: float | None = None, whole: bool = False, **numbers: object) -> None:
    """Refuse what is no finite number above 0, or from `least` on; `whole` if not a whole one."""
    for name, value in numbers.items():
        cells = np.asarray(value)
        good = cells.dtype.kind in ("iu" if whole else "iuf") and np.isfinite(cells).all()
        if not good or not (cells > 0 if least is None else cells >= least).all():
            wanted = f"a {'whole ' if whole else ''}number "
            wanted += "above 0" if least is None else f"of {least:g} or more"
            shown = " ".join(str(value).split())[:60]
            raise ParameterError(f"{name.replace('_', ' ')} is {shown}; it must be {wanted}.")
