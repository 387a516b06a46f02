"""What the page on capacity found, in sentences: every number is read off a result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import Area
from send_analysis.capacity import hindcast, views
from send_analysis.capacity.views import EVERY, HORIZON, scored
from send_analysis.errors import MissingDataError
from send_analysis.growth import series
from send_analysis.show.chart import Figure, Tile

MORE_NEEDED = "more_needed"  # the index of all areas has this figure
SUREST = 90  # per cent: no chance is told to be more
# Plans in units that come or go within a year, and how many times as many there then are, before
# it is said that recording may have changed.
MOVED, TIMES = 50, 2
SMALL = 20  # residents in specialist places: fewer are known one by one
NEEDED = (  # what stands under the table of places
    "Ages at 31 August: primary 4 to 10, secondary 11 to 15 (they turn 16 in year 11), post-16 "
    "from 16. Children below school age, who are among the plans of page 03, have no phase and are "
    "not counted here. Further education is for those who need no school place. Announced places "
    "are a mean: openings are late in some simulations (data/assumptions.yml)."
)
CHANCES = (  # and under that of chances
    "Chances have been tested one year ahead, not further; none is given where a year ahead it "
    "said no more than the same figure for every area, by more than the standard error of that, in "
    "the phase or in all phases of the kind (no better than an average), where fewer than ten "
    "places are expected, and where fewer than 30 areas have such places (not tested). It is a "
    "share of simulations: the test does not tell chances above 90 from each other, so that "
    'sentences say no more than "over 90 %".'
)
RANGES = (  # what stands under the table of how ranges did
    "Skill is the share of the mean squared error (Brier score) saved against giving every area "
    "the share in which more was needed. Where it is not above its standard error, in the phase or "
    "in all phases of the kind, no chance is shown. Kinds and phases with fewer than 30 areas that "
    "expect ten places are left out: their ranges are not tested at all. Illustrative: fewer than "
    "five earlier Januaries show how far all areas together can be off."
)


@reads.found
def findings(area: Area) -> list[str]:
    """Sum up the page of an area; where places cannot be forecast, its assessments alone.

    Returns
    -------
    list of str
        The headline, then further sentences.
    """
    try:
        queue = views.queue(area)
        waits = _waits(queue, area)
    except MissingDataError as error:
        waits = str(error)
    try:
        forecast = views.forecast(area)
        said = headline(forecast, kept=views.kept(area))
    except MissingDataError:
        return [waits]
    before = " ".join(filter(None, [year_before(area), recorded(area)]))
    return [sentence for sentence in [*said, before, waits] if sentence]


def headline(forecast: pd.DataFrame, *, kept: pd.DataFrame | None = None) -> list[str]:
    """Sum up a forecast of places.

    Parameters
    ----------
    forecast : DataFrame
        As :func:`.balance.forecast` returns it.
    kept : DataFrame, optional
        As :func:`.views.shares_kept` returns it.

    Returns
    -------
    list of str
        The headline, then further sentences.
    """
    area = forecast["area"].iloc[0]
    year = min(forecast["origin"].iloc[0] + HORIZON, forecast["year"].max())
    rows = forecast[(forecast["year"] == year) & (forecast["kind"] == EVERY)].set_index("phase")
    whole = rows.loc["all"]
    more = (
        f"{whole['extra_80']:,} more than that would have been enough in 80 of 100 simulations"
        if whole["extra_80"]
        else "that was enough in 80 of 100 simulations or more"
    )
    out = [
        f"If placements are made as they have been, {area} will need "
        f"{whole['demand_low_80']:,.0f} to {whole['demand_high_80']:,.0f} specialist places in "
        f"January {year}, {_test(whole, ' a year ahead')}; {whole['demand']:,.0f} is the middle. "
        f"In use and announced are {whole['capacity']:,.0f}; {more}. Ranges of places have been "
        "tested one year ahead, not further."
    ]
    if kept is not None:
        every = (kept["year"] == year) & (kept["kind"] == EVERY) & (kept["phase"] == "all")
        out.append(
            "If children of each age were spread over kinds of school and other settings as in "
            "the latest January, the middle would be "
            f"{kept.loc[every, 'demand'].iloc[0]:,.0f}."
        )
    if whole["in_use"] < SMALL:
        out.append(
            f"So few children ({whole['in_use']:,.0f} in such places in the latest January) can be "
            "planned for by name: read the ranges as chance, not as need."
        )
    return [*out, _chances(forecast)]


def _waits(queue: pd.DataFrame, area: Area) -> str:
    """Say how many plans were in time, of how many, and what is open."""
    last = queue.iloc[-1]
    timed = tables.load("timeliness")
    timed = timed[(timed["area_code"] == last["area_code"]) & (timed["year"] == last["year"])]
    timed = timed[timed["exceptions"] == "excluded"].set_index("issued_within")["plans"]
    new = tables.load("new_plans")
    new = new[(new["area_code"] == last["area_code"]) & (new["year"] == last["year"])]
    new = new.loc[(new["age_band"] == "all") & new["plans"].notna(), "plans"]
    # Some returns count more plans in time or late than they have new ones.
    new = new[new >= timed["any time"]]
    doubt = caveats.doubt("new_plans", area, year=last["year"])
    out = (
        f"In {last['year']} {last['timely']:.0f} % of the plans in {area.name} whose time is "
        f"counted were issued within 20 weeks, {timed['20 weeks or less']:,} of "
        f"{timed['any time']:,}"
        + (f" (of {new.iloc[0]:,} new plans)" if len(new) and not doubt else "")
        + f"; {last['completed']:,.0f} "
        + ("assessment was completed" if last["completed"] == 1 else "assessments were completed")
    )
    if last["backlog"] >= 1:
        return (
            f"{out}. From these figures it is estimated that {last['backlog']:,.0f} more cases "
            "were open than if 90 % of plans had been in time."
        )
    return f"{out}. By these figures no more cases were open than if 90 % had been in time."


def _chances(forecast: pd.DataFrame) -> str:
    """Give places and chances of the first year ahead, for which such chances have been tested."""
    rows = _first(forecast)
    whole = rows.loc["all"]
    said = ", ".join(
        f"{phase.replace('all', 'all ages')} {chance(probability)}"
        for phase, probability in rows["probability"].dropna().items()
    )
    return f"In January {whole['year']} {_needed(whole)}." + (
        f" Chance that more are needed: {said}." if said else ""
    )


def _first(forecast: pd.DataFrame) -> pd.DataFrame:
    """Take all specialist places of the first January ahead, by phase, with the chances told."""
    rows = forecast[(forecast["kind"] == EVERY) & (forecast["horizon"] == 1)]
    return scored(rows).set_index("phase")


@reads.found
def year_before(area: Area) -> str:
    """Say what the range of places would have been a year earlier, and what came; "" if untested.

    Parameters
    ----------
    area : Area
    """
    try:
        rows = views.year_before(area)
    except MissingDataError:
        return ""
    rows = rows[rows["kind"] == EVERY].set_index("phase")
    if "all" not in rows.index:
        return ""
    row = rows.loc["all"]
    return (
        f"A year earlier it would have been {row['low_80']:,.0f} to {row['high_80']:,.0f}; "
        f"{row['needed']:,} were in use, {row['came']} that range."
    )


@reads.found
def recorded(area: Area) -> str:
    """Say that units went up or down faster than places are likely to; "" where they did not.

    Parameters
    ----------
    area : Area
    """
    plans = views.units(area)["plans"]
    moved = plans.diff().abs() > MOVED
    larger, smaller = np.fmax(plans, plans.shift()), np.fmin(plans, plans.shift())
    if not (moved & (larger > TIMES * smaller)).any():
        return ""
    counts = ", ".join(f"{count:,.0f} in {year}" for year, count in plans.items())
    return (
        f"Plans in SEN units and resourced provision in January: {counts}. They may have been "
        "recorded otherwise in one of these."
    )


def _needed(row: pd.Series) -> str:
    """Say how many places a January needs, and how many there are."""
    return f"{_range(row)} specialist places are likely to be needed, {_test(row)}; {_held(row)}"


def _range(row: pd.Series) -> str:
    """Write the 80 % interval of demand."""
    return f"{row['demand_low_80']:,.0f} to {row['demand_high_80']:,.0f}"


def _held(row: pd.Series) -> str:
    """Say how many places there are."""
    return f"{row['capacity']:,.0f} are in use and announced"


def _test(row: pd.Series, when: str = "") -> str:
    """Say of a range of all specialist places what the test of the year before showed of such."""
    skill = hindcast.skill()
    if row["demand"] < hindcast.SMALLEST or (EVERY, "all") not in skill.index:
        return "a range meant to hold four times in five, untested"
    inside = skill.loc[(EVERY, "all"), "inside"]
    return f"a range such as held in {inside:.0f} % of areas{when}"


def one_sided() -> str:
    """Say on which side of their ranges areas were, all ages."""
    rows = views.ranges()
    whole = rows[(rows["kind"] == EVERY) & (rows["phase"] == "all")].iloc[0]
    below, above = whole["areas_below"].round(), whole["areas_above"].round()
    found = (
        "more areas used fewer places than their range than used more"
        if below > above
        else "more areas used more places than their range than used fewer"
        if above > below
        else "as many areas used fewer places than their range as used more"
    )
    return (
        f"Of all specialist places, all ages, {found}: {below:.0f} % of {whole['areas']:.0f} areas "
        f"lay below it and {above:.0f} % above."
    )


def tested() -> str:
    """Say how chances of places of all kinds and ages did a year ahead."""
    row = hindcast.skill().loc[(EVERY, "all")]
    return (
        f"Such chances have been tested on one January, a year ahead, in {row['cases']:.0f} "
        f"authorities: more places were needed in {row['short']:.0f} % of them, and the chances "
        f"saved {100 * row['skill']:.0f} % (standard error {100 * row['skill_error']:.0f}) of the "
        "squared error of giving every authority that share. The less they save, the less they "
        "tell authorities apart."
    )


def chance(probability: float) -> str:
    """Write a chance, no surer than the test of a year ahead carries.

    Of the areas told more than 90 % fewer than nine in ten needed more places, and of those told
    99 % no more (docs/capacity.md): above 90 % the share of simulations says nothing further.
    """
    if probability > SUREST:
        return f"over {SUREST} %"
    return f"{max(probability, 1):.0f} %"


@reads.found
def things(area: Area) -> list[Tile]:
    """Return whether more specialist places are needed, and how many plans came in time.

    Returns
    -------
    list of Tile
        The places of a single authority only.
    """
    placed = [_places(area)] if area.level == "local authority" else []
    return [*placed, in_time(area)]


def _places(area: Area) -> Tile:
    """Places of the first January ahead, for which chances are tested; else why there are none."""
    try:
        forecast = views.forecast(area)
    except MissingDataError as error:
        year = caveats.latest("placements")
        why = str(error)
        if caveats.doubt("ehc_plans", area):
            why = f"None are forecast: the return of January {year} is flagged."
        return Tile("Specialist places needed", "none forecast", why, Figure(MORE_NEEDED))
    tile = places(forecast)
    anew = "Units may be recorded anew." if recorded(area) else ""
    return tile._replace(words=" ".join(filter(None, [tile.words, year_before(area), anew])))


def places(forecast: pd.DataFrame) -> Tile:
    """Say how sure it is that more places are needed; `forecast` as :func:`views.forecast`.

    Returns
    -------
    Tile
        With the chance of the first January ahead where such chances have been shown to tell
        something, else with the range alone.
    """
    rows = forecast[(forecast["kind"] == views.EVERY) & (forecast["phase"] == "all")]
    row = views.scored(rows).iloc[0]
    if pd.isna(row["probability"]):
        return Tile(
            f"Specialist places needed in January {row['year']}",
            _range(row),
            f"{_test(row).capitalize()}; {_held(row)}. No chance is given ({row['unsaid']}).",
            Figure(MORE_NEEDED),
        )
    return Tile(
        chance_in(row["year"]),
        chance(row["probability"]),
        f"{_needed(row)}.",
        Figure(MORE_NEEDED, float(row["probability"]), reads.of(forecast)),
    )


def chance_in(year: int) -> str:
    """Name the chance of a January."""
    return f"Chance that more specialist places are needed in January {year}"


@reads.found
def in_time(area: Area) -> Tile:
    """Say how many plans were issued within 20 weeks of all that count, beside England."""
    times = series.timeliness(area)
    doubt = caveats.doubt("timeliness", area, category=series.IN_TIME)
    last = times[times["year"] == caveats.latest("timeliness")].set_index("role")
    label = f"EHC plans issued within 20 weeks in {caveats.latest('timeliness')}"
    if doubt or "area" not in last.index:
        return Tile(label, "not told", doubt or "None was issued that is counted.")
    own = last.loc["area"]
    said = f"{own['share']:.0f} % of the plans counted"
    if area != areas.ENGLAND:
        said += f", in England {last.loc['england', 'share']:.0f} %"
    said += "; those with a statutory exception are not."
    return Tile(label, f"{own['in_time']:,} of {own['issued']:,}", said)
