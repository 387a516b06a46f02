"""Staff for new EHC plans: volume × hours per case ÷ hours available, with the ranges carried."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from send_analysis import caveats, reads
from send_analysis.areas import Area
from send_analysis.capacity import assessments
from send_analysis.capacity.places import Simulation
from send_analysis.scenarios import assumptions, interval, sample

ROLES = {
    "educational_psychologist": "educational psychologist",
    "case_officer": "SEND case officer",
    "manager": "SEND manager",
    "social_worker": "social worker",
}


@reads.found
def assessments_a_plan(area: Area) -> float:
    """Assessments completed for each plan issued, in the latest year that tells.

    Returns
    -------
    float
        At least 1: some assessments end without a plan, and take time too.
    """
    known = assessments.accounts(area).dropna(subset=["completed", "issued"])
    known = known[(known["issued"] > 0) & caveats.sound(known, "assessments")]
    return float((known["completed"] / known["issued"]).iloc[-1]) if len(known) else 1.0


def need(
    simulation: Simulation,
    *,
    ratio: float = 1.0,
    seed: int = 50,
    changes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Posts needed to complete the assessments that simulated new plans imply.

    Parameters
    ----------
    simulation : Simulation
    ratio : float
        Assessments for each new plan, as :func:`assessments_a_plan` gives it.
    seed : int
        Of the draws over the ranges of hours and time available.
    changes : mapping, optional
        Assumptions that a scenario changes.

    Returns
    -------
    DataFrame
        ``area_code, origin, year`` (calendar), ``role, assessments, hours, posts`` (full-time
        equivalents): medians, with ``_low_80`` and ``_high_80``; ``hours_a_post`` (that a post has
        for new plans in a year, by the values assumed). The uncertainty of the number of new
        plans, of hours a plan and of time available is carried together.

    Notes
    -----
    Time on existing plans (annual reviews, tribunals, transfers) is outside the study that the
    hours come from: it is in the share of time that is *not* spent on new plans.
    """
    given = assumptions("capacity", changes)
    rng = np.random.default_rng([seed, 5])
    volume = simulation.new[1:].sum(axis=2) * ratio  # years × simulations
    size = volume.shape[1]
    weeks = sample(given.loc["weeks_worked"], size, rng)
    week = sample(given.loc["hours_a_week"], size, rng)
    frames, expected = [], interval("assessments", volume)
    for key, role in ROLES.items():
        hours = volume * sample(given.loc[f"hours_{key}"], size, rng)
        # in proportion, as shares multiply: then the middles of hours and of posts agree
        share = np.log(
            given.loc[f"share_{key}", ["low", "value", "high"]].astype(float).clip(lower=1e-9)
        )
        posts = hours / (week * weeks * np.exp(sample(share, size, rng)))
        parts = {"role": role, **expected, **interval("hours", hours), **interval("posts", posts)}
        frame = pd.DataFrame(parts)
        frame["hours_a_post"] = given.loc[
            ["hours_a_week", "weeks_worked", f"share_{key}"], "value"
        ].prod()
        # plans counted by a January were made in the calendar year before it
        frames.append(frame.assign(year=simulation.origin + frame.index))
    out = pd.concat(frames, ignore_index=True)
    out = out.assign(area_code=simulation.area_code, origin=simulation.origin)
    first = ["area_code", "origin", "year", "role"]
    return out[[*first, *(column for column in out if column not in first)]]
