"""Where the children of the EHC plan releases are placed, and the settings made of placements."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.areas import ENGLAND
from send_analysis.categories import setting_of
from send_analysis.cleaning import series
from send_analysis.cleaning.layout import release, specification
from send_analysis.cleaning.reading import split_category, tidy
from send_analysis.cleaning.series import OLD


def by_setting(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Add detailed placements up to settings.

    Parameters
    ----------
    rows : DataFrame
        ``area_code, year, age, category, value``: plans by placement and single year of age.
    value : str
        What the values are called in the result.

    Returns
    -------
    DataFrame
        ``area_code, year, age, setting``, the column `value` and ``missing``.
    """
    pairs = rows["category"].drop_duplicates()
    setting = pairs.str.split("/").map(lambda pair: setting_of(*pair))
    rows = rows.assign(setting=rows["category"].map(dict(zip(pairs, setting, strict=True))))
    rows = rows[rows["setting"] != ""]
    place = ["area_code", "year", "age"]
    out = rows.groupby([*place, "setting"])["value"].sum(min_count=1).rename(value).reset_index()
    # Some cells are printed even where an authority gave totals only: no setting is whole then.
    whole = out[out["setting"] == "all"].set_index(place)[value].notna()
    known = whole.reindex(pd.MultiIndex.from_frame(out[place])).to_numpy()
    out[value] = out[value].where(known)
    return out.assign(missing=out[value].isna().map({True: "unavailable", False: ""}))


def before_person_level(root: Path, file: str) -> pd.DataFrame:
    """Read a file by placement of the 2022 release, in the words of the later releases.

    Parameters
    ----------
    root : Path
        Folder of the official releases.
    file : str
        Which file, as `releases.yml` names it.

    Returns
    -------
    DataFrame
        ``area_code, year, category`` (group/placement), ``value, missing, release``.
    """
    spec = release(OLD)
    labels = {
        "establishment_group": spec["group_labels"],
        "establishment_type": spec["placement_labels"] | {"Total": "all"},
    }
    rows = tidy(root, OLD, file, labels=labels)
    part = rows["establishment_type"] != "all"
    total = ~part & (rows["establishment_group"] == "all")
    detail = rows[part]
    key = ["area_code", "year", "category"]
    detail = _added(detail.assign(category=detail["establishment_type"]), key)
    groups = detail[~detail["category"].str.endswith("/all")]
    groups = _added(groups.assign(category=groups["category"].str.split("/").str[0] + "/all"), key)
    everything = rows[total].assign(category="all/all")[[*key, "value", "missing"]]
    out = pd.concat([detail, groups, everything], ignore_index=True)
    return out.assign(missing=out["missing"].where(out["value"].isna(), "")).assign(release=OLD)


def _added(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Add rows of the same key; missing only where every one of them is."""
    grouped = rows.groupby(key)
    sums = pd.DataFrame(
        {"value": grouped["value"].sum(min_count=1), "missing": grouped["missing"].first()}
    )
    return sums.reset_index()


def joined(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Join the releases' placements: the older one for the years that the newer one lacks.

    Parameters
    ----------
    new : DataFrame
        ``area_code, year, category, value, missing, release`` of the person-level releases.
    old : DataFrame
        What :func:`before_person_level` returns.

    Returns
    -------
    DataFrame
        ``area_code, year, placement_group, placement, plans, missing, release``.
    """
    old = old[old["year"] < new["year"].min()]
    # In the first years of each file the publisher counts "other placement settings" outside
    # "educated elsewhere": the years in which England's groups add to all plans only with them.
    elsewhere = new["category"] == "educated elsewhere/all"
    other = new["category"] == "educated elsewhere/other setting"
    group = new["category"].str.endswith("/all") & (new["category"] != "all/all")
    england = new[new["area_code"] == ENGLAND].set_index("year")
    with_other = england[(group | other)[new["area_code"] == ENGLAND].to_numpy()]
    added = with_other.groupby("year")["value"].sum()
    total = england.loc[england["category"] == "all/all", "value"]
    extra = new[other & new["year"].isin(added.index[added == total.reindex(added.index)])]
    extra = extra.set_index(["area_code", "year"])
    place = pd.MultiIndex.from_frame(new[["area_code", "year"]])
    moved = new["value"] + extra["value"].reindex(place).fillna(0).array
    new = new.assign(value=new["value"].mask(elsewhere, moved))
    out = split_category(pd.concat([old, new], ignore_index=True), ["placement_group", "placement"])
    out = out.rename(columns={"value": "plans"})
    return out[out["missing"] != "not_applicable"]


def ceased(root: Path) -> pd.DataFrame:
    """Read plans that ceased by the setting at the time and the reason.

    Parameters
    ----------
    root : Path
        Folder of the official releases.

    Returns
    -------
    DataFrame
        ``area_code, year, reason, setting, plans, missing``. A setting that the release leaves out
        where it prints others had none: 0.
    """
    labels = specification()["ceased_placement_labels"]
    topics = {"Type of placement": "placement"}
    rows = series.rows(root, "ceased_plans", topics, labels={"breakdown": labels})
    pairs = {pair: setting_of(*pair.split("/")) for pair in labels.values()}
    rows = rows.assign(setting=rows["breakdown"].map(pairs), reason=rows["category"])
    rows = rows[rows["setting"] != ""]
    place, key = ["area_code", "year", "reason"], ["area_code", "year", "reason", "setting"]
    out = rows.groupby(key)["value"].sum(min_count=1).rename("plans").reset_index()
    settings = pd.DataFrame({"setting": sorted(set(pairs.values()) - {""})})
    printed = rows.groupby(place)["value"].count().rename("printed").reset_index()
    out = printed.merge(settings, how="cross").merge(out, how="left", on=key)
    absent = out["plans"].isna() & (out["printed"] > 0)
    out = out.assign(plans=out["plans"].mask(absent, 0))
    return out.assign(missing=out["plans"].isna().map({True: "unavailable", False: ""}))


def against_total(table: pd.DataFrame, name: str, areas: pd.DataFrame) -> pd.DataFrame:
    """Compare the sum of the placement groups with all plans.

    Parameters
    ----------
    table : DataFrame
        What :func:`joined` returns.
    name : str
        Of the table.
    areas : DataFrame
        Of the package.

    Returns
    -------
    DataFrame
        As :func:`quality.findings`.
    """
    total = (table["placement_group"] == "all") & (table["placement"] == "all")
    groups = (table["placement"] == "all") & ~total
    return quality.parts_against_total(
        table[groups],
        table[total],
        table=name,
        value="plans",
        check="placement groups against the total",
        areas=areas,
    )
