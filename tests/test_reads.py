"""Results carry the tables that they were made from, whichever way these were read."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from send_analysis import reads, tables
from send_analysis.evidence import verdicts
from send_analysis.evidence import views as evidence
from send_analysis.growth import series
from send_analysis.growth import views as growth
from send_analysis.waits import views as waits
from send_analysis.waits import views_compared, views_mental_health, views_since


@tables.remembered
def kept():
    return len(tables.load("tribunals"))


@reads.result
def made(*given):
    tables.load("areas")
    return pd.DataFrame({"plans": [len(tables.load("inspections"))]})


def test_what_is_read_is_carried_and_names_are_not():
    assert reads.of(made()) == ("inspections",)


def test_what_comes_from_memory_is_carried_too():
    for _ in range(2):
        with reads.recording() as names:
            kept()
        assert names == {"tribunals"}


def test_a_result_of_results_is_from_the_tables_of_both():
    other = reads.stamp(pd.DataFrame({"a": [1]}), ["population"])
    assert reads.of(made(other)) == ("inspections", "population")
    assert reads.of(made(other.merge(other, on="a"), other[["a"]])) == ("inspections", "population")


def test_records_within_records_do_not_lose_what_is_read():
    with reads.recording() as outer:
        with reads.recording() as inner:
            tables.load("pupils")
        tables.load("tribunals")
    assert (inner, outer) == ({"pupils"}, {"pupils", "tribunals"})


def test_what_is_read_aside_is_not_a_source():
    with reads.recording() as names, reads.aside():
        tables.load("pupils")
    assert names == set()


@dataclass(frozen=True)
class Simulated:
    plans: np.ndarray
    tables: tuple[str, ...] = ()


def test_a_result_of_a_class_of_its_own_carries_them():
    found = reads.result(lambda: Simulated(np.array([len(tables.load("pupils"))])))()
    assert found.tables == ("pupils",)
    assert reads.of(made(found)) == ("inspections", "pupils")


# Read off the chapter's text: plans, and with the index the areas that it is set against.
@pytest.mark.parametrize(
    ("make", "names"),
    [
        (series.indexed, {"ehc_plans", "neighbours"}),
        (series.rates, {"ehc_plans", "neighbours", "population"}),
        (series.over_years, {"ehc_plans"}),
        (series.timeliness, {"timeliness"}),
        (series.flows, {"ceased_plans", "ehc_plans", "new_plans"}),
    ],
)
def test_results_of_growth_name_the_tables_that_they_show(make, names):
    tables.clear_cache()
    assert set(reads.of(make("Bury"))) == names
    assert set(reads.of(make("Bury"))) == names  # kept


SHOWN = {
    "ratios": growth.ratios,
    "variants": growth.variants,
    "placement": lambda area: growth.by("placement", area),
    "stock": growth.stock,
    "compared": growth.compared,
    "reporting": waits.reporting,
    "contacts": views_mental_health.contacts,
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_result_names_every_table_that_was_opened_for_it(monkeypatch, name):
    """The witness stands below the record: what the reader of files was asked for."""
    named = {*reads.of(SHOWN[name]("Bury"))}
    tables.clear_cache()
    plain, asked = tables._read, set()

    def read(folder, table):
        asked.add(table)
        return plain(folder, table)

    read.cache_clear = plain.cache_clear
    monkeypatch.setattr(tables, "_read", read)
    SHOWN[name]("Bury")
    assert asked - reads.NOT_SHOWN == named


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (views_compared.jumps, {"nhs_waits"}),
        (lambda: views_compared.measured("Bury"), {"nhs_area_links", "nhs_waits"}),
        (lambda: views_since.charted("Bury"), {"nhs_area_links", "nhs_waits"}),
        (lambda: views_mental_health.spent("Bury", 1e6),
         {"mental_health_spending", "nhs_area_links", "population"}),
        (views_mental_health.autism_in_england, {"autism_referrals"}),
        (lambda: waits.bought(1e6, "camhs"), set()),
    ],
)  # fmt: skip
def test_results_of_waits_name_the_tables_that_they_show(make, names):
    assert set(reads.of(make())) == names


def test_a_part_of_the_ledger_names_the_tables_of_its_own_claims():
    tested, untested = evidence.ledger("Bury"), evidence.untestable("Bury", verdicts.NO_SERIES)
    assert "inspections" in reads.of(tested)  # the grade
    assert "inspections" not in reads.of(evidence.possibilities("Bury"))
    assert not {"mental_health_waits", "nhs_waits"} & set(reads.of(tested))
    assert {"mental_health_waits", "nhs_waits"} <= set(reads.of(untested))
