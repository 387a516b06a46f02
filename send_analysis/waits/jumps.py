"""Jumps of a list that waiting cannot make: from there on something else is counted, or by others.

Two signs, each held against the month with a figure before: the list triples or falls to a third,
or it holds more children beyond an age of waits than can have grown that old. Waiting makes nobody
older than the calendar does: who has waited over 18 weeks had waited over 13 a month before, so was
in the band of 12 to 18 weeks then, or above it. Falls of long waits are no sign: children are seen,
and lists are cleared of those who need no care any more.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis.categories import WAIT_BANDS as BANDS
from send_analysis.categories import WAIT_TOTAL as TOTAL
from send_analysis.waits.lists import EDGES, MOST_REPEATED

JUMP = 3.0  # factor by which a list grows or falls within a month when something else is counted
LEAST = 100  # people in the larger of the two months
MONTH = 5.0  # weeks from one month's list to the next at most: 31 days, and some days of grace
AGES = (12, 18, 52)  # weeks: edges of bands above one that is wider than a month
LET_PASS = 10
"""Children too old that are let pass: corrections, and who moves in with the wait so far. In 2023
one in 27 figures of providers' lists of the main services has any, most of them over 30."""


def steps(lists: pd.DataFrame, *, by: list[str]) -> pd.DataFrame:
    """Hold every list against the month with a figure before it.

    Parameters
    ----------
    lists : DataFrame
        As :func:`.lists.wide` returns them; of providers, or with ``level``.
    by : list of str
        Columns that tell lists apart.

    Returns
    -------
    DataFrame
        Rows of `lists` with a figure, by month; ``before`` (the list then, NaN in its first
        month), ``months`` (since), ``weeks, could, long``: the age of which most are too many, how
        many can have come to be as old, and how many are; ``tripled`` (or fell to a third),
        ``aged`` (more are too old than is let pass: ``LET_PASS``, of a sum a tenth of it as well).

    Notes
    -----
    Beyond age e now are at most those beyond the edge f before and those whose wait was not known,
    with f the last edge of a band up to e less the weeks since.
    """
    own = lists.dropna(subset=TOTAL).sort_values("month", kind="stable")
    keys = [own[name] for name in by]
    number = 12 * own["month"].dt.year + own["month"].dt.month
    months = number - number.groupby(keys).shift()
    before = own[TOTAL].groupby(keys).shift()
    beyond = own[list(BANDS)].fillna(0).iloc[:, ::-1].cumsum(axis=1).iloc[:, ::-1]
    unknown = own[TOTAL] - own["banded"].fillna(0)
    earlier = beyond.add(unknown, axis=0).groupby(keys).shift().to_numpy()
    ages = np.array(AGES, dtype=float)
    then = ages - MONTH * months.to_numpy()[:, None]  # weeks that they had waited at least
    edge = np.searchsorted(EDGES, np.nan_to_num(then), side="right").clip(min=1) - 1
    could = np.where(then > 0, np.take_along_axis(earlier, edge, axis=1), np.nan)
    long = beyond.to_numpy()[:, np.searchsorted(EDGES, ages)]
    most = np.argmax(np.nan_to_num(long - could, nan=-np.inf), axis=1)[:, None]
    could, long = (np.take_along_axis(one, most, axis=1)[:, 0] for one in (could, long))
    large, small = np.fmax(own[TOTAL], before), np.fmin(own[TOTAL], before)
    summed = own["level"] != "provider" if "level" in own else np.zeros(len(own), dtype=bool)
    passed = np.maximum(LET_PASS, np.where(summed, MOST_REPEATED * own[TOTAL], 0))
    return own.assign(
        before=before, months=months, weeks=ages[most[:, 0]], could=could, long=long,
        tripled=before.notna() & (large >= LEAST) & (large >= JUMP * small),
        aged=long - could > passed,
    )  # fmt: skip


def jumped(lists: pd.DataFrame, *, by: list[str]) -> pd.DataFrame:
    """Find the months in which a list jumps, by either sign.

    Parameters
    ----------
    lists, by
        As for :func:`steps`.

    Returns
    -------
    DataFrame
        Those rows of :func:`steps`.
    """
    found = steps(lists, by=by)
    return found[found["tripled"] | found["aged"]]
