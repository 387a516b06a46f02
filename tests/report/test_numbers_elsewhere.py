"""What a report says agrees with its tables and with itself, where figures are few or in doubt.

A flagged return, a handful of children, boundaries that changed, and the country.
"""

from pathlib import Path

import pytest
from reading import contradictions, in_time, published, untabled

AREAS = ("Newham", "Isles of Scilly", "Cumberland", "England")


@pytest.fixture
def pages_of(report_of):
    """Pages of an area."""
    return lambda area: [Path(path) for path in report_of(area)["path"]]


@pytest.mark.parametrize("area", AREAS)
def test_every_number_of_the_text_is_in_a_table(pages_of, area):
    pages = [path for path in pages_of(area) if path.stem != "index"]
    assert len(pages) == 6
    found = {path.stem: untabled(path, published(area)) for path in pages}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


def test_plans_in_time_are_as_many_on_every_page(pages_of):
    found = in_time(pages_of("England"))
    # The release of 2025: within 20 weeks, and all, exceptions excluded.
    assert found["2024"] == {"39,407 of 84,866"}


@pytest.mark.parametrize("area", AREAS)
def test_no_text_of_the_report_contradicts_another(pages_of, area):
    assert contradictions(pages_of(area)) == []
