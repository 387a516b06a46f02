"""Children's mental health and autism as a reader wants them: one table a result."""

from __future__ import annotations

import pandas as pd

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.waits import mental_health


@reads.result
def contacts(area: Area) -> pd.DataFrame:
    """Lay out :func:`.mental_health.contacts`, a row an organisation.

    Returns
    -------
    DataFrame
        ``organisation``, children by the month in which twelve end, ``change_percent`` over the
        last year, ``in_100_residents_aged_0_to_17, fewest_in_twelve_months, to``.
    """
    table = mental_health.contacts(area)
    table = table.assign(ends=table["month"].dt.strftime("to %B %Y"))
    wide = table.pivot(index="organisation", columns="ends", values="children")
    last = table.groupby("organisation", sort=False).last()
    wide = wide.loc[last.index, table["ends"].unique()].rename_axis(columns=None)
    return wide.assign(
        change_percent=last["change"], in_100_residents_aged_0_to_17=last["per 100"],
        fewest_in_twelve_months=last["fewest"], to=last["fewest to"].dt.strftime("%B %Y"),
    ).reset_index()  # fmt: skip


@reads.result
def first_contacts(area: Area) -> pd.DataFrame:
    """First and last month of :func:`.mental_health.first_contacts`, a row an organisation.

    Returns
    -------
    DataFrame
        ``organisation, months, referrals_waiting`` and the other measures, in words.
    """
    by = mental_health.first_contacts(area).groupby("organisation", sort=False)
    ends = [by.nth(at).set_index("organisation") for at in (0, -1)]
    months = zip(*(end["month"] for end in ends), strict=True)
    out = pd.DataFrame(
        {"months": [f"{a:%b %Y} → {b:%b %Y}" for a, b in months]}, index=ends[0].index
    )
    for name in ("waiting", "median days", "90th percentile days", "over 52 weeks"):
        both = zip(*(end[name] for end in ends), strict=True)
        out[name] = [f"{a:,.0f} → {b:,.0f}" for a, b in both]
    return out.rename(columns={"waiting": "referrals_waiting"}).reset_index()


@reads.result
def autism(area: Area) -> pd.DataFrame:
    """Return who was seen late, as :func:`.mental_health.autism`, without level and month."""
    return mental_health.autism(area).drop(columns=["level", "month"])


@reads.result
def autism_in_england() -> pd.DataFrame:
    """Return :func:`.mental_health.autism_in_england`, its months in words."""
    return mental_health.autism_in_england().rename(index=lambda month: f"{month:%B %Y}")


@reads.result
def spent(area: Area, pounds: float) -> pd.DataFrame:
    """Spending on children's mental health, a row a year and organisation.

    Returns
    -------
    DataFrame
        ``organisation, year, £ million, eating disorders, £ million, £ for each resident aged 0 to
        17`` and what `pounds` are of the area's groups' spending, per cent.
    """
    table = mental_health.spending(area)
    own = table["level"] == "group"
    return pd.DataFrame({
        "organisation": table["organisation"], "year": table["year"],
        "£ million": table["pounds"] / 1e6,
        "eating disorders, £ million": table["eating disorders"] / 1e6,
        "£ for each resident aged 0 to 17": table["per child"],
        f"£{pounds / 1e6:,.1f} million is, %": (100 * pounds / table["pounds"]).where(own),
    })  # fmt: skip
