"""What the results say, in sentences: the findings at the top of a report.

Every number is read off a result; nothing is computed but differences between two of them.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, caveats, tables
from send_analysis.errors import MissingDataError
from send_analysis.models import evidence
from send_analysis.models.demand_growth import growth

VERDICTS = {
    evidence.REPRODUCED: "reproduced",
    evidence.OTHERWISE: "reproduced only on another definition",
    evidence.CONTRADICTED: "not reproduced",
    evidence.UNTESTABLE: "not testable with public statistics",
}

UNITS = {  # of the ledger, as a reader wants them
    "per cent": "%",
    "per cent of authorities": "% of authorities",
    "outcome grade": "(outcome, 3 the lowest)",
}
SMALL = 100  # plans: below it one child is more than 1 %


@tables.remembered(most=1)
def _ledger(area: str) -> pd.DataFrame:
    """Return the ledger of the area at hand, which a page shows in several ways."""
    return evidence.ledger(area)


def claims(area: str = "Bury") -> list[str]:
    """Sum up the ledger of an area, or its official figures where no claims are recorded.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    list of str
        The headline, then a sentence for each claim that a series in per cent tests.
    """
    if not evidence.claims_file(area).is_file():
        return _official(area)
    ledger = _ledger(area)
    count = ledger["verdict"].value_counts()
    parts = [
        f"{count[verdict]} are {words}" for verdict, words in VERDICTS.items() if verdict in count
    ]
    headline = f"Of {len(ledger)} claims {', '.join(parts[:-1])} and {parts[-1]}."
    return [headline, *(_tested(claim) for claim in evidence.claims(area) if _in_per_cent(claim))]


def _in_per_cent(claim: dict) -> bool:
    """Whether a claim is a figure in per cent that a yearly series tests."""
    return claim["test"]["kind"] in {"growth", "timeliness"} and claim["compare"] == "equal"


def _tested(claim: dict) -> str:
    """Say what was claimed, what the official figure is, and whether they agree."""
    found = evidence.tried(claim)
    plain = found[found["role"] == evidence.PLAIN].iloc[0]
    return (
        f"{claim['statement']}: {VERDICTS[evidence.verdict(found)]}. The official figure is "
        f"{plain['official']:.1f} % ({plain['rows']}, {plain['window']})."
    )


def _official(area: str) -> list[str]:
    """Say what the official figures are of an area that no claims are recorded for."""
    windows = growth.over_years(area)
    own = windows[(windows["role"] == "area") & (windows["year"] == 2024)]
    national = windows[(windows["area_code"] == areas.ENGLAND) & (windows["year"] == 2024)]
    times = growth.timeliness(area)
    issued = times[(times["role"] == "area") & (times["year"] == 2023)]
    out = [f"No claims are recorded for {area}; these are its official figures."]
    out += [
        f"Plans: {row.plans_start:,} in January 2019, {row.plans_end:,} in January 2024. How much "
        f"of that is growth cannot be told: {row.caveat}."
        if row.caveat
        else f"Plans: {row.plans_start:,} in January 2019, {row.plans_end:,} in January 2024, "
        f"{row.growth:+.1f} %"
        + ("." if area == "England" else f", in England {national['growth'].iloc[0]:+.1f} %.")
        for row in own.itertuples()
    ]
    out += [
        f"In 2023 {row.in_time:,} of {row.issued:,} plans ({row.share:.0f} %) were issued within "
        "20 weeks, exceptions excluded."
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
    ranked = growth.growth(start, end).set_index("area_code")
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
    out += filter(None, [areas.history(code)])
    rates = growth.rates(area)
    last = rates[rates["year"] == rates["year"].max()]
    per_head = last.set_index("role")["rate"]
    if "area" in per_head:
        sentence = f"{per_head['area']:.1f} of 1,000 residents aged 0 to 25 have a plan"
        if "england" in per_head:
            apart = 100 * (per_head["area"] / per_head["england"] - 1)
            sentence += f", in England {per_head['england']:.1f}: {abs(apart):.0f} % " + (
                "more" if apart >= 0 else "fewer"
            )
        out.append(f"{sentence}{_leaning(last)}.")
    since = max(start, areas.first_year(code))
    try:
        band = growth.by("age band", area, start=since, end=end)
    except MissingDataError as error:
        return [*out, str(error)]
    band = band[band["area_code"] == code]
    if (band["caveat"] != "").any():
        most = band.nlargest(1, "plans_end").iloc[0]
        return [
            *out,
            f"Most plans are held at ages {most['category']}: {most['plans_end']:,} in January "
            f"{end}. How plans of an age grew since {since} cannot be told: {most['caveat']}.",
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


def worded(area: str = "Bury") -> pd.DataFrame:
    """Return the ledger with each claim in words, `statement`, beside its short name."""
    statements = {claim["id"]: claim["statement"] for claim in evidence.claims(area)}
    found = _ledger(area)
    return found.assign(statement=found["id"].map(statements))


def ledger(area: str = "Bury") -> pd.DataFrame:
    """Return the tested claims as a reader sees them: in words, with both figures and the verdict.

    Returns
    -------
    DataFrame
        Indexed by ``claim`` (in words): ``claimed, official, verdict, window, tolerance``.
    """
    made = pd.DataFrame(evidence.claims(area))
    found = _ledger(area)
    unit = found["unit"].replace(UNITS)
    tolerance = "±" + made["tolerance"].map("{:g}".format) + ": " + made["tolerance_reason"]
    table = pd.DataFrame({
        "claim": made["statement"],
        "claimed": (found["claimed"].map("{:g} ".format) + unit).where(found["claimed"].notna()),
        "official": found["official"].map("{:.1f} ".format).str.replace(".0 ", " ") + unit,
        "verdict": found["verdict"], "window": found["window"],
        "tolerance": tolerance.where(made["tolerance"].notna()),
    })  # fmt: skip
    tested = found["verdict"] != evidence.UNTESTABLE
    return table[tested].fillna("–").set_index("claim")


def tried(area: str, kind: str) -> pd.DataFrame:
    """Return what was tried on the claims' own windows, for claims of one kind of test.

    Returns
    -------
    DataFrame
        ``claim`` (in words), ``definition, window, role, official, difference, within, rows``;
        empty where no claim of the kind is recorded.
    """
    if not evidence.claims_file(area).is_file():
        return pd.DataFrame()
    parts = []
    for claim in evidence.claims(area):
        if claim["test"]["kind"] == kind:
            found = evidence.tried(claim).assign(claim=claim["statement"])
            plain = found.loc[found["role"] == evidence.PLAIN, "window"].iloc[0]
            near = (found["window"] == plain) | (found["role"] == evidence.READING)
            parts.append(found[near])
    if not parts:
        return pd.DataFrame()
    out = pd.concat(parts)
    out = out.assign(within=out["within"].map({True: "yes", False: "no"}))
    columns = ["claim", "definition", "window", "role", "official", "difference", "within", "rows"]
    return out[columns]


def untestable(area: str = "Bury") -> pd.DataFrame:
    """Return the claims that no public series measures, with what would be needed.

    Returns
    -------
    DataFrame
        Indexed by ``claim`` (in words): ``note``.
    """
    found = worded(area).query("verdict == @evidence.UNTESTABLE")
    return found.rename(columns={"statement": "claim"}).set_index("claim")[["note"]]
