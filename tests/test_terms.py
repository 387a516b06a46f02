"""Columns have one heading and one format wherever they are shown."""

import pandas as pd
import pytest

from send_analysis import terms


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("growth_a_year", "Growth, % a year"),
        ("ehc_plans", "EHC plans"),
        ("ratio_low", "Ratio, range, low"),
        ("plans_high_80", "Plans, 80 % range, high"),
        ("low_80", "80 % range, low"),
        ("wide_open", "Wide open"),
    ],
)
def test_headings(name, words):
    assert terms.heading(name) == words


def test_the_ends_of_a_range_are_written_as_what_they_are_ends_of():
    assert terms.texts(pd.Series([1.0, None]), "ratio_high") == ["1.000", "n/a"]
    assert terms.texts(pd.Series([-57.9, 2.0]), "more_low") == ["-58", "+2"]


def test_numbers_are_told_apart_and_years_are_years():
    frame = pd.DataFrame({
        "start": [2019, 2025], "origin": [2018, 2019], "quantile": [0.025, 0.25],
        "part": [0.27, 0.35], "plans_start": [1999, 2019], "pounds": [51370.4, 59143.2],
        "weeks": [18.25, 52.0], "day": pd.to_datetime(["2025-06-26", None]),
    })  # fmt: skip
    first, second = zip(*(terms.texts(frame[name], name) for name in frame), strict=True)
    assert first == ("2019", "2018", "0.025", "0.270", "1,999", "51,370", "18.2", "26 June 2025")
    assert second == ("2025", "2019", "0.250", "0.350", "2,019", "59,143", "52.0", "n/a")


def test_nought_has_no_sign_and_what_is_true_is_yes():
    assert terms.texts(pd.Series([-0.3, 0.2, -57.9]), "more") == ["0", "0", "-58"]
    assert terms.texts(pd.Series([-0.001, 0.01]), "skill") == ["0.00", "+0.01"]
    assert terms.texts(pd.Series([True, False]), "tested") == ["yes", "no"]
    assert terms.texts(pd.Series([True, None]), "tested") == ["yes", "n/a"]


def test_the_registry_has_a_line_a_column_in_order_and_says_nothing_twice(monkeypatch):
    names = list(terms.TERMS)
    assert names == sorted(names, key=str.casefold)
    for name, term in terms.TERMS.items():
        assert format(1234.5, term.form), name
        assert term.heading == term.heading.strip(), name
        monkeypatch.setitem(terms.TERMS, name, term._replace(heading=""))
        assert terms.heading(name) != term.heading, name
    keys = sorted(term.key for term in terms.TERMS.values() if term.key)
    assert keys == list(range(1, len(keys) + 1))
