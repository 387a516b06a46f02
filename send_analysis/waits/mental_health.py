"""Children referred to mental health services: their wait for a second contact, and who had none.

Counted by commissioning group, of which an authority has one or several; a group may hold other
authorities too. Each financial year stands for itself: its referrals are followed to its end, and
in 2020-21 the publisher changed which services count, and advises against comparing years.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, tables
from send_analysis.waits import lists

MEAN = "mean days to second contact"
CONTACT = "second contact"  # what the measures by weeks of wait begin with
SHARES = ("closed before treatment", "open, no contact", "open, one contact")


def groups(area: str = "Bury") -> pd.DataFrame:
    """List the commissioning groups that an authority's residents were in.

    Parameters
    ----------
    area : str, default "Bury"
        Name or code of a local authority.

    Returns
    -------
    DataFrame
        ``organisation_code, basis`` (whether other authorities share it), ``named``.
    """
    links = tables.load("nhs_area_links")
    own = links[(links["area_code"] == areas.resolve(area)) & (links["level"] == "sub_icb")]
    return own.sort_values("rank")[["organisation_code", "basis", "named"]].reset_index(drop=True)


@tables.remembered
def referred(area: str = "Bury", *, services: str = "mental health") -> pd.DataFrame:
    """What became of the children referred in a financial year, by its end.

    Parameters
    ----------
    area : str, default "Bury"
        Name or code of a local authority.
    services : str
        As in the table `mental_health_waits`.

    Returns
    -------
    DataFrame
        ``year`` (2019-20), ``organisation, level`` (group, region, england), ``referred``
        (children), ``second contact`` and ``SHARES`` (per cent of them; below 100 in all, the rest
        has contacts recorded before the referral), ``mean days to second contact``. Several groups
        are added up, means weighted by those who had a second contact; a year in which one of
        today's groups did not exist has no row of theirs.
    """
    table = tables.load("mental_health_waits")
    table = table[(table["counts"] == "people") & (table["services"] == services)]
    own = groups(area)
    regions = lists.organisations(area).query("level == 'region'")["organisation_code"]
    asked = {
        "group": list(own["organisation_code"]), "region": list(regions), "england": [areas.ENGLAND]
    }  # fmt: skip
    parts = [
        _together(table[(table["level"] == level) & table["organisation_code"].isin(codes)], codes)
        for level, codes in asked.items()
        if codes
    ]
    out = pd.concat(parts, ignore_index=True)
    year = out["year"].astype(str) + "-" + (out["year"] + 1).mod(100).astype(str).str.zfill(2)
    return out.assign(year=year)


def _together(rows: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
    """Add up organisations of one level in the years in which all of them have figures."""
    one = rows.pivot(
        index=["year", "level", "organisation_code"], columns="measure", values="value"
    )
    one = one.astype("Float64").astype(float)
    by_weeks = [column for column in one if column.startswith(CONTACT)]
    one[CONTACT] = one[by_weeks].sum(axis=1)  # fewer than 5 in a band count nothing
    one["days"] = one[MEAN] * one[CONTACT]
    counts = one.drop(columns=[MEAN, *by_weeks]).groupby(level=["year", "level"])
    sums = counts.sum(min_count=len(codes))
    shares = 100 * sums[[CONTACT, *SHARES]].div(sums["referred"], axis=0)
    names = rows.drop_duplicates("organisation_code", keep="last").set_index("organisation_code")
    named = " + ".join(names["organisation"].reindex(codes).dropna())
    out = shares.assign(**{"referred": sums["referred"], MEAN: sums["days"] / sums[CONTACT]})
    out = out.dropna(subset="referred").reset_index().assign(organisation=named)
    return out.rename_axis(columns=None)[
        ["year", "organisation", "level", "referred", CONTACT, *SHARES, MEAN]
    ]
