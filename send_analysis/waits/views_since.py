"""What came of the waiting lists after the claims were made: the months that were not known then.

These months are held against each other and against England, never against those before: no
organisation's lists are at hand for the months between.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.waits import changes
from send_analysis.waits import lists as waits
from send_analysis.waits.jumps import jumped
from send_analysis.waits.lists import BANDS, TOTAL
from send_analysis.waits.views import MAIN, of_main

LONG = {"over 18 weeks": list(BANDS[-2:]), "over 52 weeks": [BANDS[-1]]}
SHARES = [*LONG, *(f"{name} of all" for name in LONG)]
SAME = 90
"""Per cent of both lists that the same providers hold, at least, where a change can be of waits."""
CHARTED = (("speech and language", "over 52 weeks"), ("community paediatrics", "over 18 weeks"))
"""Service and measure of each chart."""
_LIST = ["service", "provider"]
_ORDER = ["provider", "icb", "region", "england"]


@reads.result
def shares(area: Area) -> pd.DataFrame:
    """Follow the lists of the organisations that serve an area, month by month.

    Returns
    -------
    DataFrame
        ``service, organisation_code, organisation, level, month, waiting, known`` (children; those
        whose wait is known), ``over 18 weeks, over 52 weeks`` (per cent of those whose wait is
        known), the same ``of all`` (per cent of the whole
        list: lower where part of it is returned without a wait). Every month of the window
        has a row: one without a workbook, a return, or a list that is not last month's again, has
        no figure. An area in several boards has the first, with its region.
    """
    return _near(_shares(), area)


def _near(lists: pd.DataFrame, area: Area) -> pd.DataFrame:
    """Keep the lists of the organisations that serve an area: of several boards the first."""
    found = waits.organisations(area)
    serving = found[(found["level"] == "provider") | ~found["level"].duplicated()]
    near = lists["organisation_code"].isin(serving["organisation_code"])
    return lists[near].reset_index(drop=True)


@tables.remembered
def _main_lists() -> pd.DataFrame:
    """Later lists of the main services at every organisation, as :func:`.views.of_main`."""
    return of_main(waits.since())


@tables.remembered
def _shares() -> pd.DataFrame:
    """Follow the lists of every organisation, as :func:`shares` those near an area."""
    lists = _with_long(_main_lists()).rename(columns={TOTAL: "waiting", "banded": "known"})
    known = waits.since()["month"]
    months = pd.date_range(known.min(), known.max(), freq="MS", name="month")
    key = ["service", "organisation_code"]
    grid = lists[key].drop_duplicates().merge(pd.Series(months, name="month"), how="cross")
    out = grid.merge(
        lists[[*key, "month", "waiting", "known", *SHARES]], on=[*key, "month"], how="left"
    )
    called = waits.every_organisation()[["organisation", "level"]]
    out = out.join(called, on="organisation_code")
    order = {name: place for place, name in enumerate([*MAIN, *_ORDER])}
    out = out.sort_values(
        ["service", "level", "organisation_code", "month"],
        key=lambda column: column.map(order) if column.name in {"service", "level"} else column,
        kind="stable",
    )
    columns = ["service", "organisation_code", "organisation", "level", "month", "waiting", "known"]
    return out[[*columns, *SHARES]].reset_index(drop=True)


@reads.result
def ends(area: Area) -> pd.DataFrame:
    """First and last figure of each list, and the highest share over a year between them.

    Returns
    -------
    DataFrame
        ``service, organisation_code, organisation, level, from, to`` (months), ``waiting`` and each
        of ``SHARES`` with ``from`` and ``to`` after it; ``same from, same to``: per cent of both
        lists that providers hold which reported in both months and whose list never jumped;
        ``highest over 52 weeks, highest in`` (the first such month); ``jumped`` (months in which
        the list itself most likely began to count something else, in words); ``comparable``
        (whether none did, and the same providers hold ``SAME`` per cent at both ends).
    """
    return _near(_ends(), area)


@tables.remembered
def _ends() -> pd.DataFrame:
    """First and last figure of each list of every organisation, as :func:`ends`."""
    known = _shares().dropna(subset="waiting")
    key = ["service", "organisation_code"]
    out = known.drop_duplicates(key)[[*key, "organisation", "level"]]
    for end, keep in (("from", "first"), ("to", "last")):
        part = known.drop_duplicates(key, keep=keep).rename(columns={"month": ""})
        part = part[[*key, "", "waiting", *SHARES]].set_index(key).add_suffix(f" {end}")
        out = out.join(part.rename(columns={f" {end}": end}), on=key)
    top = known.sort_values(["over 52 weeks", "month"], ascending=[False, True])
    top = top.drop_duplicates(key).set_index(key)[["over 52 weeks", "month"]]
    out = out.join(
        top.set_axis(["highest over 52 weeks", "highest in"], axis=1), on=key
    ).reset_index(drop=True)
    steps = jumped(_main_lists(), by=key)
    words = steps["month"].dt.strftime("%B %Y").groupby([steps[name] for name in key])
    out = out.join(words.agg(", ".join).rename("jumped"), on=key)
    out = out.assign(jumped=out["jumped"].fillna("")).join(_same(out[[*key, "from", "to"]]))
    held = (out[["same from", "same to"]] >= SAME).all(axis=1)
    return out.assign(comparable=held & (out["jumped"] == ""))


@reads.result
def charted(area: Area) -> pd.DataFrame:
    """Return the shares of long waits that are drawn: one measure of each service in ``CHARTED``.

    Returns
    -------
    DataFrame
        ``service, measure, organisation, level, month, waiting, share`` (per cent of those whose
        wait is known), ``comparable`` (as :func:`ends` has it). No services without any share.
    """
    key = ["service", "organisation_code"]
    found = shares(area).merge(ends(area)[[*key, "comparable"]], on=key)
    parts = [
        found[found["service"] == service].assign(measure=measure, share=found[measure])
        for service, measure in CHARTED
    ]
    out = pd.concat([part for part in parts if part["share"].notna().any()])
    columns = ["service", "measure", "organisation", "level", "month", "waiting", "share"]
    return out[[*columns, "comparable"]].reset_index(drop=True)


@reads.result
def later(area: Area) -> pd.DataFrame:
    """Write first and last figures of the later lists side by side, as a reader reads them.

    Returns
    -------
    DataFrame
        ``service, organisation, children waiting``, the shares over 18 and over 52 weeks of
        those whose wait is known and of the whole list, and the most over 52 weeks; in words.
    """
    found = ends(area)
    highest = zip(found["highest over 52 weeks"], found["highest in"], strict=True)
    return found[["service", "organisation"]].assign(**{
        "children waiting": _pair(found, "waiting", ",.0f"),
        **{f"{name}, %{of}": _pair(found, f"{name}{of}", ".1f")
           for name in LONG for of in ("", " of all")},
        "most over 52 weeks, %": [
            "n/a" if pd.isna(a) else f"{a:.1f} in {b:%b %Y}" if a else "none" for a, b in highest
        ],
    })  # fmt: skip


@reads.result
def alike(area: Area) -> pd.DataFrame:
    """Say how far first and last figures of the later lists are of the same lists.

    Returns
    -------
    DataFrame
        ``service, organisation, months``, the share of both lists that the same providers hold, and
        when the list jumped; in words.
    """
    found = ends(area)
    months = zip(found["from"], found["to"], strict=True)
    return found[["service", "organisation"]].assign(**{
        "months": [f"{a:%b %Y} → {b:%b %Y}" for a, b in months],
        "held by the same providers, %": _pair(found, "same", ".0f"),
        "list jumped in": found["jumped"].replace("", "no month"),
    })  # fmt: skip


def _pair(found: pd.DataFrame, column: str, form: str) -> list[str]:
    """Write the first figure and the last."""
    both = zip(found[f"{column} from"], found[f"{column} to"], strict=True)
    return [f"{a:{form}} → {b:{form}}".replace("nan", "n/a") for a, b in both]


@reads.found
@tables.remembered
def services(area: Area) -> pd.DataFrame:
    """Every list of children's services near an area in the last month, beside England's.

    Returns
    -------
    DataFrame
        ``service`` (as the publisher calls it), ``organisation, level`` (provider, icb), ``month,
        waiting, over 18 weeks, over 52 weeks`` (per cent of those whose wait is known), ``over 18
        weeks in England, over 52 weeks in England``. The providers that serve the area and its
        first board; lists of no child or not returned are left out.

    Raises
    ------
    MissingDataError
        If no board's wait is known, as of an area without a board.
    """
    found = waits.organisations(area)
    near = found[~found["level"].duplicated() | (found["level"] == "provider")]
    near = near[near["level"].isin(["provider", "icb"])].set_index("organisation_code")
    lists = _last_lists()
    england = lists[lists["level"] == "england"].set_index("service")[list(LONG)]
    out = lists[lists["organisation_code"].isin(near.index) & (lists[TOTAL] > 0)]
    out = out.join(england.add_suffix(" in England"), on="service")
    out = out.assign(organisation=out["organisation_code"].map(near["organisation"]))
    out = out.rename(columns={TOTAL: "waiting"})
    order = {"provider": 0, "icb": 1}
    out = out.sort_values(["service", "level"], key=lambda c: c.replace(order), kind="stable")
    if out.loc[out["level"] == "icb", list(LONG)].isna().all(axis=None):
        raise MissingDataError(
            f"{area.name} has no board with lists of children's services whose waits are known."
        )
    columns = ["service", "organisation", "level", "month", "waiting", *LONG]
    return out[[*columns, *england.add_suffix(" in England")]].reset_index(drop=True)


@tables.remembered
def _last_lists() -> pd.DataFrame:
    """Lists of all services at every organisation in the last month, with their shares."""
    table = waits.since()
    return _with_long(waits.wide(table[table["month"] == table["month"].max()]))


def _with_long(lists: pd.DataFrame) -> pd.DataFrame:
    """Add the shares of long waits: of those whose wait is known, and of all."""
    for name, bands in LONG.items():
        long = 100 * lists[bands].sum(axis=1, min_count=1)
        lists[name], lists[f"{name} of all"] = long / lists["banded"], long / lists[TOTAL]
    return lists


def _same(lists: pd.DataFrame) -> pd.DataFrame:
    """Per cent of each list, first and last, that providers in both hold whose list never jumped.

    `lists` has ``service, organisation_code, from, to``; the result its index.
    """
    both = lists.reset_index().merge(_providers(), on=["service", "organisation_code"])
    at = {end: both[both["month"] == both[end]] for end in ("from", "to")}
    last = at["to"].set_index(["index", "provider"])["total"].rename("last")
    pairs = at["from"].join(last, on=["index", "provider"])
    pairs = pairs[~pairs["jumps"] & pairs["last"].notna()].groupby("index")[["total", "last"]].sum()
    whole = pd.DataFrame({end: part.groupby("index")["total"].sum() for end, part in at.items()})
    share = 100 * pairs.set_axis(["from", "to"], axis=1).reindex(lists.index).fillna(0) / whole
    return share.add_prefix("same ")


@tables.remembered
def _providers() -> pd.DataFrame:
    """Providers' later lists, once for each organisation that they are added up to.

    ``service, organisation_code, provider, month, total, jumps`` (whether the provider's list of
    this service jumps in any month).
    """
    lists = changes.merged_providers(_main_lists())
    lists = lists.rename(columns={"organisation_code": "provider"})
    steps = pd.MultiIndex.from_frame(jumped(lists, by=_LIST)[_LIST])
    lists = lists.assign(jumps=pd.MultiIndex.from_frame(lists[_LIST]).isin(steps))
    levels = changes.levels(changes.membership(waits.since()))
    out = lists.merge(levels[["provider", "organisation_code"]], on="provider")
    return out[["service", "organisation_code", "provider", "month", TOTAL, "jumps"]]
