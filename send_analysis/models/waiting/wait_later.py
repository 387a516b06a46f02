"""What came of the waiting lists after the claims were made: the months that were not known then.

These months are held against each other and against England, never against those before: no
organisation's lists are at hand for the months between.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import tables
from send_analysis.models.waiting import waits
from send_analysis.models.waiting.wait_views import MAIN
from send_analysis.models.waiting.waits import BANDS, SERVICES, TOTAL

LONG = {"over 18 weeks": list(BANDS[-2:]), "over 52 weeks": [BANDS[-1]]}
SHARES = [*LONG, *(f"{name} of all" for name in LONG)]
_ORDER = ["provider", "icb", "region", "england"]


@tables.remembered
def shares(area: str = "Bury") -> pd.DataFrame:
    """Follow the lists of the organisations that serve an area, month by month.

    Parameters
    ----------
    area : str, default "Bury"
        Name or code of a local authority.

    Returns
    -------
    DataFrame
        ``service, organisation, level, month, waiting`` (children), ``over 18 weeks, over 52
        weeks`` (per cent of those whose wait is known), the same ``of all`` (per cent of the whole
        list: lower where part of it is returned without a wait). Every month of the window
        has a row: one without a workbook, a return, or a list that is not last month's again, has
        no figure. An area in several boards has the first, with its region.
    """
    serving = waits.organisations(area).drop_duplicates("level")
    serving = pd.concat([waits.organisations(area).query("level == 'provider'"), serving])
    serving = serving.drop_duplicates("organisation_code").set_index("organisation_code")
    short = {SERVICES[name]: name for name in MAIN}
    table = waits.since()
    rows = table[table["organisation_code"].isin(serving.index) & table["service"].isin(short)]
    lists = waits.wide(rows).assign(service=lambda d: d["service"].map(short))
    for name, bands in LONG.items():
        long = 100 * lists[bands].sum(axis=1, min_count=1)
        lists[name], lists[f"{name} of all"] = long / lists["banded"], long / lists[TOTAL]
    lists = lists.rename(columns={TOTAL: "waiting"})
    months = pd.date_range(table["month"].min(), table["month"].max(), freq="MS", name="month")
    key = ["service", "organisation_code"]
    grid = lists[key].drop_duplicates().merge(pd.Series(months, name="month"), how="cross")
    out = grid.merge(lists[[*key, "month", "waiting", *SHARES]], on=[*key, "month"], how="left")
    out = out.assign(
        organisation=out["organisation_code"].map(serving["organisation"]),
        level=out["organisation_code"].map(serving["level"]),
    )
    order = {name: place for place, name in enumerate([*MAIN, *_ORDER])}
    out = out.sort_values(
        ["service", "level", "organisation_code", "month"],
        key=lambda column: column.map(order) if column.name in {"service", "level"} else column,
        kind="stable",
    )
    columns = ["service", "organisation", "level", "month", "waiting", *SHARES]
    return out[columns].reset_index(drop=True)


def ends(area: str = "Bury") -> pd.DataFrame:
    """First and last figure of each list, and the highest share over a year between them.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    DataFrame
        ``service, organisation, level, from, to`` (months), ``waiting`` and each of ``SHARES`` with
        ``from`` and ``to`` after it, ``highest over 52 weeks, highest in``.
    """
    known = shares(area).dropna(subset="waiting")
    group = known.groupby(["service", "organisation", "level"], sort=False)
    first, last = group.first(), group.last()
    top = (
        known.sort_values("over 52 weeks", na_position="first")
        .groupby(["service", "organisation", "level"])
        .tail(1)
        .set_index(["service", "organisation", "level"])
    )
    out = pd.DataFrame({"from": first["month"], "to": last["month"]})
    for column in ("waiting", *SHARES):
        out[f"{column} from"], out[f"{column} to"] = first[column], last[column]
    out["highest over 52 weeks"], out["highest in"] = top["over 52 weeks"], top["month"]
    return out.reset_index()
