"""Whatever asks for an area takes its name and its codes alike, finds it once, and no nonsense."""

import inspect
import pkgutil
import re
from collections.abc import Sequence
from importlib import import_module

import pandas as pd
import pytest

import send_analysis
from send_analysis import areas, reads
from send_analysis.areas import Area
from send_analysis.capacity import views as capacity
from send_analysis.errors import UnknownNameError
from send_analysis.forecasting import totals
from send_analysis.forecasting import views as forecasts
from send_analysis.growth import series, views, words
from send_analysis.waits import views_compared

WAYS = ["bury", "E08000002", 351, "351", "351.0", areas.find("Bury")]


def _functions():
    """Public functions of the package that say they take an area, by name."""
    for found in pkgutil.walk_packages(send_analysis.__path__, "send_analysis."):
        module = import_module(found.name)
        for name, one in vars(module).items():
            if name.startswith("_") or not inspect.isfunction(inspect.unwrap(one)):
                continue
            kinds = {
                it.name: str(it.annotation) for it in inspect.signature(one).parameters.values()
            }
            named = [key for key, kind in kinds.items() if "Area" in re.findall(r"\w+", kind)]
            if one.__module__ == found.name and named:
                yield f"{found.name}.{name}", (one, named)


FUNCTIONS = dict(_functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nonsense_is_refused_by_all_that_may_be_asked_of_an_area(name):
    function, named = FUNCTIONS[name]
    for key in named:
        with pytest.raises(UnknownNameError, match="Nonsense"):
            function(**{key: "Nonsense"})


def test_the_functions_that_take_an_area_are_found():
    known = {
        "growth.series.rates", "capacity.costs.unit_costs", "waits.lists.waits", "show.map.map",
        "forecasting.totals.forecast", "evidence.words.claims", "report.render.render",
    }  # fmt: skip
    assert {f"send_analysis.{name}" for name in known} <= set(FUNCTIONS)
    assert len(FUNCTIONS) > 150


@reads.found
def given(area: Area, others: Sequence[Area] | None = None, *, beside: Area | None = None):
    """Return what a decorated function gets."""
    return area, others, beside


@pytest.mark.parametrize("way", WAYS)
def test_a_name_and_its_codes_are_the_same_area(way):
    assert given(way) == given(area=way) == ("E08000002", None, None)
    assert given(way, [way, 350], beside=way) == (WAYS[-1], [WAYS[-1], "E08000001"], WAYS[-1])
    assert given(way, way)[1] == WAYS[-1:]  # one stands for several
    pd.testing.assert_frame_equal(series.rates(way), series.rates(WAYS[-1]))
    pd.testing.assert_frame_equal(totals.forecast([way]), totals.forecast(WAYS[-1]))


def test_what_is_typed_is_found_once(monkeypatch):
    asked, code = [], areas._code
    monkeypatch.setattr(areas, "_code", lambda text: asked.append(text) or code(text))
    for function in (
        words.causes, words.grew, views.counterfactuals, views.flows, views.ratios,
        forecasts.then, capacity.checks, capacity.forecast, capacity.unit_costs,
        views_compared.measured,
    ):  # fmt: skip
        function("bury")
        assert [text for text in asked if text != "Bury"] == ["bury"], function  # files say Bury
        asked.clear()
