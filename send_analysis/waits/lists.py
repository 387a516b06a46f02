"""Waiting lists for community health services: measures, and who reported.

The lists are counted by provider and added up to boards, regions and England. A list grows when
an organisation begins to report and shrinks when one misses a month, so every sum can also be
taken over the providers that reported in each month of a window.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import areas, reads, tables
from send_analysis.areas import Area
from send_analysis.categories import WAIT_BANDS as BANDS
from send_analysis.categories import WAIT_TOTAL as TOTAL
from send_analysis.errors import DataError, MissingDataError, ParameterError, unknown

EDGES = np.array([0, 1, 2, 4, 12, 18, 52], dtype=float)  # weeks at which each band begins
UNITS = {
    "waiting": "children",
    "share_over_18_weeks": "per cent",
    "over_52_weeks": "children",
    "median_wait": "weeks",
    "p92_wait": "weeks",
}
MEASURES = tuple(UNITS)
OPEN_UNIT = "weeks or more"
SERVICES = {
    "community paediatrics": "Community paediatric service",
    "occupational therapy": "Therapy interventions: Occupational therapy",
    "physiotherapy": "Therapy interventions: Physiotherapy",
    "speech and language": "Therapy interventions: Speech and language",
    "audiology": "Audiology",
}
"""Short name to service line: the five that children with EHC plans meet most."""
SHORT = {line: name for name, line in SERVICES.items()}
SAID = "2024-05"
"""When the claims about waits were made that a page holds the lists against: the month of the
inspectors' report on Bury and of the partnership's answer."""
MOST_REPEATED = 0.1  # share of a sum that may be taken out before it is another list
FULL = 100  # people on a list that is not empty a month before or later
NUMBERS = [TOTAL, *BANDS, "banded"]
_LIST = ["level", "organisation_code", "organisation", "age_group", "service"]


def runs(months: Iterable[pd.Timestamp]) -> pd.Series:
    """Number the unbroken runs of months: nothing is compared across a month without lists.

    Parameters
    ----------
    months : iterable of Timestamp
        First days of months, in any order, repeated or not.

    Returns
    -------
    Series of int
        Run of each month, indexed by month, in order of time.
    """
    order = pd.DatetimeIndex(pd.Index(months).unique()).sort_values()
    number = 12 * order.year + order.month
    return pd.Series((np.diff(number, prepend=number[:1]) > 1).cumsum(), index=order, dtype=int)


@tables.remembered
def then(said: str = SAID) -> pd.DataFrame:
    """Children's lists as they could be known when a claim was made.

    Parameters
    ----------
    said : str
        Year and month of the claim.

    Returns
    -------
    DataFrame
        Rows of `nhs_waits`: the latest unbroken run among the months published by then.

    Raises
    ------
    MissingDataError
        If none had been published.
    """
    table = _children()
    run = runs(table["month"])
    out = [tables.first_published("nhs_waits", month) for month in run.index]
    known = run[[day is not None and day <= said for day in out]]
    if known.empty:
        raise MissingDataError(f"No waiting list had been published by {said}.")
    months = known.index[known == known.iloc[-1]]
    return table[table["month"].isin(months)]


@tables.remembered
def since(said: str = SAID) -> pd.DataFrame:
    """Children's lists of the months after those that :func:`then` gives.

    Parameters
    ----------
    said : str
        Year and month of the claim.

    Returns
    -------
    DataFrame
        Rows of `nhs_waits`, with months missing where no workbook is at hand.
    """
    table = _children()
    return table[table["month"] > then(said)["month"].max()]


def _children() -> pd.DataFrame:
    """The lists of children."""
    return tables.load("nhs_waits", age_group="cyp")


@reads.found
@tables.remembered
def organisations(area: Area) -> pd.DataFrame:
    """List the NHS organisations whose lists hold an area's children.

    Returns
    -------
    DataFrame
        ``organisation_code, organisation, level, basis`` (how the link is known), nearest first:
        provider, board, region, England. None of them is the area: a provider serves several
        authorities and a board some ten.

    Raises
    ------
    UnknownNameError
        If no area answers to the name.
    """
    links = tables.load("nhs_area_links", area_code=area).sort_values("rank")
    links = links[links["level"] != "sub_icb"]
    own = every_organisation()
    found = list(links[["organisation_code", "basis"]].itertuples(index=False, name=None))
    boards = links.loc[links["level"] == "icb", "organisation_code"]
    regions = own.loc[[b for b in boards if b in own.index], "part_of"].unique()
    found += [(region, "region that the board is in") for region in regions]
    if area.level == "region":
        same = (own["level"] == "region") & (own["organisation"] == area.name)
        found += [(region, "NHS region of the same name") for region in own.index[same]]
    found.append((areas.ENGLAND, "the whole country"))
    out = pd.DataFrame(found, columns=["organisation_code", "basis"])
    out = out.drop_duplicates("organisation_code")
    out = out[out["organisation_code"].isin(own.index)]
    out = out.assign(
        organisation=out["organisation_code"].map(own["organisation"]),
        level=out["organisation_code"].map(own["level"]),
    )
    order = out["level"].map({"provider": 0, "icb": 1, "region": 2, "england": 3})
    out = out.iloc[order.argsort(kind="stable")].reset_index(drop=True)
    return out[["organisation_code", "organisation", "level", "basis"]]


@tables.remembered
def every_organisation() -> pd.DataFrame:
    """List the organisations that have lists, as their last rows name and place them, by code."""
    table = tables.load("nhs_waits")
    return table.drop_duplicates("organisation_code", keep="last").set_index("organisation_code")


@reads.found
def waits(area: Area, *, services: Iterable[str] = tuple(SERVICES)) -> pd.DataFrame:
    """Measure the waiting lists of the organisations that serve an area, month by month.

    Parameters
    ----------
    area : Area or str
    services : iterable of str
        Short names (see ``SERVICES``) or service lines as the publisher calls them.

    Returns
    -------
    DataFrame
        ``month, organisation, level, service, measure, value, unit``; a month that an
        organisation missed has no value.

    Raises
    ------
    UnknownNameError
        If the area or a service is not known.
    """
    serving = organisations(area)
    lines = [service_line(name) for name in services]
    rows = tables.load(
        "nhs_waits", organisation_code=serving["organisation_code"], service=lines, age_group="cyp"
    )
    out = measures(wide(rows))
    place = out["organisation_code"].map({c: i for i, c in enumerate(serving["organisation_code"])})
    out = out.assign(service=out["service"].map(SHORT).fillna(out["service"]), place=place)
    out = out.sort_values(["place", "service", "measure", "month"], kind="stable")
    columns = ["month", "organisation", "level", "service", "measure", "value", "unit"]
    return out[columns].reset_index(drop=True)


def service_line(name: str) -> str:
    """Return the publisher's name of a service for children, from a short name or itself.

    Raises
    ------
    UnknownNameError
        If there is no such service line.
    """
    known = {line.casefold(): line for line in lines()} | SERVICES
    if name.casefold() in known:
        return known[name.casefold()]
    hint = "The tables have no list for child and adolescent mental health, autism or ADHD."
    raise unknown("service", name, [*SERVICES, *lines()], hint=hint)


@tables.remembered
def lines() -> list[str]:
    """Return the service lines for children, as the publisher calls them."""
    return sorted(_children()["service"].unique())


def check(table: pd.DataFrame) -> None:
    """Refuse lists that cannot be right.

    Parameters
    ----------
    table : DataFrame
        Rows of `nhs_waits`.

    Raises
    ------
    MissingDataError
        If there are no rows.
    DataError
        If a number is negative, or bands add up to more than the total.
    """
    if table.empty:
        raise MissingDataError(
            "No waiting list in this selection. Services, organisations and months are those of "
            "the table nhs_waits."
        )
    negative = table["waiting"].fillna(0) < 0
    if negative.any():
        row = table[negative].iloc[0]
        raise DataError(
            f"{_where(row)}: {row['waiting']} people wait; a list has 0 or more. Correct the row",
            file="nhs_waits",
        )
    key = [column for column in _LIST if column != "organisation"] + ["month"]
    table = table[table["band"].isin([TOTAL, *BANDS])]  # bands within bands left out
    part = table["band"].where(table["band"] == TOTAL, "sum")
    sums = table.assign(band=part).pivot_table(
        index=key, columns="band", values="waiting", aggfunc="sum"
    )
    if {"sum", TOTAL} <= set(sums):
        # One published cell (Blackpool, July 2023, adults) has bands that add to one too many.
        over = sums[(sums["sum"] > sums[TOTAL] + 1).fillna(False)]
        if len(over):
            row = over.reset_index().iloc[0]
            raise DataError(
                f"{_where(row)}: the bands add up to {row['sum']:.0f}, the total is "
                f"{row[TOTAL]:.0f}; a band is counted twice, or the total is another month's",
                file="nhs_waits",
            )


def _where(row: pd.Series) -> str:
    """Name organisation, service and month of a row."""
    return f"{row['organisation_code']}, {row['service']!r}, {row['month']:%B %Y}"


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """Turn a table into one row a list and month, one column a band, without repeated lists.

    What came from lists that repeat the month before (column ``repeated``) is taken out. A list of
    which that is more than a tenth, a provider's own among them, is as if it had not been returned:
    the rest of it is another list. So is a list of nobody where the nearest that holds anybody,
    before or after it in the same run of months, has ``FULL`` people or more: no service sees or
    takes on so many in a month, and where a return fails, ends or has not begun, 0 is printed.

    Parameters
    ----------
    table : DataFrame
        Rows of `nhs_waits`.

    Returns
    -------
    DataFrame
        ``level, organisation_code, organisation, age_group, service, month, total``, the seven
        bands (float, NaN where missing), ``banded`` (people whose band is known).

    Raises
    ------
    MissingDataError, DataError
        As :func:`check`.
    """
    check(table)
    table = table[table["band"].isin([TOTAL, *BANDS])]
    out, again = (
        table.pivot(index=[*_LIST, "month"], columns="band", values=column)
        .reindex(columns=[TOTAL, *BANDS])
        .astype("Float64")
        .astype(float)
        for column in ("waiting", "repeated")
    )
    out = (out - again).mask(again[TOTAL] > MOST_REPEATED * out[TOTAL])
    out["banded"] = out[list(BANDS)].sum(axis=1, min_count=1)
    return out.mask(_emptied(out[TOTAL])).rename_axis(columns=None).reset_index()


def _emptied(total: pd.Series) -> pd.Series:
    """Whether a list holds nobody, next to one in its run of months of ``FULL`` people or more."""
    order = total.sort_index(level="month")
    run = runs(order.index.get_level_values("month")).reindex(order.index.get_level_values("month"))
    keys = [order.index.get_level_values(name) for name in _LIST] + [run.to_numpy()]
    held = order.where(order > 0).groupby(keys)
    beside = np.fmax(held.ffill(), held.bfill())
    return ((order == 0) & (beside >= FULL)).reindex(total.index)


class Weeks(NamedTuple):
    """A quantile of waits."""

    weeks: np.ndarray
    is_open: np.ndarray  # whether more than 52 weeks is all that is known


def quantile_weeks(counts: np.ndarray, p: float) -> Weeks:
    """Find the wait below which a share of the list lies, interpolated within its band.

    Parameters
    ----------
    counts : array of shape (..., 7)
        People by band, in the order of ``BANDS``.
    p : float
        Share between 0 and 1.

    Returns
    -------
    Weeks
        NaN for an empty list, 52 where the wait lies in the open band.

    Notes
    -----
    People are taken to be spread evenly over the weeks of their band.
    """
    counts = np.nan_to_num(np.asarray(counts, dtype=float))
    upto = counts.cumsum(axis=-1)
    size = upto[..., -1]
    wanted = p * size
    band = (upto < wanted[..., None] - 1e-9).sum(axis=-1).clip(0, len(BANDS) - 1)
    inside = np.take_along_axis(counts, band[..., None], -1)[..., 0]
    before = np.take_along_axis(upto, band[..., None], -1)[..., 0] - inside
    width = np.append(np.diff(EDGES), 0.0)[band]
    with np.errstate(invalid="ignore", divide="ignore"):
        weeks = EDGES[band] + np.where(inside > 0, (wanted - before) / inside, 0.0) * width
    is_open = (band == len(BANDS) - 1) & (size > 0)
    return Weeks(np.where(size > 0, weeks, np.nan), is_open)


def measures(lists: pd.DataFrame, *, base: str = "banded") -> pd.DataFrame:
    """Compute the five measures of each list.

    Parameters
    ----------
    lists : DataFrame
        As :func:`wide` returns them.
    base : {"banded", "all"}
        Of the share over 18 weeks: ``banded`` divides by those whose band is known, ``all`` by
        the whole list, as the publisher's own summaries do. The two differ where an organisation
        returns a list without saying how long part of it has waited.

    Returns
    -------
    DataFrame
        ``month, organisation_code, organisation, level, age_group, service, measure, value,
        unit`` and any other columns of `lists`. A wait that falls among those over 52 weeks has
        the value 52 and the unit ``weeks or more``. A month without a return has no value.
    """
    if base not in ("banded", "all"):
        raise ParameterError(f"base is {base!r}; it is 'banded' or 'all'.")
    counts = lists[list(BANDS)].to_numpy(float)
    known = lists["banded"].to_numpy(float) > 0
    whole = (lists["banded"] if base == "banded" else lists[TOTAL]).to_numpy(float)
    over_18 = np.nan_to_num(counts[:, -2:]).sum(axis=1)
    median, median_open = quantile_weeks(counts, 0.5)
    p92, p92_open = quantile_weeks(counts, 0.92)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(known & (whole > 0), 100 * over_18 / whole, np.nan)
    values = {
        "waiting": (lists[TOTAL].to_numpy(float), False),
        "share_over_18_weeks": (share, False),
        "over_52_weeks": (counts[:, -1], False),
        "median_wait": (median, median_open),
        "p92_wait": (p92, p92_open),
    }
    keys = lists.drop(columns=NUMBERS)
    parts = [
        keys.assign(measure=name, value=value, unit=np.where(is_open, OPEN_UNIT, UNITS[name]))
        for name, (value, is_open) in values.items()
    ]
    return pd.concat(parts, ignore_index=True)
