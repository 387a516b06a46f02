"""How the number of plans grew: areas against England, their region and their neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, reads, tables
from send_analysis.areas import ENGLAND, Area
from send_analysis.errors import MissingDataError, ParameterError, either
from send_analysis.growth import denominators

# Dimension → table, the column that holds its categories, and which rows of further columns.
DIMENSIONS = {
    "age band": ("ehc_plans", "age_band", {}),
    "placement": ("placements", "placement_group", {"placement": "all"}),
    "primary need": ("primary_need", "primary_need", {"plans_counted": "in January"}),
}
# First January of EHC plans only: the last statements of SEN became plans in 2018 (releases' own
# guidance), and the releases have residents by age for no January before.
COMPARABLE = 2019
SMALLEST = 100  # plans: below it one child is more than 1 %, and no place by growth is told
IN_TIME = "excluded / 20 weeks or less"  # category of the table `timeliness`, as checks name it
CONFIDENCE_Z = 1.959964  # two-sided 95 % of a normal distribution


@reads.result
@tables.remembered(most=2)
def comparators(area: Area, *, neighbours: bool = True) -> pd.DataFrame:
    """List the areas that an authority is set against.

    Parameters
    ----------
    area : Area or str
    neighbours : bool, default True
        Whether the statistical neighbours are among them.

    Returns
    -------
    DataFrame
        ``area_code, area, role``: the area itself, ``england``, ``region`` and ten
        ``neighbours``, closest first. A region or England has only itself and England; an
        abolished authority has no neighbours.
    """
    rows = [(area, "area")]
    if area != ENGLAND:
        rows.append((ENGLAND, "england"))
    if area.level == "local authority":
        rows.append((area.region, "region"))
        if neighbours and area in areas.current():
            rows += [(other, "neighbours") for other in area.neighbours]
    out = pd.DataFrame(rows, columns=["area_code", "role"])
    return out.assign(area=out["area_code"].map(areas.name))[["area_code", "area", "role"]]


@reads.found
def latest(area: Area | None = None) -> int:
    """Return the last January for which an area's number of plans is published.

    Parameters
    ----------
    area : Area or str, optional
        Any area's if not given.

    Returns
    -------
    int
        The last of all where the area has none.
    """
    known = _last_years()
    return known.get(area, max(known.values()))


@tables.remembered
def _last_years() -> dict[str, int]:
    """Last January with plans of every area, merged footprints too."""
    return pd.concat(_all_ages()).groupby("area_code")["year"].max().to_dict()


@reads.result
def totals(units: Sequence[Area] | None = None) -> pd.DataFrame:
    """Plans (and statements) of all ages in January.

    Parameters
    ----------
    units : sequence of Area or str, optional
        All areas if not given. Merged footprints are added up.

    Returns
    -------
    DataFrame
        ``area_code, year, plans``, years without a figure left out.
    """
    plans, merged = _all_ages()
    if units is None:
        return plans.copy(deep=False)
    found = [frame[frame["area_code"].isin(units)] for frame in (plans, merged)]
    return pd.concat(found, ignore_index=True) if len(found[1]) else found[0].reset_index(drop=True)


@tables.remembered
def _all_ages() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plans of all ages in each January: those published, and those of merged footprints."""
    plans = tables.load("ehc_plans").query("age_band == 'all'")[["area_code", "year", "plans"]]
    units = areas.on_footprints(plans, ["plans"])
    units = units[units["area_code"].str.contains("+", regex=False)]
    return tuple(frame.dropna(subset="plans").reset_index(drop=True) for frame in (plans, units))


@reads.result
@tables.remembered(most=1)
def indexed(area: Area, *, start: int = COMPARABLE) -> pd.DataFrame:
    """Plans of an area and its comparators as an index.

    Parameters
    ----------
    area : Area or str
    start : int, default 2019
        January at which the index is 100. An area without a figure then is indexed on its
        unbroken footprint; the column ``area`` says so.

    Returns
    -------
    DataFrame
        ``area_code, area, role, year, plans, index`` (missing where the series breaks in between),
        ``caveat`` (why the row does not compare with the one before it; empty where it does).

    Raises
    ------
    MissingDataError
        If no comparator has a figure for `start`.
    """
    listed = comparators(area)
    first = tables.load("areas").set_index("area_code")
    changed = first["first_year"].reindex(listed["area_code"]).to_numpy() > start
    units = first["footprint"].reindex(listed["area_code"]).to_numpy()
    units = np.where(changed, units, listed["area_code"])
    names = [
        _with_others(code, unit) if role == "neighbours" else areas.name(unit)
        for code, unit, role in zip(listed["area_code"], units, listed["role"], strict=True)
    ]
    listed = listed.assign(area_code=units, area=names).drop_duplicates("area_code")
    found = _beside(totals(listed["area_code"].tolist()).merge(listed, on="area_code"))
    found = found[found["year"] >= start]
    said = caveats.crossed(found, "ehc_plans", start, found["year"])
    whole = (found["year"] == start) | (said == "")
    found = found[(found["role"] != "neighbours") | whole]
    base = found[found["year"] == start].set_index("area_code")["plans"]
    if base.empty:
        raise MissingDataError(f"No plans in January {start}; the tables begin in 2010.")
    base = base.replace(0, pd.NA)
    index = (100 * found["plans"] / found["area_code"].map(base)).astype("Float64")
    found = found.assign(index=index.where(whole), caveat=caveats.yearly(found, "ehc_plans"))
    return found[["area_code", "area", "role", "year", "plans", "index", "caveat"]]


def _with_others(code: str, unit: str) -> str:
    """Name a neighbour, and those that it is counted together with."""
    others = [areas.name(member) for member in unit.split("+") if member != code]
    return f"{areas.name(code)} (with {either(others, 'and')})" if others else areas.name(code)


def _beside(plans: pd.DataFrame) -> pd.DataFrame:
    """Leave out what neighbours returned in years that are flagged: nothing is set against it."""
    return plans[caveats.sound(plans, "ehc_plans") | (plans["role"] != "neighbours")]


@reads.found
@tables.remembered(most=20)
def broken(area: Area, *, start: int = COMPARABLE, end: int | None = None) -> str:
    """Say why no growth in an area's plans can be told from one January to another.

    Parameters
    ----------
    area : Area or str
    start, end : int
        Januaries; the last published if no end is given.

    Returns
    -------
    str
        A sentence; empty where nothing stands against it.
    """
    end = latest(area) if end is None else end
    doubt = caveats.doubt("ehc_plans", area, year=end)
    why = caveats.crossed(pd.DataFrame({"area_code": [area]}), "ehc_plans", start, end).iloc[0]
    if doubt or not why:
        return doubt
    return f"How plans in {area.name} grew from January {start} to {end} cannot be told: {why}."


@reads.result
def over_years(area: Area, *, years: int = 5) -> pd.DataFrame:
    """Growth over windows of one length, of an area, its region and England.

    Parameters
    ----------
    area : Area or str
    years : int, default 5
        Length of the windows.

    Returns
    -------
    DataFrame
        ``area_code, area, role, year`` (January in which the window ends), ``plans_start,
        plans_end, growth`` (per cent), ``caveat`` (why that is not growth of one thing; empty where
        it is).
    """
    listed = comparators(area, neighbours=False)
    plans = totals(listed["area_code"].tolist())
    before = plans.assign(year=plans["year"] + years).rename(columns={"plans": "plans_start"})
    out = plans.merge(before, on=["area_code", "year"]).merge(listed, on="area_code")
    out = out[out["plans_start"] > 0].rename(columns={"plans": "plans_end"})
    out["growth"] = (100 * (out["plans_end"] / out["plans_start"] - 1)).astype("float64")
    out["caveat"] = caveats.crossed(out, "ehc_plans", out["year"] - years, out["year"])
    columns = ["area_code", "area", "role", "year", "plans_start", "plans_end", "growth", "caveat"]
    return out[columns].reset_index(drop=True)


@reads.result
@tables.remembered(most=1)
def timeliness(area: Area) -> pd.DataFrame:
    """Share of plans issued within 20 weeks, of an area, its region and England.

    Plans with a statutory exception are left out.

    Returns
    -------
    DataFrame
        ``area_code, area, role, year`` (calendar year), ``in_time, issued`` (plans), ``share``
        (per cent; years without a plan issued, or flagged, left out), ``caveat`` (why the row does
        not compare with the one before it; empty where it does).
    """
    listed = comparators(area, neighbours=False)
    rows = tables.load("timeliness", area_code=listed["area_code"], exceptions="excluded")
    rows = rows[caveats.sound(rows, "timeliness", category=IN_TIME)]
    wide = rows.pivot(index=["area_code", "year"], columns="issued_within", values="plans")
    wide = wide.rename(columns={"any time": "issued", "20 weeks or less": "in_time"})
    wide = wide[["in_time", "issued"]].dropna().query("issued > 0")
    share = (100 * wide["in_time"] / wide["issued"]).astype("float64")
    out = wide.assign(share=share).reset_index().merge(listed, on="area_code")
    out["caveat"] = caveats.yearly(out, "timeliness", category=IN_TIME)
    return out[["area_code", "area", "role", "year", "in_time", "issued", "share", "caveat"]]


@tables.remembered
def growth(start: int = COMPARABLE, end: int | None = None) -> pd.DataFrame:
    """Growth in the number of plans of every authority, with an interval and its place.

    Parameters
    ----------
    start, end : int
        Januaries between which growth is measured.

    Returns
    -------
    DataFrame
        One row a local authority or footprint with figures for both years, by growth:
        ``area_code, area, plans_start, plans_end, growth, low, high`` (per cent, 95 %
        interval), ``rank`` (1 grew most), ``areas`` (how many are set in order), ``caveat`` (why
        that is not growth of one thing; empty where it is). England is the last row, without a
        rank; those with a caveat come before it, without growth and rank; nor has one with fewer
        than :data:`SMALLEST` plans in one of the Januaries.

    Raises
    ------
    ParameterError
        If the years are not two Januaries of the tables.

    Notes
    -----
    The interval takes each count as a Poisson count: the variance of the log of their ratio is
    1/n₀ + 1/n₁ (Breslow and Day 1987, *Statistical Methods in Cancer Research* II, section 2.3).
    It says how far chance alone could move growth in an area of this size if nothing else did. It
    does not say that areas differ for no other reason; for that see the panel model.
    """
    end = latest() if end is None else end
    plans = totals()
    years = sorted(plans["year"].unique())
    if start >= end or start not in years or end not in years:
        raise ParameterError(
            f"Growth from January {start} to January {end}: give two years between {years[0]} and "
            f"{years[-1]}, the earlier first."
        )
    wide = plans.pivot(index="area_code", columns="year", values="plans")[[start, end]]
    units = areas.on_footprints(plans, ["plans"]).pivot(
        index="area_code", columns="year", values="plans"
    )[[start, end]]
    local = wide.reindex(areas.current()).dropna()
    broken = units[units.index.str.contains("+", regex=False)].dropna()
    broken = broken[~broken.index.str.split("+").str[0].isin(local.index)]
    out = pd.concat([local, broken])
    out = out[(out > 0).all(axis=1)].astype("float64")
    out.columns = ["plans_start", "plans_end"]
    national = wide.loc[[ENGLAND]].astype("float64").set_axis(out.columns, axis=1)
    grown = _with_interval(out).sort_values(["growth", "plans_end"], ascending=False)
    both = pd.concat([grown, _with_interval(national)]).rename_axis("area_code").reset_index()
    both["caveat"] = caveats.crossed(both, "ehc_plans", start, end)
    sound = (both["caveat"] == "") & (both["area_code"] != ENGLAND)
    told = sound & (both[["plans_start", "plans_end"]].min(axis=1) >= SMALLEST)
    both["rank"] = sound.cumsum().where(told).astype("Int64")
    both["areas"] = pd.Series(sound.sum(), index=both.index, dtype="Int64").where(sound)
    ends = ["growth", "low", "high"]
    both[ends] = both[ends].where(both["caveat"] == "")
    both.insert(1, "area", both["area_code"].map(areas.name))
    order = np.lexsort([~sound, both["area_code"] == ENGLAND])
    both = both.astype({"plans_start": "int64", "plans_end": "int64"}).iloc[order]
    return both[[*both.columns.drop("caveat"), "caveat"]].reset_index(drop=True)


def _with_interval(counts: pd.DataFrame) -> pd.DataFrame:
    """Add growth in per cent and its 95 % interval to two columns of counts."""
    ratio = counts["plans_end"] / counts["plans_start"]
    spread = np.exp(CONFIDENCE_Z * np.sqrt(1 / counts["plans_start"] + 1 / counts["plans_end"]))
    return counts.assign(
        growth=100 * (ratio - 1), low=100 * (ratio / spread - 1), high=100 * (ratio * spread - 1)
    )


@reads.result
@tables.remembered(most=1)
def rates(area: Area) -> pd.DataFrame:
    """Plans per 1,000 residents aged 0 to 25, of an area and its comparators.

    Returns
    -------
    DataFrame
        ``area_code, area, role, year, plans, people, rate, low, high, basis, caveat``: people at
        the middle of the year before the January, and what they rest on; why the row does not
        compare with the one before it. Low and high of the rate are there only where people are
        estimated (see :func:`denominators.residents`).
    """
    listed = comparators(area)
    people = denominators.residents()
    people = people[people["area_code"].isin(listed["area_code"])]
    people = people.assign(year=people["year"] + 1)
    out = totals(listed["area_code"].tolist()).merge(people, on=["area_code", "year"])
    out = _beside(out.merge(listed, on="area_code"))
    each = {"rate": "people", "low": "high", "high": "low"}
    out = out.assign(**{
        name: (1000 * out["plans"] / out[below]).astype("float64") for name, below in each.items()
    })  # fmt: skip
    out["caveat"] = caveats.yearly(out, "ehc_plans")
    columns = ["area_code", "area", "role", "year", "plans", "people", "rate", "low", "high",
               "basis", "caveat"]  # fmt: skip
    return out[columns].sort_values(["role", "area_code", "year"])


@reads.result
@tables.remembered(most=1)
def by(
    dimension: str, area: Area, *, start: int = COMPARABLE, end: int | None = None
) -> pd.DataFrame:
    """Growth of an area's and of England's plans by age band, placement or primary need.

    Parameters
    ----------
    dimension : str
        ``"age band"``, ``"placement"`` or ``"primary need"``.
    area : Area or str
    start, end : int
        Januaries. Primary need is collected from January 2025 only: its `start` is ignored.

    Returns
    -------
    DataFrame
        ``area_code, area, category, plans_start, plans_end, change`` (missing across a break),
        ``share_start, share_end`` (of all plans in per cent), ``caveat`` (why the change is not
        growth of one thing; empty where it is), ``lacks`` (of England and regions: plans of
        authorities without categories, and whether they count); primary need has the columns of the
        end only.

    Raises
    ------
    MissingDataError
        If the area has no figures for one of the years.
    """
    end = latest(area) if end is None else end
    if dimension not in DIMENSIONS:
        raise ParameterError(f"{dimension!r} is not one of {', '.join(DIMENSIONS)}")
    table, column, further = DIMENSIONS[dimension]
    start = end if dimension == "primary need" else start
    frame = tables.load(table, area_code=[area, ENGLAND], year=[start, end], **further)
    wide = frame.pivot_table(
        index=["area_code", column], columns="year", values="plans", aggfunc="first", sort=False
    )
    for year in (start, end):
        # A total without its parts says nothing by category.
        parts = wide[wide.index.get_level_values(column) != "all"]
        known = parts[year].dropna().index if year in parts else parts.index[:0]
        if area not in known.get_level_values("area_code"):
            raise MissingDataError(
                f"{area.name} has no plans by {dimension} in January {year}. {area.history}".strip()
            )
    out = pd.DataFrame({"plans_start": wide[start], "plans_end": wide[end]}).astype("Int64")
    whole = out.xs("all", level=column).reindex(out.index.get_level_values("area_code"))
    out = out.assign(
        change=out["plans_end"] - out["plans_start"],
        share_start=100 * out["plans_start"] / whole["plans_start"].array,
        share_end=100 * out["plans_end"] / whole["plans_end"].array,
    )
    out = out.rename_axis(index={column: "category"}).reset_index()
    out.insert(1, "area", out["area_code"].map(areas.name))
    name = "{} / all" if dimension == "placement" else "{}"
    if start == end:
        out = out.drop(columns=["plans_start", "change", "share_start"])
    else:
        named = out["category"].map(name.format)
        out["caveat"] = caveats.crossed(out, table, start, end, category=named)
        out["change"] = out["change"].where(out["caveat"] == "")
    said = {
        code: " ".join(_lacks(dimension, code, year) for year in dict.fromkeys([start, end]))
        for code in dict.fromkeys([area, ENGLAND])
    }
    out["lacks"] = out["area_code"].map(said).str.strip()
    return out[out["category"] != "all"].reset_index(drop=True)


@tables.remembered
def _lacks(dimension: str, group: Area, year: int) -> str:
    """Say which plans of England or a region are in no category, or only in that of the unknown."""
    table, column, further = DIMENSIONS[dimension]
    known = tables.load("areas").set_index("area_code")
    local = known.index[known["level"] == "local authority"]
    if group.level == "local authority":
        return ""
    members = local if group == ENGLAND else local[known.loc[local, "region_code"] == group]
    wide = tables.load(table, year=year, **further).pivot(
        index="area_code", columns=column, values="plans"
    )
    own = wide.reindex(members)
    only = own.index[own["all"].notna() & own.drop(columns="all").isna().all(axis=1)]
    if only.empty:
        return ""
    gap = wide.loc[group, "all"] - wide.loc[group].drop("all").sum()
    count, where = (
        (gap, "stand in no row")
        if gap
        else (own.loc[only, "all"].sum(), "stand under “not recorded”")
    )
    return (
        f"{group.name}, January {year}: {count:,.0f} plans {where}, because "
        f"{either(only.map(areas.name), 'and')} {'have' if len(only) > 1 else 'has'} no figures by "
        f"{dimension}."
    )


@reads.result
def flows(area: Area) -> pd.DataFrame:
    """What came in and what went out each year, and what neither explains.

    Returns
    -------
    DataFrame
        One row a calendar year: ``area_code, year, plans_start`` (its January), ``new, ceased,
        remainder, plans_end`` (the next January), ``caveat`` (why the year's flows do not compare
        with those of the year before; empty where they do). The remainder holds moves between
        authorities, late recording and changes of the return; it is what closes the account.
    """
    stock = totals([area]).set_index("year")["plans"]
    new = tables.load("new_plans", area_code=area, age_band="all")
    ceased = tables.load("ceased_plans", area_code=area, reason="all")
    out = pd.DataFrame({
        "plans_start": stock,
        "new": new.set_index("year")["plans"],
        "ceased": ceased.set_index("year")["plans"],
        "plans_end": stock.rename(lambda year: year - 1),
    })  # fmt: skip
    out = out.dropna(subset=["plans_start", "plans_end"])
    remainder = out["plans_end"] - out["plans_start"] - out["new"] + out["ceased"]
    out.insert(3, "remainder", remainder)
    out = out.rename_axis("year").reset_index().assign(area_code=area)
    out["caveat"] = caveats.yearly(out, "ceased_plans").where(out["ceased"].notna(), "")
    return out[
        ["area_code", "year", "plans_start", "new", "ceased", "remainder", "plans_end", "caveat"]
    ]
