"""Which board, region and country each provider's list is added up to, and sums over providers."""

from __future__ import annotations

from collections.abc import Sequence

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


def aggregate(
    lists: pd.DataFrame,
    members: pd.DataFrame,
    *,
    months: Sequence[pd.Timestamp] | None = None,
    throughout: bool = True,
) -> pd.DataFrame:
    """Add providers up to boards, regions and England.

    Parameters
    ----------
    lists : DataFrame
        As :func:`wide` returns them; only provider rows are used.
    members : DataFrame
        As :func:`membership` returns it.
    months : sequence of Timestamp, optional
        Window; all months of `lists` if not given.
    throughout : bool, default True
        Keep, service by service, only providers with a total in every month of the window (a
        merged trust counts together with its predecessor). Without it the sums are those that
        were published, save that a provider counts in its latest board throughout.

    Returns
    -------
    DataFrame
        As :func:`wide`, with ``providers`` (how many were added) and without names.
    """
    lists = merged_providers(lists)
    if months is not None:
        lists = lists[lists["month"].isin(list(months))]
    if throughout:
        wanted = lists["month"].nunique() if months is None else len(set(months))
        key = ["organisation_code", "age_group", "service"]
        lists = lists[lists.groupby(key)["month"].transform("nunique") == wanted]
    lists = lists.merge(members, on="organisation_code")
    parts = []
    for level in ("icb", "region", "england"):
        group = lists.groupby([level, "age_group", "service", "month"])
        sums = group[NUMBERS].sum(min_count=1)
        sums["providers"] = group["organisation_code"].nunique()
        sums = sums.reset_index().rename(columns={level: "organisation_code"})
        parts.append(sums.assign(level=level))
    return pd.concat(parts, ignore_index=True)


def merged_providers(lists: pd.DataFrame) -> pd.DataFrame:
    """Keep the providers' lists, those of merged ones under the code that goes on.

    Parameters
    ----------
    lists : DataFrame
        As :func:`wide` returns them.

    Returns
    -------
    DataFrame
        ``organisation_code, age_group, service, month`` and the numbers; only lists returned.
    """
    lists = lists[(lists["level"] == "provider") & lists[TOTAL].notna()]
    lists = lists.assign(organisation_code=lists["organisation_code"].replace(MERGED))
    key = ["organisation_code", "age_group", "service", "month"]
    return lists.groupby(key, as_index=False)[NUMBERS].sum(min_count=1)
