"""Is a release whole? By comparison with itself, with the areas there are, and with what stands.

A file can be cut at the end of a row, lose an authority when it is edited, or come without England.
What is left reads well and is wrong: the newest year would have fewer authorities, an age that is
left out would count 0. England, a region or a year that lacks is refused. So are many authorities;
a few are named in the table `quality`, because authorities do fail to send their return (none of
the Isle of Wight's plans of 2023 is in the release of 2025).
"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from send_analysis import quality
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import area_names, layout, reading, series
from send_analysis.cleaning.standing import Standing
from send_analysis.errors import DataError

FEW = 0.05  # share of authorities that may lack; the most so far is 3 of 153
CHECK = "no row of the authority"
# Tables by the file they are made of, where the two have different names.
TABLES = {"caseload": "ehc_plans", "primary_need_new": "primary_need"}
# Tables that do not hold every authority, and rows of others that do not.
PARTIAL = {"inspections", "quality", "series_breaks"}


def check_years(frame: pd.DataFrame, entry: dict) -> None:
    """Refuse a file whose years leave one out, or that ends before its release.

    Parameters
    ----------
    frame : DataFrame
        A file of a release with the column ``year``.
    entry : dict
        Of the release, as `releases.yml` has it.

    Raises
    ------
    DataError
    """
    file, years = frame.attrs["file"], set(frame["year"].unique())
    lacking = [year for year in range(min(years), max(years)) if year not in years]
    if lacking:
        raise DataError(f"no row for {lacking[0]}; fetch it again", file=file, column="time_period")
    if "year" in entry and max(years) < entry["year"] - 1:
        raise DataError(
            f"ends with {max(years)}, and the release is that of {entry['year']}; fetch it again",
            file=file,
            column="time_period",
        )


def missing_rows(frame: pd.DataFrame, areas: pd.DataFrame | None = None) -> pd.DataFrame:
    """List authorities without a row, by year and by topic; refuse a file without England.

    Parameters
    ----------
    frame : DataFrame
        A file of a release with the columns ``area_code, year``.
    areas : DataFrame, optional
        The table `areas`: authorities that must be there whatever the file holds.

    Returns
    -------
    DataFrame
        ``topic, year, area_code``; ``topic`` is empty where no topic has a row.

    Raises
    ------
    DataError
        If England or a region lacks.
    """
    topic = frame.get("breakdown_topic", "")
    rows = frame.assign(topic=topic)[["topic", "year", "geographic_level", "area_code"]]
    rows = rows.drop_duplicates()
    groups = rows[["topic", "year"]].drop_duplicates()
    above = rows[rows["area_code"].str.startswith(("E92", "E12"))]
    wanted = groups.merge(
        pd.Series(sorted({ENGLAND, *above["area_code"]}), name="area_code"), how="cross"
    )
    absent = _without(wanted, above)
    if len(absent):
        first = absent.iloc[0]
        raise DataError(
            f"no row for {first['area_code']} (England or a region) in {first['year']}"
            f"{_of(first['topic'])}; fetch it again",
            file=frame.attrs["file"],
            column="geographic_level",
        )
    local = rows[rows["geographic_level"] == "Local authority"]
    wanted = groups.merge(_expected(local, areas), on="year")
    absent = _without(wanted, local)
    # An authority that no topic has in a year is said to lack once.
    some = local[["year", "area_code"]].drop_duplicates()
    wholly = _without(absent[["year", "area_code"]].drop_duplicates(), some).assign(topic="")
    partly = absent.merge(some, on=["year", "area_code"])
    return pd.concat([wholly, partly])[["topic", "year", "area_code"]].reset_index(drop=True)


def _without(wanted: pd.DataFrame, there: pd.DataFrame) -> pd.DataFrame:
    """Rows of one frame that the other does not have, by the columns of the first."""
    key = list(wanted.columns)
    found = pd.MultiIndex.from_frame(wanted).isin(pd.MultiIndex.from_frame(there[key]))
    return wanted[~found]


def _of(topic: str) -> str:
    """Say which topic, where there is one."""
    return f" of {topic!r}" if topic else ""


def _expected(local: pd.DataFrame, areas: pd.DataFrame | None) -> pd.DataFrame:
    """Authorities that each year of a file must have: ``year, area_code``.

    All that any year has; where boundaries changed, those there were until the new ones appear.
    """
    years = sorted(local["year"].unique())
    seen = set(local["area_code"])
    members = {code for codes in reading.FOOTPRINTS.values() for code in codes}
    stable = seen - members
    if areas is not None:
        whole = areas["footprint"] == areas["area_code"]
        stable |= set(areas.loc[whole & (areas["level"] == "local authority"), "area_code"])
    parts = [(year, code) for year in years for code in stable]
    first = local.groupby("area_code")["year"].min()
    for unit, codes in reading.FOOTPRINTS.items():
        new = unit.split("+")
        began = first.reindex(new).min()
        old = [code for code in codes if code not in new]
        if seen & set(codes):
            parts += [(y, c) for y in years for c in (new if y >= began else old) if c in seen]
    return pd.DataFrame(parts, columns=["year", "area_code"])


def refuse_missing(missing: pd.DataFrame, frame: pd.DataFrame, *, few: float = FEW) -> None:
    """Refuse a file that lacks more than a few authorities in a year.

    Parameters
    ----------
    missing : DataFrame
        As :func:`missing_rows` lists them.
    frame : DataFrame
        The file.
    few : float
        Share of authorities that may lack.

    Raises
    ------
    DataError
        Names the year, how many lack, and the first.
    """
    if missing.empty:
        return
    counts = missing.groupby(["year", "topic"])["area_code"].agg(["size", "first"])
    worst = counts.sort_values("size").iloc[-1]
    year, topic = worst.name
    local = frame["geographic_level"] == "Local authority"
    whole = frame.loc[local & (frame["year"] == year), "area_code"].nunique()
    if worst["size"] <= few * (whole + worst["size"]):
        return
    names = frame.loc[frame["area_code"] == worst["first"], "la_name"] if "la_name" in frame else []
    name = f"{worst['first']}{f' ({names.iloc[0]})' if len(names) else ''}"
    more = f" and {worst['size'] - 1:,} other authorities" if worst["size"] > 1 else ""
    raise DataError(
        f"no row for {name}{more} in {year}{_of(topic)}; fetch the release again, or, if "
        "boundaries have changed, add what became of them to FOOTPRINTS",
        file=frame.attrs["file"],
        column="new_la_code",
    )


def releases(standing: Standing, areas: pd.DataFrame, files: Collection[str]) -> pd.DataFrame:
    """Look through files of the releases of EHC plans.

    Parameters
    ----------
    standing : Standing
        Folder of the releases; an older one that a table stands for is passed over.
    areas : DataFrame
        The table `areas`.
    files : collection of str
        The files, as `releases.yml` calls them.

    Returns
    -------
    DataFrame
        Authorities without a row, as :mod:`send_analysis.quality` has findings: each year from
        the newest release that has it.

    Raises
    ------
    DataError
        If a file lacks a year, England, a region, or more than a few authorities, or prints a
        code beside another area's name.
    """
    root, found, seen = standing.source, [quality.none()], {}
    older = [n for n in (series.MIDDLE, series.OLD) if not standing.replaces(n)]
    for name in [*series.present(root), *older]:
        entry = layout.release(name)
        for file, spec in entry["files"].items():
            if file not in files:
                continue
            frame = reading.read_csv(root, entry["path"], spec.get("member"))
            reading.require_columns(frame, ["time_period", *reading.PLACE_COLUMNS, *spec["key"]])
            area_names.check_release(frame, areas)
            frame = reading.placed(frame, entry, spec)
            check_years(frame, entry)
            missing = missing_rows(frame, areas)
            refuse_missing(missing, frame)
            years = seen.setdefault(file, set())
            found.append(_findings(missing[~missing["year"].isin(years)], file, name))
            years |= set(frame["year"])
    return pd.concat(found, ignore_index=True)


def _findings(missing: pd.DataFrame, file: str, release: str) -> pd.DataFrame:
    """Bring authorities without a row into the shape of the table `quality`."""
    return quality.findings(
        missing,
        table=TABLES.get(file, file),
        item=missing["topic"].mask(missing["topic"] == "", "all"),
        check=CHECK,
        action="unexplained",
        note=f"{release} has no row for it, though it is there in other years or files",
    )


def check_tables(made: dict[str, pd.DataFrame], areas: pd.DataFrame, paths: dict[str, str]) -> None:
    """Refuse a table that lacks more than a few authorities in a year.

    Parameters
    ----------
    made : dict of DataFrame
        The tables, by name.
    areas : DataFrame
        The table `areas`.
    paths : dict
        What each table is made from, for the message.

    Raises
    ------
    DataError
    """
    unbroken = areas["footprint"] == areas["area_code"]
    local = areas[(areas["level"] == "local authority") & unbroken]
    wanted = set(local["area_code"])
    for name, table in made.items():
        if name in PARTIAL or not {"area_code", "year"} <= set(table.columns):
            continue
        there = table[table["area_code"].isin(wanted)].groupby("year")["area_code"].nunique()
        short = there[there < len(wanted) * (1 - FEW)]
        if len(short):
            year, count = short.index[-1], short.iloc[-1]
            have = set(table.loc[table["year"] == year, "area_code"])
            first = local.loc[~local["area_code"].isin(have), "area"].min()
            raise DataError(
                f"{len(wanted) - count:,} of {len(wanted):,} authorities have no row in {year}, "
                f"{first} the first; fetch the release again",
                file=f"{name} (from {paths[name]})",
            )


def check_against(made: pd.DataFrame, before: pd.DataFrame, *, file: str, standing: str) -> None:
    """Refuse a table that lacks a year, or more than a few areas, which an earlier one has.

    A few that lack are revisions: `send-analysis data refresh` lists each figure withdrawn.

    Parameters
    ----------
    made, before : DataFrame
        The table and the earlier one: ``area_code, year`` and, in some, ``release``.
    file, standing : str
        What the message calls the two.

    Raises
    ------
    DataError
    """
    before = before.assign(
        area_code=before["area_code"].replace(reading.RECODED), year=before["year"].astype("int64")
    )
    after = {year: set(codes) for year, codes in made.groupby("year")["area_code"]}
    meant = "fetch the release again, or build into another folder (--out) if this is meant"
    for year, codes in before.groupby("year")["area_code"]:
        there = set(codes)
        lost = sorted(there - after.get(year, set()))
        if len(lost) > FEW * len(there):
            raise DataError(
                f"no row for {len(lost):,} of the {len(there):,} areas that {standing} has in "
                f"{year}, {lost[0]} the first; {meant}",
                file=file,
            )
    if "release" in before:
        then, now = (_newest(table) for table in (before, made))
        for year in sorted(then.keys() & now.keys()):
            if now[year] < then[year]:
                raise DataError(
                    f"{year} is from the release of {now[year]}, in {standing} from that of "
                    f"{then[year]}: has the newer one lost the year? {meant.capitalize()}",
                    file=file,
                )


def _newest(table: pd.DataFrame) -> dict[int, str]:
    """When the newest release was published that each year of a table is from."""
    known = layout.specification()["releases"]
    rows = table[["year", "release"]].drop_duplicates()
    rows = rows[rows["release"].isin(known)]
    published = rows["release"].map(lambda name: str(layout.release(name)["published"]))
    return published.groupby(rows["year"]).max().to_dict()
