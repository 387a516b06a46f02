"""The account of the stock: what came in, what went out, and what neither explains."""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.growth import series as growth

# The last statements became EHC plans in 2018; releases do not count statements that ceased, so
# no account closes before January 2019.
FIRST_STOCK = growth.COMPARABLE
REASON_UNKNOWN = "reasons short of the total"
REMAINDER = "not explained by the flows published"


def wide(frame: pd.DataFrame, value: str) -> pd.Series:
    """Values by area and year, merged footprints and all, as floats."""
    units = areas.on_footprints(frame, [value])
    merged = units[units["area_code"].str.contains("+", regex=False)]
    both = pd.concat([frame[["area_code", "year", value]], merged])
    return both.set_index(["area_code", "year"])[value].astype("float64")


@tables.remembered
def flow(table: str, column: str, category: str, value: str) -> pd.Series:
    """One category of a table of flows by area and year."""
    frame = tables.load(table)
    return wide(frame[frame[column] == category], value)


@tables.remembered
def _reasons() -> pd.DataFrame:
    """Plans that ceased, by area and year: a column a reason, and ``all``."""
    ceased = tables.load("ceased_plans")
    return pd.DataFrame({
        reason: wide(rows, "plans") for reason, rows in ceased.groupby("reason", sort=False)
    })  # fmt: skip


@reads.result
def stock_account(
    area: Area, *, start: int = growth.COMPARABLE, end: int | None = None
) -> pd.DataFrame:
    """Account for the change in plans: new, ceased by reason, transferred, and what is left over.

    Parameters
    ----------
    area : Area or str
    start, end : int
        Januaries, from 2019.

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
    stock = flow("ehc_plans", "age_band", "all", "plans")
    new = flow("new_plans", "age_band", "all", "plans")
    years = list(range(start, end))
    for series, what, wanted in (
        (stock, "plans in January", [*years, end]), (new, "new plans in", years)
    ):  # fmt: skip
        require(series, area, wanted, what)
    reasons = _reasons()
    require(reasons["all"], area, years, "ceased plans in")
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
    return _tell(account, area, list(known))


@reads.found
def require(series: pd.Series, area: Area, years: list[int], what: str) -> None:
    """Refuse an account that lacks a figure."""
    found = series.reindex([(area, year) for year in years]).droplevel(0)
    if found.isna().any():
        year = found.index[found.isna()][0]
        raise MissingDataError(
            f"{area.name} has no figure for {what} {year}. "
            + (area.history or "It is not in the releases, or was withdrawn as a fault.")
        )


def _tell(account: pd.DataFrame, area: Area, out: list[str]) -> pd.DataFrame:
    """Bring an account (years down, items across) of the whole time into the long form."""
    first, last = account.columns[0], account.columns[-1]
    whole = account.sum()
    whole[first], whole[last] = account[first].iloc[0], account[last].iloc[-1]
    kinds = {first: "stock", last: "stock", "new plans": "in", REMAINDER: "remainder"}
    kinds |= dict.fromkeys(out, "out")
    long = whole.rename_axis("item").rename("plans").reset_index()
    long = long.assign(
        area_code=area,
        area=area.name,
        start=account.index[0],
        end=account.index[-1] + 1,
        kind=long["item"].map(kinds),
        plans=long["plans"].round().astype("int64"),
    )
    long = long[(long["item"] != REASON_UNKNOWN) | (long["plans"] != 0)].reset_index(drop=True)
    stock = caveats.crossed(long, "ehc_plans", long["start"], long["end"])
    ceased = caveats.crossed(long, "ceased_plans", long["start"], long["end"] - 1)
    long["caveat"] = ceased.where(long["kind"] == "out", "").mask(long["kind"] == "stock", stock)
    return long[["area_code", "area", "start", "end", "item", "kind", "plans", "caveat"]]
