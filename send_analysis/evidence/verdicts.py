"""The evidence ledger: claim → official figure → verdict.

A claim is data (``data/claims/<area>.yml``); its verdict is computed here. For every claim all
windows and definitions that the tables allow are tried. One of them is the *plain* one, which
reads the claim as it is meant. Some are *readings*, fixed before any figure is seen: the window
that was the latest published when the claim was made, and the definitions that the publisher
itself offers. The rest are *exploratory*: a figure found there may explain a claim, but among so
many something fits by chance, so it is shown as a possibility, with how often a wrong claim finds
one too, and never decides a verdict.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import caveats, definitions, reads, tables
from send_analysis.areas import Area
from send_analysis.definitions import apart, bare, number, written
from send_analysis.errors import MissingDataError
from send_analysis.evidence import forms, official
from send_analysis.evidence.claims import claims, claims_file, months, spoken
from send_analysis.evidence.official import EXPLORATORY, PLAIN, READING, closest
from send_analysis.waits import lists, words_claims

REPRODUCED = "reproduced"
OTHERWISE = "reproduced on another definition"
CONTRADICTED = "not reproduced"
NO_SERIES = "not testable: no public series exists"
ELSEWHERE = "not testable here: a public series exists but is not in these tables"
BROKEN = "not testable: the public series breaks"
UNTESTABLE = (NO_SERIES, ELSEWHERE, BROKEN)
VERDICTS = (REPRODUCED, OTHERWISE, CONTRADICTED, *UNTESTABLE)

LEDGER = [
    "id", "claimed", "compare", "official", "unit", "verdict", "same_as", "window", "definition",
    "who", "said", "published", "table", "note",
]  # fmt: skip
TRIED = [
    "id", "role", "window", "definition", "official", "difference", "within", "table", "rows",
    "published", "broken",
]  # fmt: skip
DRAWS = 2000  # wrong claims made up to price an exploratory match: ± 2 points at most

__all__ = [
    "claims", "claims_file", "decisive", "ledger", "mark", "months", "possible", "price",
    "priced", "spoken", "tally", "tried", "verdict",
]  # fmt: skip


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
        the claim's unit), ``difference`` (official less claimed), ``within`` (the tolerance, or
        the threshold), ``table, rows`` (the cells used, as printed in the table), ``published``
        (month in which the figure first came out, empty where unknown), ``broken`` (why the figure
        certifies nothing, and so is not within: the series breaks; empty where it does not). Empty
        if not testable.
    """
    test = json.dumps(claim["test"], default=str, sort_keys=True)
    found = _figures(test, months(claim["said"])[1])
    if found.empty:
        return pd.DataFrame(columns=TRIED)
    difference = found["official"] - claim.get("claimed", 0)
    within = _within(difference, claim["compare"], claim.get("tolerance", 0))
    within &= found["broken"] == ""
    return found.assign(id=claim["id"], difference=difference, within=within)[TRIED]


@tables.remembered(most=100)
def _figures(test: str, said: str) -> pd.DataFrame:
    """Look up a claim's figures, by its test as JSON; kept, as a page shows them in many ways."""
    return official.figures(json.loads(test), said)


def _within(difference, compare: str, allowed: float):
    """Whether official less claimed agrees with a claim."""
    if compare == "equal":
        return np.abs(difference) <= allowed + 1e-9
    if compare in {"fall", "below"}:
        return difference < 0
    return difference >= 0 if compare == "at least" else difference > 0


def verdict(found: pd.DataFrame, test: dict | None = None) -> str:
    """Return the verdict on a claim.

    Parameters
    ----------
    found : DataFrame
        What :func:`tried` returned.
    test : dict, optional
        The claim's test: where nothing can be tested its ``series`` is the public one there is.
    """
    if not (found["role"] == PLAIN).any():
        return ELSEWHERE if test and "series" in test else NO_SERIES
    if (found.loc[found["role"] == PLAIN, "broken"] != "").any():
        return BROKEN
    if found.loc[found["role"] == PLAIN, "within"].any():
        return REPRODUCED
    if found.loc[found["role"] == READING, "within"].any():
        return OTHERWISE
    return CONTRADICTED


def decisive(found: pd.DataFrame) -> pd.Series:
    """Return the figure that a verdict rests on: the plain one, or the reading that agrees.

    Parameters
    ----------
    found : DataFrame
        What :func:`tried` returned, with a plain figure.
    """
    if verdict(found) == OTHERWISE:
        return found[(found["role"] == READING) & found["within"]].iloc[0]
    return found[found["role"] == PLAIN].iloc[0]


@reads.found
def ledger(area: Area, *, file: Path | None = None) -> pd.DataFrame:
    """Test every claim about an area against the official tables.

    Parameters
    ----------
    area : Area or str
    file : Path, optional
        Another file of claims about that area.

    Returns
    -------
    DataFrame
        One row a claim: ``id, claimed, compare, official`` (the plain definition's figure, or the
        reading that gives the claim), ``unit, verdict, same_as`` (the claim that it restates: not
        counted again), ``window, definition, who, said, published`` (month in which the official
        figure first came out), ``table, note``.

    Raises
    ------
    MissingDataError, ParameterError
        As :func:`claims`; also if the tables have no figure on a claim's own window.
    """
    return pd.DataFrame([row(claim) for claim in claims(area, file=file)], columns=LEDGER)


def tally(ledger: pd.DataFrame) -> pd.Series:
    """Count the facts of a ledger by verdict; a claim that restates another is not counted.

    Parameters
    ----------
    ledger : DataFrame
        As :func:`ledger` returns it.

    Returns
    -------
    Series
        Number of facts by verdict, all verdicts in order.
    """
    first = ledger[ledger["same_as"] == ""]
    return first["verdict"].value_counts().reindex(VERDICTS, fill_value=0)


def price(claim: dict) -> pd.Series | None:
    """Say how often wrong claims of a claim's size are met, by readings and by anything tried.

    Authorities and figures are drawn at random: figures between half and one and a half times the
    claim's, rounded as it is. Those within the tolerance of the authority's own plain figure are
    right, and left out. A count is drawn for the claim's own place, as authorities are of very
    different size, and so is what not every authority has.

    Parameters
    ----------
    claim : dict
        One of :func:`claims`.

    Returns
    -------
    Series or None
        ``draws`` (wrong claims), ``low, high`` (their figures), ``figures`` (tried for each),
        ``exploratory`` and ``reading`` (per cent of them that find a figure within the tolerance
        there), ``places`` (how many they were drawn for). None where nothing was tried or the
        claim is a threshold.
    """
    if claim["compare"] != "equal" or "claimed" not in claim or "tolerance" not in claim:
        return None
    said = months(claim["said"])[1]
    test = json.dumps(claim["test"], default=str, sort_keys=True)
    return _price(test, said, claim["claimed"], claim["unit"], claim["tolerance"])


@tables.remembered
def _price(
    test: str, said: str, claimed: float, unit: str, allowed: float, seed: int = 50
) -> pd.Series | None:
    """Price a match: see :func:`price`."""
    alike = unit.startswith(("per cent", "place"))
    found = official.everywhere(json.loads(test), said) if alike else None
    if found is None:
        own = _figures(test, said).query("broken == ''")
        found = {
            role: own.loc[own["role"] == role, "official"].to_numpy(dtype=float)[None, :]
            for role in (PLAIN, READING, EXPLORATORY)
        }
        found[PLAIN] = found[PLAIN][0]
    if not len(found[PLAIN]) or not sum(found[role].shape[1] for role in (READING, EXPLORATORY)):
        return None
    rng = np.random.default_rng(seed)
    which = rng.integers(len(found[PLAIN]), size=DRAWS)
    step = _step(claimed, unit) if alike else max(2 * allowed, 1.0)
    size = max(abs(claimed), 5 * step)
    made_up = np.sign(claimed or 1) * np.round(size * rng.uniform(0.5, 1.5, DRAWS) / step) * step
    wrong = np.abs(found[PLAIN][which] - made_up) > allowed
    which, made_up = which[wrong], made_up[wrong]
    if not len(which):
        return None
    met = {
        role: (np.abs(found[role][which] - made_up[:, None]) <= allowed + 1e-9).any(axis=1)
        for role in (EXPLORATORY, READING)
    }
    return pd.Series({
        "draws": len(which), "low": made_up.min(), "high": made_up.max(),
        "figures": sum(found[role].shape[1] for role in met) + 1,
        "exploratory": 100 * met[EXPLORATORY].mean(), "reading": 100 * met[READING].mean(),
        "places": len(found[PLAIN]),
    })  # fmt: skip


def _step(claimed: float, unit: str) -> float:
    """Step in which figures like the claimed one are said."""
    if unit.startswith("per cent") and claimed % 5 == 0:
        return 5.0
    return 1.0 if float(claimed).is_integer() else 0.1


@reads.found
def mark(frame: pd.DataFrame, kind: str, area: Area, *, years: int = 5) -> pd.DataFrame:
    """Add to a series what was claimed for its areas and years.

    Parameters
    ----------
    frame : DataFrame
        With ``area_code`` and ``year``.
    kind : str
        Kind of test whose claims are added: ``"growth"`` or ``"timeliness"``.
    area : Area or str
        Area whose claims they are; none need be recorded.
    years : int
        Length of the windows of `frame`, for growth: a claim over another length has no place.

    Returns
    -------
    DataFrame
        The frame with ``claimed, compare`` and ``said`` (both in words), missing where nothing was
        claimed; a row twice where two figures were claimed.
    """
    made = claims(area) if claims_file(area).is_file() else []
    rows = [
        (test["area"], test.get("end", test.get("year")), claim["claimed"],
         claim["compare"], definitions.claimed(claim["claimed"], claim["compare"], claim["unit"]))
        for claim in made
        for test in [claim["test"]]
        if test["kind"] == kind and "claimed" in claim
        and test.get("end", years) - test.get("start", 0) == years
    ]  # fmt: skip
    claimed = pd.DataFrame(rows, columns=["area_code", "year", "claimed", "compare", "said"])
    claimed = claimed.astype({"year": "int64", "claimed": "float64"})
    return frame.merge(claimed.drop_duplicates(), on=["area_code", "year"], how="left")


def row(claim: dict) -> dict:
    """One row of the ledger."""
    test = claim["test"]
    try:
        found = tried(claim)
    except MissingDataError as error:
        raise MissingDataError(f"Claim {claim['id']!r}: {error}") from None
    word = verdict(found, test)
    row = {key: claim.get(key) for key in ("id", "claimed", "compare", "unit", "who", "said")}
    row |= {"verdict": word, "same_as": claim.get("same_as", "")}
    if word in UNTESTABLE:
        return row | {
            "official": np.nan, "window": "", "definition": "", "published": "", "table": "",
            "note": _needed(claim, found),
        }  # fmt: skip
    shown = decisive(found)
    return row | {
        "official": float(shown["official"]),
        "window": shown["window"], "definition": shown["definition"],
        "published": shown["published"], "table": shown["table"],
        "note": _note(claim, found, shown, word),
    }  # fmt: skip


def _needed(claim: dict, found: pd.DataFrame) -> str:
    """Say what a claim that cannot be tested would need, who publishes it, and what comes near."""
    test = claim["test"]
    broken = found[(found["role"] == PLAIN) & (found["broken"] != "")]
    if len(broken):
        return _unlike(test, broken.iloc[0])
    parts = [f"Would need {test['needs']}."]
    if "series" in test:
        parts.append("It is published: {title}, {publisher}, {where}.".format(**test["series"]))
    near = closest(test.get("nearest", [])).strip()
    if test["kind"] == "nhs_wait":
        near = words_claims.summary(
            found, claim.get("claimed") if "since" in test else None, services=test["service"]
        )
        near = f"{near} {words_claims.since(test)}".strip()
    near = f"{near} {_against(claim)}".strip()
    return " ".join(filter(None, [*parts, near, test.get("note", "")]))


def _against(claim: dict) -> str:
    """Say what a claimed sum of money is of the nearest sums."""
    if not claim["unit"].startswith("£ million"):
        return ""
    sums = [
        (official.cited(figure["table"], figure["where"]), official.total(figure))
        for figure in claim["test"].get("nearest", [])
        if forms.columns(figure["table"])[figure["value"]].get("unit") == "pounds"
    ]
    parts = [f"{1e8 * claim['claimed'] / value:.1f} % of that of {cited}" for cited, value in sums]
    said = definitions.claimed(claim["claimed"], claim["compare"], claim["unit"])
    return f"The claimed {said} is {' and '.join(parts)}." if parts else ""


@reads.found
def own_figures(area: Area) -> pd.Series:
    """Say of each claim whether a figure of the area itself, or of who serves it, is beside it.

    Returns
    -------
    Series of bool
        By claim. Its own are figures of the authority, of a commissioning group that no other
        authority shares, and of providers known to serve it; not of boards, regions or England.
    """
    links = tables.load("nhs_area_links").query("level != 'icb'")
    links = links[(links["area_code"] == area) & ~links["basis"].str.contains("other authorities")]
    own = {area, *links["organisation_code"]}
    known = lists.then()
    served = set(
        known.loc[known["organisation_code"].isin(own) & known["waiting"].notna(), "service"]
    )
    said = {}
    for claim in claims(area):
        test = claim["test"]
        if test["kind"] == "nhs_wait":
            named = [test["service"]] if isinstance(test["service"], str) else test["service"]
            said[claim["id"]] = bool(served & {*map(lists.service_line, named)})
        elif test["kind"] == "none":
            near = [figure for figure in test.get("nearest", [])
                    if official.code(figure["where"]) in own]  # fmt: skip
            said[claim["id"]] = any(pd.notna(official.total(figure)) for figure in near)
        else:
            placed = test.get("area") or "organisation_code" in test.get("where", {})
            said[claim["id"]] = bool(placed) and official.place_of(test) in own
    return pd.Series(said, dtype=bool)


def _unlike(test: dict, plain: pd.Series) -> str:
    """Say why the figure on a claim's own window certifies nothing, with the figures around it."""
    around = official.series(test)
    told = ", ".join(f"{number(value)} ({year})" for year, value in around.items())
    said = f"{plain['broken'][0].upper()}{plain['broken'][1:]}"
    parts = [
        f"{said}. What lies on either side is no rise or fall of one thing: {plain['definition']}, "
        f"{plain['window']}: {plain['rows']}; by year {told}.",
        test.get("note", ""),
    ]
    return " ".join(filter(None, parts))


def _note(claim: dict, found: pd.DataFrame, shown: pd.Series, word: str) -> str:
    """Say what was counted, by how much the claim is off, and what could explain it."""
    unit = claim["unit"]
    parts = [f"{shown['rows']}.", *filter(None, [held(claim["test"], shown["table"])])]
    if claim["compare"] == "equal":
        parts.append(
            f"Differs from the claim by {apart(shown['difference'], unit)}; the tolerance is "
            f"{apart(claim['tolerance'], unit, sign='')} ({claim['tolerance_reason']})."
        )
    elif "claimed" in claim:
        way = "above" if shown["difference"] >= 0 else "below"
        parts.append(f"{apart(abs(shown['difference']), unit, sign='')} {way} the threshold.")
    parts += filter(None, [_late(claim, shown)])
    if word == CONTRADICTED:
        parts += _possibilities(claim, found)
    fixed = found[found["role"].isin([PLAIN, READING]) & (found.index != shown.name)]
    parts += [
        f"On {'the plain definition, ' if other.role == PLAIN else ''}{other.definition}, "
        f"{other.window}: {written(other.official, unit)}{', but ' if other.broken else ''}"
        f"{other.broken}."
        for other in fixed.itertuples()
    ]
    if claim["test"].get("note"):
        parts.append(claim["test"]["note"])
    return " ".join(parts)


def held(test: dict, table: str) -> str:
    """Say whose flagged return stands in the totals that a test is about; empty where none does.

    Parameters
    ----------
    test : dict
        A claim's.
    table : str
        Table that its figures are from; may be empty.
    """
    if not table or "area" not in test:
        return ""
    years = sorted({test[key] for key in ("start", "end", "year") if key in test})
    return " ".join(filter(None, [caveats.held(table, test["area"], year) for year in years]))


def _late(claim: dict, shown: pd.Series) -> str:
    """Say so where the official figure came out after the claim was made."""
    published = shown["published"]
    if not published or published <= months(claim["said"])[1]:
        return ""
    when = spoken(claim["said"])
    return (
        f"Said {when if when.startswith('between') else f'in {when}'}, before the official figure "
        f"came out in {pd.Timestamp(published):%B %Y}."
    )


class Possible(NamedTuple):
    """Exploratory figures that agree with a claim."""

    first: pd.Series | None  # one on the claim's own window before others, the closest of them
    fits: int  # how many there are


def possible(found: pd.DataFrame) -> Possible:
    """Return the exploratory figure that comes first among those that agree with a claim.

    Parameters
    ----------
    found : DataFrame
        As :func:`tried` returns it.
    """
    also = found[(found["role"] == EXPLORATORY) & found["within"].astype(bool)]
    if also.empty:
        return Possible(None, 0)
    other_window = ~also["window"].isin(found.loc[found["role"] == PLAIN, "window"])
    order = np.lexsort([also["difference"].abs(), other_window])
    return Possible(also.iloc[order[0]], len(also))


def _possibilities(claim: dict, found: pd.DataFrame) -> list[str]:
    """Say what was tried beyond the readings, what fits, and how often a wrong claim finds one."""
    if not (found["role"] == EXPLORATORY).any():
        return []
    first, fits = possible(found)
    if first is None:
        return [f"None of {len(found):,} windows and definitions tried gives it."]
    text = (
        f"Of {len(found):,} windows and definitions tried, {fits:,} "
        f"{'agrees' if fits == 1 else 'agree'} with the claim, first {first['definition']}, "
        f"{first['window']} ({written(first['official'], claim['unit'])}). That is a possibility, "
        "not a test"
    )
    cost = price(claim)
    return [f"{text}." if cost is None else f"{text}: {priced(cost, claim['unit'])}."]


def priced(cost: pd.Series, unit: str) -> str:
    """Say how often a wrong claim finds a match.

    Parameters
    ----------
    cost : Series
        As :func:`price` returns it.
    unit : str
        Unit of the claim.
    """
    where = "of the same place" if cost["places"] == 1 else "authorities of England"
    return (
        f"of {cost['draws']:,.0f} wrong claims made up at random ({where}, "
        f"{bare(cost['low'], unit)} to {written(cost['high'], unit)}) {cost['exploratory']:.0f} % "
        f"find one too, and {cost['reading']:.0f} % are met by a reading fixed beforehand"
    )
