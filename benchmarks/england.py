"""Time and memory of what is done for all of England: one command, one table.

Run ``python -m benchmarks.england`` from the project's folder, or name cases
(``python -m benchmarks.england reports-10 pupil-duckdb``). Each case runs in a process of its own;
results are kept in ``docs/benchmarks.json``, and ``docs/benchmarks.md`` gets the table of all that
were ever measured, each with the machine's load, because a busy machine is a slow one.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

ROOT = Path(__file__).parents[1]
OFFICIAL = ROOT.parent / "shared" / "official" / "ehc_plans"
RESULTS = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"
PEOPLE = 9_000_000  # about as many as a national school census has
CHUNK = 1_000_000


def load_tables() -> None:
    """Load every tidy table."""
    from send_analysis import tables

    for name in tables.catalogue().index:
        tables.load(name)


def read_zip() -> None:
    """Read every file of the official release of 2025 with pandas, out of its archive."""
    import zipfile

    with zipfile.ZipFile(OFFICIAL / "education-health-and-care-plans_2025.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".csv"):
                with archive.open(name) as file:
                    pd.read_csv(file, low_memory=False)


def forecast(horizon: int) -> None:
    """Forecast every authority and England."""
    import send_analysis

    send_analysis.forecast(horizon=horizon)


def backtest() -> None:
    """Rerun and score every forecast from 2016 on."""
    from send_analysis.forecasting import scoring

    scoring.backtest()


def choose() -> None:
    """Choose the numbers of the forecast by outcomes to January 2022."""
    from send_analysis.forecasting import choosing, panel

    choosing.choose(panel.build())


def simulate(simulations: int, areas: int) -> None:
    """Simulate ten years of authorities."""
    from send_analysis.areas import current
    from send_analysis.forecasting.cohorts import simulation

    names = [code for code in current() if code not in {"E09000001", "E06000053"}][:areas]
    for name in names:
        simulation.summarise(simulation.project(name, simulations=simulations))


def report(areas: int) -> None:
    """Render reports with two workers, from nothing."""
    from send_analysis.areas import current
    from send_analysis.report import batch

    chosen = ["Bury", *(code for code in current() if code != "E08000002")][:areas]
    with tempfile.TemporaryDirectory() as out:
        told = batch.render_all(chosen if areas < 153 else None, out, jobs=2)
    failed = told[told["state"] == "failed"]
    if len(failed):
        raise SystemExit(failed[["area", "error"]].to_string())


def made_up(path: Path, people: int = PEOPLE) -> None:
    """Write a made-up pupil-level file: random, of nobody, and never kept."""
    from send_analysis import tables
    from send_analysis.areas import current

    random = np.random.default_rng(1)
    needs = [it for it in tables.load("primary_need")["primary_need"].unique() if it != "all"]
    settings = ["mainstream", "state special school", "further education", "early years"]
    for first in range(0, people, CHUNK):
        count = min(CHUNK, people - first)
        support = random.choice(["EHC plan", "SEN support", "none"], count, p=[0.06, 0.14, 0.8])
        plan = support == "EHC plan"
        frame = pd.DataFrame(
            {
                "person_id": [f"made-up-{number:07d}" for number in range(first, first + count)],
                "area_code": random.choice(current(), count),
                "year": 2025,
                "age": random.integers(0, 26, count),
                "support": support,
                "setting": np.where(plan, random.choice(settings, count), ""),
                "need": np.where(plan, random.choice(needs, count), ""),
            }
        )
        frame.to_csv(path, mode="a", header=first == 0, index=False)


def pupil_duckdb() -> None:
    """Add the made-up file up with the package."""
    from send_analysis.cleaning import pupil_level

    pupil_level.aggregate(os.environ["MADE_UP"])


def pupil_pandas() -> None:
    """Add the made-up file up the plain way: the whole of it in memory."""
    frame = pd.read_csv(
        os.environ["MADE_UP"],
        dtype=dict.fromkeys(("person_id", "area_code", "support", "setting", "need"), "str"),
    )
    if frame.duplicated(["person_id", "year"]).any():
        raise SystemExit("a person stands there twice")
    plans = frame[frame["support"] == "EHC plan"]
    for by in (["age"], ["age", "setting"], ["need"]):
        plans.groupby(["area_code", "year", *by]).size()
    frame.groupby(["area_code", "year", "support"]).size()


CASES: dict[str, tuple[str, Callable[[], None]]] = {
    "loading": ("Load every tidy table", load_tables),
    "zip": ("Read the official 2025 archive instead (pandas)", read_zip),
    "forecast-5": ("Forecast all areas, 5 years", lambda: forecast(5)),
    "forecast-15": ("The same, 15 years", lambda: forecast(15)),
    "choose": ("Choose the numbers of the forecast again", choose),
    "backtest": ("Backtest of the forecast: 9 origins, 5 methods and ours", backtest),
    "simulate-1-1000": ("Simulate 1 authority, 10 years, 1,000 times", lambda: simulate(1000, 1)),
    "simulate-1-4000": ("The same 4,000 times", lambda: simulate(4000, 1)),
    "simulate-10-1000": ("Simulate 10 authorities, 1,000 times", lambda: simulate(1000, 10)),
    "pupil-duckdb": ("Pupil-level file of 9 million made-up rows, the package", pupil_duckdb),
    "pupil-pandas": ("The same file, plain pandas", pupil_pandas),
    **{
        f"reports-{count}": (f"Reports of {count} area{'s' * (count > 1)}, 2 workers", case)
        for count, case in {
            n: (lambda n=n: report(n)) for n in (1, 10, 50, 153)
        }.items()
    },
}  # fmt: skip


def measured(case: str) -> dict[str, object]:
    """Run a case in a process of its own; watch it and its children."""
    before = os.getloadavg()[0]
    started = time.perf_counter()
    process = psutil.Popen(
        [sys.executable, "-m", "benchmarks.england", "--case", case],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    largest = together = 0
    cpu: dict[tuple[int, float], float] = {}
    while process.poll() is None:
        sizes = []
        for each in [process, *process.children(recursive=True)]:
            try:
                sizes.append(each.memory_info().rss)
                cpu[each.pid, each.create_time()] = sum(each.cpu_times()[:2])
            except psutil.Error:  # it has just ended
                continue
        largest, together = max([largest, *sizes]), max(together, sum(sizes))
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{case} failed")
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(sum(cpu.values()), 1),
        "largest_process_mb": largest >> 20,
        "all_processes_mb": together >> 20,
        "load_before": round(before, 1),
        "load_after": round(os.getloadavg()[0], 1),
        "on": f"{datetime.now(UTC):%d %B %Y}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def page(results: dict[str, dict]) -> str:
    """Write the table and what it says of how cost grows."""
    lines = [
        "# Benchmarks",
        "",
        "Measured by `python -m benchmarks.england`, each case in a process of its own, starting "
        "Python included. *Processor* is time on a core, of all processes; *load* is how many "
        "processes wanted a core before and after: above the number of cores the machine was busy "
        "with other work, and the seconds are too many.",
        "",
        "| what | seconds | processor, s | largest process, MB | all, MB | load | cores |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for case, (title, _) in CASES.items():
        if case in results:
            it = results[case]
            lines.append(
                f"| {title} | {it['seconds']:,.1f} | {it['cpu_seconds']:,.1f} "
                f"| {it['largest_process_mb']:,} | {it['all_processes_mb']:,} "
                f"| {it['load_before']:.1f} – {it['load_after']:.1f} | {it['cores']} |"
            )
    return "\n".join([*lines, "", *growth(results)]) + "\n"


def growth(results: dict[str, dict]) -> list[str]:
    """Say how cost grows, from what was measured."""
    out = ["## How cost grows", ""]
    done = {int(name.split("-")[1]): it for name, it in results.items() if "reports" in name}
    if len(done) > 1:
        few, many = min(done), max(done)
        each = (done[many]["cpu_seconds"] - done[few]["cpu_seconds"]) / (many - few)
        first = done[few]["cpu_seconds"] - few * each
        out.append(
            f"- Reports: about {max(first, 0):.0f} s of processor to start and to work out what is "
            f"national, then {each:.1f} s an area, in proportion to the number of areas (from "
            f"{few} and {many} areas). Memory grows with the number of workers, not of areas."
        )
    if {"pupil-duckdb", "pupil-pandas"} <= results.keys():
        ours, plain = results["pupil-duckdb"], results["pupil-pandas"]
        out.append(
            f"- Pupil-level file: {plain['seconds'] / ours['seconds']:.1f} times as fast as plain "
            f"pandas in the same run, with {ours['largest_process_mb']:,} MB in place of "
            f"{plain['largest_process_mb']:,} MB. Time grows in proportion to the rows; memory "
            "stays near what `memory` allows (1 GB), because what exceeds it goes to disk."
        )
    if {"simulate-1-1000", "simulate-1-4000", "simulate-10-1000"} <= results.keys():
        one, four, ten = (
            results[f"simulate-{name}"]["cpu_seconds"] for name in ("1-1000", "1-4000", "10-1000")
        )
        out.append(
            f"- Simulation: {(four - one) / 3:.1f} s more for every 1,000 simulations of an "
            f"authority, {(ten - one) / 9:.1f} s for every authority of 1,000 simulations; the "
            "rest is reading tables and estimating rates, once."
        )
    if {"loading", "zip"} <= results.keys():
        ratio = results["zip"]["cpu_seconds"] / results["loading"]["cpu_seconds"]
        out.append(f"- Reading the archive takes {ratio:.1f} times what loading all tables takes.")
    return out


def main(chosen: list[str]) -> None:
    """Measure the cases and write the page."""
    unknown = set(chosen) - CASES.keys()
    if unknown:
        raise SystemExit(f"No case {', '.join(unknown)}; there are {', '.join(CASES)}.")
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MADE_UP"] = str(Path(folder) / "made_up.csv")
        if any(case.startswith("pupil") for case in chosen):
            made_up(Path(os.environ["MADE_UP"]))
        for case in chosen:
            results[case] = measured(case)
            print(case, results[case], flush=True)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            PAGE.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        CASES[sys.argv[2]][1]()
    else:
        main(sys.argv[1:] or list(CASES))
