"""Jumps that waiting cannot make: none in lists that children only join, wait on and leave."""

import numpy as np
import pandas as pd
import pytest

from send_analysis.categories import WAIT_BANDS as BANDS
from send_analysis.waits import changes, jumps, views, views_compared
from send_analysis.waits import lists as waits

BY = ["organisation_code", "service"]


def followed(seed, *, months=14, children=900, unknown=0.0, day=0):
    """A list of single children: each joins, waits and leaves on a day of its own."""
    rng = np.random.default_rng(seed)
    ends = pd.date_range("2023-01-31", periods=months, freq="ME")
    joined = rng.integers(-700, 31 * months, children)
    left = joined + rng.exponential(rng.choice([40, 200, 900]), children)
    rows = []
    for end in ends:
        today = (end - ends[0]).days + rng.integers(-day, day + 1)
        wait = (today - joined[(joined <= today) & (left > today)]) / 7
        counts = np.histogram(wait, [*waits.EDGES, np.inf])[0]
        hidden = rng.binomial(counts, unknown)
        rows.append([end.replace(day=1), counts.sum(), *(counts - hidden)])
    out = pd.DataFrame(rows, columns=["month", "total", *BANDS]).astype({"total": float})
    return out.assign(
        banded=out[list(BANDS)].sum(axis=1), organisation_code="X", service="audiology"
    )


@pytest.mark.parametrize("seed", range(40))
def test_waiting_alone_makes_nobody_too_old(seed):
    own = followed(seed, day=2)
    found = jumps.steps(own, by=BY)
    assert (found["long"] <= found["could"])[1:].all()
    # Nor across months that are missing.
    gone = own.drop(own.index[[2, 3, 7]])
    assert not jumps.steps(gone, by=BY)["aged"].any()


def test_children_whose_wait_was_not_known_are_no_jump():
    own = followed(3, unknown=0.4)
    own.loc[6:, list(BANDS)] = followed(3).loc[6:, list(BANDS)]  # returned in full from then on
    own["banded"] = own[list(BANDS)].sum(axis=1)
    assert not jumps.steps(own, by=BY)["aged"].any()


def steady():
    """A list with many children who have waited 4 to 18 weeks, always."""
    own = followed(5)
    own[["4-12", "12-18"]] += [10_000, 5_000]
    return own.assign(total=own[list(BANDS)].sum(axis=1), banded=own[list(BANDS)].sum(axis=1))


@pytest.mark.parametrize(("weeks", "band"), [(12, "12-18"), (18, "18-52"), (52, "52+")])
def test_more_old_waits_than_can_have_grown_are_a_jump_that_month(weeks, band):
    own, edge = steady(), list(BANDS).index(band)
    assert not jumps.steps(own, by=BY)["aged"].any()
    could = own.loc[5, list(BANDS[edge - 1 :])].sum()
    extra = could - own.loc[6, list(BANDS[edge:])].sum()
    for more, found in ((jumps.LET_PASS, False), (jumps.LET_PASS + 1, True)):
        other = own.copy()
        other.loc[6, [band, "total", "banded"]] += extra + more
        step = jumps.steps(other, by=BY).iloc[6]
        assert step[["aged", "weeks", "could"]].tolist() == [found, weeks, could]


def test_a_sum_may_be_off_by_a_tenth():
    own = steady()
    own.loc[6, ["52+", "total", "banded"]] += own.loc[5, ["18-52", "52+"]].sum() + 30
    assert jumps.steps(own.assign(level="provider"), by=BY)["aged"].iloc[6]
    assert not jumps.steps(own.assign(level="icb"), by=BY)["aged"].iloc[6]


def test_jumps_that_the_lists_have():
    found = changes.steps(waits.then()).set_index(["organisation_code", "service", "month"])
    august, february = pd.Timestamp("2023-08-01"), pd.Timestamp("2023-02-01")
    # Sirona: 8,218 then 8,259 children; 6,348 over 18 weeks, after 3,650 over 12.
    sirona = found.loc[("NLX", "Community paediatric service", august)]
    assert not sirona["tripled"]
    assert sirona[["weeks", "could", "long"]].tolist() == [18, 3650, 6348]
    # Sheffield Children's: 180 over 18 weeks, after 3 over 12.
    sheffield = found.loc[("RCU", "Therapy interventions: Occupational therapy", february)]
    assert sheffield[["aged", "could", "long"]].tolist() == [True, 3, 180]


def test_few_lists_have_any_child_too_old_and_most_of_these_many():
    found = views_compared._steps()
    extra = (found["long"] - found["could"]).dropna()
    odd = extra[extra > 0]
    assert len(extra) / len(odd) == pytest.approx(27, abs=0.5)
    assert (odd > 30).mean() > 0.5


def test_comparable_sums_hold_no_list_that_jumps():
    """England's sums are those of the lists of every month that show neither sign, one by one."""
    then = waits.then()
    total = {}
    short = {line: name for name, line in waits.SERVICES.items()}
    rows = then[then["service"].map(short).isin(views.MAIN)]
    for (_, line), own in changes.merged_providers(waits.wide(rows)).groupby(BY):
        jumped = jumps.jumped(own, by=BY)
        if len(own) == then["month"].nunique() and jumped.empty:
            total[short[line]] = total.get(short[line], 0) + own["total"].iloc[-1]
    sums = views_compared._comparable()
    own = sums[(sums["level"] == "england") & (sums["month"] == then["month"].max())]
    assert own.set_index("service")["total"].to_dict() == total
