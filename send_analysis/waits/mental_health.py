"""Children's mental health and autism, as near to an authority as it is published.

Counted by commissioning group, of which an authority has one or several; a group may hold other
authorities too. Each financial year of waits stands for itself: its referrals are followed to its
end, and in 2020-21 the publisher changed which services count, and advises against comparing years.
"""

from __future__ import annotations

import pandas as pd

from send_analysis import areas, reads, tables
from send_analysis.areas import Area
from send_analysis.waits import lists

MEAN = "mean days to second contact"
CONTACT = "second contact"  # what the measures by weeks of wait begin with
SHARES = ("closed before treatment", "open, no contact", "open, one contact")
TOGETHER = "All commissioning groups"
PART = "without eating disorders"
SEEN_LATE = "first appointment after more than 13 weeks, per cent"
OPEN = "open at least 13 weeks"


@reads.found
def groups(area: Area) -> pd.DataFrame:
    """List the commissioning groups that an authority's residents were in.

    Returns
    -------
    DataFrame
        ``organisation_code, basis`` (whether other authorities share it), ``named, drawn`` (month
        from which its boundaries are those that link it, where they were others before).
    """
    own = tables.load("nhs_area_links", area_code=area, level="sub_icb").sort_values("rank")
    return own[["organisation_code", "basis", "named", "drawn"]].reset_index(drop=True)


@reads.found
@tables.remembered
def referred(area: Area) -> pd.DataFrame:
    """What became of the children referred in a financial year, by its end.

    Returns
    -------
    DataFrame
        ``year`` (2019-20), ``organisation, level`` (group, region, england), ``referred``
        (children), ``second contact`` and ``SHARES`` (per cent of them; below 100 in all, the rest
        has contacts recorded before the referral), ``mean days to second contact``. Several groups
        are added up, means weighted by those who had a second contact; a year in which one of
        today's groups did not exist has no row of theirs.
    """
    regions = lists.organisations(area).query("level == 'region'")["organisation_code"]
    asked = {
        "group": groups(area)["organisation_code"], "region": regions, "england": [areas.ENGLAND]
    }  # fmt: skip
    parts = [_together(level, tuple(codes)) for level, codes in asked.items() if len(codes)]
    out = pd.concat(parts, ignore_index=True)
    return out.assign(year=_financial(out["year"]))


@tables.remembered
def _together(level: str, codes: tuple[str, ...]) -> pd.DataFrame:
    """Add up organisations of one level in the years in which all of them have figures."""
    rows = tables.load(
        "mental_health_waits", organisation_code=codes, level=level, counts="people",
        services="mental health",
    )  # fmt: skip
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


def _children(area: Area, years: pd.Series) -> pd.Series:
    """Residents aged 0 to 17 of all authorities in an area's groups, by mid-year.

    Missing where one of these authorities is in further groups, or a group's boundaries changed:
    then no population is theirs.
    """
    links = tables.load("nhs_area_links", area_code=areas.current(), level="sub_icb")
    own = links.loc[links["area_code"] == area, "organisation_code"]
    sharing = links.loc[links["organisation_code"].isin(own), "area_code"].unique()
    all_theirs = links.loc[links["area_code"].isin(sharing), "organisation_code"]
    if area == areas.ENGLAND:
        sharing = [area]
    elif not all_theirs.isin(own).all() or not len(own) or _redrawn(area):
        return pd.Series(float("nan"), index=years.index)
    return years.map(_minors().loc[sharing].groupby("year").sum(min_count=len(sharing)))


def _redrawn(area: Area) -> bool:
    """Whether one of an area's groups had other boundaries than those that link it."""
    return bool(groups(area)["drawn"].notna().any())


@tables.remembered
def _minors() -> pd.Series:
    """Residents aged 0 to 17, by area and mid-year."""
    people = tables.load("population").query("age < 18")
    return people.groupby(["area_code", "year"])["people"].sum()


@reads.found
@tables.remembered
def contacts(area: Area) -> pd.DataFrame:
    """Children with a contact in twelve months, a year apart, so that no two windows overlap.

    Returns
    -------
    DataFrame
        ``organisation, level`` (group: the area's own, together; groups: all of England; england:
        as published, with those whose group is not known), ``month`` (in which the twelve end),
        ``children, change`` (per cent, on the year before), ``per 100`` (children aged 0 to 17 at
        the mid-year within; missing where a group's authorities are in others too), ``fewest,
        fewest to``: the smallest number in any twelve months, and when these last ended. Where a
        group's boundaries changed there are the children alone.
    """
    every = tables.load("mental_health_contacts", level="group")["organisation_code"].unique()
    own = groups(area)["organisation_code"]
    asked = {
        "group": (area, own[own.isin(every)]), "groups": (areas.ENGLAND, every),
        "england": (areas.ENGLAND, [areas.ENGLAND]),
    }  # fmt: skip
    parts = [
        _in_twelve_months(level, whose, tuple(codes))
        for level, (whose, codes) in asked.items()
        if len(codes)
    ]
    return pd.concat(parts, ignore_index=True)


@tables.remembered
def _in_twelve_months(level: str, whose: Area, codes: tuple[str, ...]) -> pd.DataFrame:
    """Add up the children of some organisations, beside the residents of an area."""
    months = tables.load("mental_health_contacts")["month"]
    last = months.max()
    count = (last - months.min()).days // 365
    ends = [last - pd.DateOffset(years=back) for back in range(count, -1, -1)]
    rows = tables.load("mental_health_contacts", organisation_code=codes)
    sums = rows["children"].astype(float).groupby(rows["month"]).sum()
    found = sums.loc[ends].reset_index()
    middle = found["month"].dt.year - (found["month"].dt.month < 6)
    found = found.assign(
        organisation=TOGETHER if level == "groups" else " + ".join(rows["organisation"].unique()),
        level=level,
        change=100 * found["children"].pct_change(),
        fewest=sums.min(),
        **{
            "per 100": (100 * found["children"] / _children(whose, middle)).astype(float),
            "fewest to": sums.index[sums == sums.min()].max(),
        },
    )
    if _redrawn(whose):
        found = found.assign(change=float("nan"), fewest=float("nan"), **{"fewest to": pd.NaT})
    return found[
        ["organisation", "level", "month", "children", "change", "per 100", "fewest", "fewest to"]
    ]


@reads.found
@tables.remembered
def first_contacts(area: Area) -> pd.DataFrame:
    """Referrals that wait for a first contact, at the end of each month.

    Returns
    -------
    DataFrame
        ``organisation, level`` (provider, icb, england), ``month, waiting`` (referrals), ``median
        days, 90th percentile days`` (waited so far), ``over 52 weeks`` (per cent of those waiting).
        Providers known to run the service in the area, its first board, and England.
    """
    links = tables.load("nhs_area_links", area_code=area)
    boards = links[links["level"] == "icb"].sort_values("rank").head(1)
    codes = [
        *links.loc[links["level"] == "provider", "organisation_code"],
        *boards["organisation_code"], areas.ENGLAND,
    ]  # fmt: skip
    table = tables.load("mental_health_first_contacts", organisation_code=codes)
    wide = table.pivot(
        index=["organisation_code", "organisation", "level", "month"],
        columns="measure", values="value",
    ).astype(float).reset_index()  # fmt: skip
    wide["over 52 weeks"] = 100 * wide["over 52 weeks"] / wide["waiting"]
    order = wide["organisation_code"].map({code: place for place, code in enumerate(codes)})
    wide = wide.iloc[order.argsort(kind="stable")].reset_index(drop=True)
    columns = ["organisation", "level", "month", "waiting", "median days", "90th percentile days"]
    return wide.rename_axis(columns=None)[[*columns, "over 52 weeks"]]


@reads.found
@tables.remembered
def spending(area: Area) -> pd.DataFrame:
    """What commissioning groups said that they spent on children's mental health, year by year.

    Returns
    -------
    DataFrame
        ``year`` (2021-22), ``organisation, level`` (group, england), ``pounds`` (eating disorders
        and learning disability left out), ``eating disorders`` (pounds), ``per child`` (pounds of
        the first for each resident aged 0 to 17; missing where a group's authorities are in others
        too or its boundaries changed, and before there is a population).
    """
    every = tables.load("mental_health_spending", level="group")["organisation_code"]
    own = groups(area)["organisation_code"]
    asked = {
        "group": (area, own[own.isin(every)]), "england": (areas.ENGLAND, [areas.ENGLAND])
    }  # fmt: skip
    parts = [
        _spent(level, whose, tuple(codes)) for level, (whose, codes) in asked.items() if len(codes)
    ]
    return pd.concat(parts, ignore_index=True)


@tables.remembered
def _spent(level: str, whose: Area, codes: tuple[str, ...]) -> pd.DataFrame:
    """Add up what some organisations spent, beside the residents of an area."""
    rows = tables.load("mental_health_spending", organisation_code=codes)
    rows = rows.assign(pounds=rows["pounds"].astype("Float64").astype(float))
    wide = rows.pivot_table(
        index="year", columns="part", values="pounds", aggfunc=lambda x: x.sum(skipna=False)
    ).reset_index()
    wide = wide.rename(columns={PART: "pounds"}).rename_axis(columns=None)
    names = " + ".join(rows["organisation"].unique())
    per = (wide["pounds"] / _children(whose, wide["year"])).astype("Float64").astype(float)
    wide = wide.assign(
        organisation=names, level=level, year=_financial(wide["year"]), **{"per child": per}
    )
    return wide[["year", "organisation", "level", "pounds", "eating disorders", "per child"]]


def _financial(year: pd.Series) -> pd.Series:
    """Write the year in which a financial year begins as people do, 2021-22."""
    return year.astype(str) + "-" + (year + 1).mod(100).astype(str).str.zfill(2)


@reads.found
@tables.remembered
def autism(area: Area) -> pd.DataFrame:
    """Who was first seen more than 13 weeks after a suspected autism referral, by group and age.

    Returns
    -------
    DataFrame
        ``organisation, level`` (group: the area's own; other: those that authorities of its first
        board are linked to, some of them another board's; england), ``month`` (the last that groups
        are published for), ``under 10, 10 to 17``: per cent of those whose referral had been open
        at least 13 weeks; missing where suppressed.
    """
    links = tables.load("nhs_area_links", area_code=areas.current())
    own = list(groups(area)["organisation_code"])
    boards = links[(links["level"] == "icb") & (links["rank"] == 1)]
    board = boards.loc[boards["area_code"] == area, "organisation_code"]
    near = boards.loc[boards["organisation_code"].isin(board), "area_code"]
    there = links[(links["level"] == "sub_icb") & links["area_code"].isin(near)]
    others = [code for code in there["organisation_code"].unique() if code not in own]
    last = tables.load("autism_referrals", measure=SEEN_LATE, level="group")["month"].max()
    codes = [*own, *sorted(others), areas.ENGLAND]
    table = tables.load(
        "autism_referrals", organisation_code=codes, measure=SEEN_LATE, month=last
    ).query("age != '0 to 17'")
    wide = table.pivot(index=["organisation_code", "organisation"], columns="age", values="value")
    wide = wide.astype("Float64").astype(float).reset_index("organisation").loc[codes]
    kind = pd.Series("other", index=codes)
    kind[own], kind[areas.ENGLAND] = "group", "england"
    wide = wide.assign(level=kind, month=last).reset_index(drop=True).rename_axis(columns=None)
    return wide[["organisation", "level", "month", "under 10", "10 to 17"]]


@tables.remembered
def autism_in_england() -> pd.DataFrame:
    """Children aged 0 to 17 with a suspected autism referral in England, by month.

    Returns
    -------
    DataFrame
        Indexed by ``month``; ``open referrals, open at least 13 weeks`` (children); per cent of the
        second ``seen within 13 weeks, seen later, not seen`` (no appointment recorded); ``median
        days to first contact, first contacts in the quarter``.
    """
    table = tables.load("autism_referrals").query("age == '0 to 17'")
    wide = table.pivot(index="month", columns="measure", values="value").astype(float)
    shares = {
        "seen within 13 weeks": "first appointment within 13 weeks",
        "seen later": "first appointment after more than 13 weeks",
        "not seen": "no appointment recorded",
    }
    for name, measure in shares.items():
        wide[name] = 100 * wide[measure] / wide[OPEN]
    columns = ["open referrals", OPEN, *shares, "median days to first contact",
               "first contacts in the quarter"]  # fmt: skip
    return wide[columns].rename_axis(columns=None)
