"""What a report says agrees with its tables and with itself, where figures are few or in doubt.

A flagged return, a handful of children, boundaries that changed, and the country.
"""

from pathlib import Path

import pytest
from reading import contradictions, untabled

from send_analysis import areas, growth
from send_analysis.output import reports

AREAS = ("Newham", "Isles of Scilly", "Cumberland", "England")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """All pages of four areas."""
    made = reports.render(list(AREAS), tmp_path_factory.mktemp("numbers"), jobs=1)
    made["path"] = made["path"].map(Path)
    return dict(iter(made.groupby("area")["path"]))


@pytest.mark.parametrize("area", AREAS)
def test_every_number_of_the_text_is_in_a_table(rendered, area):
    plans = growth.totals([areas.resolve(area)]).set_index("year")["plans"]
    latest = {float(plans[plans.index.max()])}
    pages = [path for path in rendered[area] if path.stem != "index"]
    assert len(pages) == 5
    found = {path.stem: untabled(path, latest) for path in pages}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


@pytest.mark.parametrize("area", AREAS)
def test_no_text_of_the_report_contradicts_another(rendered, area):
    assert contradictions(list(rendered[area])) == []
