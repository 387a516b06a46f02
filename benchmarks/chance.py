"""What docs/capacity.md says of chances and mixes: how mixes drifted, and the hindcast.

Run `python -m benchmarks.chance` from the project's folder; it writes the hindcast that page 04
shows (data/hindcasts/places.csv) and prints the tables. Run it again when the model of plans or
its tables have changed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from send_analysis import tables
from send_analysis.capacity import hindcast, places
from send_analysis.forecasting.cohorts import trend
from send_analysis.forecasting.cohorts.inputs import SETTINGS, origins, placed, snapshot
from send_analysis.forecasting.cohorts.shrinkage import range_sd

LAST = 2022  # January: placements from 2023 on are counted on another basis


def drift(last: int = LAST) -> pd.DataFrame:
    """Share of authorities' differences from their region that was gone after 1 to 5 years.

    Least squares through the origin over all Januaries from 2010, as `mixes` uses it: of the later
    difference of logarithms on the earlier one.
    """
    rows = placed()
    rows = rows[rows["year"].between(2010, last)]
    known = tables.load("areas")
    region = known[known["level"] == "local authority"].set_index("area_code")["region_code"]
    rows = rows[rows["area_code"].isin(region.index)]
    plans = rows.pivot_table(
        index="area_code", columns=["setting", "year"], values="plans", aggfunc="sum", min_count=1
    ).astype(float)
    near = region.reindex(plans.index)
    total = plans.T.groupby(level="year").sum().T
    found = []
    for kind in places.SURVEY_KINDS:
        share = plans[kind] / total
        mean = plans[kind].groupby(near).transform("sum") / total.groupby(near).transform("sum")
        apart = np.log(share / mean).replace([np.inf, -np.inf], np.nan)
        for ahead in range(1, 6):
            first = apart.iloc[:, :-ahead].to_numpy()
            later = apart.iloc[:, ahead:].to_numpy()
            both = np.isfinite(first) & np.isfinite(later)
            kept = (first * later)[both].sum() / (first**2)[both].sum()
            found.append((kind, ahead, 100 * (1 - kept)))
    frame = pd.DataFrame(found, columns=["kind", "years", "gone, %"])
    return frame.pivot(index="kind", columns="years", values="gone, %").loc[[*places.SURVEY_KINDS]]


def earlier(last: int = LAST) -> pd.DataFrame:
    """How often "80 % sure" would have sufficed in earlier Januaries, by kind.

    The rule for the spread of an authority's share alone (all ages, its total given): the middle
    moves as England is expected to, its own error is as large as authorities' a year before, the
    shared one as large as the rule's errors before; two of them and authorities with 20 plans.
    """
    known = snapshot(origins()[0])
    change = trend.mix_changes(known)
    rows = placed()
    rows = rows[(rows["year"] <= last) & rows["area_code"].isin(known.areas)]
    plans = rows.pivot_table("plans", "area_code", ["setting", "year"], "sum", min_count=1)
    plans = plans.astype(float)
    total = plans[SETTINGS[:-1]].T.groupby(level="year").sum().T
    found = []
    for kind in places.KINDS:
        own = np.log((plans[kind] / total).where(plans[kind] >= 20)).diff(axis=1)
        seen = change[kind].dropna().loc[:last]
        missed = trend.drift_errors(seen)
        for number in range(2, len(missed)):
            year, past = missed.index[number], missed.iloc[:number]
            before = seen.index[seen.index < year][-1]
            few = stats.t.ppf(0.9, number) / stats.norm.ppf(0.9)
            spread = np.hypot(range_sd(own[before].to_numpy()), few * np.sqrt((past**2).mean()))
            # beside England's middle authority, which moved by what the rule missed
            error = (own[year] - own[year].median()).dropna() + missed[year]
            found.append((kind, year, len(error), 100 * (error <= 0.8416 * spread).mean(),
                          100 * (error.abs() <= 1.2816 * spread).mean()))  # fmt: skip
    frame = pd.DataFrame(found, columns=["kind", "January", "cases", "sufficed", "inside"])
    by = frame.groupby("kind", sort=False)
    return pd.concat(
        [by["January"].agg(["min", "max", "size"]), by["cases"].sum(),
         by[["sufficed", "inside"]].mean(), by["sufficed"].agg(["min", "max"])], axis=1
    )  # fmt: skip


if __name__ == "__main__":
    pd.set_option("display.width", 150)
    print(drift().round(0).to_string(), end="\n\n")
    print(earlier().round(0).to_string(), end="\n\n")
    rows = pd.read_csv(hindcast.write())
    print(hindcast.skill(rows).round(3).to_string(), end="\n\n")
    odd = rows["area_code"].rank(method="dense").astype(int) % 2
    print(hindcast.skill(rows[odd == 0]).round(3).to_string(), end="\n\n")
    for phase in ("all", "primary", "post-16"):
        print(hindcast.reliability("all specialist", phase, rows).round(1).to_string())
