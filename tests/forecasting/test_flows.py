"""Flows of plans: nobody is lost, levers act on flows alone, and closed forms come out."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from send_analysis import tables
from send_analysis.errors import MissingDataError, ParameterError, UnknownNameError
from send_analysis.forecasting.cohorts import flows, levers, simulation
from send_analysis.forecasting.cohorts.flows import GROUPS, Projection
from send_analysis.forecasting.cohorts.inputs import AGES, SETTINGS

ORIGIN, YEARS, RUNS = 2025, 6, 3
SHAPE = (RUNS, len(AGES), len(SETTINGS))
BURY, FIRST = "E08000002", AGES[0]


def anyone(seed=0, *, years=YEARS, leave=None, joined=None, start=None):
    """A projection with random flows, but for the parts given."""
    rng = np.random.default_rng(seed)
    ends = rng.uniform(0, 0.6, (years, *SHAPE)) if leave is None else leave
    ends = ends.copy()
    ends[:, :, -1] = 1.0
    new = rng.gamma(0.5, 4.0, (years + 1, *SHAPE)) if joined is None else joined
    moves = rng.dirichlet(np.ones(len(SETTINGS)), (RUNS, len(GROUPS), len(SETTINGS)))
    deal = np.stack([rng.permutation(RUNS) for _ in range(years)])
    stock = [rng.gamma(1.0, 30.0, SHAPE) if start is None else start]
    for year in range(years):
        stock.append(flows.advance(stock[-1], ends[year], moves[deal[year]], new[year + 1]))
    return Projection(BURY, ORIGIN, np.stack(stock), new, ends, moves, deal)


def totals(projection):
    return projection.stock.sum(axis=(2, 3))


YEAR = st.integers(ORIGIN - 2, ORIGIN + YEARS)
SHARE = st.one_of(st.floats(0, 1), st.just([0.2, 0.7]))
FACTOR = st.one_of(st.floats(0, 5), st.just([0.5, 1.5]))
WHERE = st.permutations(SETTINGS).map(lambda names: {"from": names[0], "to": names[1]})
SOME_AGES = st.lists(st.sampled_from([*AGES, "5-10", "16-19"]), min_size=1, max_size=3)


@st.composite
def any_lever(draw):
    """One lever of any kind, with any of its keys."""
    kind = draw(st.sampled_from(sorted(levers.LEVERS)))
    lever = {"lever": kind}
    form = {field.alias or name for name, field in levers.LEVERS[kind].model_fields.items()}
    for key, strategy in {
        "multiply": FACTOR, "share": SHARE, "keep": SHARE, "to_year": st.just(2019),
        "transfer": st.sampled_from(sorted(levers.TRANSFERS)),
        "ages": SOME_AGES, "settings": st.just(["mainstream"]),
    }.items():  # fmt: skip
        if key in form:
            lever[key] = draw(strategy)
    if "from" in form:
        lever |= draw(WHERE)
    if draw(st.booleans()):
        lever["from_year"] = draw(YEAR)
    if draw(st.booleans()):
        lever["over_years"] = draw(st.integers(1, 4))
    return lever


@settings(max_examples=60, deadline=None)
@example(0, [{"lever": "cessation", "multiply": 0.5}])
@given(st.integers(0, 99), st.lists(any_lever(), max_size=4))
def test_plans_next_january_are_those_kept_those_moved_and_those_new(seed, pulled):
    base = anyone(seed)
    made = flows.apply(base, pulled)
    ceased = made.stock[:-1] * made.leave
    older = np.zeros_like(ceased)
    older[:, :, 1:] = (made.stock[:-1] - ceased)[:, :, :-1]
    # in every simulation moves leave each age as it is, and no more go than were there; the last
    # age all ends
    moved = made.stock[1:] - made.joined[1:] - older
    np.testing.assert_allclose(moved.sum(axis=3), 0, atol=1e-8)
    assert (moved > -older - 1e-8).all()
    assert (made.leave[:, :, -1] == 1).all()
    for part in (made.stock, made.joined, made.leave):
        assert (part >= -1e-9).all()
    assert made.leave.max() <= 1 + 1e-12
    np.testing.assert_array_equal(made.stock[0], base.stock[0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.integers(ORIGIN, ORIGIN + YEARS))
def test_a_lever_that_is_not_pulled_is_the_baseline_to_the_last_bit(seed, year):
    base = anyone(seed)
    assert flows.apply(base, []) is base
    assert flows.apply(base, [{"lever": "protected"}]) is base
    still = [
        {"lever": "requests", "multiply": 1.0, "from_year": year},
        {"lever": "new_plans", "multiply": 1, "ages": ["16-19"]},
        {"lever": "cessation", "multiply": 1},
        {"lever": "reassessment", "transfer": "10-11", "keep": 1},
        {"lever": "moves", "from": SETTINGS[0], "to": SETTINGS[1], "share": 0},
        {"lever": "placements", "from": SETTINGS[3], "to": SETTINGS[1], "share": 0},
        {"lever": "requests", "multiply": 0.2, "from_year": ORIGIN + YEARS},  # after the end
    ]
    made = flows.apply(base, still)
    for name in ("stock", "joined", "leave"):
        np.testing.assert_array_equal(getattr(made, name), getattr(base, name))
    # before its year a lever changes nothing
    later = flows.apply(base, [{"lever": "requests", "multiply": 0, "from_year": year}])
    np.testing.assert_array_equal(later.stock[: year - ORIGIN + 1], base.stock[: year - ORIGIN + 1])


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 0.5), st.floats(0.01, 0.5), st.integers(0, 9))
def test_constant_inflow_approaches_inflow_times_duration_from_below(few, share, young):
    """Plans that begin at one age and end at a constant share: a truncated geometric series."""
    years = len(AGES) + 2
    new = np.zeros((years + 1, *SHAPE))
    new[:, :, young, 0] = 100.0
    leave = np.full((years, *SHAPE), share)
    made = totals(anyone(leave=leave, joined=new, start=np.zeros(SHAPE), years=years))[:, 0]
    long = len(AGES) - young  # Januaries at which a plan can be seen
    duration = (1 - (1 - share) ** long) / share
    assert (np.diff(made) >= -1e-9).all()
    assert made.max() <= 100 * duration * (1 + 1e-12)
    assert made[-1] == pytest.approx(100 * duration)
    # from above, after a cut: never below the new level, and there in the end
    base = anyone(
        leave=leave, joined=new, years=years, start=np.broadcast_to(_steady(share, young), SHAPE)
    )
    cut = totals(flows.apply(base, [{"lever": "requests", "multiply": few}]))[:, 0]
    assert (np.diff(cut) <= 1e-9).all()
    assert cut.min() >= few * 100 * duration - 1e-6
    assert cut[-1] == pytest.approx(few * 100 * duration)


def _steady(share, young):
    stock = np.zeros(SHAPE[1:])
    stock[young:, 0] = 100 * (1 - share) ** np.arange(len(AGES) - young)
    return stock


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(0.01, 0.5), YEAR, st.integers(1, 4))
def test_twice_the_change_of_inflow_is_twice_the_difference(seed, change, year, over):
    base = anyone(seed)

    def difference(size):
        lever = {"lever": "requests", "multiply": 1 - size, "from_year": year, "over_years": over}
        return flows.apply(base, [lever]).stock - base.stock

    np.testing.assert_allclose(difference(2 * change), 2 * difference(change), atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.sampled_from([5, 11, 16]))
def test_an_age_that_is_closed_empties_as_children_age_and_leave(seed, age):
    """Nobody new from `age` on: each cohort keeps exactly those who would have stayed."""
    base = anyone(seed)
    closed = list(range(age, AGES[-1] + 1))
    made = flows.apply(base, [{"lever": "new_plans", "multiply": 0, "ages": closed}])
    at = age - FIRST
    np.testing.assert_array_equal(made.stock[:, :, :at], base.stock[:, :, :at])
    plans = base.stock[0]
    for year in range(YEARS):  # the cohorts of the first January, new plans only below the age
        kept = base.joined[year + 1].copy()
        kept[:, at:] = 0
        plans = flows.advance(plans, base.leave[year], base.moves[base.deal[year]], kept)
    np.testing.assert_allclose(made.stock[-1], plans)
    survivors = np.prod(
        1
        - base.leave.max(
            axis=(1, 2, 3),
            where=np.ones((YEARS, *SHAPE), bool) & (np.arange(len(AGES)) < len(AGES) - 1)[:, None],
            initial=0,
        )
    )
    first = base.stock[0][:, at : len(AGES) - YEARS].sum()
    assert made.stock[-1][:, at + YEARS :].sum() >= survivors * first * (1 - 1e-9)


def test_stable_means_the_number_of_the_year_before():
    base = anyone(1)
    published = flows.apply(base, [{"lever": "requests_stabilise"}])
    assert all((published.joined[step] == base.joined[0]).all() for step in range(YEARS + 1))
    later = flows.apply(base, [{"lever": "requests_stabilise", "from_year": 2028}])
    np.testing.assert_array_equal(later.joined[:4], base.joined[:4])
    np.testing.assert_array_equal(later.joined[-1], base.joined[3])  # calendar year 2027
    # what a lever before it left is what stays
    halved = [
        {"lever": "requests", "multiply": 0.5},
        {"lever": "requests_stabilise", "from_year": 2027},
    ]
    np.testing.assert_allclose(flows.apply(base, halved).joined[-1], base.joined[2] / 2)


def test_a_surge_ends_and_a_phase_goes_by_equal_steps():
    base = anyone(2)
    surge = {"lever": "requests", "multiply": 2, "from_year": 2026, "until_year": 2027}
    ratio = flows.apply(base, [surge]).joined.sum(axis=(2, 3)) / base.joined.sum(axis=(2, 3))
    np.testing.assert_allclose(ratio[:, 0], [1, 1, 2, 2, 1, 1, 1])  # 2024 to 2030
    slow = {"lever": "requests", "multiply": 2, "from_year": 2026, "over_years": 4}
    ratio = flows.apply(base, [slow]).joined.sum(axis=(2, 3)) / base.joined.sum(axis=(2, 3))
    np.testing.assert_allclose(ratio[:, 0], [1, 1, 1.25, 1.5, 1.75, 2, 2])


def test_levers_on_leaving_by_hand():
    base = anyone(3, years=1)
    cells = np.index_exp[0, :, 16 - FIRST, SETTINGS.index("mainstream")]
    lever = {"lever": "cessation", "multiply": 1.5, "ages": [16], "settings": ["mainstream"]}
    made = flows.apply(base, [lever])
    np.testing.assert_allclose(made.leave[cells], np.minimum(1.5 * base.leave[cells], 1))
    assert (made.leave != base.leave).sum() == RUNS
    lever = {"lever": "reassessment", "transfer": "15-16", "keep": 0.75}
    made = flows.apply(base, [lever])
    at = 15 - FIRST
    kept, before = ((it.stock[0] * (1 - it.leave[0]))[:, at].sum(-1) for it in (made, base))
    np.testing.assert_allclose(kept, 0.75 * before)
    np.testing.assert_array_equal(made.stock[1][:, : at + 1], base.stock[1][:, : at + 1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(ORIGIN, ORIGIN + YEARS - 2))
def test_those_who_are_protected_keep_the_old_rules(seed, year):
    base = anyone(seed)
    harsh = [{"lever": "cessation", "multiply": 3, "from_year": year}]
    spared = flows.apply(base, [{"lever": "protected", "from_year": year}, *harsh])
    # protected are all plans of that January: only plans that began later follow the new rule
    new = replace(base, stock=np.concatenate([np.zeros((1, *SHAPE)), base.stock[1:]]),
                  joined=np.where((np.arange(YEARS + 1) > year - ORIGIN)[:, None, None, None],
                                  base.joined, 0.0))  # fmt: skip
    later = (
        flows.apply(new, harsh).stock
        - flows.apply(new, [{"lever": "cessation", "multiply": 1}]).stock
    )
    np.testing.assert_allclose(spared.stock, base.stock + later, atol=1e-7)
    everyone = flows.apply(base, harsh)
    assert (totals(everyone)[-1] <= totals(spared)[-1] + 1e-9).all()
    assert (totals(spared)[-1] <= totals(base)[-1] + 1e-9).all()


def test_placements_elsewhere_leave_the_total_and_take_their_share():
    base = anyone(4, years=1)
    source, target = SETTINGS[4], SETTINGS[3]
    lever = {"lever": "placements", "from": source, "to": target, "share": 0.25}
    made = flows.apply(base, [lever])
    np.testing.assert_allclose(totals(made), totals(base))
    kept = base.stock[0] * (1 - base.leave[0])
    stay = np.zeros(SHAPE)
    for number, ages in enumerate(GROUPS):
        own = base.moves[base.deal[0], number, 4, 4]
        stay[:, ages + 1, 4] = kept[:, ages, 4] * own[:, None]
    arrived = base.stock[1][..., 4] - stay[..., 4]
    np.testing.assert_allclose(made.stock[1][..., 4], stay[..., 4] + 0.75 * arrived)
    others = [it for it in range(len(SETTINGS)) if it not in (3, 4)]
    np.testing.assert_allclose(made.stock[1][..., others], base.stock[1][..., others])
    lever = {"lever": "settings_of_new_plans", "from": source, "to": target, "share": 1}
    assert flows.apply(base, [lever]).joined[1][..., 4].sum() == 0


def test_a_size_that_is_a_range_is_drawn_for_each_simulation_and_again_the_same():
    base = anyone(5)
    lever = {"lever": "requests", "multiply": [0.5, 0.9]}
    one, again = flows.apply(base, [lever]), flows.apply(base, [lever])
    np.testing.assert_array_equal(one.stock, again.stock)
    ratio = (one.joined[1] / base.joined[1]).reshape(RUNS, -1)
    assert len(np.unique(ratio[:, 0].round(9))) == RUNS
    assert ((ratio > 0.5) & (ratio < 0.9)).all()


@pytest.mark.parametrize(
    ("lever", "message"),
    [
        ({"lever": "requests_fall"}, "lever: must be .* not 'requests_fall'"),
        ({"lever": "requests", "from_year": 2026}, "'multiply' is missing"),
        ({"lever": "requests_stabilise", "from_year": 1914}, "from_year: .* from 2010 to 2060"),
        (
            {"lever": "requests_stabilise", "from_year": 2059},
            "from_year: must be a year up to 2040",
        ),
        ({"lever": "requests_stabilise", "age": 3}, "'age' is unknown"),
        ({"lever": "new_plans", "multiply": 0, "ages": [31]}, r"ages\[1\]: must be 2, .* 20-25"),
        ({"lever": "new_plans", "multiply": 0, "ages": ["30-40"]}, r"ages\[1\]: must be"),
        ({"lever": "cessation", "multiply": -1}, "multiply: must be a number from 0 to 20"),
        ({"lever": "cessation", "multiply": "x"}, "multiply: must be a number"),
        (
            {"lever": "cessation", "multiply": [2, 1]},
            r"number from 0 to 20 or a list such as \[0.5, 0.8\]",
        ),
        ({"lever": "cessation", "multiply": 2, "settings": ["prison"]}, r"settings\[1\]: must be"),
        ({"lever": "reassessment", "transfer": "11-12", "keep": 1}, "transfer: must be 10-11 or"),
        ({"lever": "reassessment", "transfer": "10-11", "keep": 1.2}, "keep: .* from 0 to 1"),
        ({"lever": "share_issued", "share": [0.5, 1.5]}, "share: .* from 0 to 1"),
        ({"lever": "moves", "from": "mainstream", "to": "mainstream", "share": 0.1}, "to: must be"),
        ({"lever": "requests", "multiply": 1, "over_years": 0}, "over_years: .* from 1 to 20"),
        (
            {"lever": "requests", "multiply": 1, "from_year": 2027, "until_year": 2026},
            "until_year: must be 2027 or later",
        ),
        ({"lever": "requests", "multiply": 2, "until_year": 2020}, "until_year: must be 2025"),
    ],
)
def test_impossible_levers_are_refused_by_the_key(lever, message):
    with pytest.raises(ParameterError, match=rf"levers\[1\].*{message}"):
        flows.apply(anyone(), [lever])


def test_a_lever_beyond_what_can_be_simulated_names_the_file_it_stands_in(tmp_path):
    file = tmp_path / "far.yml"
    file.write_text("title: t\nlevers:\n  - {lever: requests_stabilise, from_year: 2059}\n")
    with pytest.raises(ParameterError) as refused:
        flows.apply(anyone(), levers.read(file))
    assert str(refused.value) == (
        f"{file}, levers[1].from_year: must be a year up to 2040, not 2059."
    )


def test_what_is_no_list_is_refused():
    with pytest.raises(ParameterError, match="levers must be a list, not 5"):
        levers.read(5)


def test_an_area_with_next_to_no_plans_stays_possible():
    """Isles of Scilly: ages and settings without a plan, and all that is there closed or ended."""
    base = simulation.project("Isles of Scilly", years=3, simulations=4)
    pulled = [
        {"lever": "protected", "ages": ["5-10"]},
        {"lever": "reassessment", "transfer": "10-11", "keep": 0},
        {"lever": "cessation", "multiply": 20},
        {"lever": "new_plans", "multiply": 0},
        {"lever": "moves", "from": "mainstream", "to": "state special school", "share": 1},
    ]
    made = flows.apply(base, pulled)
    for part in (made.stock, made.joined, made.leave):
        assert np.isfinite(part).all()
        assert (part >= -1e-9).all()
    assert (made.stock <= made.stock[0].sum()).all()


def test_files_are_read_and_what_is_wrong_with_them_is_said(tmp_path):
    assert len(levers.titles()) >= 6
    assert all(levers.read(name) for name in levers.titles().values())
    with pytest.raises(UnknownNameError, match="demand-requests-stabilise"):
        levers.read("demand-requests-stabilize")
    with pytest.raises(MissingDataError, match="there is no such file"):
        levers.read(tmp_path / "none.yml")
    file = tmp_path / "mine.yml"
    file.write_text("title: nothing")
    with pytest.raises(ParameterError, match=r"mine\.yml: key 'levers' is missing"):
        levers.read(file)
    file.write_text("{title: bad, levers: [{lever: requests, multiply: 50}]}")
    with pytest.raises(ParameterError, match=r"mine\.yml, levers\[1\]\.multiply: .* from 0 to 20"):
        levers.read(file)


def test_the_example_of_the_documentation_is_valid(root, tmp_path):
    page = (root / "docs" / "cohorts.md").read_text(encoding="utf-8")
    (text,) = [it for it in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "levers:" in it]
    (tmp_path / "mine.yml").write_text(text, encoding="utf-8")
    pulled = levers.read(tmp_path / "mine.yml")
    assert totals(flows.apply(anyone(), pulled))[-1].sum() < totals(anyone())[-1].sum()
    assert all(f"`{lever}`" in page for lever in levers.LEVERS)


# Figures of the tables


def test_levels_come_from_the_tables():
    """St Helens: 319 requests in 2019 and 649 in 2024, 592 new plans in 2024 (2025 release)."""
    made = simulation.project("St Helens", years=12, simulations=60)
    assert made.joined[0].sum(axis=(1, 2)) == pytest.approx(592)
    steady = flows.apply(made, levers.read("demand-requests-stabilise"))
    assert steady.new.sum(axis=2) == pytest.approx(592)
    returned = flows.apply(made, levers.read("demand-requests-return-to-2019"))
    people = (
        tables.load("population").query("area_code == 'E08000013'").groupby("year")["people"].sum()
    )
    level = 592 * (319 / people[2019]) / (649 / people[2024])
    np.testing.assert_allclose(returned.new[-1].sum(axis=1), level)
    # a plain age-structured reckoning comes to 6,096 and 3,660 plans in January 2035
    middle = [np.median(totals(it)[10]) for it in (steady, returned)]
    assert middle == pytest.approx([6096, 3660], rel=0.08)


def test_what_a_table_lacks_is_an_error_or_said():
    """North Northamptonshire, made in 2021, has no requests of 2019; its footprint has."""
    made = simulation.project("North Northamptonshire", years=2, simulations=4)
    lever = {"lever": "requests_return", "to_year": 2019}
    with pytest.raises(MissingDataError, match="no figure for requests a head in 2019"):
        flows.apply(made, [lever])
    (note,) = flows.apply(made, [lever | {"substitute": "footprint"}]).notes
    assert "stands in for North Northamptonshire: requests a head in 2019" in note
    with pytest.raises(MissingDataError, match="England has none either"):
        flows.apply(made, [lever | {"to_year": 2010, "substitute": "England"}])


def test_a_share_of_the_funnel_changes_new_plans_in_proportion():
    made = simulation.project("Bury", years=2, simulations=4)
    cases = tables.load("assessments").query("area_code == @BURY and year == 2024")
    cases = cases.set_index("outcome")["assessments"].astype(float)
    now = cases["plan issued"] / (cases["plan issued"] + cases["plan not issued"])
    fewer = flows.apply(made, [{"lever": "share_issued", "share": 0.5}])
    np.testing.assert_allclose(fewer.new[1:], made.new[1:] * 0.5 / now)
