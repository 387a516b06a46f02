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
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.models import scenarios
from send_analysis.models.claim_tests import EXPLORATORY, PLAIN, READING, TESTS, closest
from send_analysis.models.scenarios import Choice, Number
from send_analysis.models.waiting import wait_claims

REPRODUCED = "reproduced"
OTHERWISE = "reproduced on another definition"
CONTRADICTED = "not reproduced"
UNTESTABLE = "not testable"

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
    name = areas.slug(areas.name(areas.resolve(area)))
    return tables.data_dir() / "claims" / f"{name}.yml"


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
    scenarios.check(kind, Choice(tuple(TESTS)), f"{where}.test.kind")
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
    found = TESTS[test["kind"]](test)
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
        near = closest(test.get("nearest", []))
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
