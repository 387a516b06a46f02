"""What figures count is said by the descriptor, for every value there is."""

import pytest

from send_analysis import definitions, tables
from send_analysis.cleaning.build import schemas


@pytest.mark.parametrize(
    ("table", "where", "said"),
    [
        ("requests", {"outcome": "all"}, "requests for an assessment in the calendar year"),
        ("ehc_plans", {"age_band": ["5-10", "11-15"], "area": "Bury", "year": 2024},
         "EHC plans and statements in January, aged 5 to 10 or 11 to 15"),
        ("placements", {"placement_group": "special", "placement": ["independent"]},
         "EHC plans and statements in January, in special schools, independent"),
        ("annual_reviews", {"measure": "review expected"},
         "plans whose annual review was expected in the calendar year"),
        ("nhs_waits", {"age_group": "cyp", "band": "52+", "service": "Audiology"},
         "people waiting at the end of the month, children and young people, for Audiology, "
         "for more than 52 weeks so far"),
        ("population", {"age": [3, 4, 5]}, "residents at the middle of the year, aged 3 to 5"),
        ("population", {"age": [3, 5]}, "residents at the middle of the year, aged 3 or 5"),
    ],
)  # fmt: skip
def test_words(table, where, said):
    assert definitions.words(table, where) == said


def test_shares():
    counted = {"exceptions": "excluded", "issued_within": "20 weeks or less"}
    whole = {"exceptions": "excluded", "issued_within": "any time"}
    assert definitions.share("timeliness", counted, "timeliness", whole) == (
        "EHC plans issued in the calendar year, plans with a statutory exception left out: within "
        "20 weeks of the request, per cent"
    )
    assert definitions.share(
        "ehc_plans", {"age_band": "all"}, "population", {}, per=1000, years_before=1
    ) == (
        "EHC plans and statements in January, per 1,000 of residents at the middle of the year, "
        "the year before"
    )


def test_every_measure_and_every_value_with_definitions_has_one():
    """A column that says what is counted must say it for all its values."""
    checked = 0
    for entry in tables.descriptor()["resources"]:
        frame = tables.load(entry["name"])
        for field in entry["schema"]["fields"]:
            if field["name"] != "measure" and "definitions" not in field:
                continue
            lacking = set(frame[field["name"]].unique()) - set(field["definitions"])
            assert "wording" in field or not lacking, (entry["name"], field["name"], lacking)
            checked += 1
    assert checked >= 12


def test_values_of_a_column_are_told_apart():
    """Two values of a measure are never said alike: 88.2 per cent was the meetings of any year."""
    for name, field in schemas()["fields"].items():
        said = [text for text in field.get("definitions", {}).values() if text]
        assert len(said) == len(set(said)), name


def test_every_table_of_figures_says_what_it_counts():
    without = {entry["name"] for entry in tables.descriptor()["resources"] if "counts" not in entry}
    assert without & {"ehc_plans", "requests", "timeliness", "tribunals", "pupils"} == set()


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (66.1101, "per cent", "66.1 %"), (60.0, "per cent", "60 %"), (5.3, "per cent of pupils",
         "5.3 % of pupils"), (-65.0, "per cent", "−65 %"), (4.0, "place among authorities",
         "place 4"), (3.0, "grade, 3 the lowest", "grade 3"), (1233.0, "plans", "1,233 plans"),
        (1.4, "£ million", "£1.4 million"), (2026.0, "year", "2026"), (49.96, "per cent", "50.0 %"),
    ],
)  # fmt: skip
def test_figures_in_words(value, unit, words):
    assert definitions.written(value, unit) == words
