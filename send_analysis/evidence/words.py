"""What the results say, in sentences: the findings at the top of a report.

Every number is read off a result; nothing is computed but differences between two of them.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, caveats, tables
from send_analysis.errors import MissingDataError
from send_analysis.evidence import verdicts
from send_analysis.growth import series

VERDICTS = {  # what one claim, and several, are said to be
    verdicts.REPRODUCED: ("is reproduced", "are reproduced"),
    verdicts.OTHERWISE: (
        "is reproduced only on another definition",
        "are reproduced only on another definition",
    ),
    verdicts.CONTRADICTED: ("is not reproduced", "are not reproduced"),
    verdicts.NO_SERIES: (
        "cannot be tested because no public series exists",
        "cannot be tested because no public series exists",
    ),
    verdicts.ELSEWHERE: (
        "cannot be tested here because its public series is not in these tables",
        "cannot be tested here because their public series are not in these tables",
    ),
    verdicts.BROKEN: (
        "cannot be tested because its public series breaks",
        "cannot be tested because their public series break",
    ),
}
MOST_POINTS = 6  # sentences under a headline; the ledger has all claims
FIVE = 5  # years of growth that are shown where no claim names others
SMALL = 100  # plans: below it one child is more than 1 %


def _ledger(area: str) -> pd.DataFrame:
    """Return the ledger of the area at hand, which a page shows in several ways."""
    return _ledger_of(areas.resolve(area))


@tables.remembered(most=1)
def _ledger_of(code: str) -> pd.DataFrame:
    """The ledger of an area by its code, kept."""
    return verdicts.ledger(code)


def claims(area: str = "Bury") -> list[str]:
    """Sum up the ledger of an area, or its official figures where no claims are recorded.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    list of str
        The headline, then a sentence for each of the claims that were tested: those that are not
        reproduced first, six at most.
    """
    if not verdicts.claims_file(area).is_file():
        return _official(area)
    ledger = _ledger(area)
    tested = ledger[~ledger["verdict"].isin(verdicts.UNTESTABLE) & (ledger["same_as"] == "")]
    order = [verdicts.CONTRADICTED, verdicts.OTHERWISE, verdicts.REPRODUCED]
    tested = tested.sort_values("verdict", key=lambda words: words.map(order.index), kind="stable")
    statements = {claim["id"]: claim["statement"] for claim in verdicts.claims(area)}
    points = [
        f"{statements[row.id]}: {row.verdict}. "
        f"{'That' if row.verdict == verdicts.OTHERWISE else 'The official'} figure is "
        f"{verdicts.words(row.official, row.unit)} ({row.definition}, {row.window})."
        for row in tested.head(MOST_POINTS).itertuples()
    ]
    if len(tested) > MOST_POINTS:
        points.append(f"The other {len(tested) - MOST_POINTS} that were tested are in the ledger.")
    return [tallied(ledger, areas.name(areas.resolve(area))), *points]


def tallied(ledger: pd.DataFrame, area: str) -> str:
    """Say how many claims have which verdict; a claim that restates another is not counted.

    Parameters
    ----------
    ledger : DataFrame
        As :func:`send_analysis.evidence.verdicts.ledger` returns it.
    area : str
        Name of the area that the claims are about.

    Returns
    -------
    str
    """
    count = verdicts.tally(ledger)
    said = [
        f"{number} {VERDICTS[verdict][number > 1]}" for verdict, number in count.items() if number
    ]
    if not said:
        return f"No claims are recorded for {area}."
    if count.sum() == 1:
        return f"The one claim recorded for {area} {said[0].removeprefix('1 ')}."
    listed = ", ".join(said[:-1]) + (" and " if len(said) > 1 else "") + said[-1]
    again = int((ledger["same_as"] != "").sum())
    more = f" {again} more {'restates' if again == 1 else 'restate'} a fact already counted."
    return f"Of {count.sum()} claims about {area}, {listed}.{more if again else ''}"


def _official(area: str) -> list[str]:
    """Say what the official figures are of an area that no claims are recorded for."""
    windows = series.over_years(area, years=FIVE)
    latest = windows["year"] == windows["year"].max()
    own = windows[latest & (windows["role"] == "area")]
    national = windows[latest & (windows["area_code"] == areas.ENGLAND)]
    times = series.timeliness(area)
    issued = times[(times["role"] == "area") & (times["year"] == times["year"].max())]
    out = [f"No claims are recorded for {area}; these are its official figures."]
    out += [
        f"Plans: {row.plans_start:,} in January {row.year - FIVE}, {row.plans_end:,} in January "
        f"{row.year}. How much of that is growth cannot be told: {row.caveat}."
        if row.caveat
        else f"Plans: {row.plans_start:,} in January {row.year - FIVE}, {row.plans_end:,} in "
        f"January {row.year}, {row.growth:+.1f} %"
        + ("." if area == "England" else f", in England {national['growth'].iloc[0]:+.1f} %.")
        for row in own.itertuples()
    ]
    out += [
        f"In {row.year} {row.in_time:,} of {row.issued:,} plans ({row.share:.0f} %) were issued "
        "within 20 weeks, exceptions excluded."
        for row in issued.itertuples()
    ]
    return out


def grew(area: str = "Bury", *, start: int = 2019, end: int = 2025) -> list[str]:
    """Sum up the growth of an area against England, chance and its population.

    Parameters
    ----------
    area : str, default "Bury"
    start, end : int
        Januaries.

    Returns
    -------
    list of str
        The headline, then further sentences; what an area has no figures for is left out, and
        so is what leans on a flagged return or goes across a break in the series.
    """
    code = areas.resolve(area)
    ranked = series.growth(start, end).set_index("area_code")
    unit = code if code in ranked.index else areas.footprint(code)
    doubt = caveats.doubt("ehc_plans", unit, year=end)
    if doubt:
        return [doubt, *filter(None, [areas.history(code)])]
    out = []
    if unit in ranked.index and ranked.loc[unit, "caveat"]:
        own = ranked.loc[unit]
        out.append(
            f"Plans in {own['area']}: {own['plans_start']:,} in January {start}, "
            f"{own['plans_end']:,} in January {end}. How much of that is growth cannot be told: "
            f"{own['caveat']}."
        )
    elif unit in ranked.index:
        own, national = ranked.loc[unit], ranked.loc[areas.ENGLAND]
        out.append(
            f"Plans in {own['area']} went from {own['plans_start']:,} in January {start} to "
            f"{own['plans_end']:,} in January {end}: {own['growth']:+.0f} %"
            + (f", in England {national['growth']:+.0f} %." if code != areas.ENGLAND else ".")
        )
        if not pd.isna(own["rank"]):
            out.append(
                f"By growth that is place {own['rank']} of {own['areas']}, the fastest first."
            )
        if own["plans_end"] < SMALL:
            out.append(
                f"With {own['plans_end']:,} plans one child more or fewer moves every percentage, "
                "rate and rank on this page: read the numbers of children."
            )
    newest = series.latest()
    if end == series.latest(area) < newest:
        out.append(caveats.doubt("ehc_plans", unit, year=newest))
    out += filter(None, [areas.history(code)])
    rates = series.rates(area)
    last = rates[rates["year"] == rates.loc[rates["role"] == "area", "year"].max()]
    per_head = last.set_index("role")["rate"]
    if "area" in per_head:
        sentence = (
            f"In January {last['year'].iloc[0]} {per_head['area']:.1f} of 1,000 residents aged 0 "
            "to 25 had a plan"
        )
        if "england" in per_head:
            apart = 100 * (per_head["area"] / per_head["england"] - 1)
            sentence += f", in England {per_head['england']:.1f}: {abs(apart):.0f} % " + (
                "more" if apart >= 0 else "fewer"
            )
        out.append(f"{sentence}{_leaning(last)}.")
    since = max(start, areas.first_year(code))
    try:
        band = series.by("age band", area, start=since, end=end)
    except MissingDataError as error:
        return [*out, str(error)]
    band = band[band["area_code"] == code]
    if (band["caveat"] != "").any():
        most = band.nlargest(1, "plans_end").iloc[0]
        return [
            *out,
            f"The largest group by age are those aged {most['category']}: {most['plans_end']:,} "
            f"plans in January {end}, {most['share_end']:.0f} % of all. How plans of an age grew "
            f"since {since} cannot be told: {most['caveat']}.",
        ]
    own = band.nlargest(1, "change").iloc[0]
    out.append(
        f"The largest increase by age since {since} is among those aged {own['category']}: "
        f"{own['plans_start']:,} to {own['plans_end']:,}."
    )
    return out


def _leaning(last: pd.DataFrame) -> str:
    """Say in brackets how far the last January's rate leans on an estimate of residents."""
    own = last[last["role"] == "area"].iloc[0]
    if own["basis"] != "estimated":
        return ""
    return (
        f" (residents of mid-{own['year'] - 1} are estimated: {own['low']:.1f} to "
        f"{own['high']:.1f} of 1,000)"
    )


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


def _made(area: str) -> pd.DataFrame:
    """Return the ledger with each claim as it is recorded beside what was found."""
    made = pd.DataFrame(verdicts.claims(area))
    more = ["statement", "printed", "address", "tolerance", "tolerance_reason"]
    remark = made["test"].map(lambda test: test.get("note"))
    return pd.concat([_ledger(area), made.reindex(columns=more)], axis=1).assign(remark=remark)


def _claimed(found: pd.DataFrame) -> list[str]:
    """Write what was claimed."""
    parts = (found[column] for column in ("claimed", "compare", "unit"))
    return [verdicts.claimed_words(*claim) for claim in zip(*parts, strict=True)]


def ledger(area: str = "Bury") -> pd.DataFrame:
    """Return the tested claims as a reader sees them: in words, with both figures and the verdict.

    Returns
    -------
    DataFrame
        Indexed by ``claim`` (in words): ``claimed, official, verdict, window, definition,
        tolerance, remark``. Empty
        where none could be tested.
    """
    found = _made(area)
    found = found[~found["verdict"].isin(verdicts.UNTESTABLE)]
    statement = found["statement"]
    return pd.DataFrame({
        "claim": statement.mask(found["same_as"] != "", statement + " (restates another)"),
        "claimed": _claimed(found),
        "official": _worded(found), "verdict": found["verdict"], "window": found["window"],
        "definition": found["definition"],
        "tolerance": [_tolerance(row) for _, row in found.iterrows()],
        "remark": found["remark"].fillna("–"),
    }).set_index("claim")  # fmt: skip


def _worded(found: pd.DataFrame) -> list[str]:
    """Write official figures with their units."""
    return [verdicts.words(*pair) for pair in zip(found["official"], found["unit"], strict=True)]


def _tolerance(row: pd.Series) -> str:
    """Write how far off a claimed figure may be, and why; a threshold has no tolerance."""
    if row["compare"] != "equal":
        return "–"
    return f"±{row['tolerance']:,g}: {row['tolerance_reason']}"


def percentages(area: str = "Bury") -> pd.DataFrame:
    """Return the tested claims that are percentages: what the chart of claims draws.

    Returns
    -------
    DataFrame
        ``statement, said, claimed, compare, official, verdict, window, same_as`` (the claim that
        it restates, or nothing); empty where none are.
    """
    found = _made(area)
    shown = found["unit"].str.startswith("per cent") & found["claimed"].notna()
    found = found[shown & found["official"].notna()]
    found = found.assign(said=_claimed(found))
    columns = ["statement", "said", "claimed", "compare", "official", "verdict", "window"]
    return found[[*columns, "same_as"]]


def said(area: str = "Bury") -> pd.DataFrame:
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


def _out_then(claim: dict) -> str:
    """Write the latest figure of a claim's series that had been published when it was made."""
    found = verdicts.tried(claim)
    plain = found[found["role"] == verdicts.PLAIN]
    if plain.empty or not plain["published"].iloc[0] or plain["broken"].iloc[0]:
        return "–"
    if plain["published"].iloc[0] <= verdicts.months(claim["said"])[1]:
        return "the same"
    alike = found["definition"] == plain["definition"].iloc[0]
    for row in found[alike & (found["role"] == verdicts.READING)].itertuples():
        return f"{verdicts.words(row.official, claim['unit'])} ({row.window})"
    return "none known"


def tried(area: str = "Bury") -> pd.DataFrame:
    """Return what was tried on the claims' own windows, and the readings fixed beforehand.

    Returns
    -------
    DataFrame
        ``claim`` (in words), ``definition, window, role, official, agrees, counted``; empty where
        nothing could be tested.
    """
    parts = []
    for claim in verdicts.claims(area):
        found = verdicts.tried(claim)
        if not (found["role"] == verdicts.PLAIN).any():
            continue
        own = found.loc[found["role"] == verdicts.PLAIN, "window"].iloc[0]
        near = (found["window"] == own) | (found["role"] == verdicts.READING)
        official = [verdicts.words(value, claim["unit"]) for value in found["official"]]
        found = found.assign(claim=claim["statement"], official=official)[near]
        order = [verdicts.PLAIN, verdicts.READING, verdicts.EXPLORATORY]
        parts.append(found.sort_values("role", key=lambda role: role.map(order.index)))
    if not parts:
        return pd.DataFrame()
    out = pd.concat(parts)
    agrees = out["within"].map({True: "yes", False: "no"})
    agrees = agrees.where(out["broken"] == "", "cannot: the series breaks")
    out = out.assign(agrees=agrees, counted=out["rows"])
    return out[["claim", "definition", "window", "role", "official", "agrees", "counted"]]


def possibilities(area: str = "Bury") -> pd.DataFrame:
    """Return what fits a claim that is not reproduced, and what such a fit is worth.

    Returns
    -------
    DataFrame
        ``claim`` (in words), ``figures_tried, agree`` (among them), ``first`` (definition, window
        and figure), ``wrong_claims_that_find_one`` and ``wrong_claims_met_by_a_reading`` (per cent
        of claims made up at random). Empty where every claim is reproduced.
    """
    contradicted = set(_ledger(area).query("verdict == @verdicts.CONTRADICTED")["id"])
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
            f"{verdicts.words(first['official'], claim['unit'])}",
            "wrong_claims_that_find_one": None if cost is None else cost["exploratory"],
            "wrong_claims_met_by_a_reading": None if cost is None else cost["reading"],
        })  # fmt: skip
    return pd.DataFrame(rows)


def untestable(area: str, verdict: str) -> pd.DataFrame:
    """Return the claims of one of the verdicts that say "not testable", with what is needed.

    Parameters
    ----------
    area : str
    verdict : str
        One of ``evidence.UNTESTABLE``.

    Returns
    -------
    DataFrame
        Indexed by ``claim`` (in words): ``claimed, note``.
    """
    found = _made(area)
    found = found[found["verdict"] == verdict]
    return pd.DataFrame({
        "claim": found["statement"], "claimed": _claimed(found),
        "note": found["note"],
    }).set_index("claim")  # fmt: skip


def tables_of(area: str, verdict: str | None = None) -> list[str]:
    """Return the tables behind the claims that were tested, or behind those of one verdict.

    Parameters
    ----------
    area : str
    verdict : str, optional
        One of ``evidence.UNTESTABLE``: tables of the nearest figures, or of those that break.

    Returns
    -------
    list of str
        Names of tables; a phrase instead where none has a figure.
    """
    found = _ledger(area)
    if verdict is None:
        named = ", ".join(found["table"]).split(", ")
    else:
        chosen = set(found.loc[found["verdict"] == verdict, "id"])
        tests = [claim["test"] for claim in verdicts.claims(area) if claim["id"] in chosen]
        named = [figure["table"] for test in tests for figure in test.get("nearest", [])]
        named += ["nhs_waits" for test in tests if test["kind"] == "nhs_wait"]
        if verdict == verdicts.BROKEN and tests:
            named += ["series_breaks", *(test.get("table", "ehc_plans") for test in tests)]
    return sorted(set(named) - {""}) or ["None of the tables has a figure"]
