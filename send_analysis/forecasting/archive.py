"""Forecasts as they were published: kept with their date and version, scored when January comes.

A backtest reruns today's method on yesterday's figures. An archived forecast cannot be rerun: it
was written down before anybody knew the outcome, and its hash tells if it was touched since.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field

from send_analysis import __version__, areas, disk, reads, tables
from send_analysis.cells import Number, Words, read_list
from send_analysis.disk import writable_folder
from send_analysis.errors import DataError, MissingDataError, ParameterError, SendAnalysisError
from send_analysis.forecasting import scoring, totals
from send_analysis.forecasting.demand import LEVELS
from send_analysis.forms import Form, Text, checked, read_yaml

FOLDER = "forecasts"  # below the folder of tables
_YEAR, _PLANS = Number(2000, 2100, whole=True), Number(0, 60_000_000)
COLUMNS = {
    "area_code": Words(),
    "origin": _YEAR,
    "year": _YEAR,
    "horizon": Number(1, 30, whole=True),
    "base": _PLANS._replace(whole=True),
    "quantile": Number(0, 1),
    "value": _PLANS,
}


class Note(Form):
    """What is kept beside an archived forecast: its day, its version, and hashes."""

    made: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2025-07-01"])]
    version: Text
    origin: int
    sha256: Text
    tables: dict[str, Text]


def _folder(folder: Path | None) -> Path:
    """Folder that the archive is read from."""
    return tables.parameters(FOLDER) if folder is None else Path(folder)


def write(folder: Path | None = None, *, horizon: int = 5, day: date | None = None) -> Path:
    """Archive the forecast from the latest January, for every authority and England.

    Parameters
    ----------
    folder : Path, optional
        Folder of the archive; ``forecasts`` below the folder of tables if not given.
    horizon : int, default 5
        Years ahead.
    day : date, optional
        Day to record; today if not given.

    Returns
    -------
    Path
        The CSV file: ``area_code, origin, year, horizon, base`` (plans at the origin, as
        published then), ``quantile, value``. A JSON file of the same name has the day, the
        version of this package, and the SHA-256 of the CSV and of the tables it was made from.

    Raises
    ------
    SendAnalysisError
        If this version has archived a forecast from this January already.
    """
    folder = writable_folder(tables.data_dir() / FOLDER if folder is None else folder)
    day = date.today() if day is None else day
    with reads.recording() as read:
        rows = totals.forecast(horizon=horizon)
    rows = rows[rows["category"] == "all"]
    origin = int(rows["origin"].iloc[0])
    file = folder / f"january-{origin}_version-{__version__}.csv"
    if file.exists():
        raise SendAnalysisError(
            f"{file.name} was archived before and stays as it is. A forecast by another method "
            "needs another version of the package."
        )
    plans = _plans(origin)
    rows = rows.assign(base=rows["area_code"].map(plans).astype("int64"))
    text = rows[list(COLUMNS)].to_csv(index=False, lineterminator="\n", float_format="%.3f")
    note = {
        "made": day.isoformat(),
        "version": __version__,
        "origin": origin,
        "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "tables": {name: tables.resource(name)["hash"] for name in sorted(read)},
    }
    folder.mkdir(parents=True, exist_ok=True)
    # The table last: without one, a note says nothing, and a table without its note is refused.
    disk.write_text(file.with_suffix(".json"), json.dumps(note, indent=1) + "\n")
    disk.write_text(file, text)
    return file


def _plans(january: int) -> pd.Series:
    """Published plans of a January, by area."""
    plans = tables.load("ehc_plans").query("age_band == 'all' and plans.notna()")
    rows = plans[plans["year"] == january]
    if rows.empty:
        raise MissingDataError(
            f"The tables have no January {january}, only to {plans['year'].max()}. Once it is "
            f"published: send-analysis data refresh --release {january}"
        )
    return rows.set_index("area_code")["plans"]


def read(folder: Path | None = None) -> pd.DataFrame:
    """Read every archived forecast.

    Returns
    -------
    DataFrame
        The columns of the archived files, and ``made`` (day) and ``version``; empty if there is
        no archive.

    Raises
    ------
    DataError
        If a file is not what was archived.
    """
    parts = []
    for file in sorted(_folder(folder).glob("*.csv")):
        note = file.with_suffix(".json")
        if not note.is_file():
            raise DataError(f"{note.name} is missing; restore it", file=str(file))
        known = _note(note)
        if hashlib.sha256(disk.read_bytes(file)).hexdigest() != known.sha256:
            raise DataError(
                f"changed since it was archived on {known.made}; restore it", file=str(file)
            )
        frame = read_list(file, "forecast", COLUMNS, key=["area_code", "year", "quantile"])
        frame = frame.assign(area_code=areas.newest(frame["area_code"]))
        parts.append(frame.assign(made=known.made, version=known.version))
    columns = [*COLUMNS, "made", "version"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _note(file: Path) -> Note:
    """What is known of an archived forecast."""
    try:
        return checked(Note, read_yaml(file), file)  # JSON is YAML
    except ParameterError as error:
        raise DataError(f"damaged ({error}); restore it", file=str(file)) from None


def scores(release: int, folder: Path | None = None) -> pd.DataFrame:
    """Set what was forecast for a January beside what happened.

    Parameters
    ----------
    release : int
        Reporting year: the outcome is the number of plans in its January.
    folder : Path, optional
        Folder of the archive; ``forecasts`` below the folder of tables if not given.

    Returns
    -------
    DataFrame
        One row an archived forecast and area: ``made, version, origin, horizon, area_code, area,
        base, observed``, a column a quantile level, and the columns of
        :func:`scoring.scored`. Areas that no longer exist have no row.

    Raises
    ------
    MissingDataError
        If the January is not in the tables, or nothing was archived before it.
    """
    observed = _plans(release)
    rows = read(folder)
    rows = rows[(rows["year"] == release) & rows["area_code"].isin(observed.index)]
    if rows.empty:
        raise MissingDataError(
            f"No forecast for January {release} is in {_folder(folder)}. Forecasts are scored only "
            "if they were archived before: send-analysis archive"
        )
    key = ["made", "version", "origin", "horizon", "area_code", "base"]
    wide = rows.pivot(index=key, columns="quantile", values="value").reset_index()
    wide.columns.name = None
    code = wide["area_code"]
    wide.insert(5, "area", code.map({each: areas.name(each) for each in code.unique()}))
    wide.insert(7, "observed", code.map(observed).astype("float64"))
    return scoring.scored(wide[[*key[:5], "area", "base", "observed", *LEVELS]])


def summary(scored: pd.DataFrame) -> pd.DataFrame:
    """Summarise scores of archived forecasts, by archive.

    Parameters
    ----------
    scored : DataFrame
        As :func:`scores` gives it.

    Returns
    -------
    DataFrame
        ``made, version, origin, horizon, authorities`` (their number), ``mape`` (mean absolute
        error of the median, per cent), ``bias`` (median error, per cent), ``wis`` (mean weighted
        interval score, plans), ``within_80, within_95`` (per cent of outcomes inside the interval),
        ``england`` and ``england_median`` (plans), ``england_error`` (per cent). As in the
        backtest, authorities with 100 plans or fewer at the origin are left out, and Newham.
    """
    key = ["made", "version", "origin", "horizon"]
    local = scored[
        (scored["area_code"] != areas.ENGLAND)
        & (scored["base"] > scoring.SMALLEST)
        & (scored["area_code"] != scoring.APART)
    ]
    local = local.assign(mape=local["error"].abs())
    groups = local.groupby(key)
    out = groups[["mape", "wis", "within_80", "within_95"]].mean()
    out.insert(0, "authorities", groups.size())
    out.insert(2, "bias", groups["error"].median())
    nation = scored[scored["area_code"] == areas.ENGLAND].set_index(key)
    return out.assign(
        england=nation["observed"], england_median=nation[0.5], england_error=nation["error"]
    ).reset_index()
