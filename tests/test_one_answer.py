"""Every public function that takes an area takes its name and its codes alike, and no nonsense."""

import inspect
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from send_analysis.errors import MissingDataError, UnknownNameError

WAYS = {
    "Bury": ["bury", "E08000002", 351, "351"],
    "Enfield": ["enfield", "E09000010", 308, "308"],
}
# Slow ones are asked in the one way that is least like a name, a number.
SLOW = {
    "capacity.assessments.queue",
    "capacity.balance.forecast",
    "capacity.balance.part",
    "capacity.costs.unit_costs",
    "forecasting.words.headline",
    "forecasting.cohorts.simulation.simulate_area",
    "forecasting.cohorts.simulation.simulate_areas",
    "forecasting.views.scenarios",
    "growth.account.counterfactuals",
    "growth.account.ratios",
    "growth.breaks.breaks",
    "growth.words.causes",
    "waits.views.changes",
}
CLAIMS = "evidence."  # modules that read claims: of an area that has few
TAKES_AREA = {"area", "areas", "code", "codes"}
# What a function needs besides the area.
ALSO = {
    "caveats.doubt": {"table": "ehc_plans"},
    "growth.series.by": {"dimension": "placement"},
    "waits.views.changes": {"claimed": {"occupational therapy": -56}},
}
# Simulations: as few draws and years as show that they are of one area.
FEW = {"simulations": 2, "years": 1, "draws": 50}
# Modules that people call; what makes files or widgets is tested where it is made.
MODULES = [
    *("areas", "caveats", "scenarios", "tables"),
    *(f"growth.{name}" for name in
      ("account", "breaks", "decomposition", "denominators", "panel", "series", "views", "words")),
    *(f"forecasting.{name}" for name in
      ("archive", "cohorts.flows", "cohorts.levers", "cohorts.simulation", "outlook", "scoring",
       "totals", "views", "words")),
    *(f"capacity.{name}" for name in
      ("assessments", "balance", "costs", "places", "planned", "returns", "staffing", "views")),
    *(f"evidence.{name}" for name in ("verdicts", "views", "words")),
    *(f"waits.{name}" for name in
      ("changes", "control", "investment", "lists", "mental_health", "queues", "views",
       "views_control", "views_mental_health", "views_since", "words", "words_mental_health")),
]  # fmt: skip


def _functions():
    """Public functions that need an area and nothing but what `ALSO` gives, by name."""
    for name in MODULES:
        module = import_module(f"send_analysis.{name}")
        members = {f"{name}.{key}": one for key, one in vars(module).items()
                   if not key.startswith("_") and inspect.isfunction(inspect.unwrap(one))
                   and getattr(one, "__module__", "") == module.__name__}  # fmt: skip
        for key, one in members.items():
            parameters = inspect.signature(one).parameters
            needed = {p.name for p in parameters.values() if p.default is p.empty}
            if TAKES_AREA & set(parameters) and needed <= TAKES_AREA | set(ALSO.get(key, {})):
                yield key, one


FUNCTIONS = dict(_functions())


def _call(name, area):
    function = FUNCTIONS[name]
    parameters = inspect.signature(function).parameters
    key = next(key for key in parameters if key in TAKES_AREA)
    given = [area] if key in {"areas", "codes"} else area
    few = {key: value for key, value in FEW.items() if key in parameters}
    try:
        return function(**{key: given}, **few | ALSO.get(name, {}))
    except MissingDataError as error:  # what an area lacks is said by its name, however it is asked
        return str(error)


def _same(one, other):
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            _same(one[key], other[key])
    elif isinstance(one, tuple | list) and not isinstance(one, str):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            _same(a, b)
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
    elif hasattr(one, "__dataclass_fields__"):
        _same(vars(one), vars(other))
    else:
        assert one == other


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_name_and_its_codes_give_the_same(name):
    area = "Enfield" if name.startswith(CLAIMS) else "Bury"
    expected = _call(name, area)
    # What is shown or said hands its area on to the models: one way will do.
    few = name in SLOW or {"views", "words"} & set(name.split("."))
    for way in WAYS[area][2:3] if few else WAYS[area]:
        _same(_call(name, way), expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nonsense_is_refused(name):
    with pytest.raises(UnknownNameError, match="Nonsense"):
        _call(name, "Nonsense")


def test_the_functions_that_take_an_area_are_found():
    known = {"growth.series.rates", "capacity.costs.unit_costs", "areas.name", "waits.lists.waits"}
    assert known <= set(FUNCTIONS)
