"""Age a population on by cohort: everyone a year older, at ratios seen between published years."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# People that England's ratio counts for beside an area's own: a cohort of a dozen (Isles of
# Scilly, City of London) says little of its own, one of a thousand nearly all.
PRIOR = 25


def ratios(years: Sequence[np.ndarray]) -> np.ndarray:
    """Ratio of each cohort to itself a year earlier, by area and age.

    Parameters
    ----------
    years : sequence of ndarray (areas, ages)
        People in years that follow one another, at least two; pairs of years are pooled.

    Returns
    -------
    ndarray (areas, ages − 1)
        People a year older over people of the age, net migration and deaths together; drawn to
        the ratio of all areas as if each area had :data:`PRIOR` people more at that ratio.
    """
    before = sum(year[:, :-1] for year in years[:-1])
    after = sum(year[:, 1:] for year in years[1:])
    together = after.sum(axis=0) / before.sum(axis=0)
    return (after + PRIOR * together) / (before + PRIOR)


def age_on(people: np.ndarray, ratio: np.ndarray, years: int) -> list[np.ndarray]:
    """Age a population on, a year at a time; the number aged 0 stays as it is.

    Parameters
    ----------
    people : ndarray (areas, ages)
    ratio : ndarray (areas, ages − 1)
        As :func:`ratios` gives it.
    years : int

    Returns
    -------
    list of ndarray (areas, ages)
        One a year, the first a year after `people`.
    """
    out = [people]
    for _ in range(years):
        out.append(np.hstack([people[:, :1], out[-1][:, :-1] * ratio]))
    return out[1:]


def age_back(people: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Take a population a year back; the number of the highest age stays as it is."""
    return np.hstack([people[:, 1:] / ratio, people[:, -1:]])
