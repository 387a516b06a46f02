"""How a claim is tested: a function for each kind, which looks up every figure there is.

Each takes a claim's ``test`` and returns a row for every window and definition that the tables
allow: ``role, window, definition, official, table, rows``; none where nothing can be tested. The
kinds are listed in :data:`TESTS`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import areas, tables
from send_analysis.errors import MissingDataError, ParameterError, nearest
from send_analysis.models.waiting import wait_claims

PLAIN, READING, EXPLORATORY = "plain", "reading", "exploratory"
# A further role, `nearest`, has no part in a verdict: figures of a wider place than the claim's.


def _select(table: str, where: dict) -> pd.DataFrame:
    """Rows of a table that a test names; a list means any of its values."""
    frame = tables.load(table)
    for column, wanted in where.items():
        if column == "area":
            column, wanted = "area_code", areas.resolve(wanted)
        if column not in frame.columns:
            near = nearest(column, frame.columns)
            raise ParameterError(f"table {table!r} has no column {column!r}; nearest: {near}")
        values = wanted if isinstance(wanted, list) else [wanted]
        if pd.api.types.is_datetime64_any_dtype(frame[column]):
            values = pd.to_datetime(values)
        frame = frame[frame[column].isin(values)]
    return frame


def closest(figures: list[dict]) -> str:
    """Word the figures that come closest to a claim that cannot be tested.

    Parameters
    ----------
    figures : list of dict
        ``label, table, where, value``, and ``over`` (the rows that a share is of).

    Returns
    -------
    str
        A sentence; empty where there are none.
    """
    words = []
    for figure in figures:
        value = _select(figure["table"], figure["where"])[figure["value"]].sum(min_count=1)
        if "over" in figure and not pd.isna(value):
            value = 100 * value / _select(figure["table"], figure["over"])[figure["value"]].sum()
        shown = "no figure" if pd.isna(value) else f"{value:,.1f}".removesuffix(".0")
        words.append(f"{figure['label']}: {shown}")
    return f" Nearest: {'; '.join(words)}." if words else ""


def _changes(series: pd.Series, definition: str, table: str, stock: bool) -> pd.DataFrame:
    """Percentage change of a yearly series between every two of its years."""
    known = series.dropna().astype("float64")
    if len(known) < 2:
        return pd.DataFrame()
    start, end = np.triu_indices(len(known), k=1)
    value, year = known.to_numpy(), known.index.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        change = 100 * (value[end] / value[start] - 1)
    prefix = "January " if stock else ""
    out = pd.DataFrame({"start": year[start], "end": year[end], "official": change})
    out["window"] = prefix + out["start"].astype(str) + f" to {prefix}" + out["end"].astype(str)
    before = pd.Series(value[start]).map("{:,.0f}".format)
    out["rows"] = before + " → " + pd.Series(value[end]).map("{:,.0f}".format)
    out = out[np.isfinite(out["official"])]
    return out.assign(definition=definition, table=table)


def _growth(test: dict) -> pd.DataFrame:
    """Growth in the number of plans: every start year and length, every definition."""
    where = {"area": test["area"]}
    bands = _select("ehc_plans", where).pivot(index="year", columns="age_band", values="plans")
    total = _select("ehc_plans", where | {"age_band": "all"}).set_index("year")
    new = _select("new_plans", where | {"age_band": "all"}).set_index("year")["plans"]
    january = "plans (and statements) in January"
    young = bands[["under 5", "5-10", "11-15"]].sum(axis=1, skipna=False)
    series = [
        (total["plans"], january, "ehc_plans", True),
        ((total["plans"] - total["statements"].fillna(0)).loc[2015:],
         "EHC plans alone in January, statements left out", "ehc_plans", True),
        ((total["plans"] + new), "plans held at any time in the calendar year (January and new)",
         "ehc_plans, new_plans", False),
        (young, "plans of those aged under 16 in January", "ehc_plans", True),
        (young + bands["16-19"], "plans of those aged under 20 in January", "ehc_plans", True),
        (new, "new plans in the calendar year", "new_plans", False),
    ]  # fmt: skip
    found = pd.concat([_changes(*one) for one in series], ignore_index=True)
    start, end = test["start"], test["end"]
    plain = (found["definition"] == january) & (found["start"] == start) & (found["end"] == end)
    one_before = (found["start"] == start - 1) & (found["end"] == end - 1)
    held = found["definition"].str.startswith("plans held")
    reading = one_before & ((found["definition"] == january) | held)
    found["role"] = np.select([plain, reading], [PLAIN, READING], EXPLORATORY)
    return _needs_plain(found, test)


def _timeliness(test: dict) -> pd.DataFrame:
    """Share of plans issued within 20 weeks: every year, with and without exceptions."""
    rows = _select("timeliness", {"area": test["area"]})
    wide = rows.pivot(index=["year", "exceptions"], columns="issued_within", values="plans")
    wide = wide.dropna(subset=["any time", "20 weeks or less"]).reset_index()
    wide = wide[wide["any time"] > 0]
    official = (100 * wide["20 weeks or less"] / wide["any time"]).astype("float64")
    plain = (wide["year"] == test["year"]) & (wide["exceptions"] == "excluded")
    reading = (wide["year"] == test["year"]) & (wide["exceptions"] == "included")
    counted = wide["20 weeks or less"].map("{:,}".format), wide["any time"].map("{:,}".format)
    found = pd.DataFrame({
        "role": np.select([plain, reading], [PLAIN, READING], EXPLORATORY),
        "window": "calendar year " + wide["year"].astype(str),
        "definition": "plans issued within 20 weeks, exceptions " + wide["exceptions"],
        "official": official, "table": "timeliness",
        "rows": counted[0] + " of " + counted[1] + " plans",
    })  # fmt: skip
    return _needs_plain(found, test)


def _inspection(test: dict) -> pd.DataFrame:
    """Outcome of the latest full inspection."""
    rows = _select("inspections", {"area": test["area"]})
    rows = rows.dropna(subset=["outcome_grade"])
    start, end = (rows[day].dt.strftime("%-d %B %Y") for day in ("start", "end"))
    found = pd.DataFrame({
        "role": PLAIN, "window": start + " to " + end, "table": "inspections",
        "definition": "outcome of the full area SEND inspection, 1 best to 3 worst",
        "official": rows["outcome_grade"].astype("float64"), "rows": rows["outcome"],
    })  # fmt: skip
    return _needs_plain(found, test)


def _placements(test: dict) -> pd.DataFrame:
    """Growth in some placements, which `definition` names, between every two Januaries."""
    where = {key: test[key] for key in ("area", "placement_group", "placement")}
    rows = _select("placements", where)
    series = rows.groupby("year")["plans"].sum(min_count=1)
    found = _changes(series, test["definition"], "placements", True)
    plain = (found["start"] == test["start"]) & (found["end"] == test["end"])
    found["role"] = np.where(plain, PLAIN, EXPLORATORY)
    return _needs_plain(found, test)


def _every_area(test: dict) -> pd.DataFrame:
    """Share of authorities in which plans grew and timeliness lay below a mark."""
    local = areas.current()
    times = _select("timeliness", {"exceptions": "excluded", "area_code": local})
    wide = times.pivot(index=["area_code", "year"], columns="issued_within", values="plans")
    share = (100 * wide["20 weeks or less"] / wide["any time"]).dropna().unstack("year")
    below = share.lt(test["below"]).where(share.notna())
    found = pd.DataFrame({
        "year": share.columns,
        "official": [100 * below[year].mean() for year in share.columns],
        "rows": [f"{below[year].sum():.0f} of {below[year].notna().sum()} authorities"
                 for year in share.columns],
    })  # fmt: skip
    return found.assign(
        role=np.where(found["year"] == test["year"], PLAIN, EXPLORATORY),
        window="calendar year " + found["year"].astype(str),
        definition=f"authorities that issued fewer than {test['below']} % of plans within 20 weeks",
        table="timeliness",
    )


def _nhs_wait(test: dict) -> pd.DataFrame:
    """Waiting lists of the area's provider and board: near a claim about the area, not its test."""
    _none(test)
    return wait_claims.nearest(test)


def _none(test: dict) -> pd.DataFrame:
    """No public series."""
    if not test.get("needs"):
        raise ParameterError(
            "a claim that cannot be tested says under test.needs what it would need"
        )
    return pd.DataFrame()


def _needs_plain(found: pd.DataFrame, test: dict) -> pd.DataFrame:
    """Refuse a test whose own window is not in the tables."""
    if not (found["role"] == PLAIN).any():
        raise MissingDataError(
            f"The tables have no {test['kind']} figure for {test['area']} on the claim's window "
            f"({', '.join(f'{k} {v}' for k, v in test.items() if k in {'start', 'end', 'year'})})."
        )
    return found


TESTS = {
    "growth": _growth,
    "timeliness": _timeliness,
    "inspection": _inspection,
    "placements": _placements,
    "every_area": _every_area,
    "nhs_wait": _nhs_wait,
    "none": _none,
}
