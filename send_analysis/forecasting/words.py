"""What a forecast says, in sentences: every number is read off a result."""

from __future__ import annotations

from send_analysis import areas, caveats, reads
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.forecasting import charts, outlook, scoring, views
from send_analysis.forecasting.scoring import HORIZON
from send_analysis.growth import series
from send_analysis.show.chart import Chart, Tile, small

SMALL = 100  # plans: smaller areas are left out of the averages of errors


@reads.found
def headline(area: Area, horizon: int = 5) -> list[str]:
    """Say what is forecast, and how sure it is.

    Returns
    -------
    list of str
        The headline, then sentences; no forecast where the latest return is flagged.
    """
    doubt = caveats.doubt("ehc_plans", area)
    if doubt:
        return [doubt]
    last = outlook.fan(area, horizon).iloc[-1]
    error, life = tested()
    few = (
        f" {last['area']} is smaller: its range is the answer, not its middle."
        if last["median"] < SMALL
        else ""
    )
    points = [
        f"{last['area']} is likely to have {last['low_80']:,.0f} to {last['high_80']:,.0f} EHC "
        f"plans in January {last['year']}, a range meant to hold four times in five; "
        f"{last['median']:,.0f} is the middle.",
        caveats.doubt("requests", area),
        error + few,
        life,
        _of_england() if area == areas.ENGLAND else "",
        hindsight(area),
        "All of it holds only while the law and the way authorities work stay as they are.",
    ]
    return [point for point in points if point]


def tested() -> list[str]:
    """Say how good the method was on the years that took no part in choosing it.

    Returns
    -------
    list of str
        How far it missed, and how many years ahead a forecast is of use.
    """
    rows = outlook.bar()
    name = rows["outcomes"].iloc[-1]
    rows = rows[rows["outcomes"] == name].set_index("horizon")
    near, far = rows.iloc[0], rows.iloc[-1]
    count = f"{near['forecasts']:.0f}"
    if near["forecasts"] != far["forecasts"]:
        count += f" and {far['forecasts']:.0f}"
    life = [_years(scoring.shelf_life(rows[f"{who}within_10"])) for who in ("", "compound_")]
    return [
        f"Tested on January {name.split(',')[0].replace('–', ' to ')}, which took no part in "
        f"choosing it, the method missed by {near['mape']:.1f} % on average a year ahead and by "
        f"{far['mape']:.1f} % {_years(rows.index[-1])} ahead ({count} forecasts of authorities "
        f"above {SMALL} plans); continuing five years' compound growth missed by "
        f"{near['compound_mape']:.1f} and {far['compound_mape']:.1f} %.",
        f"Up to {life[0]} ahead at least four in five of these forecasts were less than "
        f"{scoring.NEAR} % off; with compound growth, up to {life[1]} ahead.",
    ]


def _years(count: int) -> str:
    """Spell a small number of years."""
    number = ("no", "one", "two", "three", "four", "five")[count]
    return f"{number} year{'' if count == 1 else 's'}"


def _of_england() -> str:
    """Say how often England's own range held, on the same Januaries."""
    rows = scoring.england(first=scoring.CHOSEN_FROM)
    rows = rows[rows["year"] > scoring.CHOSEN_TO]
    held = rows["observed"].between(rows["low_80"], rows["high_80"]).sum()
    return (
        f"England's own 80 % range, which is narrower than theirs, held in {held} of "
        f"{len(rows)} forecasts of the same Januaries."
    )


@reads.found
def hindsight(area: Area) -> str:
    """Say what the method would have forecast for an area from an earlier January.

    Returns
    -------
    str
        A sentence; empty where the area has no figures of its own that far back, or where the
        series breaks in between.
    """
    as_of = series.COMPARABLE
    try:
        last = outlook.then_and_now(area, as_of).dropna(subset="compound").iloc[-1]
    except MissingDataError:
        return ""
    if series.broken(area, start=as_of, end=int(last["year"])):
        return ""
    inside = last["low_80"] <= last["published"] <= last["high_80"]
    return (
        f"From January {as_of}, with what was published by then, it would have said "
        f"{last['low_80']:,.0f} to {last['high_80']:,.0f} for {last['area']} in January "
        f"{last['year']:.0f}, four times in five; {last['published']:,.0f} were published, "
        f"{'inside' if inside else 'outside'} that range. "
        f"{'' if as_of > scoring.CHOSEN_TO else chosen_later()}"
    ).strip()


def chosen_later() -> str:
    """Say that a forecast from an early January has been made with numbers chosen afterwards."""
    return (
        f"The numbers of the method were chosen by outcomes to January {scoring.CHOSEN_TO}, so "
        "this shows how it works and is no test."
    )


def left_out() -> str:
    """Say which areas' latest returns are in doubt, so that no score is made from them."""
    flagged = caveats.flagged("ehc_plans", caveats.latest("ehc_plans"))
    said = " ".join(caveats.doubt("ehc_plans", Area(code)) for code in flagged.index)
    return f"Left out: {said}" if said else ""


@reads.found
def things(area: Area) -> list[Tile | Chart]:
    """Return the forecast as a figure and a small chart; of a flagged return, why there is none."""
    year = caveats.latest("ehc_plans")
    label = f"EHC plans forecast for January {year + HORIZON}"
    if caveats.doubt("ehc_plans", area):
        return [Tile(label, "none", f"The return of January {year}, where it starts, is flagged.")]
    frame = views.ahead(area, HORIZON)
    last = frame.iloc[-1]
    now = frame.loc[frame["year"] == last["origin"], "published"].iloc[0]
    low, high = (100 * (last[end] / now - 1) for end in ("low_80", "high_80"))
    return [
        Tile(
            label,
            f"{last['low_80']:,.0f} to {last['high_80']:,.0f}",
            f"{low:+.0f} to {high:+.0f} %: a range meant to hold four times in five, while the "
            "law and the way authorities work stay as they are.",
        ),
        small(charts.fan(frame)),
    ]
