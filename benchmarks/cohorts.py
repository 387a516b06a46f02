"""The figures of docs/cohorts.md: parity with the published demo, the backtest, choices, speed.

Run `python -m benchmarks.cohorts` from the project's folder; it rewrites the tables in the page.
"""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

import send_analysis as sa
from send_analysis import explore, tables
from send_analysis.areas import ENGLAND
from send_analysis.capacity import balance
from send_analysis.forecasting import totals as forecasting
from send_analysis.forecasting import views
from send_analysis.forecasting.cohorts import (
    flows,
    levers,
    simulation,
    units,
)
from send_analysis.forecasting.cohorts import (
    inputs as cohort_data,
)
from send_analysis.forecasting.cohorts.inputs import SETTINGS, origins, placed, snapshot
from send_analysis.forecasting.cohorts.trend import FIRST_YEAR
from send_analysis.forecasting.transitions import files, model

ROOT = Path(__file__).parents[1]
DEMO = ROOT.parent / "shared" / "peers" / "witan_send_demo"
PAGE = ROOT / "docs" / "cohorts.md"
SMALLEST = 20  # plans: smaller parts move by chance alone


def markdown(frame: pd.DataFrame) -> str:
    """Write a frame of text and numbers as a table."""
    rows = [list(frame), ["---"] * frame.shape[1], *frame.astype(str).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def parity() -> str:
    """Published demo against ours: totals by year, and the largest gaps of the parts."""
    states = files.read_valid_states(DEMO / "input/valid-states.csv")
    given = files.Files(
        files.read_transitions(DEMO / "input/transitions.csv", states),
        files.read_population(DEMO / "input/population.csv"),
        states,
        files.read_costs(DEMO / "input/costs.csv", states),
    )
    runs, seconds = {}, {}
    for sampler in ("published", "exact"):
        start = time.process_time()
        runs[sampler] = model.simulate_transitions(
            given, seed_year=2017, draws=model.Draws(sampler=sampler)
        )
        seconds[sampler] = time.process_time() - start

    def against(sampler: str, name: str, file: str, dimension: str | None) -> pd.DataFrame:
        theirs = pd.read_csv(DEMO / f"results/{file}.csv")
        left, right = ["year"], ["calendar-year"]
        if dimension:
            left, right = [*left, name], [*right, dimension]
        return runs[sampler][name].merge(
            theirs, left_on=left, right_on=right, suffixes=("", "_theirs")
        )

    totals = {sampler: against(sampler, "count", "Output_Count", None) for sampler in runs}
    shown = pd.DataFrame(
        {
            "January": totals["exact"]["year"],
            "published median": totals["exact"]["median_theirs"].map("{:,.0f}".format),
            "ours": totals["published"]["median"].map("{:,.0f}".format),
            "ours, exact draws": totals["exact"]["median"].map("{:,.0f}".format),
            "published s.d.": totals["exact"]["std-dev"].map("{:.1f}".format),
            "ours, s.d.": totals["published"]["sd"].map("{:.1f}".format),
            "exact draws, s.d.": totals["exact"]["sd"].map("{:.1f}".format),
        }
    )
    gaps = []
    for name, file, dimension in (
        ("count", "Output_Count", None),
        ("cost", "Output_Cost", None),
        ("academic_year", "Output_AY", "academic-year"),
        ("setting", "Output_Setting", "setting"),
        ("need", "Output_Need", "need"),
    ):
        cells = [name.replace("_", " ")]
        for sampler in runs:
            both = against(sampler, name, file, dimension)
            both = both[(both["year"] > 2017) & (both["median_theirs"] > 100)]
            gap = (both["median"] / both["median_theirs"] - 1).abs().max()
            ratio = both["sd"] / both["std-dev"]
            cells += [f"{gap:.1%}", f"{ratio.min():.2f}–{ratio.max():.2f}"]
        gaps.append(cells)
    parts = pd.DataFrame(
        gaps,
        columns=["above 100 plans", "largest gap of medians", "ratio of s.d.", "exact draws: gap",
                 "exact draws: ratio"],
    )  # fmt: skip
    took = (
        f"\n\nProcessor time for 1,000 simulations of five years: {seconds['published']:.1f} s "
        f"({seconds['exact']:.1f} s with exact draws); the published run took 10 min 38 s, its "
        "charts and validation included."
    )
    return f"{markdown(shown)}\n\n{markdown(parts)}{took}"


def categories(stock: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Plans (…, A, S) in all, by age band and by setting."""
    found = {("all", "all"): stock.sum(axis=(-1, -2))}
    for band, ages in cohort_data.BANDS.items():
        found["age band", band] = stock[..., np.array(ages) - cohort_data.AGES[0], :].sum((-1, -2))
    by_setting = np.moveaxis(stock.sum(axis=-2), -1, 0)
    return found | {("setting", name): one for name, one in zip(SETTINGS, by_setting, strict=True)}


def backtest() -> str:
    """Latest January from the one before: errors, and how often the 80 % interval held."""
    origin, latest = cohort_data.origins()[-2:]
    known, later = units.estimated(origin).known, cohort_data.snapshot(latest, years=1)
    at = later.areas.get_indexer(known.areas)
    both = cohort_data.recorded(known.stock) & cohort_data.recorded(later.stock[at]) & (at >= 0)
    frames = []
    for area, before, after in zip(
        known.areas[both], known.stock[both], later.stock[at][both], strict=True
    ):
        made = categories(simulation.project(area, as_of=origin, years=1).stock[1])
        low, middle, high = np.quantile(list(made.values()), (0.1, 0.5, 0.9), axis=-1)
        rows = pd.DataFrame({"low": low, "cohort": middle, "high": high})
        rows[["dimension", "category"]] = list(made)
        rows["observed"], rows["persistence"] = (
            categories(after).values(),
            categories(before).values(),
        )
        frames.append(rows)
    results = pd.concat(frames)
    results = results[results["cohort"] >= SMALLEST]
    off = {name: (results[name] - results["observed"]).abs() for name in ("cohort", "persistence")}
    results = results.assign(
        **{f"{name}_off": gap / results["observed"].clip(lower=1) for name, gap in off.items()},
        inside=results["observed"].between(results["low"], results["high"]),
    )
    shown = results.groupby(["dimension", "category"], sort=False).agg(
        authorities=("inside", "size"),
        cohort=("cohort_off", "median"),
        persistence=("persistence_off", "median"),
        inside=("inside", "mean"),
    )
    for column, form in (("cohort", ".1%"), ("persistence", ".1%"), ("inside", ".0%")):
        shown[column] = shown[column].map(lambda share, form=form: f"{share:{form}}")
    shown = shown.reset_index("category").rename(
        columns={
            "category": "plans",
            "cohort": "median error",
            "persistence": "of no change",
            "inside": "within the 80 % interval",
        }
    )
    return markdown(shown)


def speed() -> str:
    """Processor time of the cohort model, so that a busy machine does not count."""
    start = time.process_time()
    units.estimated(cohort_data.origins()[-1])
    rows = [("tables read, rates of 153 authorities estimated", time.process_time() - start)]
    start = time.process_time()
    forecasting.forecast("Bury", 10)
    rows.append(("totals of 153 authorities forecast", time.process_time() - start))
    for area, first in (("Bury", ", the first"), ("Kent", ""), ("England", "")):
        start = time.process_time()
        made = simulation.project(area, years=10)
        rows.append((f"{area}{first}: 1,000 simulations × 10 years", time.process_time() - start))
    start = time.process_time()
    flows.apply(made, levers.read("demand-requests-return-to-2019"))
    rows.append(("a scenario of it", time.process_time() - start))
    for name in (None, "demand-no-new-plans-from-16"):
        start = time.process_time()
        changed = {"name": "x", "levers": levers.read(name)} if name else None
        views.fan("Leeds", explore.HORIZON, scenario=name, simulations=explore.SIMULATIONS)
        balance.forecast(
            "Leeds", years=explore.HORIZON, scenario=changed, simulations=explore.SIMULATIONS
        )
        what = "another scenario" if name else "another area"
        rows.append((f"exploration, {what}: plans and places", time.process_time() - start))
    tables.clear_cache()
    start = time.process_time()
    sa.forecast(horizon=5)
    rows.append(("sa.forecast(horizon=5), all areas, from the tables", time.process_time() - start))
    start = time.process_time()
    known = snapshot(origins()[-1])
    for name in known.areas[np.isfinite(known.stock).all(axis=(1, 2))]:
        simulation.summarise(simulation.project(name))
    took = time.process_time() - start
    rows.append(("all 153 authorities, summaries too, on one core", took))
    rows.append(("the same on two cores, half of it", took / 2))
    frame = pd.DataFrame(rows, columns=["", "seconds"])
    frame["seconds"] = frame["seconds"].map("{:.1f}".format)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{markdown(frame)}\n\nPeak memory of one process: {memory:.0f} MB."


def trend_choices() -> pd.DataFrame:
    """Mean absolute error of the logarithm of authorities' new plans, by rule and horizon."""
    rows = tables.load("new_plans").query("age_band == 'all'")
    wide = rows.pivot_table(index="area_code", columns="year", values="plans", aggfunc="sum")
    wide = np.log(wide.astype(float).where(wide > 50)).loc[:, FIRST_YEAR:]
    england = wide.loc[ENGLAND]
    known = tables.load("areas").query("level == 'local authority'")["area_code"]
    wide = wide.reindex(known).dropna()
    last = int(wide.columns[-1])
    found = []
    for window in (1, 3, 5):
        for damping in (0.0, 0.5, 0.7, 0.85, 1.0):
            for horizon in (1, 3, 5):
                errors = []
                for start in range(FIRST_YEAR + window, last - horizon + 1):
                    growth = (england[start] - england[start - window]) / window
                    ahead = growth * (damping ** np.arange(1, horizon + 1)).sum()
                    level = (wide[start] + wide[start - 1] + growth) / 2
                    errors.append(wide[start + horizon] - level - ahead)
                found.append((window, damping, horizon, np.abs(pd.concat(errors)).mean()))
    found = pd.DataFrame(found, columns=["window", "damping", "horizon", "error"])
    return found.pivot(index=["window", "damping"], columns="horizon", values="error").round(3)


def mix_persistence() -> pd.Series:
    """Correlation over authorities of two successive years' changes of a setting's share."""
    rows = placed().query("year >= 2023")
    rows = rows[rows["area_code"].isin(units.estimated(2025).known.areas)]
    plans = rows.pivot_table(
        index=["area_code", "setting"], columns="year", values="plans", aggfunc="sum"
    ).astype(float)
    total = plans.groupby(level="area_code").transform("sum")
    share = (plans / total).unstack("setting")
    unrecorded = share.xs("not recorded", axis=1, level="setting").max(axis=1)
    share = share[(unrecorded < 0.15) & (total[2024].groupby(level=0).first() > 300)]
    first, second = share[2024] - share[2023], share[2025] - share[2024]
    return first.corrwith(second)[SETTINGS].round(2)


def main() -> None:
    """Measure, print, and put the tables into the page."""
    parts = {"backtest": backtest(), "speed": speed()}
    if DEMO.is_dir():
        parts["parity"] = parity()
    text = PAGE.read_text(encoding="utf-8")
    for name, table in parts.items():
        print(f"\n{name}\n{table}")
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text, flags=re.DOTALL)
    PAGE.write_text(text, encoding="utf-8")
    print("\nerror of rules for new plans\n", trend_choices())
    print("\npersistence of changes of mix\n", mix_persistence())


if __name__ == "__main__":
    main()
