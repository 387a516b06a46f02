"""Which board, region and country each provider's list is added up to, mergers allowed for."""

from __future__ import annotations

import pandas as pd

from send_analysis import tables
from send_analysis.waits.lists import NUMBERS, TOTAL, then

MERGED = {"RVY": "RBN"}
"""Codes of merged providers, and those that go on: Southport and Ormskirk Hospital NHS Trust, since
July 2023 part of Mersey and West Lancashire (NHS Organisation Data Service)."""


def membership(table: pd.DataFrame) -> pd.DataFrame:
    """Give the board, the region and England for each provider, as of its last month.

    Parameters
    ----------
    table : DataFrame
        `nhs_waits`.

    Returns
    -------
    DataFrame
        ``organisation_code, icb, region, england``.
    """
    known = table[table["part_of"] != ""].sort_values("month", kind="stable")
    last = known.drop_duplicates("organisation_code", keep="last").set_index("organisation_code")
    providers = last[last["level"] == "provider"]["part_of"]
    out = pd.DataFrame({"organisation_code": providers.index, "icb": providers.to_numpy()})
    out["region"] = out["icb"].map(last["part_of"])
    return out.assign(england=out["region"].map(last["part_of"]))


@tables.remembered
def members() -> pd.DataFrame:
    """Give the membership in the lists as known when the claims were made, worked out once.

    Returns
    -------
    DataFrame
        As :func:`membership`.
    """
    return membership(then())


def merged_providers(lists: pd.DataFrame) -> pd.DataFrame:
    """Keep the providers' lists, those of merged ones under the code that goes on.

    Parameters
    ----------
    lists : DataFrame
        As :func:`.lists.wide` returns them.

    Returns
    -------
    DataFrame
        ``organisation_code, age_group, service, month`` and the numbers; only lists returned.
    """
    lists = lists[(lists["level"] == "provider") & lists[TOTAL].notna()]
    lists = lists.assign(organisation_code=lists["organisation_code"].replace(MERGED))
    key = ["organisation_code", "age_group", "service", "month"]
    return lists.groupby(key, as_index=False)[NUMBERS].sum(min_count=1)
