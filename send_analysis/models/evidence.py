"""The evidence ledger: claim → official figure → verdict.

A claim is data (``data/claims/<area>.yml``); its verdict is computed here. For every claim all
windows and definitions that the tables allow are tried. One of them is the *plain* one, which
reads the claim as it is meant. Some are *readings*, fixed before any figure is seen: the window
that was the latest published when the claim was made, and the definitions that the publisher
itself offers. The rest are *exploratory*: a figure found there may explain a claim, but among so
many something fits by chance, so it is shown as a possibility and never decides a verdict.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from send_analysis import areas, tables
from send_analysis.errors import MissingDataError, ParameterError, nearest
from send_analysis.models import scenarios
from send_analysis.models.scenarios import Choice, Number
from send_analysis.models.waiting import wait_claims

REPRODUCED = "reproduced"
OTHERWISE = "reproduced on another definition"
CONTRADICTED = "not reproduced"
UNTESTABLE = "not testable"

PLAIN, READING, EXPLORATORY = "plain", "reading", "exploratory"
# A further role, `nearest`, has no part in a verdict: figures of a wider place than the claim's.

LEDGER = ["id", "claimed", "official", "unit", "verdict", "window", "definition", "table", "note"]
TRIED = ["id", "role", "window", "definition", "official", "difference", "within", "table", "rows"]

ROUND_TOLERANCE = 3.0  # points either way for a multiple of 5: it was rounded for a speech
EXACT_TOLERANCE = 0.5  # for any other figure: it was rounded to a whole one

# What a file of claims holds, and each of its claims. The figure is checked beside its comparison.
FORM = {"area": str, "sources": {"*": str}, "claims": [{"*": object}]}
CLAIM = {
    "id": str,
    "statement": str,
    "source": str,
    "said": str,
    "test": {"kind": str, "*": object},
    "claimed?": object,
    "unit?": str,
    "tolerance?": Number(0, 1000),
    "tolerance_reason?": str,
    "compare?": Choice(("equal", "above", "rise", "fall")),
}


def claims_file(area: str = "Bury") -> Path:
    """Return the path that an area's claims have, whether or not the file is there yet."""
    slug = "".join(c if c.isalnum() else "-" for c in areas.name(areas.resolve(area)).casefold())
    return tables.data_dir() / "claims" / f"{'-'.join(filter(None, slug.split('-')))}.yml"


def claims(area: str = "Bury", *, file: Path | None = None) -> list[dict[str, Any]]:
    """Read and check the claims made about an area.

    Parameters
    ----------
    area : str, default "Bury"
        Name or code of the area; see :func:`send_analysis.areas.resolve`.
    file : Path, optional
        Another file of claims.

    Returns
    -------
    list of dict
        One a claim, with ``tolerance`` and ``tolerance_reason`` filled in.

    Raises
    ------
    MissingDataError
        If there is no file for the area.
    ParameterError
        If a claim lacks a key, has an unknown one, or has an impossible value.
    """
    path = file or claims_file(area)
    if not path.is_file():
        raise MissingDataError(
            f"No claims are recorded for {areas.name(areas.resolve(area))}. Write them in {path}, "
            "after the example of data/claims/bury.yml."
        )
    content = scenarios.read_yaml(path)
    scenarios.check(content, FORM, path.name)
    seen: set[str] = set()
    return [_checked(claim, content["sources"], path.name, seen) for claim in content["claims"]]


def _checked(claim: dict, sources: dict, file: str, seen: set[str]) -> dict:
    """Check one claim, and fill in its tolerance with the reason for it."""
    where = f"{file}, claim {claim.get('id', '(without id)')!r}"
    scenarios.check(claim, CLAIM, where)
    if claim["id"] in seen:
        raise ParameterError(f"{where}: the id is used twice")
    seen.add(claim["id"])
    if claim["source"] not in sources:
        raise ParameterError(f"{where}: source {claim['source']!r} is not among the sources")
    kind, compare = claim["test"]["kind"], claim.get("compare", "equal")
    scenarios.check(kind, Choice(tuple(_TESTS)), f"{where}.test.kind")
    number = isinstance(claim.get("claimed"), int | float)
    if kind != "none" and number == (compare in {"rise", "fall"}):
        raise ParameterError(
            f"{where}: claimed is {claim.get('claimed')!r}; a number is needed to test it, and "
            "none if compare is rise or fall"
        )
    out = {"unit": "", "compare": "equal", **claim, "source": sources[claim["source"]]}
    if out["compare"] == "equal" and "tolerance" not in out and "claimed" in out:
        whole = float(out["claimed"]) % 5 == 0
        out["tolerance"] = ROUND_TOLERANCE if whole else EXACT_TOLERANCE
        out["tolerance_reason"] = (
            "a multiple of 5 is a round figure" if whole else "rounded to a whole figure"
        )
    return out


def tried(claim: dict) -> pd.DataFrame:
    """Compute a claim's figure in every window and definition that the tables allow.

    Parameters
    ----------
    claim : dict
        One of :func:`claims`.

    Returns
    -------
    DataFrame
        ``id, role`` (plain, reading, exploratory or nearest), ``window, definition, official`` (in
        the claim's unit), ``difference`` (official less claimed), ``within`` (the tolerance),
        ``table, rows`` (the cells used, as printed in the table). Empty if not testable.
    """
    test = claim["test"]
    found = _TESTS[test["kind"]](test)
    if found.empty:
        return pd.DataFrame(columns=TRIED)
    difference = found["official"] - claim.get("claimed", 0)
    if claim["compare"] == "equal":
        within = difference.abs() <= claim["tolerance"]
    else:
        within = difference < 0 if claim["compare"] == "fall" else difference > 0
    return found.assign(id=claim["id"], difference=difference, within=within)[TRIED]


def verdict(found: pd.DataFrame) -> str:
    """Return the verdict on a claim from what :func:`tried` found."""
    if not (found["role"] == PLAIN).any():
        return UNTESTABLE
    if found.loc[found["role"] == PLAIN, "within"].any():
        return REPRODUCED
    if found.loc[found["role"] == READING, "within"].any():
        return OTHERWISE
    return CONTRADICTED


def ledger(area: str = "Bury", *, file: Path | None = None) -> pd.DataFrame:
    """Test every claim about an area against the official tables.

    Parameters
    ----------
    area : str, default "Bury"
        Name or code of the area.
    file : Path, optional
        Another file of claims.

    Returns
    -------
    DataFrame
        One row a claim: ``id, claimed, official`` (the plain definition's figure, or the reading
        that gives the claim), ``unit, verdict, window, definition, table, note``.
    """
    return pd.DataFrame([_row(claim) for claim in claims(area, file=file)], columns=LEDGER)


def mark(frame: pd.DataFrame, kind: str, area: str = "Bury") -> pd.DataFrame:
    """Add to a series what was claimed for its areas and years.

    Parameters
    ----------
    frame : DataFrame
        With ``area_code`` and ``year``.
    kind : str
        Kind of test whose claims are added: ``"growth"`` or ``"timeliness"``.
    area : str, default "Bury"
        Area whose claims they are; none need be recorded.

    Returns
    -------
    DataFrame
        The frame with ``claimed``, missing where nothing was claimed.
    """
    made = claims(area) if claims_file(area).is_file() else []
    rows = [
        (areas.resolve(claim["test"]["area"]), claim["test"].get("end", claim["test"].get("year")),
         float(claim["claimed"]))
        for claim in made
        if claim["test"]["kind"] == kind and claim["compare"] == "equal"
    ]  # fmt: skip
    claimed = pd.DataFrame(rows, columns=["area_code", "year", "claimed"])
    claimed = claimed.astype({"year": "int64", "claimed": "float64"})
    return frame.merge(claimed, on=["area_code", "year"], how="left")


def _row(claim: dict) -> dict:
    """One row of the ledger."""
    found = tried(claim)
    word = verdict(found)
    row = {key: claim.get(key) for key in ("id", "claimed", "unit")} | {"verdict": word}
    if word == UNTESTABLE:
        test = claim["test"]
        near = _nearest(test.get("nearest", []))
        if test["kind"] == "nhs_wait":
            near += " " + wait_claims.summary(
                found, claim.get("claimed") if "since" in test else None
            )
        return row | {
            "official": np.nan, "window": "", "definition": "", "table": "",
            "note": f"Would need {test['needs']}.{near}",
        }  # fmt: skip
    shown = found[found["role"] == PLAIN].iloc[0]
    if word == OTHERWISE:
        shown = found[(found["role"] == READING) & found["within"]].iloc[0]
    return row | {
        "official": float(shown["official"]),
        "window": shown["window"], "definition": shown["definition"], "table": shown["table"],
        "note": _note(claim, found, shown, word),
    }  # fmt: skip


def _note(claim: dict, found: pd.DataFrame, shown: pd.Series, word: str) -> str:
    """Say what was counted, by how much the claim is off, and what could explain it."""
    parts = [f"{shown['rows']}."]
    if claim["compare"] == "equal":
        parts.append(
            f"Differs from the claim by {shown['difference']:+.1f}; the tolerance is "
            f"{claim['tolerance']:g} ({claim['tolerance_reason']})."
        )
    if word == CONTRADICTED:
        also = found[(found["role"] == EXPLORATORY) & found["within"]]
        if len(also):
            other_window = also["window"] != shown["window"]
            order = np.lexsort([also["difference"].abs(), other_window])
            first = also.iloc[order[0]]
            parts.append(
                f"Of {len(found)} windows and definitions tried, {len(also)} come within the "
                f"tolerance, first among them {first['definition']}, {first['window']} "
                f"({first['official']:+.1f}). That is a possibility, not a test."
            )
        else:
            parts.append(f"None of {len(found)} windows and definitions tried gives it.")
    readings = found[found["role"] == READING]
    parts += [
        f"On {reading.definition}, {reading.window}: {reading.official:.1f}."
        for reading in readings.itertuples()
    ]
    if claim["test"].get("note"):
        parts.append(claim["test"]["note"])
    return " ".join(parts)


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


def _nearest(figures: list[dict]) -> str:
    """Word the figures that come closest to a claim that cannot be tested."""
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
    """Growth in some placements between every two Januaries."""
    where = {key: test[key] for key in ("area", "placement_group", "placement")}
    rows = _select("placements", where)
    series = rows.groupby("year")["plans"].sum(min_count=1)
    found = _changes(series, "plans in resourced provision and SEN units", "placements", True)
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


_TESTS = {
    "growth": _growth,
    "timeliness": _timeliness,
    "inspection": _inspection,
    "placements": _placements,
    "every_area": _every_area,
    "nhs_wait": _nhs_wait,
    "none": _none,
}
