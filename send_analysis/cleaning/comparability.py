"""Where series break, and which figures their publishers doubt: the table `series_breaks`.

What publishers say is written in `comparability.yml`. What the tables show by themselves is found
here: categories that were added or dropped (the others of their group were cut otherwise), changed
boundaries, jumps that `quality` found, figures withheld.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from send_analysis import quality
from send_analysis.areas import ENGLAND
from send_analysis.cleaning.layout import rules

BREAK = ["table", "category", "area_code", "year", "settled", "kind", "note", "source"]
FOUND = "found by rule in the releases"
# Tables whose categories are parts of a whole, and the columns that name them: a part that is
# added or dropped takes from its siblings.
PARTS = {
    "placements": ["placement_group", "placement"],
    "new_plans_by_placement": ["placement_group", "placement"],
    "ceased_plans": ["reason"],
    "ehc_plans": ["age_band"],
    "new_plans": ["age_band"],
}
# Tables in which a return that was not made is looked for, with the columns of their categories.
RETURNED = PARTS | {
    "primary_need": ["plans_counted", "primary_need"],
    "requests": ["outcome"],
    "assessments": ["outcome"],
    "timeliness": ["exceptions", "issued_within"],
    "annual_reviews": ["measure"],
}
OF_A_JUMP = "these flows are of a return in which the number of plans is flagged"
WITH_A_JUMP = "the plans among these decisions are of a return in which their number is flagged"
# Tables of what a return of flows holds, beside the plans that began: where the assessments are not
# there, neither is the rest.
FLOWS = ("requests", "assessments", "timeliness", "ceased_plans")
UNASSESSED = 4  # new plans an assessment that ended in one; all others from 2016 on are below 2
# Decisions that could be appealed over the plans, refusals and plans not issued that they hold (the
# rest, plans ceased because needs are met, are few): 99 of 100 lie between .995 and 1.08.
HOLDS = (0.97, 1.25)
FEWEST_OFF = 20  # decisions: of fewer a handful of plans that ceased could be the reason
FEWEST_NEW = 30  # new plans: of fewer a handful on either side of a new year could be the reason
MOST_WITHHELD = 0.5  # share of an area's categories in a year: above it the return is not there


def _categories(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Name of each row's category, as `comparability.yml` writes it."""
    first, *others = (frame[column].astype("str") for column in columns)
    return first.str.cat(others, sep=" / ") if others else first


def _value(frame: pd.DataFrame) -> str:
    """Column of counts of one of the tables."""
    return next(name for name in ("plans", "requests", "assessments") if name in frame)


def findings(made: Mapping[str, pd.DataFrame], areas: pd.DataFrame) -> pd.DataFrame:
    """Find returns that were not made, and take down what publishers say is wrong.

    Parameters
    ----------
    made : mapping of DataFrame
        Tables by name.
    areas : DataFrame
        The table `areas`.

    Returns
    -------
    DataFrame
        As :func:`send_analysis.quality.findings`.
    """
    parts = [
        _withheld(made[name], areas, name, columns)
        for name, columns in RETURNED.items()
        if name in made
    ]
    parts += [_unassessed(made, areas), _miscounted(made, areas), _doubted(made)]
    return pd.concat([quality.none(), *parts], ignore_index=True)


def _unassessed(made: Mapping[str, pd.DataFrame], areas: pd.DataFrame) -> pd.DataFrame:
    """Find returns in which plans began that hardly an assessment ended in.

    No plan begins without an assessment, so the list of assessments is short, and with it what is
    counted in the same return. Years in which England's own figures differ as much (2014, when
    statements became plans) are left out.
    """
    if not {"new_plans", "assessments"} <= set(made):
        return quality.none()
    key = ["area_code", "year"]
    new, cases = made["new_plans"], made["assessments"]
    began = new[new["age_band"] == "all"].set_index(key)["plans"].rename("began")
    ended = cases[cases["outcome"] == "plan issued"].set_index(key)["assessments"].rename("ended")
    both = pd.concat([began, ended], axis=1).astype("float64").dropna().reset_index()
    short = both["began"] >= UNASSESSED * both["ended"]
    everywhere = both.loc[short & (both["area_code"] == ENGLAND), "year"]
    local = areas.loc[areas["level"] == "local authority", "area_code"]
    found = both[
        short
        & (both["began"] >= FEWEST_NEW)
        & ~both["year"].isin(everywhere)
        & both["area_code"].isin(local)
    ]
    counts = found[["began", "ended"]].astype("int64").astype("str")
    note = "the return of the year is not whole: " + counts["began"] + " plans began, and "
    note += counts["ended"] + " assessments are recorded that ended in one"
    same = {"check": quality.UNASSESSED, "action": "unexplained", "note": note}
    rows = [quality.findings(found, table=name, **same) for name in FLOWS if name in made]
    return pd.concat([quality.none(), *rows], ignore_index=True)


def _miscounted(made: Mapping[str, pd.DataFrame], areas: pd.DataFrame) -> pd.DataFrame:
    """Find decisions that could be appealed that are not what they are made of."""
    made_of = {  # of the year, but for plans, which are counted in the January that follows
        "ehc_plans": ("age_band", "all", "plans", 1),
        "requests": ("outcome", "not assessed", "requests", 0),
        "assessments": ("outcome", "plan not issued", "assessments", 0),
    }
    if not {"tribunals", *made_of} <= made.keys():
        return quality.none()
    key, parts = ["area_code", "year"], []
    for name, (column, category, value, later) in made_of.items():
        rows = made[name][made[name][column] == category]
        parts.append(rows.assign(year=rows["year"] - later).set_index(key)[value].rename(name))
    held = pd.concat(parts, axis=1).dropna().astype("int64").assign(held=lambda it: it.sum(axis=1))
    local = areas.loc[areas["level"] == "local authority", "area_code"]
    cases = made["tribunals"].dropna(subset="cases").rename(columns={"measure": "item"})
    cases = cases[cases["item"].str.startswith("decisions") & cases["area_code"].isin(local)]
    both = cases.join(held, on=key, how="inner")
    share, off = both["cases"] / both["held"], (both["cases"] - both["held"]).abs() >= FEWEST_OFF
    few = (share < HOLDS[0]) & (both["item"] == "decisions")  # the new count is half as large
    found = both[off & (few | (share > HOLDS[1]))]
    how = few[found.index].map({True: "fewer", False: "far more"})
    note = how + " decisions than the plans, requests refused and plans not issued in them make"
    return quality.findings(
        found, table="tribunals", check=quality.MADE_OF, action="unexplained",
        published=found["cases"], expected=found["held"], note=note,
    )  # fmt: skip


def _withheld(
    frame: pd.DataFrame, areas: pd.DataFrame, name: str, columns: list[str]
) -> pd.DataFrame:
    """Find authorities without figures in most categories of a year that England has."""
    value, key = _value(frame), ["area_code", "year"]
    rows = frame.assign(category=_categories(frame, columns))
    national = rows[(rows["area_code"] == ENGLAND) & rows[value].notna()]
    collected = pd.MultiIndex.from_frame(national[["year", "category"]])
    local = areas.loc[areas["level"] == "local authority", "area_code"]
    rows = rows[
        rows["area_code"].isin(local)
        & pd.MultiIndex.from_frame(rows[["year", "category"]]).isin(collected)
        & (rows["missing"] != "not_applicable")
    ]
    total = rows["category"].map(quality.is_total)
    whole = rows[total].set_index(key)[value].notna()
    gone = rows[~total].assign(gone=rows[value].isna())
    counted = gone.groupby(key)["gone"].agg(["sum", "size"])
    counted = counted[counted["sum"] > MOST_WITHHELD * counted["size"]].reset_index()
    has_total = whole.reindex(pd.MultiIndex.from_frame(counted[key]), fill_value=False)
    note = "no figure in the release for " + counted["sum"].astype(str)
    note += " of " + counted["size"].astype(str) + " categories"
    return quality.findings(
        counted,
        table=name,
        item=has_total.map({True: quality.PARTS, False: ""}).to_numpy(dtype=object),
        check=quality.WITHHELD,
        action="withheld",
        note=note,
    )


def _doubted(made: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Take down the faults that publishers know of, where the tables have the figures."""
    written = rules("comparability.yml")
    rows = pd.DataFrame(written["faults"]).rename(columns={"category": "item"})
    rows["note"] = rows["note"] + "; said in " + rows.pop("source").map(written["sources"])
    known = [
        frame[["area_code", "year"]].drop_duplicates().assign(table=name)
        for name, frame in made.items()
        if name in set(rows["table"])
    ]
    key = ["table", "area_code", "year"]
    there = pd.MultiIndex.from_frame(pd.concat([rows[key].iloc[:0], *known])[key])
    there = pd.MultiIndex.from_frame(rows[key]).isin(there)
    return quality.findings(rows[there], check=quality.KNOWN, action="doubted")


def breaks(
    made: Mapping[str, pd.DataFrame], areas: pd.DataFrame, found: pd.DataFrame
) -> pd.DataFrame:
    """List the breaks in the series of the tables.

    Parameters
    ----------
    made : mapping of DataFrame
        Tables by name.
    areas : DataFrame
        The table `areas`.
    found : DataFrame
        The table `quality`.

    Returns
    -------
    DataFrame
        The table `series_breaks`; breaks of tables that are not in `made` are left out.
    """
    written = rules("comparability.yml")
    rows = pd.DataFrame(written["breaks"])
    rows = rows.assign(source=rows["source"].map(written["sources"]), area_code="")
    recoded = [
        _recoded(made[name], name, columns) for name, columns in PARTS.items() if name in made
    ]
    recoded = pd.concat([rows.iloc[:0], *recoded], ignore_index=True)
    parts = [
        rows[rows["table"].isin(made)],
        recoded[~_said_already(recoded, rows)],
        _boundaries(areas),
        _from_findings(found[found["table"].isin(made)]),
    ]
    return pd.concat(parts, ignore_index=True)[BREAK]


def _said_already(recoded: pd.DataFrame, written: pd.DataFrame) -> pd.Series:
    """Mark what is found by rule in a year for which the publisher says that the series breaks."""
    pairs = recoded.reset_index().merge(written, on=["table", "year"], suffixes=("", "_written"))
    same = [
        quality.touches(pattern, category)
        for pattern, category in zip(pairs["category_written"], pairs["category"], strict=True)
    ]
    return recoded.index.to_series().isin(pairs.loc[same, "index"])


def _recoded(frame: pd.DataFrame, name: str, columns: list[str]) -> pd.DataFrame:
    """Find years in which a part was added or dropped: its siblings do not compare across them."""
    value = _value(frame)
    rows = frame[frame["area_code"] == ENGLAND]
    rows = rows.assign(category=_categories(rows, columns))
    wide = rows.pivot(index="category", columns="year", values=value)
    wide = wide[~wide.index.map(quality.is_total)]
    # Siblings share what comes before the last part of their name; groups are siblings too.
    group = wide.index.map(lambda name: name.rpartition(" / ")[0])
    group = group.where(~wide.index.str.endswith(" / all"), "")
    out = []
    for year in wide.columns.intersection(wide.columns + 1):
        now, before = wide[year], wide[year - 1]
        added = (before.isna() & (now > 0)).fillna(False)
        dropped = (now.isna() & (before > 0)).fillna(False)
        for of in group[added | dropped].unique():
            siblings = group == of
            note = _said(wide.index[added & siblings], wide.index[dropped & siblings], of)
            lasting = wide.index[siblings & now.notna() & before.notna()]
            out += [(category, year, note) for category in lasting]
    rows = pd.DataFrame(out, columns=["category", "year", "note"])
    return rows.assign(table=name, area_code="", settled=rows["year"], kind="recode", source=FOUND)


def _said(added: pd.Index, dropped: pd.Index, group: str) -> str:
    """Say which categories of a group were added and which dropped."""
    words = []
    for verb, names in (("counted apart for the first time", added),
                        ("no longer counted apart", dropped)):  # fmt: skip
        short = [name.removesuffix(" / all").removeprefix(f"{group} / ") for name in names]
        words += [f"{'; '.join(short)} {verb}"] if short else []
    return " and ".join(words)


def _boundaries(areas: pd.DataFrame) -> pd.DataFrame:
    """Areas that exist with their boundaries only since a year, in every table."""
    local = areas[areas["level"] == "local authority"]
    later = local[local["first_year"] > local["first_year"].min()]
    return pd.DataFrame({
        "table": "", "category": "", "area_code": later["area_code"], "year": later["first_year"],
        "settled": later["first_year"], "kind": "boundary", "source": FOUND,
        "note": later["area"] + " exists with these boundaries only from then on",
    })  # fmt: skip


def _from_findings(found: pd.DataFrame) -> pd.DataFrame:
    """Jumps, which break one area's series; faults and figures withheld, which are a year's."""
    rows = found[found["check"].isin(quality.DOUBTS)]
    # Plans of a January and what began and ended in the year before are one return: where their
    # number jumps, so do its parts, and the flows that should explain it are no better.
    jump = rows[(rows["check"] == "jump") & (rows["table"] == "ehc_plans")]
    flows = jump.assign(year=jump["year"] - 1, check="", note=OF_A_JUMP)
    parts = [jump.assign(table=name) for name in ("placements", "primary_need")]
    parts += [
        flows.assign(table=name) for name in ("new_plans", "new_plans_by_placement", "ceased_plans")
    ]
    parts.append(flows.assign(table="tribunals", item="decisions", note=WITH_A_JUMP))
    rows = pd.concat([rows, *parts], ignore_index=True)
    # One note a figure: that two were exchanged says why they are not what they are made of.
    same = ["table", "area_code", "year", "item"]
    rows = rows.sort_values("check", key=lambda check: check == quality.MADE_OF, kind="stable")
    rows = rows[(rows["check"] != quality.MADE_OF) | ~rows.duplicated(same)]
    kinds = {"jump": "jump", quality.WITHHELD: "withheld"}
    return pd.DataFrame({
        "table": rows["table"], "area_code": rows["area_code"], "note": rows["note"],
        "category": rows["item"].mask(rows["item"].map(quality.is_total), ""),
        "year": rows["year"], "settled": rows["year"] + 1,
        "kind": rows["check"].map(kinds).fillna("for a time"), "source": FOUND,
    })  # fmt: skip
