"""Every local authority in one table, and what it says in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.capacity import words
from send_analysis.errors import either
from send_analysis.forecasting import totals
from send_analysis.forecasting.scoring import HORIZON, SMALLEST
from send_analysis.growth import denominators, series

HALF = 50  # per cent
FEW = f"at most {SMALLEST} plans"  # of such areas no forecast is tested, and a child is a per cent
NO_REPORT = "No report of it has been made."
NO_FIGURE = "Its report has no chance of places for that January: make it anew."


@tables.remembered
def summary(*, start: int = series.COMPARABLE) -> pd.DataFrame:
    """Sum up every authority of today, and England.

    Parameters
    ----------
    start : int, default 2019
        January from which growth is measured.

    Returns
    -------
    DataFrame
        England first, then authorities by name: ``area_code, area, region`` (name; empty for
        England), ``plans`` (latest January), ``growth`` (per cent from `start` to that January;
        of the unbroken footprint, named in ``footprint``, where boundaries changed since),
        ``rate`` (plans per 1,000 residents aged 0 to 25), ``in_time`` (per cent
        issued within 20 weeks in the latest calendar year, exceptions excluded), ``timed`` (of how
        many), ``expected,
        expected_low, expected_high`` (forecast growth over the next five years, per cent: median
        and 80 % interval), ``faults`` (as :func:`faults`),
        ``flagged`` (whether the latest return is: then no figure is made from it), ``caveat`` (why
        that is, or why growth cannot be told; empty where it can), ``in_time_caveat`` (why the
        times are flagged and there is no ``in_time``; else empty).
        What is not published, or would divide by nought, is missing. ``attrs`` has the
        years: ``start, january, calendar_year, forecast_year``.

    Raises
    ------
    ParameterError
        If there are no figures for `start`.
    """
    codes = [areas.ENGLAND, *areas.current()]
    known = tables.load("areas").set_index("area_code")
    plans = series.totals()
    january = int(plans["year"].max())
    out = pd.DataFrame({"area": known["area"].reindex(codes)})
    out["region"] = known["region_code"].reindex(codes).map(known["area"]).fillna("")
    out["plans"] = plans[plans["year"] == january].set_index("area_code")["plans"]
    grown = series.growth(start, january).assign(
        member=lambda frame: frame["area_code"].str.split("+", regex=False)
    )
    grown = grown.explode("member").set_index("member")
    merged = grown["area_code"].str.contains("+", regex=False)
    out["growth"] = grown["growth"].where(grown["caveat"] == "")
    out["footprint"] = grown["area"].where(merged, "").reindex(codes).fillna("")
    out["rate"] = 1000 * out["plans"].astype("Float64") / _residents(january - 1)
    shares = in_time()
    out[["in_time", "timed"]] = shares[["share", "timed"]]
    told = caveats.flagged("timeliness", int(shares["year"].max()), category=series.IN_TIME).index
    out["in_time_caveat"] = pd.Series(
        {code: caveats.doubt("timeliness", code, category=series.IN_TIME) for code in told},
        dtype="str",
    )
    out["in_time_caveat"] = out["in_time_caveat"].fillna("")
    ahead = expected(out["plans"], totals.forecast(horizon=HORIZON))
    out = out.join(ahead)
    doubts = {code: caveats.doubt("ehc_plans", code, year=january) for code in codes}
    out["flagged"] = out.index.map(doubts) != ""
    out["caveat"] = grown["caveat"].where(grown["caveat"] == "", "Growth: " + grown["caveat"] + ".")
    out["caveat"] = out["caveat"].fillna("").mask(out["flagged"], out.index.map(doubts))
    leaning = ["growth", "rate", *ahead.columns]
    out[leaning] = out[leaning].astype("Float64").mask(out["flagged"])
    out["faults"] = faults().reindex(out.index, fill_value=0)
    out = out.astype({"growth": "Float64", "in_time": "Float64", "rate": "Float64"})
    out = out.rename_axis("area_code").reset_index()
    rank = out["area_code"].ne(areas.ENGLAND)
    out = out.assign(rank=rank).sort_values(["rank", "area"]).drop(columns="rank")
    out.attrs = {
        "start": start,
        "january": january,
        "calendar_year": int(shares["year"].max()),
        "forecast_year": january + HORIZON,
    }
    return out.reset_index(drop=True)


def with_chances(summary: pd.DataFrame, made: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Add the chance that more specialist places are needed, as each authority's report has it.

    It takes a simulation, so it is not made a second time: figures stand as the pages have them.

    Parameters
    ----------
    summary : DataFrame
        As :func:`summary` returns it.
    made : mapping of str to mapping
        By code the figures of the reports there are, as :func:`.page.parts` returns them.

    Returns
    -------
    DataFrame
        With ``more_needed`` (per cent; all that is told as over 90 is 91, so that none comes before
        another; missing where the report gives none) and
        ``more_needed_caveat`` (why; else empty), and in ``attrs`` the January of the
        latest placements, ``placed``.
    """
    placed = caveats.latest("placements")
    label = words.chance_in(placed + 1)
    chances, why, named = {}, {}, set()
    for code in set(summary["area_code"]) - {areas.ENGLAND}:
        told = made.get(code, {}).get(words.MORE_NEEDED)
        if told is None or ("number" in told and told["label"] != label):
            why[code] = NO_FIGURE if code in made else NO_REPORT
        elif "number" not in told:
            why[code] = f"{told['label']}: {told['value']}. {told['words']}"
        else:
            chances[code] = min(told["number"], words.SUREST + 1)
            named.update(told["tables"])
    codes = summary["area_code"]
    out = summary.assign(
        more_needed=codes.map(chances).astype("Float64"),
        more_needed_caveat=codes.map(why).astype("str").fillna(""),
    )
    out.attrs = summary.attrs | {"placed": placed}
    return reads.stamp(out, {*reads.of(summary), *named})


def without_chance(row: Mapping[str, Any]) -> str:
    """Say in a word that an authority, a region or England has no chance of places."""
    if not row.get("region"):
        return "–"
    if row["more_needed_caveat"] == NO_REPORT:
        return "no report"
    return "flagged" if caveats.unplaced(row["area_code"]) else "n/a"


def faults() -> pd.Series:
    """How many faults the checks found in the releases: of a region and England with those within.

    Returns
    -------
    Series of int
        By ``area_code``; an area without any is not among them.
    """
    found = tables.load("quality")["area_code"]
    above = found.map(tables.load("areas").set_index("area_code")["region_code"])
    whole = pd.Series(areas.ENGLAND, index=found.index)
    return pd.concat([found[found != areas.ENGLAND], above[above != ""], whole]).value_counts()


def _residents(year: int) -> pd.Series:
    """Residents aged 0 to 25 at the middle of a year."""
    people = denominators.residents().query("year == @year").set_index("area_code")["people"]
    return people.replace(0, pd.NA).astype("Float64")


def in_time() -> pd.DataFrame:
    """Share of plans issued in time in the latest year, by area: ``year, share, timed`` (of)."""
    rows = tables.load("timeliness").query("exceptions == 'excluded'")
    year = int(rows["year"].max())
    flagged = caveats.flagged("timeliness", year, category=series.IN_TIME)
    rows = rows[(rows["year"] == year) & ~rows["area_code"].isin(flagged.index)]
    wide = rows.pivot(index=["area_code", "year"], columns="issued_within", values="plans")
    issued = wide["any time"].where(wide["any time"] > 0)
    share = (100 * wide["20 weeks or less"] / issued).astype("Float64")
    return pd.DataFrame({"share": share, "timed": issued}).reset_index("year")


def few(summary: pd.DataFrame) -> pd.Series:
    """Say of which authorities the figures are of too few plans to be an end; else empty."""
    return pd.Series(FEW, index=summary.index).where(summary["plans"] <= SMALLEST, "")


def expected(plans: pd.Series, ahead: pd.DataFrame) -> pd.DataFrame:
    """Forecast growth from the latest January, per cent: median and 80 % interval by area."""
    ahead = ahead[(ahead["horizon"] == HORIZON) & (ahead["category"] == "all")]
    wide = ahead.pivot(index="area_code", columns="quantile", values="value")
    names = {0.5: "expected", 0.1: "expected_low", 0.9: "expected_high"}
    base = plans.astype("Float64").replace(0, pd.NA)
    return 100 * (wide[list(names)].rename(columns=names).div(base, axis=0) - 1)


def story(summary: pd.DataFrame) -> list[str]:
    """Say what the table says of England.

    Parameters
    ----------
    summary : DataFrame
        As :func:`summary` returns it.

    Returns
    -------
    list of str
        A headline, then sentences.
    """
    whole, local, years = summary.iloc[0], summary.iloc[1:], summary.attrs
    middle = " to ".join(f"{end:.0f}" for end in local["growth"].quantile([0.25, 0.75]))
    timed = local["in_time"].dropna()
    flagged = local.loc[local["flagged"], "area"]
    return [
        f"{whole['plans']:,} children and young people in England had an EHC plan in January "
        f"{years['january']}, {whole['growth']:.0f} % more than in January {years['start']}; in "
        f"half of the authorities it is {middle} % more.",
        f"Of 1,000 residents aged 0 to 25, {whole['rate']:.0f} have one; between authorities with "
        f"more than {SMALLEST} plans from {_end(local, 'rate', low=True)} to "
        f"{_end(local, 'rate', low=False)}.",
        f"{whole['in_time']:.0f} % of the plans of {years['calendar_year']} without a statutory "
        f"exception were issued within 20 weeks; in {(timed < HALF).sum()} of {len(timed)} "
        "authorities fewer than half were.",
        f"In January {years['forecast_year']} there would be {whole['expected_low']:.0f} to "
        f"{whole['expected_high']:.0f} % more plans than now, a range meant to hold four times in "
        "five, while the law and the way authorities work stay as they are.",
        *(
            [
                f"The latest return is flagged in {either(flagged, 'and')}: no growth, rate or "
                "forecast of it is given; the totals of England and its region hold what was "
                "returned."
            ]
            if len(flagged)
            else []
        ),
    ]


def _end(local: pd.DataFrame, column: str, *, low: bool) -> str:
    """Give the lowest or highest value with its authority, of those above 100 plans."""
    values = local.loc[few(local) == "", column].astype(float)
    at = values.idxmin() if low else values.idxmax()
    return f"{values[at]:.0f} in {local.loc[at, 'area']}"
