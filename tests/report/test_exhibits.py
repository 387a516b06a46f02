"""Under each chart and table stand the tables that it was made from, all of them and no others."""

import json

import pytest

from send_analysis import reads


@pytest.fixture(scope="module")
def exhibits(bury_report, witness):
    """What each exhibit of Bury's pages says, and what was opened in its cell."""
    return [json.loads(line) for line in witness.read_text(encoding="utf-8").splitlines()]


def test_no_table_is_opened_for_an_exhibit_and_left_out(exhibits):
    left_out = {
        it["exhibit"]: sorted(set(it["opened"]) - reads.NOT_SHOWN - set(it["said"]))
        for it in exhibits
    }
    assert {name: tables for name, tables in left_out.items() if tables} == {}


def test_no_table_is_named_that_was_not_opened(exhibits):
    assert len(exhibits) > 40
    assert {
        it["exhibit"]: sorted(set(it["said"]) - set(it["ever"]))
        for it in exhibits
        if not set(it["said"]) <= set(it["ever"])
    } == {}
