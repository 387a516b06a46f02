"""What families meet, by authority: pupils with support, the time to a plan, appeals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.growth import series

PLANS, SUPPORT = "EHC plan or statement", "SEN support"  # kinds of the table `pupils`
# Time from request to plan: as the table `timeliness` has it, and as a column here.
BANDS = {
    "20 weeks or less": "in_time",
    "20 weeks to a year": "to_a_year",
    "more than a year": "over_a_year",
}
# How decisions that could be appealed are counted.
COUNTS = {"decisions": "as since 2014", "decisions, in development": "anew, in development"}
USUAL = COUNTS["decisions"]


@reads.result
@tables.remembered(most=1)
def pupils(area: Area) -> pd.DataFrame:
    """Pupils with a plan and with SEN support in schools, independent ones too, per cent.

    Returns
    -------
    DataFrame
        ``area_code, area, role, year`` (January), ``support, percent`` (of pupils in schools of
        the area, wherever they live), ``caveat`` (empty: no break is known).

    Raises
    ------
    MissingDataError
        If the table has no row of the area.
    """
    listed = series.comparators(area)
    found = tables.load("pupils", area_code=listed["area_code"]).merge(listed, on="area_code")
    found = _of(area, found.dropna(subset="percent"), "pupils with a plan or SEN support")
    columns = ["area_code", "area", "role", "year", "support", "percent"]
    return found[columns].assign(caveat="").sort_values(["area_code", "support", "year"])


@reads.result
@tables.remembered(most=1)
def times(area: Area) -> pd.DataFrame:
    """Plans by the time since their request, an area, its region and England, the last year.

    Returns
    -------
    DataFrame
        ``area_code, area, role, year`` (calendar year), ``issued`` (plans counted, those with a
        statutory exception left out), ``in_time, to_a_year, over_a_year, untimed`` (plans: within
        20 weeks of the request, after that to a year, after more; without a time), each of the
        first three with ``_percent`` too (of `issued`), ``late`` (plans: after more than 20 weeks).

    Raises
    ------
    MissingDataError
        If the area's figures of the last year are flagged, or there are none.
    """
    caveats.require("timeliness", area, category=series.IN_TIME)
    listed = series.comparators(area, neighbours=False)
    rows = tables.load(
        "timeliness", area_code=listed["area_code"], year=caveats.latest("timeliness"),
        exceptions="excluded",
    ).merge(listed, on="area_code")  # fmt: skip
    rows = rows[caveats.sound(rows, "timeliness", category=series.IN_TIME)]
    key = ["area_code", "area", "role", "year"]
    wide = rows.pivot(index=key, columns="issued_within", values="plans").astype("float64")
    wide = wide.rename(columns={"any time": "issued"} | BANDS)[["issued", *BANDS.values()]]
    wide = wide.dropna().query("issued > 0")
    wide["untimed"] = wide["issued"] - wide[[*BANDS.values()]].sum(axis=1)
    shares = 100 * wide[[*BANDS.values()]].div(wide["issued"], axis=0).add_suffix("_percent")
    wide["late"] = wide["to_a_year"] + wide["over_a_year"]
    out = wide.astype("int64").join(shares).reset_index()
    order = {"area": 0, "region": 1, "england": 2}
    out = out.sort_values("role", key=lambda role: role.map(order), ignore_index=True)
    return _of(area, out, "plans by the time since their request")


@reads.result
@tables.remembered(most=1)
def appeals(area: Area) -> pd.DataFrame:
    """Appeals registered with the SEND Tribunal, for 100 decisions that could be appealed.

    Returns
    -------
    DataFrame
        ``area_code, area, role, year`` (calendar year), ``decisions_counted`` (how, see `COUNTS`:
        the two do not compare), ``appeals, decisions, per_100``, ``per_100_low_95``,
        ``per_100_high_95``, ``caveat``. Rows that lack either figure are left out, and decisions
        that are in doubt. Where decisions of an authority are not published, England's appeals are
        without that authority's too.

    Raises
    ------
    MissingDataError
        If no row of the area is left.

    Notes
    -----
    The interval takes appeals as a Poisson count, exact (Garwood 1936, *Biometrika* 28): how far
    chance alone could move the rate of an area of this size.
    """
    from scipy.stats import chi2

    out = _decided().merge(series.comparators(area))
    k = out["appeals"].to_numpy()
    with np.errstate(invalid="ignore"):
        low = np.where(k > 0, chi2.ppf(0.025, 2 * k) / 2, 0.0)
    bounds = {"": k, "_low_95": low, "_high_95": chi2.ppf(0.975, 2 * k + 2) / 2}
    for end, count in bounds.items():
        out[f"per_100{end}"] = 100 * count / out["decisions"]
    out = out.sort_values(["area_code", "decisions_counted", "year"], ignore_index=True)
    columns = ["area_code", "area", "role", "year", "decisions_counted", "appeals", "decisions"]
    columns += [f"per_100{end}" for end in bounds]
    return _of(area, out[columns].assign(caveat=""), "appeals and decisions that could be appealed")


@tables.remembered
def _decided() -> pd.DataFrame:
    """Appeals of every area, and decisions that could be appealed, by either count of them."""
    every = tables.load("tribunals")
    key = ["area_code", "year"]
    brought = every[every["measure"] == "appeals"].rename(columns={"cases": "appeals"})
    made = every[every["measure"].isin(COUNTS)].rename(columns={"cases": "decisions"})
    sound = [
        caveats.sound(one, "tribunals", category=name) for name, one in made.groupby("measure")
    ]
    made = made[pd.concat(sound).reindex(made.index)].merge(brought[[*key, "appeals"]], on=key)
    # England's decisions lack those of authorities that have none published; so must its appeals.
    unpublished = made[made["decisions"].isna()].groupby(["year", "measure"])["appeals"].sum()
    unpublished = (
        made[["year", "measure"]].join(unpublished, on=["year", "measure"])["appeals"].fillna(0)
    )
    made["appeals"] -= unpublished.where(made["area_code"] == areas.ENGLAND, 0)
    out = made.dropna(subset=["decisions", "appeals"])
    out = out.assign(decisions_counted=out["measure"].map(COUNTS))
    return out[out["decisions"] > 0].astype({"appeals": "int64", "decisions": "int64"})


def newest(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the appeals by one count of decisions: the one that goes on, or has gone on longest.

    Parameters
    ----------
    frame : DataFrame
        As :func:`appeals` returns it.

    Returns
    -------
    DataFrame
        Rows of it.
    """
    own = frame[frame["role"] == "area"].groupby("decisions_counted")["year"].agg(["max", "size"])
    kept = own.sort_values(["max", "size"]).index[-1]
    return frame[frame["decisions_counted"] == kept]


@reads.result
def told(frame: pd.DataFrame) -> pd.DataFrame:
    """Return an area's appeals as a reader sees them, the newest year first, beside England's.

    Parameters
    ----------
    frame : DataFrame
        As :func:`appeals` returns it.

    Returns
    -------
    DataFrame
        Indexed by ``year``: ``decisions_counted, per_100, per_100_england`` (not of England
        itself), ``appeals, decisions, per_100_low_95, per_100_high_95``.
    """
    key = ["year", "decisions_counted"]
    own = frame[frame["role"] == "area"].sort_values(key, ascending=[False, True])
    national = frame.loc[frame["role"] == "england", [*key, "per_100"]]
    out = own.merge(national, on=key, how="left", suffixes=("", "_england")).set_index("year")
    out = out if len(national) else out.drop(columns="per_100_england")
    first = ["decisions_counted", "per_100", "per_100_england", "appeals", "decisions"]
    columns = [*first, "per_100_low_95", "per_100_high_95"]
    return out[[name for name in columns if name in out]]


def _of(area: Area, found: pd.DataFrame, what: str) -> pd.DataFrame:
    """Refuse a result that has no row of the area itself."""
    if not (found["area_code"] == area).any():
        raise MissingDataError(f"The tables have no figures for {area.name} of {what}.")
    return found
