"""How a claim is tested: which figures each kind of test looks up, in every window there is.

A function for each kind turns a claim's ``test`` (whose keys are checked in `forms`) into
*definitions*: a series for every area and the window that the claim means. One engine then computes
levels, changes or places in an order, of which one window is *plain* and others are *readings*,
both fixed before a figure is seen; the rest are *exploratory*. The kinds are listed in
:data:`TESTS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, tables
from send_analysis.definitions import number
from send_analysis.definitions import words as in_words
from send_analysis.errors import MissingDataError
from send_analysis.evidence import forms
from send_analysis.forms import Form
from send_analysis.tables import first_published
from send_analysis.waits import changes

PLAIN, READING, EXPLORATORY = "plain", "reading", "exploratory"
# A further role, `nearest`, has no part in a verdict: figures of a wider place than the claim's.
FOUND = ["role", "window", "definition", "official", "table", "rows", "published", "broken"]
AROUND = 4  # years before a window that breaks: enough to see what the series was
IN_JANUARY = {"ehc_plans", "ehc_plans_by_age", "placements", "pupils"}  # whose year is a January


class Definition(NamedTuple):
    """One way to count: its figures for every place and time, and the window that is meant."""

    words: str
    table: str
    role: str  # of its own window; all others are exploratory
    window: tuple  # of one time, or of first and last
    value: pd.DataFrame  # places x times
    number: pd.DataFrame | None = None  # what is counted, where `value` is a share of `of`
    of: pd.DataFrame | None = None
    places: tuple[str, ...] = ()  # among which a place in the order is taken; all if empty
    series: tuple[tuple[str, str], ...] = ()  # tables and categories that it rests on


def _select(table: str, where: dict) -> pd.DataFrame:
    """Rows of a table that a test names; a list means any of its values."""
    frame = tables.load(table)
    for column, wanted in where.items():
        if column == "area":
            column = "area_code"
        values = wanted if isinstance(wanted, list) else [wanted]
        if pd.api.types.is_datetime64_any_dtype(frame[column]):
            values = pd.to_datetime(values)
        frame = frame[frame[column].isin(values)]
    return frame


def _sums(table: str, value: str | None, where: dict) -> pd.DataFrame:
    """Sum of a column by place and time; missing where a part of it is."""
    key = json.dumps([table, value, where], default=str, sort_keys=True)
    return _remembered_sums(key)


@tables.remembered
def _remembered_sums(key: str) -> pd.DataFrame:
    """Sums of :func:`_sums`, by its arguments as JSON."""
    table, value, where = json.loads(key)
    fields = forms.columns(table)
    in_key = tables.resource(table)["schema"]["primaryKey"]
    value = value or next(n for n, field in fields.items() if "unit" in field and n not in in_key)
    place = "area_code" if "area_code" in fields else "organisation_code"
    rows = _select(table, where)
    by = [rows[place], rows["month" if "month" in fields else "year"]]
    number = rows[value].astype("Float64").astype(float)
    known = number.notna().groupby(by)
    # Two services of the waiting lists have no bands; what is not collected is left out of a sum.
    whole = known.any() if "month" in fields else known.all()
    out = number.groupby(by).sum().where(whole).unstack()
    if place == "area_code" and areas.ENGLAND not in out.index and len(out):
        local = tables.load("areas").query("level == 'local authority'")["area_code"]
        out.loc[areas.ENGLAND] = out.loc[out.index.isin(local)].sum(min_count=1)
    return out


def _series(table: str, where: dict) -> tuple[tuple[str, str], ...]:
    """Table and categories that a selection of rows rests on, as breaks in series name them."""
    key = tables.resource(table)["schema"]["primaryKey"]
    columns = [column for column in key if column not in {"area_code", "year"}]
    if "year" not in key or not columns:
        return ()
    named = {column: wanted for column, wanted in where.items() if column in columns}
    rows = _select(table, named)[columns].drop_duplicates().astype(str)
    return tuple((table, category) for category in rows.agg(" / ".join, axis=1))


def _counted(part: dict, role: str, window: tuple, places: tuple[str, ...] = ()) -> Definition:
    """Definition of a series that a test describes with its keys."""
    number = _sums(part["table"], part.get("value"), part["where"])
    value, of = number, None
    series = _series(part["table"], part["where"])
    if part.get("over"):
        over = part["over"]
        of = _sums(over.get("table", part["table"]), over.get("value"), over["where"])
        series += _series(over.get("table", part["table"]), over["where"])
        if over["years_before"]:
            of = of.set_axis(of.columns + over["years_before"], axis=1)
        of = of.reindex_like(number)
        value = part["per"] * number / of.where(of >= part.get("at_least", 1e-9))
    return Definition(
        forms.worded(part), part["table"], role, window, value,
        number if of is not None else None, of, places, series,
    )  # fmt: skip


def _parts(test: dict) -> Iterable[tuple[str, dict]]:
    """The plain series of a test and its readings, each with its role and all its keys."""
    yield PLAIN, test
    for reading in test.get("readings", []):
        yield READING, {**test, **reading}


def _level(test: dict) -> list[Definition]:
    """Definitions of the kind `level`: one time each."""
    return [
        _counted(part, role, (part["year"] if "year" in part else pd.Timestamp(part["month"]),))
        for role, part in _parts(test)
    ]


def _change(test: dict) -> list[Definition]:
    """Definitions of the kind `change`: two years each."""
    return [_counted(part, role, (part["start"], part["end"])) for role, part in _parts(test)]


def _rank(test: dict) -> list[Definition]:
    """Definitions of the kind `rank`: places among the authorities of a region or of England."""
    among = areas.current()
    if test["among"] != areas.ENGLAND:
        among = [one for one in among if one.region == test["among"]]
    return [_counted(part, role, (part["year"],), tuple(among)) for role, part in _parts(test)]


ISSUED = {"issued_within": "20 weeks or less"}, {"issued_within": "any time"}


def _timeliness(test: dict) -> list[Definition]:
    """Definitions of the kind `timeliness`: with and without exceptions."""
    return [
        _counted(
            {
                "table": "timeliness",
                "where": {"exceptions": exceptions, **ISSUED[0]},
                "over": {"where": {"exceptions": exceptions, **ISSUED[1]}, "years_before": 0},
                "per": 100,
            },
            role,
            (test["year"],),
        )
        for role, exceptions in ((PLAIN, "excluded"), (READING, "included"))
    ]


def _growth(test: dict) -> list[Definition]:
    """Definitions of the kind `growth`: plans by what counts as one."""
    total = _sums("ehc_plans", "plans", {"age_band": "all"})
    rows = tables.load("ehc_plans").query("age_band == 'all'")
    statements = rows.pivot(index="area_code", columns="year", values="statements").astype(float)
    new = _sums("new_plans", "plans", {"age_band": "all"})
    bands = ["under 5", "5-10", "11-15", "16-19"]
    young = _sums("ehc_plans", "plans", {"age_band": bands[:3]})
    under_20 = _sums("ehc_plans", "plans", {"age_band": bands})
    start, end = test["start"], test["end"]
    january, before = (start, end), (start - 1, end - 1)
    held, made = (in_words(table, {"age_band": "all"}) for table in ("ehc_plans", "new_plans"))
    found = [
        (held, "ehc_plans", PLAIN, january, total),
        (f"{held} and {made} after it", "ehc_plans, new_plans", READING, before, total + new),
        (f"{held}, statements left out", "ehc_plans", EXPLORATORY, january,
         (total - statements.fillna(0)).loc[:, 2015:]),
        (in_words("ehc_plans", {"age_band": bands[:3]}), "ehc_plans", EXPLORATORY, january, young),
        (in_words("ehc_plans", {"age_band": bands}), "ehc_plans", EXPLORATORY, january, under_20),
        (made, "new_plans", EXPLORATORY, before, new),
    ]  # fmt: skip
    rest = [
        (("ehc_plans", "all"),), (("ehc_plans", "all"), ("new_plans", "all")),
        (("ehc_plans", "all"),), _series("ehc_plans", {"age_band": bands[:3]}),
        _series("ehc_plans", {"age_band": bands}), (("new_plans", "all"),),
    ]  # fmt: skip
    return [
        Definition(*one)._replace(series=series) for one, series in zip(found, rest, strict=True)
    ]


class Windows(NamedTuple):
    """Every window of a definition, and the figure of every place in each."""

    windows: list[tuple]
    figures: pd.DataFrame


def _windows(definition: Definition, mode: str) -> Windows:
    """Compute the figures of every window of a definition."""
    value = definition.value
    if mode == "change":
        known = value.notna().any().to_numpy()
        value = value.loc[:, known]
        first, last = np.triu_indices(value.shape[1], k=1)
        numbers = value.to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            figures = 100 * (numbers[:, last] / numbers[:, first] - 1)
        figures[~np.isfinite(figures)] = np.nan
        times = list(value.columns)
        windows = [(times[i], times[j]) for i, j in zip(first, last, strict=True)]
        return Windows(windows, pd.DataFrame(figures, index=value.index))
    if mode in {"highest first", "lowest first"}:
        value = value[value.index.isin(definition.places)]
        value = value.rank(ascending=mode == "lowest first", method="min")
    windows = [(time,) for time in value.columns]
    return Windows(windows, value.set_axis(range(value.shape[1]), axis=1))


def _roles(definition: Definition, windows: list[tuple], said: str | None) -> list[str]:
    """Say of every window what part it plays, from the claim alone and not from a figure."""
    roles = dict.fromkeys(windows, EXPLORATORY)
    if definition.role == PLAIN:
        roles |= dict.fromkeys(_known_window(definition, said), READING)
    roles[definition.window] = definition.role
    return [roles[window] for window in windows]


def _known_window(definition: Definition, said: str | None) -> list[tuple]:
    """Latest window that had been published when a claim was made, if its own had not."""
    table = definition.table.split(",")[0]
    own = first_published(table, definition.window[-1])
    if said is None or own is None or own <= said:
        return []
    earlier = [tuple(_earlier(time, back) for time in definition.window) for back in range(1, 10)]
    months = [first_published(table, window[-1]) for window in earlier]
    known = [window for window, month in zip(earlier, months, strict=True) if month]
    return [window for window in known if first_published(table, window[-1]) <= said][:1]


def _earlier(time: int | pd.Timestamp, back: int) -> int | pd.Timestamp:
    """Return a time some years, or months, before."""
    return time - pd.DateOffset(months=back) if isinstance(time, pd.Timestamp) else time - back


def _found(definitions: list[Definition], mode: str, place: str, said: str | None) -> pd.DataFrame:
    """Every figure of one place, with its role and the numbers behind it."""
    parts = []
    for definition in definitions:
        windows, figures = _windows(definition, mode)
        if place not in figures.index:
            continue
        official = figures.loc[place].to_numpy(dtype=float)
        role = _roles(definition, windows, said)
        there = np.flatnonzero(~np.isnan(official))
        table = definition.table.split(",")[0]
        parts.append(pd.DataFrame({
            "role": [role[i] for i in there],
            "window": [_window_words(windows[i], table, definition) for i in there],
            "definition": definition.words,
            "official": official[there],
            "table": definition.table,
            "rows": [_rows(definition, windows[i], place, figures[i]) for i in there],
            "published": [first_published(table, windows[i][-1]) or "" for i in there],
            "broken": _broken(definition, [windows[i] for i in there], mode, place),
        }))  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=FOUND)
    found = pd.concat(parts, ignore_index=True)
    # A reading of another year has the same definition: each window of it is one figure.
    order = found["role"].map([PLAIN, READING, EXPLORATORY].index).sort_values(kind="stable").index
    once = found.loc[order].drop_duplicates(["definition", "window"])
    return once.sort_index().reset_index(drop=True)


def _broken(definition: Definition, windows: list[tuple], mode: str, place: str) -> list[str]:
    """Say of each window why its figure certifies nothing: a break in it, or a flagged return."""
    said = pd.Series("", index=range(len(windows)), dtype="str")
    if mode != "change":
        years = [window[0] for window in windows]
        for table, category in definition.series:
            flagged = [caveats.flagged(table, year, category=category) for year in years]
            said = said.where(said != "", [found.get(place, "") for found in flagged])
        return said.tolist()
    frame = pd.DataFrame(windows, columns=["start", "end"]).assign(area_code=place)
    for table, category in definition.series:
        why = caveats.crossed(frame, table, frame["start"], frame["end"], category=category)
        said = said.where(said != "", why)
    return said.tolist()


def _window_words(window: tuple, table: str, definition: Definition) -> str:
    """Write a window as people do."""
    if isinstance(window[0], pd.Timestamp):
        return "end of " + " to ".join(f"{time:%B %Y}" for time in window)
    january = table in IN_JANUARY and "calendar year" not in definition.words
    if january:
        return " to ".join(f"January {time}" for time in window)
    return "calendar year " + " to ".join(map(str, window))


def _rows(definition: Definition, window: tuple, place: str, figures: pd.Series) -> str:
    """Write the numbers behind a figure as the table has them."""
    words = []
    for time in window:
        if definition.of is None:
            words.append(number(definition.value.at[place, time]))
        else:
            parts = (frame.at[place, time] for frame in (definition.number, definition.of))
            words.append(" of ".join(map(number, parts)))
    if definition.places:
        value, form = definition.value[window[0]], number
        if definition.of is not None:
            form = "{:,.2f}".format  # neighbours in an order are often closer than a tenth
            words[0] = f"{form(value[place])} ({words[0]})"
        beside = _beside(value, figures, place, form)
        return f"{words[0]}{beside}, {figures.notna().sum()} authorities with a figure"
    return " → ".join(words) + _alike(definition, window, place)


def _beside(value: pd.Series, places: pd.Series, place: str, form: Callable[[float], str]) -> str:
    """Say how near the authorities are that come next before and after a place in an order."""
    value, own = value.reindex(places.index), places[place]
    found = [("before", places[places < own].max()), ("after", places[places > own].min())]
    return "".join(
        f", {form(value[places == rank].iloc[0])} next {way} it"
        for way, rank in found
        if pd.notna(rank)
    )


def _alike(definition: Definition, window: tuple, place: str) -> str:
    """Give England's share without authorities that are in its number, and not in what it is of."""
    if definition.of is None or place != areas.ENGLAND or len(window) > 1:
        return ""
    counted, of = definition.number[window[0]], definition.of[window[0]]
    local = tables.load("areas").query("level == 'local authority'")["area_code"]
    without = counted[counted.index.isin(local) & of.isna()].dropna()
    if without.empty:
        return ""
    rest = counted[place] - without.sum()
    share = definition.value.at[place, window[0]] * rest / counted[place]
    return (
        f"; the second number lacks {len(without)} authorities that are in the first: without "
        f"them {number(rest)} of {number(of[place])}, {number(share)}"
    )


def _inspection(test: dict) -> pd.DataFrame:
    """Outcome of the latest full inspection."""
    rows = _select("inspections", {"area": test["area"]})
    rows = rows.dropna(subset=["outcome_grade"])
    start, end = (rows[day].dt.strftime("%-d %B %Y") for day in ("start", "end"))
    return pd.DataFrame({
        "role": PLAIN, "window": start + " to " + end, "table": "inspections",
        "definition": "outcome of the full area SEND inspection, 1 best to 3 worst",
        "official": rows["outcome_grade"].astype("float64"), "rows": rows["outcome"],
        "published": rows["published"].dt.strftime("%Y-%m"),
    })  # fmt: skip


def _inspections(test: dict) -> pd.DataFrame:
    """Full inspections of a period, by the day they began and by the day of the report.

    Where the first day is not known it is taken to lie as long before the report as in the middle
    case. The table has the latest full inspection of each area.
    """
    rows = tables.load("inspections")
    gap = (rows["published"] - rows["start"]).median()
    began = rows["start"].fillna(rows["published"] - gap)
    guessed = rows["start"].isna()
    since, until = pd.Timestamp(test["since"]), pd.Timestamp(test["until"])
    parts = []
    ways = [(PLAIN, began, "began"), (READING, rows["published"], "were reported on")]
    for role, day, how in ways:
        inside = day.between(since, until)
        some = inside & (rows["outcome_grade"] == test["grade"]) if "grade" in test else inside
        official, words = float(some.sum()), f"{some.sum()} of {inside.sum()} inspections"
        if test["count"] == "per cent":
            official = 100 * some.sum() / inside.sum() if inside.any() else np.nan
        elif test["count"] == "place":
            own = day[rows["area_code"] == test["area"]]
            official = float((day[inside] < own.iloc[0]).sum() + 1) if len(own) else np.nan
            words = f"{inside.sum()} inspections"
            words += f", its own on {own.iloc[0]:%-d %B %Y}" if len(own) else ""
        if inside.any():
            words += f", the last on {day[inside].max():%-d %B %Y}"
        unknown = int((guessed & inside).sum()) if role == PLAIN else 0
        if unknown:
            words += f" (first day of {unknown} put {gap.days} days before the report)"
        what = f" with grade {test['grade']}" if "grade" in test else ""
        counted = {"inspections": "", "per cent": ", per cent", "place": ", place in the sequence"}
        parts.append({
            "role": role, "window": f"{since:%-d %B %Y} to {until:%-d %B %Y}",
            "definition": f"full area SEND inspections that {how} in the period{what}"
            f"{counted[test['count']]}",
            "official": official, "table": "inspections", "rows": words,
            # How many had an outcome is known with the last report of all that are counted; that
            # an inspection began is known at once.
            "published": f"{rows.loc[inside, 'published'].max():%Y-%m}"
            if "grade" in test and inside.any() else "",
        })  # fmt: skip
    return pd.DataFrame(parts).dropna(subset="official")


class Kind(NamedTuple):
    """A kind of test: its form, how windows are compared, and its definitions or its figures."""

    form: type[Form]
    mode: str = ""
    definitions: Callable[[dict], list[Definition]] | None = None
    figures: Callable[[dict], pd.DataFrame] | None = None


def _no_figures(test: dict) -> pd.DataFrame:
    """Nothing: no table has the figure."""
    return pd.DataFrame(columns=FOUND)


TESTS = {
    "growth": Kind(forms.Growth, "change", _growth),
    "timeliness": Kind(forms.Timeliness, "level", _timeliness),
    "level": Kind(forms.Level, "level", _level),
    "change": Kind(forms.Change, "change", _change),
    "rank": Kind(forms.Rank, "rank", _rank),
    "inspection": Kind(forms.Inspection, figures=_inspection),
    "inspections": Kind(forms.Inspections, figures=_inspections),
    "nhs_wait": Kind(forms.NhsWait, figures=changes.nearest),
    "none": Kind(forms.Nothing, figures=_no_figures),
}
UNTESTED = {"none", "nhs_wait"}


def place_of(test: dict) -> str:
    """Return the code of the area or the organisation that a test is about."""
    return code(test if "area" in test else test["where"])


def figures(test: dict, said: str | None = None) -> pd.DataFrame:
    """Look up every figure that a test allows.

    Parameters
    ----------
    test : dict
        A claim's, checked: see the form of its kind in :data:`TESTS`.
    said : str, optional
        Year and month in which the claim was made; a window that had not been published then gets
        the latest one that had as a reading beside it.

    Returns
    -------
    DataFrame
        ``role, window, definition, official, table, rows`` (numbers behind it), ``published``
        (month of first publication, empty where unknown), ``broken`` (why it certifies nothing: a
        break in the series within the window, or a flagged return; empty where it does).

    Raises
    ------
    MissingDataError
        If the tables have no figure on the claim's own window.
    """
    kind = TESTS[test["kind"]]
    if kind.definitions is None:
        found = kind.figures(test).reindex(columns=FOUND, fill_value="")
    else:
        found = _found(kind.definitions(test), _mode(test), place_of(test), said)
    if test["kind"] not in UNTESTED and not (found["role"] == PLAIN).any():
        when = ", ".join(
            f"{key} {test[key]}"
            for key in sorted({"start", "end", "year", "month", "since", "until"} & test.keys())
        )
        place = areas.name(test["area"]) if "area" in test else "this place"
        raise MissingDataError(
            f"The tables have no {test['kind']} figure for {place} on the claim's window ({when})."
        )
    return found


def series(test: dict) -> pd.Series:
    """Return the yearly figures around a test's window, as its plain definition counts them.

    Parameters
    ----------
    test : dict
        As :func:`figures` takes it; of a kind that has definitions.

    Returns
    -------
    Series
        By year, from `AROUND` years before the window on; years without a figure left out.
    """
    plain = next(one for one in TESTS[test["kind"]].definitions(test) if one.role == PLAIN)
    return plain.value.loc[place_of(test), plain.window[0] - AROUND :].dropna()


def _mode(test: dict) -> str:
    """How the windows of a test are compared; a rank has the order that the claim means."""
    mode = TESTS[test["kind"]].mode
    return test["order"] if mode == "rank" else mode


def everywhere(test: dict, said: str | None = None) -> dict[str, np.ndarray] | None:
    """Look up for every authority what :func:`figures` does for one.

    Parameters
    ----------
    test : dict
    said : str, optional
        As for :func:`figures`.

    Returns
    -------
    dict of str to ndarray, or None
        ``plain`` (authorities), ``reading`` and ``exploratory`` (authorities x figures), NaN where
        there is none; authorities without a plain figure are left out. None for a kind whose
        figures are not a series of areas.
    """
    kind = TESTS[test["kind"]]
    if kind.definitions is None or "area_code" not in forms.columns(test.get("table", "ehc_plans")):
        return None
    local = pd.Index(areas.current())
    parts = {PLAIN: [], READING: [], EXPLORATORY: []}
    for definition in kind.definitions(test):
        windows, found = _windows(definition, _mode(test))
        found = found.reindex(local).to_numpy(dtype=float)
        broken = _broken(definition, windows, _mode(test), areas.ENGLAND)
        for i, role in enumerate(_roles(definition, windows, said)):
            if role == PLAIN or not broken[i]:  # what goes across a break agrees with no claim
                parts[role].append(found[:, i])
    stacked = {
        role: np.column_stack(columns) if columns else np.empty((len(local), 0))
        for role, columns in parts.items()
    }
    there = ~np.isnan(stacked[PLAIN][:, 0])
    return {role: values[there] for role, values in stacked.items()} | {
        PLAIN: stacked[PLAIN][there, 0]
    }


def closest(figures: list[dict]) -> str:
    """Word the figures that come closest to a claim that cannot be tested.

    Parameters
    ----------
    figures : list of dict
        ``table, where, value``, and ``over`` (the rows that a share is of), as checked by
        :class:`.forms.Figure`.

    Returns
    -------
    str
        A sentence; empty where there are none.
    """
    found: dict[str, list[str]] = {}
    alike: dict[str, list[dict]] = {}
    for figure in figures:
        table, where, over = figure["table"], figure["where"], figure.get("over")
        value = total(figure)
        part = {"table": table, "where": where, "per": 100}
        said = forms.worded(part | ({"over": {"where": over}} if over else {}))
        shown = _reason(table, where) if pd.isna(value) else number(value)
        found.setdefault(said, []).append(f"{shown} ({cited(table, where)})")
        alike.setdefault(said, []).append(figure)
    told = "; ".join(
        f"{said}: {', '.join(shown)}{_between(alike[said])}" for said, shown in found.items()
    )
    return f" Nearest: {told}." if told else ""


def _between(figures: list[dict]) -> str:
    """Say why figures of one series do not compare, where it breaks between their years."""
    table, where, over = figures[0]["table"], figures[0]["where"], figures[0].get("over")
    if "area" not in where or "year" not in where:
        return ""
    rows = [(figure["where"]["area"], figure["where"]["year"]) for figure in figures]
    years = pd.DataFrame(rows, columns=["area_code", "year"]).groupby("area_code")["year"]
    frame = years.agg(start="min", end="max").reset_index()
    frame = frame[frame["start"] < frame["end"]]
    parts = {*_series(table, where), *(_series(table, over) if over else ())}
    why = [
        caveats.crossed(frame, table, frame["start"], frame["end"], category=category)
        for _, category in sorted(parts)
    ]
    said = caveats.noted(pd.concat(why)) if why else ""
    return f", but {said[0].lower()}{said[1:-1].replace('; in ', ' and in ')}" if said else ""


def total(figure: dict) -> float:
    """Look up a nearest figure: a sum, or a share of one in per cent; missing where it is.

    Parameters
    ----------
    figure : dict
        As for :func:`closest`.
    """
    table, over = figure["table"], figure.get("over")
    value = _select(table, figure["where"])[figure["value"]].sum(min_count=1)
    if over and not pd.isna(value):
        value = 100 * value / _select(table, over)[figure["value"]].sum()
    return value


def code(where: dict) -> str:
    """Return the code of the area or the organisation that rows are of."""
    return where["area"] if "area" in where else where["organisation_code"]


def _reason(table: str, where: dict) -> str:
    """Say why there is no figure, where the table says so."""
    rows = _select(table, where)
    reasons = set(rows["missing"]) - {""} if "missing" in rows else set()
    return reasons.pop().replace("_", " ") if len(reasons) == 1 else "no figure"


def cited(table: str, where: dict) -> str:
    """Say where and when a figure is from."""
    if "area" in where:
        name = areas.name(where["area"])
    else:
        rows = _select(table, {"organisation_code": where["organisation_code"]})
        name = rows["organisation"].iloc[-1]
    if "month" in where:
        return f"{name}, {pd.Timestamp(where['month']):%B %Y}"
    if "financial year" in forms.columns(table)["year"]["description"]:
        return f"{name}, {where['year']}-{(where['year'] + 1) % 100:02d}"
    return f"{name}, {'January ' if table in IN_JANUARY else ''}{where['year']}"
