"""Children's mental health and autism: contacts, first contacts, spending, referrals.

Files of NHS England in its own long shape: a row an organisation, period and measure, with rows
of suppressed figures left out. Each is held against itself and, where another one prints the same
thing, against that.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import reading
from send_analysis.cleaning.nhs_organisations import from_capitals
from send_analysis.errors import DataError

CONTACTS, FIRST = "mental_health_contacts", "mental_health_first_contacts"
SPENDING, AUTISM = "mental_health_spending", "autism_referrals"
RELEASES = {
    CONTACTS: "mental_health_contacts_2023",
    FIRST: "mental_health_first_contacts_2024",
    SPENDING: "mental_health_dashboard_2021",
    AUTISM: "autism_referrals_2023",
}
ENGLAND_AUTISM = "autism_england_2026"
AGAIN = "fetch the file again"
LEVELS = {
    CONTACTS: {
        "England": "england", "Commissioning Region": "region",
        "CCG of Residence": "group", "Sub ICB of Residence": "group",
    },
    FIRST: {
        "England": "england", "ICB of GP Practice or Residence": "icb", "Provider": "provider",
    },
    SPENDING: {
        "National": "england", "Region": "region", "STP": "partnership", "CCG": "group",
    },
    AUTISM: {
        "Age Group": "england", "Commissioning Region - GP Practice or Residence; Age Group":
        "region", "CCG or Sub ICB Location - GP Practice or Residence; Age Group": "group",
        "Provider; Age Group": "provider",
    },
}  # fmt: skip
FIRST_MEASURES = {
    "MRS10": "waiting", "MRS10a": "median days", "MRS10b": "90th percentile days",
    "MRS14e": "over 52 weeks", "MRS14c": "over 78 weeks", "MRS14a": "over 104 weeks",
}  # fmt: skip
PARTS = {"CYP(v)": "without eating disorders", "CYP(vi)": "eating disorders"}
SEEN_LATE = "first appointment after more than 13 weeks, per cent"
AUTISM_MEASURES = {
    "ASD16b": "open referrals",
    "ASD16c": "open at least 13 weeks",
    "ASD18c": "first appointment within 13 weeks",
    "ASD18e": "first appointment after more than 13 weeks",
    "ASD18f": "no appointment recorded",
    "ASD19e": SEEN_LATE,
    "ASD25a": "median days to first contact",
    "ASD26a": "first contacts in the quarter",
}
_PERIOD = ["REPORTING_PERIOD_START", "REPORTING_PERIOD_END"]
_PLACE = ["PRIMARY_LEVEL", "PRIMARY_LEVEL_DESCRIPTION"]


def contacts(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build `mental_health_contacts` and `mental_health_spending`, which check each other.

    Returns
    -------
    dict of DataFrame
        ``mental_health_contacts``: ``month`` (the last of twelve), ``organisation_code,
        organisation, level`` (england, region, group), ``status`` (final, provisional),
        ``children``. ``mental_health_spending``: ``year`` (in which the financial year begins),
        the organisation, ``part`` of the spending, ``pounds``, ``missing``. ``quality``: periods
        printed with day and month changed round.

    Raises
    ------
    DataError
        If a cell cannot be read, a group is missing from a month, groups add up to more children
        than England or to another sum of money, or the two releases print other contacts for the
        newest year that they share.
    """
    found, odd = _contacts(root)
    dashboard = _read(
        root, SPENDING, {"indicator", "org_type", "org_code", "org_name", "period", "value"}
    )
    money = _spending(dashboard)
    _check_shared(found, dashboard)
    return {CONTACTS: found, SPENDING: money, "quality": odd}


def _read(root: Path, table: str, columns: set[str]) -> pd.DataFrame:
    """Read the file of a table, with ``level`` added by what it calls a kind of organisation."""
    frame = reading.read_csv(root, reading.release(RELEASES[table])["path"])
    reading.require_columns(frame, sorted(columns))
    kind = next(c for c in ("BREAKDOWN", "level", "org_type") if c in frame)
    level = frame[kind].map(LEVELS[table])
    reading.refuse(
        level.isna(), frame[kind], f"is none of {', '.join(LEVELS[table])}; say in nhs_children.py "
        "what it is", file=frame.attrs["file"],
    )  # fmt: skip
    attrs = frame.attrs
    frame = frame.assign(level=level)
    frame.attrs = attrs
    return frame


def _values(frame: pd.DataFrame, column: str, *, whole: bool = False) -> pd.Series:
    """Numbers of a column; suppressed rows are not in these files, so each has one."""
    return reading.numbers(frame[column], file=frame.attrs["file"], codes={}, whole=whole).values


def _months(text: pd.Series, form: str, file: str) -> pd.Series:
    """First days of the months that dates lie in."""
    days = pd.to_datetime(text, format=form, errors="coerce")
    reading.refuse(days.isna(), text, f"is no date such as {form}; {AGAIN}", file=file)
    return days.dt.to_period("M").dt.to_timestamp()


def _contacts(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read contacts, and find periods of which day and month are changed round."""
    wanted = {*_PERIOD, "STATUS", *_PLACE, "MEASURE_ID", "MEASURE_VALUE"}
    frame = _read(root, CONTACTS, wanted)
    file = frame.attrs["file"]
    reading.refuse(
        frame["MEASURE_ID"] != "MHS95", frame["MEASURE_ID"], f"is not MHS95; {AGAIN}", file=file
    )
    month = _months(frame[_PERIOD[1]], "%d/%m/%Y", file)
    start = month - pd.DateOffset(months=11)
    right = frame[_PERIOD[0]] == start.dt.strftime("%d/%m/%Y")
    turned = frame[_PERIOD[0]] == start.dt.strftime("%m/%d/%Y")
    reading.refuse(
        ~right & ~turned, frame[_PERIOD[0]], f"is not a year before the period's end; {AGAIN}",
        file=file,
    )  # fmt: skip
    status = frame["STATUS"].map({"Final": "final", "Performance": "provisional"})
    reading.refuse(
        status.isna(), frame["STATUS"], "is neither Final nor Performance; say in nhs_children.py "
        "what it is", file=file,
    )  # fmt: skip
    code = frame["PRIMARY_LEVEL"].replace({"England": ENGLAND})
    out = pd.DataFrame({
        "month": month, "organisation_code": code, "level": frame["level"],
        "organisation": frame["PRIMARY_LEVEL_DESCRIPTION"], "status": status,
        "children": _values(frame, "MEASURE_VALUE", whole=True),
    })  # fmt: skip
    _check_once(out, ["month", "organisation_code"], file)
    _check_months(out, file)
    out = out.assign(organisation=_newest(out, _groups(root)))
    odd = out[turned & ~right & (out["level"] == "england")]
    note = (
        "the period printed begins on "
        + frame.loc[odd.index, _PERIOD[0]]
        + ", with day and month changed round: read as twelve months"
    )
    odd = odd.assign(area_code=ENGLAND, year=odd["month"].dt.year, published=odd["children"])
    odd = odd.assign(item=odd["month"].dt.strftime("%B"), note=note, expected=pd.NA)
    return out, quality.findings(odd, table=CONTACTS, check="period", action="explained")


def _newest(frame: pd.DataFrame, groups: pd.Series | None = None) -> pd.Series:
    """Newest name of each organisation; a group's own, which later months print as a board's."""
    names = frame.sort_values("month").drop_duplicates("organisation_code", keep="last")
    names = names.set_index("organisation_code")["organisation"].map(from_capitals)
    if groups is not None:
        names.update(groups)
    return frame["organisation_code"].map(names)


def _groups(root: Path) -> pd.Series:
    """Name of each commissioning group, by code."""
    links = reading.read_csv(root, reading.release("nhs_area_links_2024")["path"])
    reading.require_columns(links, ["nhs_code", "nhs_name"])
    return links.drop_duplicates("nhs_code").set_index("nhs_code")["nhs_name"]


def _check_once(frame: pd.DataFrame, key: list[str], file: str) -> None:
    """Refuse two rows for one thing."""
    twice = frame.duplicated(key)
    if twice.any():
        row = frame[twice].iloc[0]
        said = ", ".join(f"{row[k]:%B %Y}" if k == "month" else str(row[k]) for k in key)
        raise DataError(
            f"a second row for {said}; remove one of the two", file=file, row=int(row.name) + 2
        )


def _check_months(frame: pd.DataFrame, file: str) -> None:
    """Refuse a month without England or one of the groups, and groups that exceed England."""
    by = frame.pivot(index="month", columns="organisation_code", values="children").astype(float)
    groups = by[frame.loc[frame["level"] == "group", "organisation_code"].unique()]
    there = by.reindex(columns=[*groups, ENGLAND]).notna()
    if not there.all(axis=None):
        month = there.index[~there.all(axis=1)][0]
        lacking = there.columns[~there.loc[month]][0]
        raise DataError(f"no row of {lacking} in {month:%B %Y}; {AGAIN}", file=file)
    over = groups.sum(axis=1) > by[ENGLAND] + 2.5 * groups.shape[1]  # each rounded to 5
    if over.any():
        month = over.idxmax()
        raise DataError(
            f"the groups add up to {groups.loc[month].sum():,.0f} in {month:%B %Y}, England is "
            f"{by.at[month, ENGLAND]:,.0f}; a group is there twice, or {AGAIN}",
            file=file,
        )


def _spending(frame: pd.DataFrame) -> pd.DataFrame:
    """Spending by financial year, planned figures left out, every group in every year."""
    file = frame.attrs["file"]
    frame = frame[frame["indicator"].isin(PARTS) & ~frame["period"].str.endswith(" planned")]
    frame.attrs["file"] = file
    year = reading.first_years(frame["period"], file=file, between="/")
    out = frame.rename(columns={"org_code": "organisation_code", "org_name": "organisation"})
    out = out.assign(
        year=year, part=out["indicator"].map(PARTS), pounds=_values(frame, "value").round(2),
        organisation_code=out["organisation_code"].mask(out["level"] == "england", ENGLAND),
        organisation=out["organisation"].str.removesuffix(" (STP)").map(from_capitals),
    )  # fmt: skip
    key = ["year", "level", "organisation_code", "part"]
    _check_once(out, key, file)
    sums = out.pivot_table(index=["year", "part"], columns="level", values="pounds", aggfunc="sum")
    for level in ("region", "partnership", "group"):
        apart = (sums[level] - sums["england"]).abs() > 100
        if apart.any():
            year, part = apart.idxmax()
            raise DataError(
                f"{level}s add up to £{sums[level][year, part]:,.0f} in {year}/{(year + 1) % 100} "
                f"({part}), England is £{sums['england'][year, part]:,.0f}; {AGAIN}",
                file=file,
            )
    names = out.drop_duplicates(["level", "organisation_code"], keep="last")
    grid = names[["level", "organisation_code", "organisation"]]
    grid = grid.merge(out[["year", "part"]].drop_duplicates(), how="cross")
    out = grid.merge(out[[*key, "pounds"]], on=key, how="left")
    return out.assign(missing=out["pounds"].isna().map({True: "not_returned", False: ""}))


def _check_shared(found: pd.DataFrame, dashboard: pd.DataFrame) -> None:
    """Refuse contacts of which another release prints other figures for the same year.

    The dashboard's newest year is final; those before were printed before they were.
    """
    file = dashboard.attrs["file"]
    one = dashboard[dashboard["indicator"] == "CYP(i_a)"]
    quarters = one.loc[one["period"].str.fullmatch(r"Q4 20\d\d/\d\d"), "period"]
    if quarters.empty:
        raise DataError(f"no contacts of a fourth quarter, CYP(i_a); {AGAIN}", file=file)
    newest = quarters.max()
    one = one[(one["period"] == newest) & one["level"].isin(["england", "region", "group"])]
    one.attrs["file"] = file
    code = one["org_code"].mask(one["level"] == "england", ENGLAND)
    theirs = _values(one, "value").set_axis(code)
    end = pd.Timestamp(int(newest[3:7]) + 1, 3, 1)
    ours = found[found["month"] == end].set_index("organisation_code")["children"]
    ours = ours.reindex(theirs.index)
    apart = ours.isna() | (ours != theirs)
    if apart.any():
        code = apart.idxmax()
        raise DataError(
            f"{code} has {theirs[code]:,.0f} children with a contact in the year to {end:%B %Y}, "
            f"{reading.release(RELEASES[CONTACTS])['path']} has {ours[code]}; fetch both again",
            file=file,
        )


def first_contacts(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `mental_health_first_contacts`.

    What needs codes that many trusts do not enter (a "full clock stop") is left out.

    Returns
    -------
    dict of DataFrame
        ``mental_health_first_contacts``: ``month, organisation_code, organisation, level``
        (england, icb, provider), ``measure`` (see ``FIRST_MEASURES``), ``value, missing``.

    Raises
    ------
    DataError
        If a cell cannot be read, more wait long than wait, a median lies above the ninth decile,
        or boards or providers do not add up to England.
    """
    wanted = {"period_end", "level", "org_code", "org_name", "measure_id", "value"}
    frame = _read(root, FIRST, wanted)
    file = frame.attrs["file"]
    frame = frame[frame["measure_id"].isin(FIRST_MEASURES)]
    frame.attrs["file"] = file
    out = pd.DataFrame({
        "month": _months(frame["period_end"], "%Y-%m-%d", file),
        "organisation_code": frame["org_code"].replace({"England": ENGLAND}),
        "organisation": frame["org_name"], "level": frame["level"],
        "measure": frame["measure_id"].map(FIRST_MEASURES), "value": _values(frame, "value"),
    })  # fmt: skip
    place = ["month", "level", "organisation_code"]
    _check_once(out, [*place, "measure"], file)
    out = out.assign(organisation=_newest(out))
    wide = out.pivot(index=place, columns="measure", values="value").astype(float)
    wide = wide.reindex(columns=list(FIRST_MEASURES.values()))
    order = ["over 104 weeks", "over 78 weeks", "over 52 weeks", "waiting"]
    for less, more in [*pairwise(order), ("median days", "90th percentile days")]:
        wrong = wide[less] > wide[more] + (5 if less in order else 0)  # each rounded to 5
        if wrong.any():
            month, _, code = wrong.idxmax()
            raise DataError(
                f"{code}, {month:%B %Y}: {less} is more than {more}; {AGAIN}", file=file
            )
    sums = wide["waiting"].groupby(level=["month", "level"]).agg(["sum", "size"]).unstack("level")
    for level in ("icb", "provider"):
        short = sums["sum", "england"] - sums["sum", level]
        allowed = 2.5 * sums["size", level]  # each rounded to 5; fewer than 5 are not printed
        wrong = (short < -allowed) | (short > 2 * allowed)
        if wrong.any():
            month = wrong.idxmax()
            raise DataError(
                f"{level}s add up to {sums['sum', level][month]:,.0f} waiting in {month:%B %Y}, "
                f"England is {sums['sum', 'england'][month]:,.0f}; {AGAIN}",
                file=file,
            )
    names = out.drop_duplicates("organisation_code").set_index("organisation_code")["organisation"]
    long = wide.melt(ignore_index=False).reset_index()
    long = long.assign(organisation=long["organisation_code"].map(names))
    return {FIRST: long.assign(missing=long["value"].isna().map({True: "suppressed", False: ""}))}


def autism(root: Path, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Build the table `autism_referrals`.

    Returns
    -------
    dict of DataFrame
        ``autism_referrals``: ``month, organisation_code, organisation, level`` (england, region,
        group, provider), ``age``, ``measure`` (see ``AUTISM_MEASURES``), ``value, missing``
        (suppressed: a group without a row).

    Raises
    ------
    DataError
        If a cell cannot be read, a share is not of 100, or England's shares are not those of
        its counts.
    """
    found = _seen_late(root)
    out = pd.concat([found, _suppressed(root, found), _england(root)], ignore_index=True)
    return {AUTISM: out.assign(missing=out["value"].isna().map({True: "suppressed", False: ""}))}


def _seen_late(root: Path) -> pd.DataFrame:
    """Read who was seen after more than 13 weeks, by organisation and age."""
    wanted = {*_PERIOD, *_PLACE, "SECONDARY_LEVEL", "METRIC", "METRIC_VALUE"}
    frame = _read(root, AUTISM, wanted)
    file = frame.attrs["file"]
    national = frame["level"] == "england"
    age = frame["SECONDARY_LEVEL"].mask(national, frame["PRIMARY_LEVEL"]).str.casefold()
    reading.refuse(
        ~age.isin(["under 10", "10 to 17"]), age, f"is neither under 10 nor 10 to 17; {AGAIN}",
        file=file,
    )  # fmt: skip
    measure = frame["METRIC"].map(AUTISM_MEASURES)
    reading.refuse(measure != SEEN_LATE, frame["METRIC"], f"is not ASD19e; {AGAIN}", file=file)
    value = _values(frame, "METRIC_VALUE")
    reading.refuse(
        ~value.between(0, 100), frame["METRIC_VALUE"], f"is no share of 100; {AGAIN}", file=file
    )
    out = pd.DataFrame({
        "month": _months(frame[_PERIOD[0]], "%Y-%m-%d", file),
        "organisation_code": frame["PRIMARY_LEVEL"].mask(national, ENGLAND),
        "organisation": frame["PRIMARY_LEVEL_DESCRIPTION"].mask(national, "England"),
        "level": frame["level"], "age": age, "measure": measure, "value": value,
    })  # fmt: skip
    _check_once(out, ["month", "level", "organisation_code", "age"], file)
    return out.assign(organisation=_newest(out, _groups(root)))


def _suppressed(root: Path, printed: pd.DataFrame) -> pd.DataFrame:
    """Rows of groups that the file leaves out, in every month and age that it has."""
    groups = _groups(root).rename_axis("organisation_code").rename("organisation").reset_index()
    month = printed["month"].drop_duplicates()
    grid = groups.merge(month, how="cross").merge(printed["age"].drop_duplicates(), how="cross")
    key = ["month", "organisation_code", "age"]
    there = pd.MultiIndex.from_frame(printed.loc[printed["level"] == "group", key])
    grid = grid[~pd.MultiIndex.from_frame(grid[key]).isin(there)]
    return grid.assign(level="group", measure=SEEN_LATE, value=pd.NA)


def _england(root: Path) -> pd.DataFrame:
    """England's later months, ages 0 to 17."""
    frame = reading.read_csv(root, reading.release(ENGLAND_AUTISM)["path"])
    reading.require_columns(frame, ["month", "metric", "england_value"])
    reading.require_unique(frame, ["month", "metric"])
    file = frame.attrs["file"]
    month = _months(frame["month"], "%Y-%m", file)
    wide = frame.assign(month=month, value=_values(frame, "england_value"))
    wide = wide.pivot(index="month", columns="metric", values="value").astype(float)
    lacking = [metric for metric in [*AUTISM_MEASURES, "ASD19c", "ASD19f"] if metric not in wide]
    if lacking or wide.isna().any(axis=None):
        raise DataError(f"{(lacking or ['a metric'])[0]} is missing in some month", file=file)
    for share, count in (("ASD19c", "ASD18c"), ("ASD19e", "ASD18e"), ("ASD19f", "ASD18f")):
        wrong = (wide[share] - 100 * wide[count] / wide["ASD16c"]).abs() > 1e-4
        if wrong.any():
            raise DataError(
                f"{share} of {wrong.idxmax():%B %Y} is not {count} of ASD16c in per cent; compare "
                "it with the published file",
                file=file,
            )
    long = wide[list(AUTISM_MEASURES)].melt(ignore_index=False, var_name="metric").reset_index()
    return long.assign(
        organisation_code=ENGLAND, organisation="England", level="england", age="0 to 17",
        measure=long["metric"].map(AUTISM_MEASURES),
    ).drop(columns="metric")  # fmt: skip
