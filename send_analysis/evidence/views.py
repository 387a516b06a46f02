"""The ledger as a reader wants it: claims in words, with what was tried and what is missing."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.definitions import claimed, written
from send_analysis.errors import MissingDataError
from send_analysis.evidence import verdicts
from send_analysis.growth import series

FROM = "claims as recorded in data/claims"  # beside the tables, the source of what is claimed
NONE = "No claim of this kind is recorded."


@reads.found
def recorded(area: Area) -> pd.DataFrame:
    """Return the ledger of the area at hand, which a page shows in several ways.

    Raises
    ------
    MissingDataError
        If no claims about it are recorded.
    """
    if not verdicts.claims_file(area).is_file():
        raise MissingDataError(
            f"No claims are recorded for {area.name}. Those that are brought can be tested: a file "
            "like Bury's, in the project's data/claims, is all that it takes."
        )
    return _recorded(area)


@tables.remembered(most=1)
def _recorded(area: Area) -> pd.DataFrame:
    """The ledger of an area, kept."""
    return verdicts.ledger(area)


def _made(area: Area) -> pd.DataFrame:
    """Return the ledger with each claim as it is recorded beside what was found."""
    found = recorded(area)
    made = pd.DataFrame(verdicts.claims(area))
    more = ["statement", "printed", "address", "tolerance", "tolerance_reason", "test"]
    return pd.concat([found, made.reindex(columns=more)], axis=1)


def claims_table(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return a ledger as it is printed: figures with their units, the verdict, and who said it.

    Parameters
    ----------
    ledger : DataFrame
        As :func:`send_analysis.evidence.verdicts.ledger` returns it.

    Returns
    -------
    DataFrame
        ``id, claimed, official, verdict, said, who``.
    """
    tested = ledger["official"].notna()
    again = (" (restates " + ledger["same_as"] + ")").where(ledger["same_as"] != "", "")
    return pd.DataFrame({
        "id": ledger["id"], "claimed": _claimed(ledger),
        "official": pd.Series(_worded(ledger), index=ledger.index).where(tested, "–"),
        "verdict": ledger["verdict"] + again, "said": ledger["said"].map(verdicts.spoken),
        "who": ledger["who"].replace("", "not stated"),
    })  # fmt: skip


@reads.found
def ledger(area: Area) -> pd.DataFrame:
    """Return the tested claims as a reader sees them: in words, with both figures and the verdict.

    Returns
    -------
    DataFrame
        Indexed by ``claim`` (in words): ``claimed, official, verdict, window, definition,
        tolerance, remark``.

    Raises
    ------
    MissingDataError
        Where none could be tested.
    """
    found = _made(area)
    found = found[~found["verdict"].isin(verdicts.UNTESTABLE)]
    if found.empty:
        raise MissingDataError(f"No claim about {area.name} can be tested on these tables.")
    statement = found["statement"]
    tests = zip(found["test"], found["table"], strict=True)
    remarks = [(verdicts.held(test, table), test.get("note", "")) for test, table in tests]
    out = pd.DataFrame({
        "claim": statement.mask(found["same_as"] != "", statement + " (restates another)"),
        "claimed": _claimed(found),
        "official": _worded(found), "verdict": found["verdict"], "window": found["window"],
        "definition": found["definition"],
        "tolerance": [_tolerance(row) for _, row in found.iterrows()],
        "remark": [" ".join(filter(None, remark)) or "–" for remark in remarks],
    }).set_index("claim")  # fmt: skip
    return _carrying(out, area, found["id"])


@reads.found
def percentages(area: Area) -> pd.DataFrame:
    """Return the tested claims that are percentages: what the chart of claims draws.

    Returns
    -------
    DataFrame
        ``statement, said, claimed, compare, official, verdict, window, same_as`` (the claim that
        it restates, or nothing).

    Raises
    ------
    MissingDataError
        Where none are.
    """
    found = _made(area)
    shown = found["unit"].str.startswith("per cent") & found["claimed"].notna()
    found = found[shown & found["official"].notna()]
    if found.empty:
        raise MissingDataError(f"No claim about {area.name} that can be tested is a percentage.")
    found = found.assign(said=_claimed(found))
    columns = ["statement", "said", "claimed", "compare", "official", "verdict", "window"]
    return _carrying(found[[*columns, "same_as"]], area, found["id"])


@reads.found
def said(area: Area) -> pd.DataFrame:
    """Return who made each claim, when, where it was printed, and which figure was out by then.

    Returns
    -------
    DataFrame
        Indexed by ``claim`` (in words): ``who, said, printed, official_figure_came_out,
        latest_figure_then`` (of the same series, where the claim's own was not out yet).
    """
    found = _made(area)
    month = pd.to_datetime(found["published"].where(found["published"] != ""))
    late = found["published"] > found["said"].map(lambda said: verdicts.months(said)[1])
    came = month.dt.strftime("%B %Y") + late.map({True: ", after the claim", False: ""})
    address = (" (" + found["address"] + ")").where(found["address"].fillna("") != "", "")
    return pd.DataFrame({
        "claim": found["statement"], "who": found["who"].replace("", "not stated"),
        "said": found["said"].map(verdicts.spoken), "printed": found["printed"] + address,
        "official_figure_came_out": came.fillna("–"),
        "latest_figure_then": [_out_then(claim) for claim in verdicts.claims(area)],
    }).set_index("claim")  # fmt: skip


@reads.found
def tried(area: Area) -> pd.DataFrame:
    """Return what was tried on the claims' own windows, and the readings fixed beforehand.

    Returns
    -------
    DataFrame
        ``claim`` (in words), ``definition, window, role, official, agrees, counted``.

    Raises
    ------
    MissingDataError
        Where nothing could be tested.
    """
    recorded(area)
    parts, tested = [], []
    for claim in verdicts.claims(area):
        found = verdicts.tried(claim)
        if not (found["role"] == verdicts.PLAIN).any():
            continue
        own = found.loc[found["role"] == verdicts.PLAIN, "window"].iloc[0]
        near = (found["window"] == own) | (found["role"] == verdicts.READING)
        official = [written(value, claim["unit"]) for value in found["official"]]
        found = found.assign(claim=claim["statement"], official=official)[near]
        order = [verdicts.PLAIN, verdicts.READING, verdicts.EXPLORATORY]
        tested.append(claim["id"])
        parts.append(found.sort_values("role", key=lambda role: role.map(order.index)))
    if not parts:
        raise MissingDataError(f"No claim about {area.name} can be tested on these tables.")
    out = pd.concat(parts)
    agrees = out["within"].map({True: "yes", False: "no"})
    agrees = agrees.where(out["broken"] == "", "cannot: the series breaks")
    out = out.assign(agrees=agrees, counted=out["rows"])
    out = out[["claim", "definition", "window", "role", "official", "agrees", "counted"]]
    return _carrying(out, area, tested)


@reads.found
def possibilities(area: Area) -> pd.DataFrame:
    """Return what fits a claim that is not reproduced, and what such a fit is worth.

    Returns
    -------
    DataFrame
        ``claim`` (in words), ``figures_tried, agree`` (among them), ``first`` (definition, window
        and figure), ``wrong_claims_that_find_one`` and ``wrong_claims_met_by_a_reading`` (per cent
        of claims made up at random).

    Raises
    ------
    MissingDataError
        Where every claim that can be tested is reproduced.
    """
    contradicted = set(recorded(area).query("verdict == @verdicts.CONTRADICTED")["id"])
    rows = []
    for claim in verdicts.claims(area):
        if claim["id"] not in contradicted:
            continue
        found = verdicts.tried(claim)
        first, fits = verdicts.possible(found)
        cost = verdicts.price(claim)
        rows.append({
            "claim": claim["statement"], "figures_tried": len(found), "agree": fits,
            "first": "none" if first is None else f"{first['definition']}, {first['window']}: "
            f"{written(first['official'], claim['unit'])}",
            "wrong_claims_that_find_one": None if cost is None else cost["exploratory"],
            "wrong_claims_met_by_a_reading": None if cost is None else cost["reading"],
        })  # fmt: skip
    if not rows:
        raise MissingDataError(
            f"No tested claim about {area.name} is left without a figure for it."
        )
    return _carrying(pd.DataFrame(rows), area, contradicted)


@reads.found
def untestable(area: Area, verdict: str) -> pd.DataFrame:
    """Return the claims of one of the verdicts that say "not testable", with what is needed.

    Parameters
    ----------
    area : Area or str
    verdict : str
        One of ``evidence.UNTESTABLE``.

    Returns
    -------
    DataFrame
        Indexed by ``claim`` (in words): ``claimed, note``.

    Raises
    ------
    MissingDataError
        If there is none.
    """
    found = _made(area)
    found = found[found["verdict"] == verdict]
    if found.empty:
        raise MissingDataError(NONE)
    out = pd.DataFrame({
        "claim": found["statement"], "claimed": _claimed(found),
        "note": found["note"],
    }).set_index("claim")  # fmt: skip
    return _carrying(out, area, found["id"])


def _claimed(found: pd.DataFrame) -> list[str]:
    """Write what was claimed."""
    parts = (found[column] for column in ("claimed", "compare", "unit"))
    return [claimed(*claim) for claim in zip(*parts, strict=True)]


def _worded(found: pd.DataFrame) -> list[str]:
    """Write official figures with their units."""
    return [written(*pair) for pair in zip(found["official"], found["unit"], strict=True)]


def _tolerance(row: pd.Series) -> str:
    """Write how far off a claimed figure may be, and why; a threshold has no tolerance."""
    if row["compare"] != "equal":
        return "–"
    return f"±{row['tolerance']:,g}: {row['tolerance_reason']}"


def _out_then(claim: dict) -> str:
    """Write the latest figure of a claim's series that had been published when it was made."""
    found = verdicts.tried(claim)
    fixed = found[found["role"].isin([verdicts.PLAIN, verdicts.READING])]
    if verdicts.verdict(found) in verdicts.UNTESTABLE:
        return "–"
    shown, said = verdicts.decisive(found), verdicts.months(claim["said"])[1]
    if not shown["published"]:
        return "–"
    if shown["published"] <= said:
        return "the same"
    fixed = fixed[(fixed["published"] != "") & (fixed["published"] <= said)]
    for row in fixed[fixed["definition"] == shown["definition"]].itertuples():
        return f"{written(row.official, claim['unit'])} ({row.window})"
    for row in fixed[fixed["window"] == shown["window"]].itertuples():
        return f"{written(row.official, claim['unit'])} ({row.definition})"
    return "none known"


@reads.result
def windows(area: Area) -> pd.DataFrame:
    """Return growth over five years, as :func:`.series.over_years`, with what was claimed.

    Raises
    ------
    MissingDataError
        If the area has no five years with its boundaries.
    """
    grown = series.over_years(area)
    if not (grown["role"] == "area").any():
        raise MissingDataError(f"{area.name} has no five years of figures of its own.")
    return verdicts.mark(grown, "growth", area)


@reads.result
def times(area: Area) -> pd.DataFrame:
    """Return plans issued in time, as :func:`.series.timeliness`, with what was claimed."""
    return verdicts.mark(series.timeliness(area), "timeliness", area)


def _carrying(frame: pd.DataFrame, area: Area, ids: Iterable[str]) -> pd.DataFrame:
    """Let a frame carry the tables that its claims were tested on."""
    ids = set(ids)
    chosen = [claim for claim in verdicts.claims(area) if claim["id"] in ids]
    with reads.recording() as names:
        for claim in chosen:
            verdicts.row(claim)
    return reads.stamp(frame, names)
