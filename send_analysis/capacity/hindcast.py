"""What would have been said of places a year before the latest January, and what happened.

Plans by age and setting are published for two Januaries, so there is one test of one year, in about
150 authorities at once: what was common to all of them in that year, no such test can tell.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis import __version__, caveats, disk, reads, tables
from send_analysis.areas import Area
from send_analysis.capacity import places
from send_analysis.disk import writable_folder
from send_analysis.errors import DataError
from send_analysis.forecasting.cohorts.flows import Projection
from send_analysis.forecasting.cohorts.inputs import SETTINGS, Snapshot, origins, recorded, snapshot
from send_analysis.forecasting.cohorts.simulation import project
from send_analysis.forecasting.cohorts.units import estimated
from send_analysis.scenarios import interval

FOLDER = "hindcasts"
FILE = "places.csv"  # what `compute` gives for all authorities, as it takes a minute
SMALLEST = 10  # places expected: below, a row tells a planner nothing, and is not scored
CASES = 30  # authorities that a figure of the test needs
ORDER = [*places.KINDS, *places.GROUPS]
TENTH = 10  # authorities that a tenth of the probabilities needs


@reads.found
def compute(
    areas: Sequence[Area] | None = None, *, simulations: int = 1000, seed: int = 50
) -> pd.DataFrame:
    """Forecast the latest January from the one before, and count what happened.

    Parameters
    ----------
    areas : sequence of Area or str, optional
        All that can be counted in both Januaries if not given.
    simulations, seed : int
        As in :func:`.balance.simulate`.

    Returns
    -------
    DataFrame
        ``area_code, origin, kind, phase, in_use`` (places in use in the January of `origin`),
        ``probability`` (per cent; that a year later more are needed), ``demand, demand_low_80,
        demand_high_80, places_80`` (places that suffice in 80 % of simulations) and ``needed``
        (places in use a year later). Planned openings are left out: what was announced then is
        not on record.
    """
    origin, latest = origins()[-2:]
    known, later = estimated(origin).known, snapshot(latest, years=1)
    frames = []
    for area in _countable(known, later) if areas is None else areas:
        made = project(area, as_of=origin, years=1, simulations=simulations, seed=seed)
        then = _demand(replace(made, stock=later.stock[later.areas.get_loc(area)][None, None]))
        before, ahead = _demand(replace(made, stock=made.stock[:1])), _demand(made)
        plans = np.stack([values[1] for values in ahead.values()])
        in_use = np.array([values[0, 0] for values in before.values()])
        frame = pd.DataFrame(list(ahead), columns=["kind", "phase"]).assign(
            area_code=area,
            in_use=in_use,
            probability=100 * (plans > in_use[:, None]).mean(axis=1),
            **interval("demand", plans),
            places_80=places.enough(plans, 0.8),
            needed=[values[0, 0] for values in then.values()],
        )
        frames.append(frame)
    out = pd.concat(frames, ignore_index=True).assign(origin=origin)
    first = ["area_code", "origin", "kind", "phase"]
    return out[[*first, *(column for column in out if column not in first)]]


def _demand(projection: Projection) -> dict[tuple[str, str], np.ndarray]:
    """Plans by kind of place and phase, with groups and sums."""
    return places.demand(projection, SETTINGS)


def _countable(known: Snapshot, later: Snapshot) -> list[Area]:
    """Authorities whose settings are recorded in both Januaries and flagged in neither."""
    at = later.areas.get_indexer(known.areas)
    both = recorded(known.stock) & recorded(later.stock[at]) & (at >= 0)
    return [
        area
        for area in map(Area, known.areas[both])
        if not any(caveats.unplaced(area, year=year) for year in (known.origin, later.origin))
    ]


def write(folder: Path | None = None) -> Path:
    """Compute the hindcast of all authorities and keep it with what it was made from.

    Parameters
    ----------
    folder : Path, optional
        ``hindcasts`` below the folder of tables if not given.

    Returns
    -------
    Path
        The CSV file. A JSON file of the same name has the version of this package and the SHA-256
        of the CSV and of the tables it was made from.
    """
    folder = writable_folder(tables.data_dir() / FOLDER if folder is None else folder)
    with reads.recording() as read:
        frame = compute().round({"probability": 1})
    text = frame.to_csv(index=False, lineterminator="\n", float_format="%g")
    note = {
        "version": __version__,
        "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "tables": {name: tables.resource(name)["hash"] for name in sorted(read)},
    }
    folder.mkdir(parents=True, exist_ok=True)
    disk.write_text((folder / FILE).with_suffix(".json"), json.dumps(note, indent=1) + "\n")
    disk.write_text(folder / FILE, text)
    tables.clear_cache()
    return folder / FILE


def is_new() -> bool:
    """Say whether what is kept was made from the tables as they are."""
    there = {entry["name"]: entry["hash"] for entry in tables.descriptor()["resources"]}
    made_from = _note(tables.data_dir() / FOLDER / FILE).get("tables", {})
    return bool(made_from) and made_from.items() <= there.items()


def _note(path: Path) -> dict:
    """What is kept beside a hindcast; nothing where nothing is."""
    note = path.with_suffix(".json")
    return json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}


@tables.remembered
def rows() -> pd.DataFrame:
    """Read the hindcast of all authorities; compute it where none of this January was kept.

    Returns
    -------
    DataFrame
        As :func:`compute`.

    Raises
    ------
    DataError
        If the file is not what :func:`write` wrote.
    """
    path = tables.parameters(FOLDER) / FILE
    if path.is_file():
        content = path.read_bytes()
        known = _note(path)
        if hashlib.sha256(content).hexdigest() != known.get("sha256"):
            raise DataError(
                "changed since it was computed; restore it or run `send-analysis data build`",
                file=str(path),
            )
        stored = pd.read_csv(io.BytesIO(content))
        if (stored["origin"] == origins()[-2]).all():
            reads.mark(known["tables"])  # the file stands for what was read when it was made
            return stored
    return compute()


def came(frame: pd.DataFrame) -> pd.Series:
    """Say where outcomes lay beside their 80 % intervals, whose ends are whole places, as printed.

    Parameters
    ----------
    frame : DataFrame
        ``demand_low_80, demand_high_80, needed``, as :func:`compute` gives them.

    Returns
    -------
    Series of str
        ``below``, ``within`` or ``above``.
    """
    low, high = frame["demand_low_80"].round(), frame["demand_high_80"].round()
    sides = [frame["needed"] < low, frame["needed"] > high]
    return pd.Series(np.select(sides, ["below", "above"], "within"), index=frame.index, dtype="str")


def skill(frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """Score the probabilities and the places called sufficient, by kind and phase.

    Parameters
    ----------
    frame : DataFrame, optional
        As :func:`compute` gives it; :func:`rows` if not given. Rows that expect fewer than
        :data:`SMALLEST` places are left out.

    Returns
    -------
    DataFrame
        Indexed by ``kind, phase``, those with at least :data:`CASES` authorities: ``cases``,
        ``short`` (per cent in which more was needed than was in use), ``brier`` (mean squared
        error of the probability, 0 to 1), ``skill`` (share of the error of always saying ``short``
        that is saved; below 0 the probability says less than that), ``skill_error`` (its standard
        error, by leaving out one authority after another), ``sufficed`` (per cent in which the
        places called 80 % sure were enough), ``sufficed_own`` (the same had the error been known
        that authorities shared: the median of the logarithm of needed over expected in the other
        half of them), ``inside, below, above`` (per cent whose outcome lay within the 80 %
        interval, below it and above it, as :func:`came` says).
    """
    if frame is None:
        return _skill()
    frame = frame[frame["demand"] >= SMALLEST]
    short = (frame["needed"] > frame["in_use"]).astype(float)
    half = frame["area_code"].rank(method="dense").astype(int) % 2
    error = np.log(frame["needed"].clip(lower=0.5) / frame["demand"])
    shared = error.groupby([frame["kind"], frame["phase"], half]).median()
    other = pd.MultiIndex.from_arrays([frame["kind"], frame["phase"], 1 - half])
    known = np.ceil(frame["places_80"] * np.exp(shared.reindex(other).to_numpy()))
    beside = came(frame)
    scored = frame[["kind", "phase"]].assign(
        short=100 * short,
        brier=(frame["probability"] / 100 - short) ** 2,
        sufficed=100.0 * (frame["needed"] <= frame["places_80"]),
        sufficed_own=100.0 * (frame["needed"] <= known),
        inside=100.0 * (beside == "within"),
        below=100.0 * (beside == "below"),
        above=100.0 * (beside == "above"),
    )
    by = scored.groupby(["kind", "phase"])
    out = by.mean()
    base = out["short"] / 100
    out.insert(0, "cases", by.size())
    out.insert(3, "skill", 1 - out["brier"] / (base * (1 - base)))
    # Jackknife: Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 11.
    others = by["brier"].transform("size") - 1
    rest = (by[["brier", "short"]].transform("sum") - scored[["brier", "short"]]).div(
        others, axis=0
    )
    left = 1 - rest["brier"] / (rest["short"] / 100 * (1 - rest["short"] / 100))
    each = left.groupby([scored["kind"], scored["phase"]])
    out.insert(4, "skill_error", np.sqrt((each.size() - 1) * each.var(ddof=0)))
    order = pd.MultiIndex.from_product([ORDER, [*places.PHASES, "all"]], names=["kind", "phase"])
    return out[out["cases"] >= CASES].reindex(order).dropna(how="all")


@tables.remembered
def _skill() -> pd.DataFrame:
    """Score the hindcast of all authorities: sentences of every area quote it."""
    return skill(rows())


@tables.remembered
def shown() -> pd.Series:
    """Say for which kinds and phases a probability may be shown.

    Returns
    -------
    Series of bool
        Indexed by ``kind, phase``: whether there was skill, by more than its standard error, in the
        phase and in all phases of the kind together. Kinds and phases that could not be scored are
        absent.
    """
    found = skill()
    skilled = found["skill"] > found["skill_error"]
    whole = skilled.xs("all", level="phase").reindex(skilled.index.get_level_values("kind"))
    return skilled & whole.to_numpy()


def reliability(kind: str, phase: str, frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """Set probabilities against what happened, by tenths.

    Parameters
    ----------
    kind, phase : str
    frame : DataFrame, optional
        As in :func:`skill`.

    Returns
    -------
    DataFrame
        ``kind, phase, low, high`` (probabilities from and to, per cent), ``cases, probability``
        (mean, per cent) and ``short`` (per cent in which more was needed); only tenths with at
        least :data:`TENTH` authorities.
    """
    frame = rows() if frame is None else frame
    frame = frame[(frame["kind"] == kind) & (frame["phase"] == phase)]
    frame = frame[frame["demand"] >= SMALLEST]
    low = (frame["probability"] // 10 * 10).clip(upper=90).astype("int64")
    short = 100.0 * (frame["needed"] > frame["in_use"])
    by = frame.assign(low=low, short=short).groupby("low")
    out = by.agg(
        cases=("probability", "size"),
        probability=("probability", "mean"),
        short=("short", "mean"),
    )
    out = out[out["cases"] >= TENTH].reset_index()
    out.insert(1, "high", out["low"] + 10)
    out.insert(0, "phase", phase)
    out.insert(0, "kind", kind)
    return out
