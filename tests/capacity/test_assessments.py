"""The assessment queue: official shares, a queue run case by case, and the arithmetic between."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from send_analysis import areas, tables, terms
from send_analysis.capacity import assessments
from send_analysis.errors import ParameterError, UnknownNameError

BURY, ENGLAND = "E08000002", "E92000001"


@pytest.fixture(scope="module")
def bury():
    return assessments.queue(BURY, simulations=500).set_index("year")


def test_published_timeliness_of_bury(bury):
    # Per cent within 20 weeks, exceptions left out, from the releases of 2019 to 2024
    printed = {2019: 78.9, 2020: 27.4, 2021: 34.7, 2022: 51.0, 2023: 74.1, 2024: 99.0}
    assert bury["timely"].round(1)[list(printed)].to_dict() == printed


def test_accounts_of_bury_as_printed(bury):
    # requests.csv and assessments.csv of the 2025 release
    row = bury.loc[2023]
    assert (row["requests"], row["refused"], row["undecided"]) == (675, 247, 9)
    assert row["not_refused"] == 675 - 247 - 1  # one was withdrawn
    assert row["completed"] == 446 + 11
    assert row["decided"] == pytest.approx(100 * 668 / 672)
    assert bury.loc[2021, "not_refused"] == 477 - 121


def test_requests_without_a_decision_are_not_called_agreed():
    # requests.csv of the 2025 release, National, 2024: 101,045 decided to assess, 12,038 ongoing
    row = assessments.accounts(ENGLAND).set_index("year").loc[2024]
    assert row["not_refused"] == 101_045 + 12_038
    every = assessments.accounts().set_index(["area_code", "year"])["not_refused"]
    asked = tables.load("requests").pivot(
        index=["area_code", "year"], columns="outcome", values="requests"
    )
    both = (asked["assessed"] + asked["no decision yet"]).dropna()
    assert len(both) > 300
    assert (every.reindex(both.index) == both).all()
    assert "without a decision" in terms.TERMS["not_refused"].meaning


def test_published_open_cases_are_set_beside(bury):
    # sen2_mi_2023_release.csv, ass_nodecision_ehc, Bury
    printed = bury["published_open"].dropna().astype(int).to_dict()
    assert printed == {2016: 23, 2017: 17, 2018: 9, 2019: 56, 2020: 45, 2021: 59}


def test_estimated_open_cases_rank_authorities_as_the_published_do():
    # the published count has assessments only; the estimate has requests and drafts as well
    england = assessments.queue(ENGLAND, simulations=200).set_index("year")
    ratio = (england["published_open"] / england["at_end"]).dropna()
    assert len(ratio) == 6
    assert ratio.between(0.5, 1).all()
    every = {
        code: assessments.queue(code, simulations=50).set_index("year")
        for code in ("E08000003", "E10000016", "E09000012", "E06000065", "E08000001", "E06000023")
    }
    published = pd.Series(
        {code: frame.loc[2021, "published_open"] for code, frame in every.items()}
    )
    estimated = pd.Series({code: frame.loc[2021, "at_end"] for code, frame in every.items()})
    assert published.astype(float).corr(estimated.astype(float), method="spearman") > 0.5


def test_mean_time_crosses_20_weeks_as_the_median_does(bury):
    # where fewer than half are in time, the mean is above 20 weeks; where nine in ten, below
    assert (bury.loc[bury["timely"] < 50, "weeks"] > 20).all()
    assert (bury.loc[bury["timely"] > 90, "weeks"] < 20).all()
    assert bury.loc[2024, "backlog"] == 0
    assert bury["backlog"].idxmax() in {2020, 2021, 2022}


@given(timely=st.floats(0.01, 0.99), spread=st.floats(0.3, 1.2), base=st.floats(6, 16))
def test_timeliness_inverts_mean_weeks(timely, spread, base):
    weeks = assessments.mean_weeks(timely, spread, base)
    assert weeks > base
    delay = weeks - base
    if delay > assessments.LEAST_DELAY:
        assert assessments.timeliness(weeks, spread, base) == pytest.approx(timely, abs=1e-9)


def test_mean_and_share_agree_with_drawn_cases():
    spread, base, timely = 0.8, 12.0, 0.6
    weeks = assessments.mean_weeks(timely, spread, base)
    centre = np.log(weeks - base) - spread**2 / 2
    drawn = base + np.random.default_rng(3).lognormal(centre, spread, 400_000)
    assert drawn.mean() == pytest.approx(weeks, rel=0.01)
    assert (drawn <= 20).mean() == pytest.approx(timely, abs=0.005)


def run_queue(open_cases, arrivals, completions):
    """Serve cases one by one, first come first served; return the mean weeks of the year's."""
    came = np.concatenate(
        [
            -np.linspace(open_cases / arrivals, 0, int(open_cases), endpoint=False),
            (np.arange(arrivals) + 0.5) / arrivals,
        ]
    )
    done = (np.arange(completions) + 0.5) / completions
    return (done - came[: len(done)]).mean() * assessments.YEAR


@pytest.mark.parametrize(("open_cases", "arrivals"), [(150, 400), (200, 360), (60, 300)])
@pytest.mark.parametrize("weeks", [16, 20, 24])
def test_completions_needed_bring_the_mean_open_over_completed(open_cases, arrivals, weeks):
    needed = float(assessments.completions_needed(open_cases, arrivals, weeks))
    at_end = open_cases + arrivals - needed
    middle = (open_cases + at_end) / 2
    assert middle / needed * assessments.YEAR == pytest.approx(weeks)
    # with more completed, cases served in turn wait less
    slow, fast = (run_queue(open_cases, arrivals, int(n)) for n in (needed, needed * 1.15))
    assert fast < slow


def test_case_by_case_queue_agrees_with_littles_law():
    # as many completed as come: the queue stands, and a case waits open / completed of a year
    assert run_queue(150, 400, 400) == pytest.approx(150 / 400 * assessments.YEAR, rel=0.01)


def test_more_timeliness_needs_more_capacity(bury):
    assert (bury["next_year_90"] > bury["next_year_60"]).all()
    assert (bury["next_year_60_low_80"] <= bury["next_year_60"]).all()
    assert (bury["next_year_60"] <= bury["next_year_60_high_80"]).all()


def test_capacity_for_60_per_cent_in_bury_2023_is_near_what_was_done(bury):
    # 446 were completed in 2022 (51 %), 457 in 2023 (74 %): what 60 % takes lies about there
    assert 0.9 * 446 < bury.loc[2022, "next_year_60"] < 1.1 * 457


def test_more_arrivals_need_more_capacity():
    few = assessments.queue(BURY, simulations=200, arrivals=300)
    many = assessments.queue(BURY, simulations=200, arrivals=600)
    assert many["next_year_60"].iloc[-1] > few["next_year_60"].iloc[-1]
    # earlier years have their own arrivals
    assert many["next_year_60"].iloc[-2] == few["next_year_60"].iloc[-2]


def test_every_year_between_is_there_and_arrivals_are_its_own(monkeypatch):
    """Cut off after any year, with the next year's arrivals as published, the queue says as much.

    Of all authorities: where a year is not published, nothing is told of what it would have needed
    (Leicester and Hackney, 2023; Havering, Norfolk, Tower Hamlets and West Berkshire, 2022; the
    Isle of Wight, 2023, and the City of London, 2017, whose queues no page shows).
    """
    whole = assessments.accounts()
    gaps = {}
    for code in areas.current():
        own = whole[whole["area_code"] == code].set_index("year")
        frame = assessments.queue(code, simulations=20).set_index("year")
        assert frame.index.tolist() == list(range(frame.index[0], frame.index[-1] + 1))
        shown = own["completed"].reindex(frame.index)
        assert frame["completed"].equals(shown)
        if frame["weeks"].notna().all():
            continue
        gaps[code] = frame.index[frame["weeks"].isna()].tolist()
        for year in frame.index[frame["weeks"].notna()][:-1]:
            ahead = own["not_refused"].get(year + 1, pd.NA)
            if pd.isna(ahead):
                assert pd.isna(frame.at[year, "next_year_60"])
                continue
            cut = own[own.index <= year].reset_index()
            with monkeypatch.context() as patch:
                patch.setattr(assessments, "accounts", lambda area, cut=cut: cut)
                before = assessments.queue(code, simulations=20, arrivals=float(ahead))
            assert before["next_year_60"].iloc[-1] == frame.at[year, "next_year_60"]
    assert gaps.pop("E06000053") == [2017, 2019, 2022]  # Isles of Scilly
    assert gaps == {
        "E06000016": [2023], "E09000012": [2023], "E06000046": [2023], "E09000001": [2017],
        "E06000037": [2022], "E09000016": [2022], "E09000030": [2022], "E10000020": [2022],
    }  # fmt: skip


def test_a_year_after_a_gap_is_told():
    # assessments.csv of the 2025 release: Leicester, 2024, 579 assessments ended in a plan, 3 not;
    # nothing of 2023
    frame = assessments.queue("E06000016", simulations=20).set_index("year")
    assert frame.loc[2024, "completed"] == 579 + 3
    assert pd.isna(frame.loc[2023, "completed"])
    assert frame.loc[[2022, 2023], "next_year_90"].isna().all()
    # requests.csv, West Berkshire, 2022: no request, though 178 assessments were completed
    assert pd.isna(assessments.accounts("E06000037").set_index("year").loc[2022, "requests"])


def test_same_seed_same_result():
    first, second = (assessments.queue(BURY, simulations=100, seed=7) for _ in range(2))
    assert first.equals(second)


def test_volumes_foretell_timeliness_better_than_standing_still():
    frame = assessments.hindcast()
    assert len(frame) > 700  # nearly all authorities, six years
    missed = {
        name: (frame[name] - frame["timely"]).abs().mean() for name in ("persistence", "predicted")
    }
    assert missed["predicted"] < missed["persistence"]


def test_what_cannot_be_asked():
    with pytest.raises(ParameterError, match=r"between 0 and 1, not \[90\]"):
        assessments.queue(BURY, targets=[90])
    with pytest.raises(UnknownNameError, match="E99999999"):
        assessments.queue("E99999999")


def test_england_has_a_queue_too():
    frame = assessments.queue(ENGLAND, simulations=200).set_index("year")
    # timeliness_20_week.csv, England 2024: 39,407 of 84,866
    assert frame.loc[2024, "timely"] == pytest.approx(100 * 39407 / 84866)


def test_documented_capacity_is_what_is_computed():
    page = Path(__file__).parents[2] / "docs" / "capacity.md"
    rows = [line.split("|")[1:-1] for line in page.read_text(encoding="utf-8").splitlines()]
    rows = {row[0].strip(): row[1:] for row in rows if len(row) == 7}
    queue = assessments.queue(BURY).set_index("year")
    years = list(range(2019, 2025))
    done = [int(cell) for cell in rows["completed"]]
    assert done == queue.loc[years, "completed"].astype(int).tolist()
    for target in (60, 90):
        cells = next(
            cells for name, cells in rows.items() if name.startswith(f"needed for {target}")
        )
        computed = queue.loc[[year - 1 for year in years], f"next_year_{target}"]
        assert [int(cell) for cell in cells] == computed.round().astype(int).tolist()
