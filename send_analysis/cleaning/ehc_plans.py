"""Department for Education: "Education, health and care plans", reporting years 2022 on.

Stocks carry the year of their January, flows the calendar year before it. Every year comes from
the newest release that has it, which revises the earlier ones; years and age bands before the
person-level return come from the older releases, or from the tables that stand where those are
not at hand. The column ``release`` says which.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from send_analysis import quality
from send_analysis.categories import AGE_BANDS
from send_analysis.cleaning import completeness, placements, series
from send_analysis.cleaning.layout import release, specification
from send_analysis.cleaning.reading import split_category, tidy
from send_analysis.cleaning.series import MIDDLE, OLD
from send_analysis.cleaning.standing import Standing, no_rows

# Single years of age, as the tables name them, to age bands.
BAND_OF_AGE = {str(age): band for band, ages in AGE_BANDS.items() for age in ages}
BAND_OF_AGE |= {"0-2": "under 5", "20-25": "20-25"}


def _headline(root: Path, file: str, topic: str) -> pd.DataFrame:
    """All rows of a file of the person-level releases that are not broken down."""
    return series.rows(root, file, {topic: "all"}).drop(columns=["breakdown_topic", "breakdown"])


def _revised(
    standing: Standing, new: pd.DataFrame, file: str, topic: str, *, table: str, category: str
) -> pd.DataFrame:
    """Totals of the newest release that differ from those of the release before."""
    root, known = standing.source, series.known()
    there = series.present(root)
    older = known[known.index(there[0]) + 1 :]
    before = next((n for n in older if n in there or standing.replaces(n, table)), None)
    if before is None:
        return quality.none()
    item = category.removesuffix("/all")
    if before in there:
        earlier = tidy(root, before, file, topics={topic: "all"})
        earlier = earlier[earlier["category"] == category]
    else:
        earlier = standing.printed(table, item, before, quality.BEFORE)
    found = quality.against_earlier(
        new[new["category"] == category], earlier, table=table, value="value",
        key=["area_code", "year"], release=before,
    )  # fmt: skip
    return found.assign(item=item, check=quality.BEFORE)


def _against_old(
    standing: Standing,
    totals: pd.DataFrame,
    old: pd.DataFrame,
    release: str,
    *,
    table: str,
    category: str = "all",
) -> pd.DataFrame:
    """Totals that differ from those of a release from before the person-level return."""
    if standing.replaces(release, table):
        old = standing.printed(table, category, release, quality.EARLIER)
    counts = dict.fromkeys([table, "plans"], "value")
    return quality.against_earlier(
        totals.rename(columns=counts), old.rename(columns=counts), table=table, value="value",
        key=["area_code", "year"], release=release,
    )  # fmt: skip


def _by_age(root: Path, file: str, topic: str) -> pd.DataFrame:
    """Rows broken down by single year of age, with the age as ``age``."""
    labels = specification()["age_labels"] | {
        f"{word} {age}": str(age) for word in ("age", "aged") for age in range(3, 26)
    }
    rows = series.rows(root, file, {topic: "age"}, labels={"breakdown": labels})
    return rows.rename(columns={"breakdown": "age"}).drop(columns="breakdown_topic")


def _fill_ages(rows: pd.DataFrame, value: str, category: list[str]) -> pd.DataFrame:
    """Add the ages that the release leaves out because nobody is of that age: 0.

    Where the release prints a category without figures, the ages left out are missing as well.
    """
    ages = pd.Index(rows["age"].unique(), name="age")
    place = ["area_code", "year", *category]
    missing = rows.groupby(place, as_index=False)["missing"].max()
    full = missing.merge(ages.to_frame(index=False), how="cross")
    out = full.merge(rows.drop(columns="missing"), how="left", on=[*place, "age"])
    absent = out[value].isna() & (out["missing"] == "")
    out = out.assign(**{value: out[value].mask(absent, 0)})
    return out.assign(missing=out["missing"].where(out[value].isna(), ""))


def _bands(
    ages: pd.DataFrame, value: str, areas_with_total: pd.DataFrame, published: pd.DataFrame
) -> pd.DataFrame:
    """Add single years up to age bands; an area with a total but no ages has missing bands."""
    rows = ages[ages["age"].isin(BAND_OF_AGE)]
    banded = rows.assign(age_band=rows["age"].map(BAND_OF_AGE))
    banded = banded.groupby(["area_code", "year", "age_band"], as_index=False)[value].sum(
        min_count=1
    )
    wanted = areas_with_total[areas_with_total["year"].isin(ages["year"].unique())]
    full = wanted[["area_code", "year"]].merge(
        pd.DataFrame({"age_band": list(AGE_BANDS)}), how="cross"
    )
    out = full.merge(banded, how="left", on=["area_code", "year", "age_band"])
    release_of = published.drop_duplicates("year").set_index("year")["release"]
    return out.assign(
        missing=out[value].isna().map({True: "unavailable", False: ""}),
        release=out["year"].map(release_of),
    )


def _by_band(standing: Standing, file: str, table: str) -> pd.DataFrame:
    """Read a file by age band of the 2022 release: ``plans`` and ``statements`` side by side.

    No rows where the table stands for the release.
    """
    if standing.replaces(OLD, table):
        return no_rows("area_code", "year", "age_band", "plans", "statements", "missing", "release")
    spec = release(OLD)
    rows = tidy(standing.source, OLD, file, labels={"characteristic_age": spec["age_labels"]})
    rows = rows.rename(columns={"characteristic_age": "age_band"})
    key = ["area_code", "year", "age_band"]
    plans = rows[rows["category"] == "plans"].set_index(key)
    statements = rows[rows["category"] == "statements"].set_index(key)["value"]
    out = plans.rename(columns={"value": "plans"}).assign(statements=statements)
    return out.reset_index()[[*key, "plans", "statements", "missing"]].assign(release=OLD)


def _flow(new: pd.DataFrame, old: pd.DataFrame, dimension: str, value: str) -> pd.DataFrame:
    """Join a flow's releases: the older one for years and categories that the newer one lacks."""
    old = old[(old["year"] < new["year"].min()) | ~old["category"].isin(new["category"])]
    out = pd.concat([old.assign(release=MIDDLE), new], ignore_index=True)
    return out.rename(columns={"category": dimension, "value": value})


def caseload(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Plans in January: by age band, by single year and setting, by placement.

    This and the other public functions read one file of the releases each.

    Parameters
    ----------
    standing : Standing
        Folder of the official releases, and the tables that have what older ones gave which are
        not in it.
    areas : DataFrame
        The table `areas`.

    Returns
    -------
    dict of DataFrame
        By table name, `quality` with what :mod:`send_analysis.quality` found among them;
        `schemas.yml` describes their columns.
    """
    checked = completeness.releases(standing, areas, _files("caseload"))
    topic = "All EHC plans"
    new = _headline(standing.source, "caseload", topic)
    made = _by_age_and_placement(
        standing, areas, new, "caseload", topic, ages="Child or young persons age"
    )
    totals = made["ehc_plans"][made["ehc_plans"]["age_band"] == "all"]
    special = made["placements"].query("placement_group == 'special' and placement == 'all'")
    found = [
        checked,
        made["quality"],
        quality.jumps(_footprint_totals(totals, areas), table="ehc_plans", value="plans"),
        quality.areas_against_parent(
            special, areas, table="placements", value="plans", item="special / all"
        ),
    ]
    return made | {"quality": pd.concat(found, ignore_index=True)}


def _files(subject: str) -> tuple[str, str, str]:
    """Files of the releases that plans in January, or new plans, are read from."""
    return subject, f"{subject}_by_age", f"{subject}_by_placement"


# Tables that are made of those files.
TABLES = {
    "caseload": ("ehc_plans", "ehc_plans_by_age", "placements"),
    "new_plans": ("new_plans", "new_plans_by_age", "new_plans_by_placement"),
}


def _by_age_and_placement(
    standing: Standing,
    areas: pd.DataFrame,
    new: pd.DataFrame,
    subject: str,
    topic: str,
    *,
    ages: str,
) -> dict[str, pd.DataFrame]:
    """Make the tables of plans in January, or of new plans, and check them.

    `new` are the headlines of the newest releases; `topic` and `ages` are what these call all
    plans and their ages.
    """
    root, (table, single, placement) = standing.source, TABLES[subject]
    file, file_by_age, file_by_placement = _files(subject)
    total = new[new["category"] == "all/all"].rename(columns={"value": "plans"})
    total = total.drop(columns="category").assign(age_band="all")
    by_age = _by_age(root, file, ages)
    years = _fill_ages(placements.by_setting(by_age, "plans"), "plans", ["setting"])
    bands = _bands(years[years["setting"] == "all"], "plans", total, by_age)
    old = _by_band(standing, file_by_age, table)
    old_kept = old[(old["age_band"] != "all") | (old["year"] < total["year"].min())]
    plans = standing.kept(table, pd.concat([old_kept, total, bands], ignore_index=True))
    placed = _placed(standing, new, file_by_placement, placement)
    whole = plans["age_band"] == "all"
    found = [
        quality.parts_against_total(
            plans[~whole], plans[whole], table=table, value="plans",
            check="age bands against the total", areas=areas,
        ),
        quality.areas_against_parent(plans[whole], areas, table=table, value="plans"),
        _against_old(standing, plans[whole], old[old["age_band"] == "all"], OLD, table=table),
        _revised(standing, new, file, topic, table=table, category="all/all"),
        placements.against_total(placed, placement, areas),
    ]  # fmt: skip
    found = pd.concat(found, ignore_index=True)
    return {table: plans, single: years, placement: placed, "quality": found}


def primary_need(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Plans in January and new plans by primary type of need."""
    files = {"primary_need": "in January", "primary_need_new": "new"}
    found = completeness.releases(standing, areas, files)
    needs = [
        _headline(standing.source, file, "All EHC plans").assign(plans_counted=kind)
        for file, kind in files.items()
    ]
    needs = pd.concat(needs, ignore_index=True)
    needs = needs[needs["area_code"].map(areas.set_index("area_code")["level"]) != "sub-region"]
    table = needs.rename(columns={"category": "primary_need", "value": "plans"})
    return {"primary_need": table, "quality": found}


def new_plans(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """New plans in a calendar year: by age band, by single year and setting, by placement."""
    checked = completeness.releases(standing, areas, _files("new_plans"))
    root, topic = standing.source, "New EHC plans"
    new = _headline(root, "new_plans", topic)
    every = new["category"] == "all/all"
    sexes = series.rows(root, "new_plans", {"Sex": "sex"})
    sums = sexes[sexes["category"] == "all/all"].groupby(["area_code", "year"], as_index=False)
    if standing.replaces(MIDDLE, "new_plans"):
        earlier = standing.expected("new_plans", "all", quality.REPEATED)
    else:
        earlier = _middle(standing, "assessments", "new_plans")
        earlier = earlier[earlier["category"] == "plan issued"]
    corrected, copied = quality.correct_copied_totals(
        new[every],
        sums["value"].sum(min_count=1),
        earlier,
        areas.set_index("area_code")["region_code"],
        table="new_plans",
        value="value",
    )
    new = pd.concat([new[~every], corrected], ignore_index=True)
    made = _by_age_and_placement(
        standing, areas, new, "new_plans", topic, ages="Age when plan started"
    )
    found = [checked, copied, made["quality"]]
    return made | {"quality": pd.concat(found, ignore_index=True)}


def ceased_plans(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Plans that ceased in a calendar year: by reason, by age and reason, by setting and reason."""
    checked = completeness.releases(standing, areas, ("ceased_plans",))
    root, topic = standing.source, "All ceased EHC plans"
    new, earlier = (
        _headline(root, "ceased_plans", topic),
        _middle(standing, "ceased", "ceased_plans"),
    )
    summed = earlier.groupby(["area_code", "year"], as_index=False)["value"].sum(min_count=1)
    whole = summed.assign(category="all", missing="")
    whole.loc[whole["value"].isna(), "missing"] = "not_applicable"
    ages = _by_age(root, "ceased_plans", "Age plan ceased").rename(
        columns={"category": "reason", "value": "plans"}
    )
    ages = ages[["area_code", "year", "age", "reason", "plans", "missing"]]
    table = _flow(new, pd.concat([earlier, whole]), "reason", "plans")
    table = standing.kept("ceased_plans", table)
    # Before the person-level return the total is the sum, by definition.
    rows = table[table["release"] != MIDDLE]
    total = rows["reason"] == "all"
    found = [
        checked,
        quality.parts_against_total(
            rows[~total],
            rows[total],
            table="ceased_plans",
            value="plans",
            check="reasons against the total",
            areas=areas,
        ),
        _revised(standing, new, "ceased_plans", topic, table="ceased_plans", category="all"),
    ]
    return {
        "ceased_plans": table,
        "ceased_plans_by_age": _fill_ages(ages, "plans", ["reason"]),
        "ceased_plans_by_setting": placements.ceased(root),
        "quality": pd.concat(found, ignore_index=True),
    }


def requests(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Requests for an assessment in a calendar year."""
    topic = "All requests for EHC needs assessments"
    read = ("management_information",)
    return _decided(standing, areas, "requests", topic, "all", read)


def assessments(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Assessments in a calendar year."""
    topic = "All EHC needs assessments"
    return _decided(standing, areas, "assessments", topic, "plan issued")


def _decided(
    standing: Standing,
    areas: pd.DataFrame,
    name: str,
    topic: str,
    main: str,
    read: tuple[str, ...] = (),
) -> dict[str, pd.DataFrame]:
    """Requests or assessments by what became of them."""
    checked = completeness.releases(standing, areas, (name, *read))
    new, earlier = _headline(standing.source, name, topic), _middle(standing, name, name)
    table = standing.kept(name, _flow(new, earlier, "outcome", name))
    totals = table[table["outcome"] == main]
    old = earlier[earlier["category"] == main]
    found = [
        checked,
        quality.areas_against_parent(totals, areas, table=name, value=name, item=main),
        _against_old(standing, totals, old, MIDDLE, table=name, category=main),
        _revised(standing, new, name, topic, table=name, category=main),
    ]
    return {name: table, "quality": pd.concat(found, ignore_index=True)}


def timeliness(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Plans issued in a calendar year by the time from request to plan."""
    checked = completeness.releases(standing, areas, ("timeliness",))
    topic = "All EHC plans issued"
    issued = _headline(standing.source, "timeliness", topic)
    middle = _middle(standing, "timeliness", "timeliness")
    times = _flow(issued, middle, "category", "plans")
    table = standing.kept("timeliness", split_category(times, ["exceptions", "issued_within"]))
    found = [checked, _late_against_issued(table)]
    found += [
        _revised(standing, issued, "timeliness", topic, table="timeliness", category=kind)
        for kind in ("included/any time", "included/20 weeks or less")
    ]
    return {"timeliness": table, "quality": pd.concat(found, ignore_index=True)}


def annual_reviews(standing: Standing, areas: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Annual reviews of a calendar year and what was decided."""
    checked = completeness.releases(standing, areas, ("annual_reviews",))
    reviews = _headline(standing.source, "annual_reviews", "All annual reviews")
    reviews = reviews.rename(columns={"category": "measure", "value": "plans"})
    table, negative = quality.withdraw_negative(
        reviews, table="annual_reviews", value="plans", item="measure"
    )
    found = pd.concat([checked, negative], ignore_index=True)
    return {"annual_reviews": table, "quality": found}


def _placed(standing: Standing, new: pd.DataFrame, file: str, table: str) -> pd.DataFrame:
    """Plans by placement of all releases; of the 2022 release, from its `file`."""
    old = no_rows("area_code", "year", "category", "value", "missing", "release")
    if not standing.replaces(OLD, table):
        old = placements.before_person_level(standing.source, file)
    return standing.kept(table, placements.joined(new, old))


def _middle(standing: Standing, subject: str, table: str) -> pd.DataFrame:
    """One subject of the management information of the 2023 release.

    No rows where the table stands for the release.
    """
    if standing.replaces(MIDDLE, table):
        return no_rows("area_code", "year", "category", "value", "missing")
    rows = tidy(standing.source, MIDDLE, "management_information")
    parts = rows["category"].str.split("/", n=1)
    return rows.assign(category=parts.str[1])[parts.str[0] == subject]


def _footprint_totals(totals: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Local authorities' totals, those with changed boundaries left out (they jump by law)."""
    stable = areas[
        (areas["level"] == "local authority") & (areas["footprint"] == areas["area_code"])
    ]
    return totals[totals["area_code"].isin(stable["area_code"])]


def _late_against_issued(table: pd.DataFrame) -> pd.DataFrame:
    """Find more plans issued within 20 weeks than were issued at all."""
    wide = table.pivot(
        index=["area_code", "year", "exceptions"], columns="issued_within", values="plans"
    ).reset_index()
    odd = wide[(wide["20 weeks or less"] > wide["any time"]).fillna(False)]
    rows = odd.rename(columns={"20 weeks or less": "published", "any time": "expected"})
    return quality.findings(
        rows,
        table="timeliness",
        item=odd["exceptions"].to_numpy(),
        check="part above the whole",
        action="unexplained",
        note="more plans in time ('published') than issued ('expected')",
    )
