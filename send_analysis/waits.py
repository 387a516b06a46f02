"""Waiting lists for community health services: measures, coverage and change.

The lists are counted by provider and added up to boards, regions and England. A list grows when
an organisation begins to report and shrinks when one misses a month, so every aggregate can also
be computed over the providers that reported in each month of a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from send_analysis.errors import MissingDataError, ParameterError

TOTAL = "total"
BANDS = ("0-1", "1-2", "2-4", "4-12", "12-18", "18-52", "52+")
EDGES = np.array([0, 1, 2, 4, 12, 18, 52], dtype=float)  # weeks at which each band begins
MEASURES = ("waiting", "share_over_18_weeks", "over_52_weeks", "median_wait", "p92_wait")
UNITS = {
    "waiting": "children",
    "share_over_18_weeks": "per cent",
    "over_52_weeks": "children",
    "median_wait": "weeks",
    "p92_wait": "weeks",
}
OPEN_UNIT = "weeks or more"
SERVICES = {
    "community paediatrics": "Community paediatric service",
    "occupational therapy": "Therapy interventions: Occupational therapy",
    "physiotherapy": "Therapy interventions: Physiotherapy",
    "speech and language": "Therapy interventions: Speech and language",
    "audiology": "Audiology",
}
"""Short name to service line, the five that children with EHC plans meet most."""
_LINE = ["level", "organisation_code", "organisation", "age_group", "service", "month"]
Base = Literal["banded", "all"]


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """One row a list and month, one column a band.

    Parameters
    ----------
    table
        Rows of ``nhs_waits``.

    Returns
    -------
    pandas.DataFrame
        level, organisation_code, organisation, age_group, service, month, total, the seven bands
        (float, NaN where missing), banded (children whose band is known).

    Raises
    ------
    ParameterError
        Negative numbers, bands that add up to more than the total, or a month missing between
        the first and the last of the table.
    """
    check(table)
    out = table.set_index([*_LINE, "band"]).waiting.astype("Float64").unstack("band")
    out = out.reindex(columns=[TOTAL, *BANDS]).astype(float)
    out["banded"] = out[list(BANDS)].sum(axis=1, min_count=1)
    return out.rename_axis(columns=None).reset_index()


def check(table: pd.DataFrame) -> None:
    """Refuse lists that cannot be right.

    Parameters
    ----------
    table
        Rows of ``nhs_waits``.

    Raises
    ------
    ParameterError
        Names the organisation, service and month, and what to do.
    """
    if table.empty:
        raise MissingDataError(
            "No waiting list in this selection; see waits.services() for what exists."
        )
    negative = table[table.waiting.fillna(0) < 0]
    if len(negative):
        raise ParameterError(
            f"{_where(negative.iloc[0])}: {negative.waiting.iloc[0]} children wait."
        )
    months = table.month.drop_duplicates()
    gaps = pd.date_range(months.min(), months.max(), freq="MS").difference(months)
    if len(gaps):
        raise MissingDataError(
            f"No rows for {', '.join(f'{m:%B %Y}' for m in gaps)}: comparing across the gap would "
            "read it as a change. Add the month, or select one side of it."
        )
    key = [c for c in _LINE if c != "organisation"]
    sums = table.assign(band=np.where(table.band == TOTAL, TOTAL, "sum")).pivot_table(
        index=key, columns="band", values="waiting", aggfunc="sum", min_count=1, observed=True
    )
    if {"sum", TOTAL} <= set(sums):
        # One published cell (Blackpool, July 2023, adults) has bands adding to one too many.
        over = sums[(sums["sum"] > sums[TOTAL] + 1).fillna(False)]
        if len(over):
            row = over.reset_index().iloc[0]
            raise ParameterError(
                f"{_where(row)}: the bands add up to {row['sum']:.0f}, the total is "
                f"{row[TOTAL]:.0f}. A band is counted twice or the total is of another month."
            )


def _where(row: pd.Series) -> str:
    """Organisation, service and month of a row, for messages."""
    return f"{row['organisation_code']}, {row['service']!r}, {row['month']:%B %Y}"


def quantile_weeks(counts: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Wait below which a share ``p`` of the list lies, interpolated within its band.

    Parameters
    ----------
    counts
        Children by band, shape (..., 7), in the order of ``BANDS``.
    p
        Share between 0 and 1.

    Returns
    -------
    tuple of numpy.ndarray
        Weeks, shape (...), NaN for an empty list; and whether the wait lies in the open band,
        where 52 weeks is all that is known.

    Notes
    -----
    Children are taken to be spread evenly over the weeks of their band.
    """
    counts = np.nan_to_num(np.asarray(counts, dtype=float))
    upto = counts.cumsum(axis=-1)
    size = upto[..., -1]
    want = p * size
    band = (upto < want[..., None] - 1e-9).sum(axis=-1).clip(0, len(BANDS) - 1)
    inside = np.take_along_axis(counts, band[..., None], -1)[..., 0]
    before = np.take_along_axis(upto, band[..., None], -1)[..., 0] - inside
    width = np.append(np.diff(EDGES), 0.0)[band]
    with np.errstate(invalid="ignore", divide="ignore"):
        weeks = EDGES[band] + np.where(inside > 0, (want - before) / inside, 0.0) * width
    weeks = np.where(size > 0, weeks, np.nan)
    return weeks, (band == len(BANDS) - 1) & (size > 0)


def measures(lists: pd.DataFrame, *, base: Base = "banded") -> pd.DataFrame:
    """The five measures of each list.

    Parameters
    ----------
    lists
        As :func:`wide` or :func:`aggregate` returns them.
    base
        Of the share over 18 weeks: ``banded`` divides by the children whose band is known,
        ``all`` by the whole list, as the publisher's own summaries do. The two differ where an
        organisation returns a list without saying how long part of it has waited.

    Returns
    -------
    pandas.DataFrame
        month, organisation_code, organisation, level, age_group, service, measure, value, unit.
        A wait that falls among those over 52 weeks has value 52 and unit ``weeks or more``.
        Months without a return have a missing value.
    """
    if base not in ("banded", "all"):
        raise ParameterError(f"base is {base!r}; it is 'banded' or 'all'.")
    counts = lists[list(BANDS)].to_numpy(float)
    known = lists["banded"].to_numpy(float) > 0
    whole = (lists["banded"] if base == "banded" else lists[TOTAL]).to_numpy(float)
    long = np.nan_to_num(counts[:, -2:]).sum(axis=1)
    median, median_open = quantile_weeks(counts, 0.5)
    p92, p92_open = quantile_weeks(counts, 0.92)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            "waiting": lists[TOTAL].to_numpy(float),
            "share_over_18_weeks": np.where(known & (whole > 0), 100 * long / whole, np.nan),
            "over_52_weeks": counts[:, -1],
            "median_wait": median,
            "p92_wait": p92,
        }
    unbounded = {"median_wait": median_open, "p92_wait": p92_open}
    keys = lists[["month", "organisation_code", "organisation", "level", "age_group", "service"]]
    parts = [
        keys.assign(
            measure=name,
            value=value,
            unit=np.where(unbounded.get(name, False), OPEN_UNIT, UNITS[name]),
        )
        for name, value in values.items()
    ]
    return pd.concat(parts, ignore_index=True)


def aggregate(
    lists: pd.DataFrame,
    members: pd.DataFrame,
    *,
    months: Sequence[pd.Timestamp] | None = None,
    throughout: bool = True,
) -> pd.DataFrame:
    """Boards, regions and England added up from providers.

    Parameters
    ----------
    lists
        Provider rows, as :func:`wide` returns them.
    members
        organisation_code and the columns icb, region, england: codes that each provider counts
        into, see :func:`membership`.
    months
        Window, by default all months of ``lists``.
    throughout
        Keep, service by service, only providers with a total in every month of the window.
        Without it the sums are those that were published.

    Returns
    -------
    pandas.DataFrame
        As :func:`wide`, with providers (how many were added).
    """
    lists = lists[lists.level == "provider"]
    if months is not None:
        lists = lists[lists.month.isin(list(months))]
    n_months = lists.month.nunique()
    lists = lists[lists[TOTAL].notna()].merge(members, on="organisation_code")
    key = ["organisation_code", "age_group", "service"]
    if throughout:
        lists = lists[lists.groupby(key).month.transform("nunique") == n_months]
    parts = []
    for level in ("icb", "region", "england"):
        group = lists.groupby([level, "age_group", "service", "month"], observed=True)
        sums = group[[TOTAL, *BANDS, "banded"]].sum(min_count=1)
        sums["providers"] = group.organisation_code.nunique()
        sums = sums.reset_index().rename(columns={level: "organisation_code"})
        parts.append(sums.assign(level=level))
    return pd.concat(parts, ignore_index=True)


def membership(table: pd.DataFrame) -> pd.DataFrame:
    """Board, region and England of each provider, from its last month.

    Parameters
    ----------
    table
        ``nhs_waits``.

    Returns
    -------
    pandas.DataFrame
        organisation_code, icb, region, england.
    """
    last = table[table.part_of.fillna("") != ""].sort_values("month", kind="stable")
    part_of = last.drop_duplicates("organisation_code", keep="last").set_index("organisation_code")
    providers = part_of[part_of.level == "provider"]
    up = part_of.part_of
    out = pd.DataFrame({"organisation_code": providers.index, "icb": providers.part_of.to_numpy()})
    out["region"] = out.icb.map(up)
    return out.assign(england=out.region.map(up))


def changes(
    table: pd.DataFrame,
    *,
    organisations: Iterable[str],
    services: Iterable[str] = tuple(SERVICES.values()),
    age_group: str = "cyp",
) -> pd.DataFrame:
    """Change of every measure between every two months, on every definition the tables allow.

    Parameters
    ----------
    table
        ``nhs_waits``.
    organisations
        Codes of boards, regions, England or providers.
    services
        Service lines as in the table.
    age_group
        ``cyp`` or ``adult``.

    Returns
    -------
    pandas.DataFrame
        organisation_code, level, service, measure, base (``banded``, ``all``; ``all`` for the
        share over 18 weeks alone), reporting (``all`` organisations, or those that reported
        ``throughout`` the window), start, end, before, after, change (per cent of before; NaN
        where before is 0, a month is missing, or a wait lies in the open band).
    """
    wanted, services = list(organisations), list(services)
    rows = table[(table.age_group == age_group) & table.service.isin(services)]
    lists = wide(rows)
    months = sorted(lists.month.unique())
    windows = [(a, b) for i, a in enumerate(months) for b in months[i + 1 :]]
    published = _both_bases(lists[lists.organisation_code.isin(wanted)])
    parts = [_between(published, a, b).assign(reporting="all") for a, b in windows]
    members = membership(table)
    providers = lists[lists.level == "provider"]
    for a, b in windows:
        window = [m for m in months if a <= m <= b]
        sums = aggregate(providers, members, months=window)
        sums = sums[sums.organisation_code.isin(wanted)].assign(organisation="")
        alone = providers[providers.organisation_code.isin(wanted) & providers.month.isin(window)]
        full = alone.groupby(["organisation_code", "service"])[TOTAL].transform("count")
        both = pd.concat([sums, alone[full == len(window)]], ignore_index=True)
        parts.append(_between(_both_bases(both), a, b).assign(reporting="throughout"))
    return pd.concat(parts, ignore_index=True)


def _both_bases(lists: pd.DataFrame) -> pd.DataFrame:
    """Measures on the banded base, and the share over 18 weeks on the whole list as well."""
    every = measures(lists, base="all")
    share = every[every.measure == "share_over_18_weeks"]
    return pd.concat(
        [measures(lists).assign(base="banded"), share.assign(base="all")], ignore_index=True
    )


def _between(values: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Change of each measure from one month to another."""
    key = ["organisation_code", "level", "service", "measure", "base"]
    exact = values.assign(value=values.value.where(values.unit != OPEN_UNIT))
    before = exact[exact.month == start].set_index(key).value
    after = exact[exact.month == end].set_index(key).value
    out = pd.DataFrame({"before": before, "after": after}).reset_index()
    base = out.before.where(out.before > 0)
    change = 100 * (out.after - out.before) / base
    return out.assign(start=start, end=end, change=change)


def jumps(table: pd.DataFrame, *, ratio: float = 3.0, at_least: int = 100) -> pd.DataFrame:
    """Lists that change so much from one month to the next that recording is the likelier cause.

    Parameters
    ----------
    table
        Rows of ``nhs_waits``.
    ratio
        Smallest factor, up or down.
    at_least
        Children in the larger of the two months.

    Returns
    -------
    pandas.DataFrame
        organisation_code, organisation, age_group, service, month, before, after; providers
        only, largest absolute change first.
    """
    totals = table[(table.band == TOTAL) & (table.level == "provider")]
    totals = totals.sort_values(["organisation_code", "age_group", "service", "month"])
    waiting = totals.waiting.astype(float)
    group = totals.groupby(["organisation_code", "age_group", "service"], observed=True)
    before = group.waiting.shift().astype(float)
    large = np.maximum(waiting, before)
    found = (large >= at_least) & (large >= ratio * np.minimum(waiting, before))
    out = totals[found].assign(before=before[found], after=waiting[found])
    out = out.assign(size=(out.after - out.before).abs()).sort_values("size", ascending=False)
    columns = ["organisation_code", "organisation", "age_group", "service", "month"]
    return out[[*columns, "before", "after"]].reset_index(drop=True)
