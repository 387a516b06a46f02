"""Ceased plans by setting, against figures read in the release and against the other tables."""

import pandas as pd

from send_analysis import tables

BURY = "E08000002"


def test_burys_figures_are_those_printed():
    rows = tables.load("ceased_plans_by_setting")
    bury = rows[(rows["area_code"] == BURY) & (rows["year"] == 2024)]
    wide = bury.pivot(index="setting", columns="reason", values="plans")
    # ceased_plans.csv, Bury, 2024, "Type of placement": total_ceased and transfer
    assert wide.loc["state special school", "all"] == 14 + 4
    assert wide.loc["independent or non-maintained special school", "all"] == 7 + 1
    assert wide.loc["mainstream", "all"] == 17 + 2 + 14
    assert wide.loc["resourced provision or SEN unit", "all"] == 1
    assert wide.loc["further education", "all"] == 73
    assert wide.loc["educated elsewhere", "all"] == 80
    assert wide.loc["educated elsewhere", "transferred to another authority"] == 8
    assert wide.loc["not recorded", "all"] == 0  # no row in the release


def test_settings_add_to_all_ceased_plans():
    rows = tables.load("ceased_plans_by_setting")
    settings = rows.groupby(["area_code", "year", "reason"])["plans"].sum()
    whole = tables.load("ceased_plans").set_index(["area_code", "year", "reason"])["plans"]
    both = pd.concat([settings.rename("parts"), whole.rename("whole")], axis=1).dropna()
    both = both[both.index.get_level_values("year") >= 2023]
    assert len(both) > 3000
    assert (both["parts"] == both["whole"]).all()
