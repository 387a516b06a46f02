"""Why demand grew, in sentences: every number is read off a result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, SendAnalysisError
from send_analysis.growth import charts, decomposition, panel, series, stages, views
from send_analysis.show import map as maps
from send_analysis.show.chart import Chart, Tile, small

ASKED = "requests per 1,000 residents"
# Measure → how it is said of an area.
SAID = {
    ASKED: "requests for an assessment per 1,000 residents aged 0 to 25",
    stages.SHARE_ASSESSED: "per cent of requests decided were assessed",
    "assessments ending in a plan": "per cent of assessments decided ended in a plan",
    "new plans per 1,000 residents": "new plans per 1,000 residents aged 0 to 25",
    "plans ceased": "per cent of plans ended in the year or went to another authority",
}

# No plan begins without an assessment: in 49 of 50 authorities new plans are at most a tenth more
# than the assessments that are counted as ended in one.
MORE_BEGAN = 1.15
DECIDED = 0.85  # of requests; in England 92 %
TOO_FEW = f"It is not ranked by growth: it had fewer than {series.SMALLEST} plans."


@reads.found
def causes(area: Area) -> list[str]:
    """Sum up why an area's plans grew and whether they grew differently from England's.

    Returns
    -------
    list of str
        A sentence or two each; what an area has no figures for is left out.
    """
    start, end = views.period(area)
    out = []
    for say in (_parts, _requests, _beyond_chance):
        try:
            out += filter(None, [say(area, start, end)])
        except SendAnalysisError:
            continue
    return out


def _parts(area: Area, start: int, end: int) -> str:
    """The decomposition, with its range where it leans on an estimate."""
    if series.broken(area, start=start, end=end):
        return ""
    words = parts(views.decompose(area))
    off = views.sensitivity(area)
    share = off[off["component"] == "prevalence"].set_index("variant")["plans"]
    if not set(decomposition.EDGES) <= set(share.index):
        return words
    low, high = sorted(share[list(decomposition.EDGES)])
    return (
        f"{words} Residents of mid-{end - 1} are estimated: allowing for that, the share "
        f"with a plan at the same age accounts for {low:+,.0f} to {high:+,.0f}."
    )


def _requests(area: Area, start: int, end: int) -> str:
    """Requests and how many are assessed, the last year."""
    return " ".join(ratios_in_words(views.ratios(area))[:2])


def _beyond_chance(area: Area, start: int, end: int) -> str:
    """The panel model."""
    return beyond_chance(panel.growth_ratios(area, start=start, end=end))


def ratios_in_words(result: pd.DataFrame) -> list[str]:
    """Say where an area's ratios stand in the last year, and whether a year could put them there.

    Parameters
    ----------
    result : DataFrame
        What :func:`.stages.ratios` returns.

    Returns
    -------
    list of str
        A sentence a measure; for flagged figures one that says so.
    """
    sentences = []
    (code,) = result.loc[result["role"] == "area", "area_code"].unique()
    end = int(result["year"].max())
    flags = [
        caveats.doubt(table, Area(code), year=end, category=category)
        for table, category, _ in stages.MEASURES.values()
    ]
    for measure, words in SAID.items():
        rows = result[result["measure"] == measure]
        rows = rows[rows["year"] == rows["year"].max()].set_index("role")
        if not {"area", "england"} <= set(rows.index):
            continue
        own, england = rows.loc["area"], rows.loc["england"]
        if own["low"] > england["value"]:
            verdict = "above England by more than the ordinary ups and downs of a year"
        elif own["high"] < england["value"]:
            verdict = "below England by more than the ordinary ups and downs of a year"
        else:
            verdict = "a year's ordinary ups and downs could be the whole difference"
        text = (
            f"{own['area']} in {own['year']}: {own['value']:.1f} {words}, in England "
            f"{england['value']:.1f}: {verdict} (95 % interval {own['low']:.1f} to "
            f"{own['high']:.1f})"
        )
        unsaid = (
            measure == stages.SHARE_ASSESSED
            and not stages.told(rows.reset_index().query("role == 'area'")).all()
        )
        if unsaid:
            asked, decided = (
                _own(result, own["year"])["numerator"].get(ASKED, np.nan),
                own["denominator"],
            )
            sentences.append(
                f"{own['area']} in {own['year']}: of {asked:,.0f} requests {asked - decided:,.0f} "
                "had no decision yet or were withdrawn, too many for the share of the others that "
                "were assessed to be set against England's."
            )
            continue
        if not pd.isna(own["rank"]):
            shared = f", shared with {own['level']} more" if own["level"] else ""
            text += f", place {own['rank']} of {own['ranked']}{shared}, the highest first"
        sentences.append(f"{text}.{_lacking(result, measure, own['year'])}")
    return [*sentences, *list(filter(None, flags))[:1]]


def _own(result: pd.DataFrame, year: int) -> pd.DataFrame:
    """Take the area's own ratios of a year, by measure."""
    return result[(result["role"] == "area") & (result["year"] == year)].set_index("measure")


def _lacking(result: pd.DataFrame, measure: str, year: int) -> str:
    """Say what the counts behind an area's share lack, where others of the same year show it."""
    rows = _own(result, year)
    above, below = rows["numerator"], rows["denominator"]
    began, asked = (above.get(name, np.nan) for name in ("new plans per 1,000 residents", ASKED))
    if measure == "assessments ending in a plan" and began > MORE_BEGAN * above[measure]:
        return (
            f" But {began:,.0f} plans began in that year, and {above[measure]:,.0f} assessments "
            "are counted as ended in one: some may be missing."
        )
    if measure == stages.SHARE_ASSESSED and below[measure] < DECIDED * asked:
        return (
            f" Of {asked:,.0f} requests {asked - below[measure]:,.0f} had no decision yet or were "
            "withdrawn, and are not in that."
        )
    return ""


@reads.found
def grew(area: Area) -> list[str]:
    """Sum up the growth of an area against England, chance and its population.

    Returns
    -------
    list of str
        The headline, then further sentences; what an area has no figures for is left out, and
        so is what leans on a flagged return or goes across a break in the series.
    """
    start, end = series.COMPARABLE, series.latest(area)
    ranked = series.growth(start, end).set_index("area_code")
    unit = area if area in ranked.index else area.footprint
    doubt = caveats.doubt("ehc_plans", unit, year=end)
    if doubt:
        return [doubt, *filter(None, [area.history])]
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
            + (f", in England {national['growth']:+.0f} %." if area != areas.ENGLAND else ".")
        )
        if not pd.isna(own["rank"]):
            out.append(
                f"By growth that is place {own['rank']} of {own['areas']}, the fastest first."
            )
        elif not pd.isna(own["areas"]):
            out.append(TOO_FEW)
        if own["plans_end"] < series.SMALLEST:
            out.append(
                f"With {own['plans_end']:,} plans one child more or fewer moves every percentage, "
                "rate and rank on this page: read the numbers of children."
            )
    newest = series.latest()
    if end == series.latest(area) < newest:
        out.append(caveats.doubt("ehc_plans", unit, year=newest))
    out += filter(None, [area.history])
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
    since = max(start, area.first_year)
    try:
        band = series.by("age band", area, start=since, end=end)
    except MissingDataError as error:
        return [*out, str(error)]
    band = band[band["area_code"] == area]
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


def parts(result: pd.DataFrame) -> str:
    """Say in two sentences what a decomposition of one area found.

    Parameters
    ----------
    result : DataFrame
        What :func:`decomposition.decompose` returns for one area.
    """
    row = result.iloc[0]
    whole = result[result["age_band"] == "all"].set_index("component")["plans"]
    change = whole["all"]

    def effect(component: str) -> str:
        """One component as "added 12" or "took away 3"."""
        plans = round(whole[component])
        return f"added {plans:,}" if plans >= 0 else f"took away {-plans:,}"

    verb = "rose" if change >= 0 else "fell"
    share = "larger" if whole["prevalence"] >= 0 else "smaller"
    text = (
        f"From January {row['start']} to January {row['end']} plans in {row['area']} {verb} by "
        f"{abs(round(change)):,}. A {share} share of children of the same age with a plan "
        f"{effect('prevalence')}; the number of children and young people "
        f"{effect('population size')}; the change in their ages {effect('age structure')}."
    )
    rest = round(whole["age not recorded"])
    if rest:
        text += f" For {abs(rest):,} plans of the change no age is recorded."
    said = result.loc[result["component"] == "prevalence", "caveat"].iloc[0]
    return f"{text} {_alike(row, said)}" if said else text


def _alike(row: pd.Series, said: str) -> str:
    """Say what the parts would be, were ages counted alike at both ends."""
    alike = decomposition.decompose(
        row["area_code"], start=row["start"], end=row["end"], ages="in January", whole=True
    )
    alike = alike[alike["age_band"] == "all"].set_index("component")["plans"]
    parts = ", ".join(
        f"{alike[name]:+,.0f}" for name in ("prevalence", *decomposition.COMPONENTS[:2])
    )
    return (
        f"By age {said}; restated so that ages are counted alike, as far as that can be inferred, "
        f"the three are {parts}."
    )


def beyond_chance(result: pd.DataFrame) -> str:
    """Say for a councillor how one area's growth compares, and how sure that is.

    Parameters
    ----------
    result : DataFrame
        One row of what :func:`.panel.growth_ratios` returns.
    """
    row = result.iloc[0]
    others = {"england": "England", "region": "its region", "neighbours": "its ten neighbours"}
    them = others[row["against"]]
    way = panel.ways(result).iloc[0]
    verdict = (
        f"That is {way} than {them} by more than chance explains"
        if way
        else f"That is no clear difference from {them}"
    )

    def count(plans: float) -> str:
        """A number of plans as "12 more" or "12 fewer"."""
        return f"{abs(round(plans)):,} {'more' if plans >= 0 else 'fewer'}"

    counts = series.totals([Area(row["area_code"])]).set_index("year")["plans"]
    place = (
        ""
        if counts[[row["start"], row["end"]]].min() < series.SMALLEST
        else f" With chance allowed for it ranks {ordinal(row['rank'])} of {row['ranked']} areas, "
        f"but it could be anywhere from {ordinal(row['rank_low'])} to {ordinal(row['rank_high'])}."
    )
    missing = row["end"] - row["start"] - row["years"]
    left_out = f" ({missing} years that look like faults of the return left out)" if missing else ""
    return (
        f"Plans in {row['area']} grew by {row['growth']:.1f} % a year from January {row['start']} "
        f"to January {row['end']}{left_out}, in {them} by {row['growth_others']:.1f} %. "
        f"{verdict}: in an area of this size a year's growth strays by about "
        f"{row['chance']:.1f} percentage points for no lasting reason. Allowing for that, anything "
        f"from {count(row['more_low'])} to {count(row['more_high'])} plans than with the growth "
        f"of {them} is in keeping with the figures.{place}"
    )


def ordinal(number: int) -> str:
    """A number as 1st, 2nd, 3rd, 11th."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


def breaks_tested(result: pd.DataFrame) -> list[str]:
    """Say for a councillor what each test found, one sentence a row.

    Parameters
    ----------
    result : DataFrame
        What :func:`breaks` returns.
    """
    events = {
        "reforms": "the reforms of September 2014",
        "pandemic": "the pandemic of 2020",
        "person-level return": "the person-level return",
    }
    sentences = []
    for row in result.to_dict("records"):
        beside = f"relative to {row['against']}'s, " if row["against"] else ""
        verbs = ("gained", "lost") if beside else ("grew by", "fell by")
        event, around = events[row["what"]], row["januaries_before"]
        before, after = (
            f"{verbs[row[end] < 0]} {abs(row[end]):.1f} %" for end in ("before", "after")
        )
        span = (
            f"{after} to January {row['januaries_after']}, the first of {event}, and {before} a "
            f"year around it (to the Januaries {around})"
            if row["measured"] == "one-off change"
            else f"{before} a year before {event} (to the Januaries {around}) and {after} a year "
            f"after (to {row['januaries_after']})"
        )
        clear = row["p"] < 0.05  # the usual one in twenty
        found = "a change that chance does not explain" if clear else "no clear change"
        text = f"{beside}plans in {row['area']} {span}: {found} (p = {row['p']:.2g})."
        sentences.append(text[0].upper() + text[1:])
    return sentences


@reads.found
def things(area: Area) -> list[Tile | Chart]:
    """Return figures that answer "so what", and small charts.

    Returns
    -------
    list of Tile or Chart
        Plans and their growth; the place among authorities (of a region none); growth drawn; where
        the area is, of England growth on the map.
    """
    grown = series.indexed(area)
    out = [_plans(area, grown), _place(area, grown), small(charts.indexed(grown))]
    if area == areas.ENGLAND:
        out.append(_everywhere(area))
    return [thing for thing in [*out, *maps.located(area)] if thing]


def _plans(area: Area, grown: pd.DataFrame) -> Tile:
    """Plans in the latest January, and how they grew: on the unbroken footprint if need be."""
    start, end = series.COMPARABLE, series.latest(area)
    count = series.totals([area]).set_index("year")["plans"][end]
    label, value = f"EHC plans in January {end}", f"{count:,}"
    last = grown[grown["year"] == end].set_index("role")
    own = last.loc["area"]
    why = series.broken(own["area_code"], start=start, end=end)
    if why:
        return Tile(label, value, why)
    said = f"{own['index'] - 100:+.0f} % since January {start}"
    if area != areas.ENGLAND:
        said += f"; in England {last.loc['england', 'index'] - 100:+.0f} %"
    if own["area_code"] != area:
        said = f"With {_others(area, own['area_code'])}, as before boundaries changed: {said}"
    return Tile(label, value, f"{said}.")


def _others(area: Area, unit: str) -> str:
    """Name the authorities that an area's growth is counted together with."""
    return " and ".join(areas.name(one) for one in unit.split("+") if one != area)


def _place(area: Area, grown: pd.DataFrame) -> Tile | None:
    """Place of an area by growth, and how many have a plan; of England the two ends."""
    end = series.latest(area)
    ranked = series.growth(series.COMPARABLE, end).set_index("area_code")
    since = f"growth since January {series.COMPARABLE}"
    if area == areas.ENGLAND:
        placed = ranked.dropna(subset="areas")
        high, low = placed.iloc[0], placed.iloc[-1]
        middle = " and ".join(f"{end:+.0f}" for end in placed["growth"].quantile([0.25, 0.75]))
        words = (
            f"From {low['area']} to {high['area']}, half of them between {middle} %. Authorities "
            "whose boundaries changed are counted together."
        )
        value = f"{low['growth']:+.0f} to {high['growth']:+.0f} %"
        return Tile(f"Between {len(placed)} areas, {since}", value, words)
    if area.level != "local authority":
        return None
    label = f"Place among England’s areas by {since}"
    code = grown.loc[grown["role"] == "area", "area_code"].iloc[0]
    row = ranked.reindex([code]).iloc[0]
    rates = series.rates(area)
    last = rates[rates["year"] == end].drop_duplicates("role").set_index("role")["rate"]
    people = (
        f"{last['area']:.0f} of 1,000 residents aged 0 to 25 have a plan; in England "
        f"{last['england']:.0f}."
    )
    if pd.isna(row["areas"]):
        return Tile(label, "not ranked", "Its growth cannot be told.")
    if pd.isna(row["rank"]):
        return Tile(label, "not ranked", f"{TOO_FEW} {people}")
    both = "" if code == area else f", counted with {_others(area, code)}"
    sure = panel.growth_ratios(area, start=series.COMPARABLE, end=end).iloc[0]
    words = (
        f"The fastest is 1{both}; by chance (95 %) {ordinal(sure['rank_low'])} to "
        f"{ordinal(sure['rank_high'])}. {people}"
    )
    return Tile(label, f"{row['rank']} of {row['areas']}", words)


def _everywhere(area: Area) -> Chart:
    """Growth of every authority on the map."""
    start, end = series.COMPARABLE, series.latest(area)
    what = f"Growth in plans, January {start} to {end}, %"
    return small(maps.map(views.ranked(area), "growth", what=what, form="+,.0f"), 4.9, 4.2)
