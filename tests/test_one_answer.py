"""Every public function that takes an area takes its name and its codes alike, and no nonsense."""

import inspect

import numpy as np
import pandas as pd
import pytest

import send_analysis as sa
from send_analysis.errors import UnknownNameError

WAYS = {
    "Bury": ["bury", "E08000002", 351, "351"],
    "Enfield": ["enfield", "E09000010", 308, "308"],
}
CLAIMS = ("evidence.", "narrative.")  # modules that read claims: of an area that has few
TAKES_AREA = {"area", "areas", "code", "codes"}
# What a function needs besides the area.
ALSO = {
    "caveats.doubt": {"table": "ehc_plans"},
    "growth.by": {"dimension": "placement"},
    "wait_views.changes": {"service": "occupational therapy"},
    "explore.compared": {"comparators": ["England"], "start": 2019, "end": 2025},
}
# Simulations: as few draws and years as show that they are of one area.
FEW = {"simulations": 2, "years": 1, "draws": 50}
# Makes files, or widgets, or takes an area's results with its name: tested where it is made.
ELSEWHERE = {"reports", "batch", "explore", "display", "style", "refresh", "national", "errors"}


def _functions():
    """Public functions that need an area and nothing but what `ALSO` gives, by name."""
    for name in sorted(sa.__all__):
        thing = getattr(sa, name)
        if name in ELSEWHERE or name.startswith(("figures", "alt_texts")):
            continue
        if inspect.ismodule(thing):
            members = {f"{name}.{key}": one for key, one in vars(thing).items()
                       if not key.startswith("_") and callable(one)
                       and getattr(one, "__module__", "") == thing.__name__}  # fmt: skip
        else:
            members = {name: thing} if callable(thing) else {}
        for key, one in members.items():
            if inspect.isclass(one):
                continue
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
    return function(**{key: given}, **few | ALSO.get(name, {}))


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
    for way in WAYS[area]:
        _same(_call(name, way), expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nonsense_is_refused(name):
    with pytest.raises(UnknownNameError, match="Nonsense"):
        _call(name, "Nonsense")


def test_the_functions_that_take_an_area_are_found():
    assert {"growth.rates", "costs.unit_costs", "areas.name", "waits.waits", "forecast"} <= set(
        FUNCTIONS
    )
