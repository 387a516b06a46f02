"""Children's mental health and autism in sentences; every number is read off a result."""

from __future__ import annotations

import pandas as pd

from send_analysis import reads
from send_analysis.areas import Area
from send_analysis.errors import either
from send_analysis.waits import mental_health


@reads.found
def redrawn(area: Area) -> list[str]:
    """Say which of an area's commissioning groups changed their boundaries, or were another area's.

    Returns
    -------
    list of str
        Nothing where boundaries of groups and area are what they were.
    """
    groups = mental_health.groups(area)
    divided = groups["basis"].str.contains("boundaries changed").any()
    said = (
        f"The groups are those of an authority with other boundaries: which of them {area.name}'s "
        "children are counted in is not said."
    )
    return [said] * bool(divided) + [
        f"The boundaries of {group.named} changed in {group.drawn:%B %Y}. Until then it held other "
        "children than those of the authorities now linked to it; by which boundaries the figures "
        "since are counted is not said. So none is divided by residents, and contacts are not "
        "compared with the year before."
        for group in groups.dropna(subset="drawn").itertuples()
    ]


@reads.found
def referred(area: Area) -> list[str]:
    """Say what became of the children referred to mental health services, beside England.

    Returns
    -------
    list of str
        Nothing for an area that has no commissioning group of its own or shared.
    """
    table = mental_health.referred(area)
    own = table[table["level"] == "group"].set_index("year")
    if own.empty:
        return []
    england = table[table["level"] == "england"].set_index("year").loc[own.index]
    never = ["closed before treatment", "open, no contact"]
    first, last = own.index[0], own.index[-1]

    respectively = " respectively" * (len(own) > 1)

    def both(column: str, unit: str) -> str:
        ours, theirs = (
            either(frame[column].map("{:.0f}".format), "and") for frame in (own, england)
        )
        return f"{ours}{unit}{respectively} (England {theirs})"

    said = [
        f"Of the {own['referred'].iloc[-1]:,.0f} children of {own['organisation'].iloc[-1]} who "
        f"were referred in {last}, {own['second contact'].iloc[-1]:.0f} % had a second contact by "
        f"the year's end (England {england['second contact'].iloc[-1]:.0f} %). Those "
        f"who had one by the end of {either(own.index, 'and')} had waited "
        f"{both(mental_health.MEAN, ' days')} on average.",
        f"In the same {'years' if len(own) > 1 else 'year'}, {both(never[0], ' %')} were closed "
        f"before treatment; {both(never[1], ' %')} were without any contact at the year's end. Why "
        "a referral was closed is not published; the publisher names other help that fits better "
        "and services without room.",
    ]
    if len(own) > 1:
        wait = own[mental_health.MEAN].iloc[-1] - own[mental_health.MEAN].iloc[0]
        left = own[never].sum(axis=1).iloc[-1] - own[never].sum(axis=1).iloc[0]
        ways = {True: ("shorter", "more"), False: ("longer", "fewer")}
        said.append(
            f"From {first} to {last} the wait became {ways[wait < 0][0]} for those who got in, and "
            f"{ways[left > 0][1]} were closed untreated or had no contact: "
            f"{own[never].sum(axis=1).iloc[0]:.0f} → {own[never].sum(axis=1).iloc[-1]:.0f} % "
            f"(England {england[never].sum(axis=1).iloc[0]:.0f} → "
            f"{england[never].sum(axis=1).iloc[-1]:.0f} %). Neither is a trend: in 2020-21 the "
            "publisher changed which services count, and it advises against comparing years. Each "
            "year can be held against England's."
        )
    return said


@reads.found
def contacts(area: Area) -> list[str]:
    """Say how many children had a contact with a mental health service in twelve months."""
    table = mental_health.contacts(area)
    last = table.groupby("level").last()
    own = "group" in last.index
    row, every = last.loc["group" if own else "groups"], last.loc["groups"]
    before = table[(table["level"] == row.name)].iloc[-2]
    beside = f"; in all groups of England, {_change(every['change'])}" if own else ""
    since = "" if pd.isna(row["change"]) else (
        f" It was {before['children']:,.0f} in the twelve months before: {_change(row['change'])}"
        f"{beside}. The fewest in any twelve months were {row['fewest']:,.0f}, to "
        f"{row['fewest to']:%B %Y}."
    )  # fmt: skip
    per = "" if pd.isna(row["per 100"]) else (
        f", {row['per 100']:.1f} in 100 residents aged 0 to 17"
        + (f" (all groups of England {every['per 100']:.1f})" if own else "")
    )  # fmt: skip
    who = row["organisation"] if own else "all commissioning groups of England"
    return [
        f"{row['children']:,.0f} children of {who} had a contact with an "
        f"NHS-funded mental health service in the twelve months to {row['month']:%B %Y}{per}."
        f"{since}",
        "The number rises with the care given and with the providers that send records; how much "
        "of a change is which, is not published. It counts children who had a contact, and says "
        "nothing about how long they waited for it.",
    ]


def _change(change: float) -> str:
    """Write a change in per cent as a rise or a fall."""
    return f"a {'rise' if change > 0 else 'fall'} of {abs(change):.1f} %"


@reads.found
def first_contacts(area: Area) -> list[str]:
    """Say how long children's referrals to mental health services waited for a first contact.

    Returns
    -------
    list of str
        A sentence an organisation.
    """
    said = []
    for _, one in mental_health.first_contacts(area).groupby("organisation", sort=False):
        a, b = one.iloc[0], one.iloc[-1]
        said.append(
            f"{a['organisation']} had {a['waiting']:,.0f} children's referrals that waited for a "
            f"first contact at the end of {a['month']:%B %Y} and {b['waiting']:,.0f} at the end of "
            f"{b['month']:%B %Y}; half had waited {a['median days']:.0f} days or longer, then "
            f"{b['median days']:.0f}; over 52 weeks {a['over 52 weeks']:.0f} %, then "
            f"{b['over 52 weeks']:.0f} %."
        )
    return said


@reads.found
def spent(area: Area, pounds: float) -> list[str]:
    """Say what commissioning groups spent on children's mental health, and what a sum is of it.

    Parameters
    ----------
    area : Area or str
    pounds : float
        Sum that is held against the newest year.
    """
    table = mental_health.spending(area)
    own = table[table["level"] == "group"]
    first, last = (own if len(own) else table).iloc[[0, -1]].to_dict("records")
    england = table[table["level"] == "england"].iloc[-1]
    per = "" if pd.isna(last["per child"]) else (
        f", £{last['per child']:.0f} for each resident aged 0 to 17"
        + (f" (England £{england['per child']:.0f})" if len(own) else "")
    )  # fmt: skip
    part = (
        f" £{pounds / 1e6:,.1f} million is {100 * pounds / last['pounds']:.1f} % of the sum of "
        f"{last['year']}, the newest at hand."
    ) if len(own) else ""  # fmt: skip
    who = last["organisation"] if len(own) else "All commissioning groups of England"
    return [
        f"{who} put spending on children's mental health, eating disorders and "
        f"learning disability left out, at £{last['pounds'] / 1e6:,.2f} million in {last['year']}"
        f"{per}; in {first['year']} it was £{first['pounds'] / 1e6:,.2f} million, in the prices of "
        f"that year.{part}"
    ]


@reads.found
def autism(area: Area) -> list[str]:
    """Say what is published of autism referrals: of the area, of groups near it, of England."""
    table = mental_health.autism(area)
    england = table[table["level"] == "england"].iloc[0]
    shown = []
    for row in table[table["level"].isin(["group", "england"])].to_dict("records"):
        if pd.isna([row["under 10"], row["10 to 17"]]).all():
            shown.append(f"{row['organisation']} suppressed at both ages")
            continue
        ages = [
            f"{'suppressed for' if pd.isna(row[age]) else f'{row[age]:.0f} % of'} those {words}"
            for age, words in (("under 10", "under 10"), ("10 to 17", "aged 10 to 17"))
        ]
        shown.append(f"{row['organisation']} {' and '.join(ages)}")
    later = mental_health.autism_in_england()
    first, last = later.iloc[0], later.iloc[-1]
    days = "median days to first contact"
    return [
        f"Of the children whose suspected autism referral had been open for 13 weeks or more in "
        f"{england['month']:%B %Y}, so many were first seen after more than 13 weeks: "
        f"{'; '.join(shown)}. The rest were seen sooner or not yet: a low share can mean that few "
        "had been seen at all.",
        f"In England in {last.name:%B %Y}, {last[mental_health.OPEN]:,.0f} children had a "
        f"suspected autism referral open for 13 weeks or more; {last['not seen']:.0f} % of them "
        "had no appointment recorded. Half of those first seen in the quarter had waited "
        f"{last[days]:,.0f} days or longer ({first[days]:,.0f} in {first.name:%B %Y}).",
    ]


@reads.found
def seen_late(area: Area) -> str:
    """Name what :func:`.views_mental_health.autism` holds, with its month."""
    return (
        "First seen more than 13 weeks after a suspected autism referral, per cent of those whose "
        f"referral had been open as long, {mental_health.autism(area)['month'].max():%B %Y}"
    )
