"""Children's mental health: figures read off the workbooks, sums by hand, sentences."""

import matplotlib as mpl
import pytest

from send_analysis import tables
from send_analysis.waits import charts, mental_health
from send_analysis.waits import words as narrative

mpl.use("Agg")


def one(area, level):
    table = mental_health.referred(area)
    return table[table["level"] == level].set_index("year")


def test_burys_three_years_by_hand():
    bury, england = one("Bury", "group"), one("Bury", "england")
    assert bury["referred"].tolist() == [2385, 2600, 3520]
    assert bury[mental_health.MEAN].tolist() == [55, 41, 33]
    assert england[mental_health.MEAN].round().tolist() == [43, 32, 40]
    # 1,130 of 2,385; 935 of 2,600; 1,750 of 3,520: the publisher prints 47, 36, 49.
    assert bury["closed before treatment"].round(1).tolist() == [47.4, 36.0, 49.7]
    assert england["closed before treatment"].round(1).tolist() == [26.8, 23.5, 32.5]
    assert bury["open, no contact"].round(1).tolist() == [12.4, 11.7, 20.2]
    # 560 + 70 + 35 + 30 + 25 + 110 of 3,520.
    assert bury.loc["2021-22", "second contact"] == pytest.approx(100 * 830 / 3520)


def test_several_groups_are_added_up_and_means_weighted():
    assert mental_health.groups("Sefton")["organisation_code"].tolist() == ["01T", "01V"]
    table = tables.load("mental_health_waits").query(
        "year == 2021 and counts == 'people' and services == 'mental health'"
    )
    parts = [table[table["organisation_code"] == code].set_index("measure")["value"]
             for code in ("01T", "01V")]  # fmt: skip
    seen = [part[part.index.str.startswith("second contact")].sum() for part in parts]
    mean = sum(part[mental_health.MEAN] * n for part, n in zip(parts, seen, strict=True)) / sum(
        seen
    )
    sefton = one("Sefton", "group").loc["2021-22"]
    assert sefton["referred"] == sum(part["referred"] for part in parts)
    assert sefton[mental_health.MEAN] == pytest.approx(float(mean))


def test_a_year_without_one_of_todays_groups_has_no_figure():
    # North Central London became one group in April 2020.
    assert one("Camden", "group").index.tolist() == ["2020-21", "2021-22"]
    assert len(one("Camden", "england")) == 3


def test_the_shorter_wait_is_said_with_those_who_never_got_in():
    text = " ".join(narrative.referred("Bury"))
    assert "55, 41, 33 days (England 43, 32, 40)" in text
    assert "47, 36, 50 % (England 27, 24, 32)" in text
    assert "12, 12, 20 % (England 22, 22, 24)" in text
    assert "shorter for those who got in, and more were closed untreated or had no contact" in text
    assert "advises against comparing years" in text
    assert narrative.referred("England") == []


@pytest.mark.parametrize("area", ["Bury", "Camden", "England"])
def test_the_chart_draws_every_share_and_says_them_in_words(area):
    table = mental_health.referred(area)
    finding = narrative.referred_finding(table)
    ax = charts.referral_outcomes(table, finding=finding, subtitle="Children referred")
    bars = sum(len(container) for container in ax.containers)
    assert bars == 4 * len(table)
    alt = charts.referral_outcomes_alt(table, subtitle="children referred")
    assert "2021-22, England: second contact 33" in alt
