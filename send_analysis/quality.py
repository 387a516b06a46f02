"""Check a release against itself: find faults by rule, correct what the release itself can correct.

Every function returns findings in one shape, the columns of the table `quality`:
``table, area_code, year, item, check, published, expected, action, note``. ``action`` is
``corrected`` (another part of the release gives the right value), ``withdrawn`` (wrong, and
nothing in the release says what is right: now missing), ``explained`` (as published, and another
row says why), ``unexplained`` (as published), ``doubted`` (as published; the publisher says that it
is wrong) or ``withheld`` (the release has no figure).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np
import pandas as pd

from send_analysis.areas import ENGLAND

FINDING = ["table", "area_code", "year", "item", "check", "published", "expected", "action", "note"]

SD_OF_MAD = 1.4826  # standard deviation of a normal distribution over its median absolute deviation

# A yearly change is "impossible" when it is this far from the median authority's change of that
# year, both in robust standard deviations and in the size of the change (log points). Plans
# last for years: of 2,000 changes since 2010, about 1 % pass both.
JUMP_DEVIATIONS = 6.0
JUMP_LOG = np.log(1.25)
JUMP_SMALLEST = 100  # plans; below it chance alone moves a count by a quarter

EARLIER = "differs from an earlier release"
BEFORE = "differs from the release before"
REPEATED = "repeats its region"
TOOL = "differs from the interactive tool"
WITHHELD = "withheld"
KNOWN = "known to the publisher"
UNASSESSED = "plans that began against assessments"
MADE_OF = "decisions against what they are made of"
# Checks that cast doubt on the figure itself. The others compare it with its parts, its whole or
# another release, and say which of them is used.
DOUBTS = (
    "jump",
    "exchanged with another area",
    "part above the whole",
    UNASSESSED,
    MADE_OF,
    KNOWN,
    WITHHELD,
)
SETTLED = (
    "age bands against the total",
    "areas against the total",
    "between its parts",  # the sheet is left out, and no figure of it used
    "code against name",
    "count below zero",
    "dates of the inspection",
    EARLIER,
    TOOL,
    BEFORE,
    "no row of the authority",  # there is no figure to doubt
    "period",  # read as the twelve months that it is
    "placement groups against the total",
    "reasons against the total",
    REPEATED,
)
PARTS = "*"  # pattern of every category but the total


def is_total(category: str) -> bool:
    """Whether a category is the whole of its table: all, or all / all."""
    return set(category.split(" / ")) == {"all"}


def touches(pattern: str, category: str) -> bool:
    """Whether the pattern of a finding or a break takes in a category.

    Parameters
    ----------
    pattern : str
        Empty: all of the table. ``all``: its total. Else a category, or a pattern such as
        ``special / *``; a total is only taken in by its own name.
    category : str
        Categories of a row in the order of its key, joined by " / ".
    """
    if pattern == "" or is_total(pattern) or is_total(category):
        return pattern == "" or (is_total(pattern) and is_total(category))
    return fnmatchcase(category, pattern)


def findings(rows: pd.DataFrame, **constant: object) -> pd.DataFrame:
    """Bring findings into the shape of the table `quality`."""
    out = rows.assign(**constant)
    for column in FINDING:
        if column not in out:
            out[column] = pd.NA if column in {"published", "expected"} else ""
    numbers = {"published": "Float64", "expected": "Float64"}
    return out[FINDING].astype(numbers).reset_index(drop=True)


def none() -> pd.DataFrame:
    """Return an empty table of findings."""
    return findings(pd.DataFrame({"year": pd.Series(dtype="int64")}))


class Checked(NamedTuple):
    """A table after a check, and the check's findings."""

    table: pd.DataFrame
    findings: pd.DataFrame


def correct_copied_totals(
    totals: pd.DataFrame,
    sums: pd.DataFrame,
    earlier: pd.DataFrame,
    regions: pd.Series,
    *,
    table: str,
    value: str,
) -> Checked:
    """Find authorities whose total repeats their region's, and put the right one there.

    An authority's own total is the sum of its breakdown. The sums must add to the region's
    total; where they fall short, the one authority whose sum plus the shortfall equals its
    figure in the earlier release has an incomplete breakdown and gets that figure. If no single
    authority closes the gap, no sum can be trusted and all are withdrawn.

    Parameters
    ----------
    totals, sums, earlier : DataFrame
        ``area_code, year`` and the column named by `value`: the release's totals, the sums over
        one of its breakdowns, and the totals of the release before. `totals` has ``missing`` too.
    regions : Series
        Region's code of each authority, by the authority's code.
    table, value : str
        Table that the findings belong to, and the column of counts.

    Returns
    -------
    Checked
    """
    key = ["area_code", "year"]
    rows = totals.assign(region_code=totals["area_code"].map(regions).fillna(""))
    above = pd.MultiIndex.from_frame(rows[["region_code", "year"]])
    region_total = rows.set_index(key)[value].reindex(above).array
    copied = (rows[value].eq(region_total) & (rows[value] > 0)).fillna(False)
    if not copied.any():
        return Checked(totals, none())

    wrong = rows[copied].rename(columns={value: "published"})
    wrong = wrong.merge(sums[[*key, value]].rename(columns={value: "expected"}), on=key, how="left")
    wrong = wrong.merge(
        earlier[[*key, value]].rename(columns={value: "earlier"}), on=key, how="left"
    )
    # Authorities of the region that have a total of their own keep it.
    own = rows[~copied].groupby(["region_code", "year"])[value].sum()
    place = pd.MultiIndex.from_frame(wrong[["region_code", "year"]])
    by_region = wrong.groupby(["region_code", "year"])
    shortfall = (
        wrong["published"]
        - own.reindex(place).fillna(0).array
        - by_region["expected"].transform("sum")
    )
    incomplete = ((shortfall != 0) & (wrong["expected"] + shortfall == wrong["earlier"])).fillna(
        False
    )
    closing = incomplete.groupby([wrong["region_code"], wrong["year"]]).transform("sum")
    trusted = (shortfall == 0) | (closing == 1)
    note = np.select(
        [~trusted, incomplete],
        [
            "repeats the region's total; the sums by sex do not add to the region, so none is used",
            "repeats the region's total; the breakdown by sex is incomplete: the region less its "
            "other authorities is used, which equals the release before",
        ],
        "repeats the region's total; the sum by sex is used (with the other authorities' it adds "
        "to the region)",
    )
    wrong = wrong.assign(
        expected=(wrong["expected"] + shortfall.where(incomplete, 0)).where(trusted),
        action=np.where(trusted, "corrected", "withdrawn"),
        note=note,
    )
    right = wrong.set_index(key)["expected"].reindex(pd.MultiIndex.from_frame(totals[key])).array
    corrected = totals.assign(
        **{value: totals[value].mask(copied, right)},
        missing=totals["missing"].mask(copied & pd.isna(right), "unavailable"),
    )
    return Checked(corrected, findings(wrong, table=table, item="all", check=REPEATED))


def withdraw_negative(frame: pd.DataFrame, *, table: str, value: str, item: str) -> Checked:
    """Make counts below zero missing; `item` is the column that says what was counted."""
    below = (frame[value] < 0).fillna(False)
    rows = frame.loc[below, ["area_code", "year", item, value]]
    rows = rows.rename(columns={item: "item", value: "published"})
    cleaned = frame.assign(
        **{value: frame[value].mask(below)}, missing=frame["missing"].mask(below, "unavailable")
    )
    found = findings(
        rows,
        table=table,
        check="count below zero",
        action="withdrawn",
        note="a count cannot be below zero; nothing says what is right",
    )
    return Checked(cleaned, found)


def parts_against_total(
    parts: pd.DataFrame,
    totals: pd.DataFrame,
    *,
    table: str,
    value: str,
    check: str,
    areas: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Find areas and years in which the parts, where there are any, do not add to the total.

    `parts` and `totals` have ``area_code, year`` and the column named by `value`. With `areas`
    (``area_code, area, level, region_code``) what a region or England lacks is explained where
    authorities within lack as much: of these some have no parts, or too few.
    """
    key = ["area_code", "year"]
    summed = parts.groupby(key)[value].sum(min_count=1).rename("published")
    both = (
        totals.set_index(key)[[value]].join(summed, how="inner").rename(columns={value: "expected"})
    )
    differ = both[(both["published"] != both["expected"]).fillna(False)].reset_index()
    note = "the parts add to 'published', the release's total is 'expected'"
    found = findings(differ, table=table, check=check, action="unexplained", note=note)
    if areas is None:
        return found
    lacking = totals.set_index(key)[value].sub(summed, fill_value=0)
    lacking = lacking[lacking > 0].rename("lacks").reset_index()
    lacking = lacking.merge(areas[areas["level"] == "local authority"], on="area_code")
    lacking = pd.concat([lacking.assign(area_code=lacking["region_code"]),
                         lacking.assign(area_code=ENGLAND)])  # fmt: skip
    within = lacking.groupby(key).agg(lacks=("lacks", "sum"), areas=("area", ", ".join))
    within = within.reindex(pd.MultiIndex.from_frame(found[key])).reset_index(drop=True)
    gap = found["expected"] - found["published"]
    known = ((gap > 0) & (gap <= within["lacks"])).fillna(False)
    found.loc[known, "action"] = "explained"
    found.loc[known, "note"] += "; without parts, or with too few: " + within["areas"]
    return found


def areas_against_parent(
    frame: pd.DataFrame, areas: pd.DataFrame, *, table: str, value: str, item: str = "all"
) -> pd.DataFrame:
    """Find years in which authorities do not add to their region, or regions to England.

    A parent above the sum of its areas is explained where one of them has no figure that year.
    """
    local = areas["level"] == "local authority"
    parent = areas.set_index("area_code")["region_code"].where(local.to_numpy(), ENGLAND)
    level = areas.set_index("area_code")["level"]
    rows = frame.assign(level=frame["area_code"].map(level), parent=frame["area_code"].map(parent))
    children = rows[rows["level"].isin(["local authority", "region"])]
    summed = children.groupby(["parent", "year"])[value].agg(
        published="sum", without=lambda s: s.isna().sum()
    )
    summed.index = summed.index.set_names("area_code", level="parent")
    both = summed.join(
        frame.set_index(["area_code", "year"])[value].rename("expected"), how="inner"
    )
    differ = both[(both["published"] != both["expected"]).fillna(False)].reset_index()
    without = differ["without"].astype("int64")
    short = (without > 0) & (differ["published"] < differ["expected"])
    note = (
        "the areas within add to 'published', the release prints 'expected'; areas without a "
        "figure: "
    ) + without.astype(str)
    return findings(
        differ,
        table=table,
        item=item,
        check="areas against the total",
        action=np.where(short, "explained", "unexplained"),
        note=note,
    )


class Changes(NamedTuple):
    """Values of areas by years, against those of the year before."""

    value: pd.DataFrame
    before: pd.DataFrame
    log: pd.DataFrame
    limit: float  # from the median log change of the year


def _changes(frame: pd.DataFrame, value: str) -> Changes:
    """Values, those of the year before, log changes, and how large one may be."""
    wide = frame.pivot(index="area_code", columns="year", values=value).astype("float64")
    before = wide.shift(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log(wide) - np.log(before)
    scale = SD_OF_MAD * (change - change.median()).abs().stack().median()
    return Changes(wide, before, change, float(np.fmax(JUMP_DEVIATIONS * scale, JUMP_LOG)))


def exchanged(frame: pd.DataFrame, areas: pd.DataFrame, *, table: str, value: str) -> pd.DataFrame:
    """Find two areas whose figures of one year look exchanged.

    Each has a change from the year before that no area can make (as :func:`jumps` finds it), one
    up and one down, and with the other's figure neither has.

    Parameters
    ----------
    frame : DataFrame
        ``area_code, year`` and the column named by `value`; local authorities only, one row a
        year.
    areas : DataFrame
        ``area_code, area``: names for the note.
    table, value : str
        Table that the findings belong to, and the column of counts.

    Returns
    -------
    DataFrame
        Findings, two for each pair: ``expected`` is the other's figure.
    """
    wide, before, change, limit = _changes(frame, value)
    middle = change.median()
    names = areas.set_index("area_code")["area"]
    odd = (change - middle).where(np.maximum(wide, before) >= JUMP_SMALLEST).stack()
    odd = odd[odd.abs() > limit].rename("change").reset_index()
    odd = odd.merge(wide.stack().rename("published").reset_index())
    odd = odd.merge(before.stack().rename("before").reset_index())
    pairs = odd.merge(odd, on="year", suffixes=("", "_other"))
    fits = np.log(pairs["published_other"] / pairs["before"]) - pairs["year"].map(middle)
    theirs = np.log(pairs["published"] / pairs["before_other"]) - pairs["year"].map(middle)
    found = pairs[
        (pairs["change"] * pairs["change_other"] < 0)
        & (fits.abs() <= limit)
        & (theirs.abs() <= limit)
    ]
    note = "looks exchanged with the figure of " + found["area_code_other"].map(names)
    note += ": each is far from its own year before and near the other's; not corrected"
    return findings(
        found.rename(columns={"published_other": "expected"}).assign(note=note),
        table=table,
        check="exchanged with another area",
        action="unexplained",
    )


def jumps(frame: pd.DataFrame, *, table: str, value: str) -> pd.DataFrame:
    """Find changes from one year to the next that no authority's caseload can make.

    Parameters
    ----------
    frame : DataFrame
        ``area_code, year`` and the column named by `value`; local authorities only, one row a
        year.

    Notes
    -----
    The change is compared with the median change of that year; the scale is the median absolute
    deviation over all authorities and years, times 1.4826 (its ratio to the standard deviation
    of a normal distribution).
    """
    wide, before, change, limit = _changes(frame, value)
    odd = (
        ((change - change.median()).abs() > limit) & (np.maximum(wide, before) >= JUMP_SMALLEST)
    ).stack()
    odd = odd[odd].index
    expected = (before * np.exp(change.median())).stack().reindex(odd).round()
    rows = pd.DataFrame({"published": wide.stack().reindex(odd), "expected": expected})
    note = "the change from the year before is far outside what all authorities show"
    return findings(
        rows.reset_index(), table=table, item="all", check="jump", action="unexplained", note=note
    )


def against_earlier(
    frame: pd.DataFrame,
    earlier: pd.DataFrame,
    *,
    table: str,
    value: str,
    key: list[str],
    release: str,
) -> pd.DataFrame:
    """Find figures that an earlier release printed otherwise: revisions, or a change of basis."""
    both = frame[[*key, value]].merge(
        earlier[[*key, value]].rename(columns={value: "expected"}), on=key
    )
    differ = both[(both[value] != both["expected"]).fillna(False)]
    item = differ[[c for c in key if c not in {"area_code", "year"}]].agg(" / ".join, axis=1)
    note = f"'published' is used; {release} printed 'expected'"
    return findings(
        differ.assign(item=item if len(differ) else "").rename(columns={value: "published"}),
        table=table,
        check=EARLIER,
        action="unexplained",
        note=note,
    )


REVISION = ["table", "area_code", "year", "item", "old", "new"]


def no_revision() -> pd.DataFrame:
    """Return an empty table of revisions."""
    types = {"year": "int64", "old": "Float64", "new": "Float64"}
    return pd.DataFrame({name: pd.Series(dtype=types.get(name, "str")) for name in REVISION})


def revised(
    before: pd.DataFrame, after: pd.DataFrame, *, table: str, key: list[str], value: str
) -> pd.DataFrame:
    """Set figures that have changed, old beside new.

    Parameters
    ----------
    before, after : DataFrame
        The columns of `key` and the one named by `value`.
    table : str
        Table that the figures belong to.
    key : list of str
        Columns that name a row once: ``area_code, year`` and others.
    value : str
        Column of figures.

    Returns
    -------
    DataFrame
        ``table, area_code, year, item`` (the rest of the key, joined by slashes), ``old, new``.
        Either is missing where there was, or is, no figure. Years that only `after` has are new,
        not revised.
    """
    rows = before.merge(after, on=key, how="outer", suffixes=("_old", "_new"))
    rows = rows.rename(columns={f"{value}_old": "old", f"{value}_new": "new"})
    rows = rows[rows["year"].isin(before["year"])]
    same = (rows["old"] == rows["new"]).fillna(False) | (rows["old"].isna() & rows["new"].isna())
    rows = rows[~same].reset_index(drop=True)
    rest = [column for column in key if column not in {"area_code", "year"}]
    item = rows[rest].astype("str").agg(" / ".join, axis=1) if rest and len(rows) else ""
    rows = rows.assign(table=table, item=item)
    return rows[REVISION].astype({"old": "Float64", "new": "Float64", "item": "str"})
