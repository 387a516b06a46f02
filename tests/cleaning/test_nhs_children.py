"""Contacts, first contacts, spending and autism: read off the files, held together, refused."""

import gzip

import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import nhs_children as cleaning
from send_analysis.cleaning import reading
from send_analysis.errors import DataError

SPENT = ["indicator", "org_type", "org_code", "org_name", "period", "value"]
CONTACT = [
    "REPORTING_PERIOD_START", "REPORTING_PERIOD_END", "STATUS", "BREAKDOWN", "PRIMARY_LEVEL",
    "PRIMARY_LEVEL_DESCRIPTION", "MEASURE_ID", "MEASURE_VALUE",
]  # fmt: skip


def write(root, name, columns, rows):
    file = root / reading.release(name)["path"]
    file.parent.mkdir(parents=True, exist_ok=True)
    text = pd.DataFrame(rows, columns=columns).to_csv(index=False, lineterminator="\n")
    file.write_bytes(gzip.compress(text.encode()))


def contacts(root, *, england=9000, bury=3000, start="01/04/2021", dashboard=3000, money=5.0):
    """Two groups and England in one year, in both releases, with a year's spending."""
    people = [("England", "England", "England", england), ("CCG of Residence", "00V", "B", bury),
              ("CCG of Residence", "00T", "T", 5000)]  # fmt: skip
    rows = [[start, "31/03/2022", "Final", kind, code, name, "MHS95", n]
            for kind, code, name, n in people]  # fmt: skip
    write(root, cleaning.RELEASES[cleaning.CONTACTS], CONTACT, rows)
    rows = [["CYP(i_a)", "National", "ENGLAND", "ENGLAND", "Q4 2021/22", england],
            ["CYP(i_a)", "CCG", "00V", "B", "Q4 2021/22", dashboard]]  # fmt: skip
    parts = {"National": ("EN", 300.0), "Region": ("Y62", 300.0), "STP": ("E54000007", 300.0)}
    for part in cleaning.PARTS:
        rows += [[part, kind, code, code, "2021/22", x] for kind, (code, x) in parts.items()]
        rows += [[part, "CCG", "00V", "B", "2021/22", 295.0], [part, "CCG", "00T", "T", "2021/22",
                 money], [part, "CCG", "00V", "B", "2021/22 planned", 7.0]]  # fmt: skip
    write(root, cleaning.RELEASES[cleaning.SPENDING], SPENT, rows)
    write(root, "nhs_area_links_2024", ["nhs_code", "nhs_name"], [["00V", "NHS Bury CCG"]])
    links = root / reading.release("nhs_area_links_2024")["path"]
    links.write_bytes(gzip.decompress(links.read_bytes()))
    return cleaning.contacts(root, None)


def test_contacts_and_spending_are_read_and_plans_left_out(tmp_path):
    found = contacts(tmp_path)
    people = found[cleaning.CONTACTS].set_index("organisation_code")
    assert people.loc["00V", ["children", "organisation", "level", "status"]].tolist() == [
        3000, "NHS Bury CCG", "group", "final"
    ]  # fmt: skip
    assert people.loc[ENGLAND, "month"] == pd.Timestamp("2022-03-01")
    assert found[cleaning.SPENDING]["pounds"].tolist().count(295.0) == 2
    assert 7.0 not in found[cleaning.SPENDING]["pounds"].tolist()
    assert found["quality"].empty


def test_day_and_month_changed_round_are_read_and_said(tmp_path):
    found = contacts(tmp_path, start="04/01/2021")
    assert found["quality"]["note"].str.contains("04/01/2021, with day and month").tolist() == [
        True
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"england": 7000}, "groups add up to 8,000 in March 2022, England is 7,000"),
        ({"dashboard": 2995}, "00V has 2,995 children .* March 2022, .* has 3000"),
        ({"start": "01/05/2021"}, "row 2.*01/05/2021.*not a year before"),
        ({"money": 500.0}, "groups add up to £795 in 2021/22.*England is £300"),
    ],
)
def test_releases_that_contradict_themselves_or_each_other_are_refused(tmp_path, wrong, message):
    with pytest.raises(DataError, match=message):
        contacts(tmp_path, **wrong)


def first(root, *, over=20, provider=100, median=50):
    rows = []
    for kind, code, n in (("England", "England", 100), ("Provider", "RT2", provider),
                          ("ICB of GP Practice or Residence", "QOP", 100)):  # fmt: skip
        values = {"MRS10": n, "MRS10a": median, "MRS10b": 300, "MRS14e": over, "MRS14c": 10,
                  "MRS08": 3}  # fmt: skip
        rows += [["2024-09-30", kind, code, code, m, x] for m, x in values.items()]
    columns = ["period_end", "level", "org_code", "org_name", "measure_id", "value"]
    write(root, cleaning.RELEASES[cleaning.FIRST], columns, rows)
    return cleaning.first_contacts(root, None)[cleaning.FIRST]


def test_first_contacts_leave_out_what_trusts_do_not_enter(tmp_path):
    found = first(tmp_path).query("organisation_code == 'RT2'").set_index("measure")
    assert set(found.index) == {*cleaning.FIRST_MEASURES.values()}  # no full clock stop
    assert found.loc["waiting", "value"] == 100
    assert found.loc["over 104 weeks", "missing"] == "suppressed"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"over": 200}, "over 52 weeks is more than waiting"),
        ({"median": 301}, "median days is more than 90th percentile days"),
        ({"provider": 60}, "providers add up to 60 waiting in September 2024, England is 100"),
    ],
)
def test_first_contacts_that_cannot_be_are_refused(tmp_path, wrong, message):
    with pytest.raises(DataError, match=message):
        first(tmp_path, **wrong)


def test_figures_of_bury_read_by_hand_and_printed_elsewhere():
    contact = tables.load("mental_health_contacts").set_index(["organisation_code", "month"])
    bury = contact.loc["00V", "children"]
    assert bury[["2021-03-01", "2022-06-01", "2023-08-01"]].tolist() == [2560, 2490, 3240]
    # The Mental Health Dashboard prints 2,515 and, for England, 674,485.
    assert bury["2022-03-01"] == 2515 and contact.loc[(ENGLAND, "2022-03-01"), "children"] == 674485
    first = tables.load("mental_health_first_contacts")
    median = first[first["measure"] == "median days"].set_index(["organisation_code", "month"])
    ends = ["2024-04-01", "2024-09-01"]
    for code, days in (("RT2", [153, 199]), ("QOP", [154, 215]), (ENGLAND, [186, 248])):
        assert median.loc[code, "value"][ends].tolist() == days
    spent = tables.load("mental_health_spending").query("part == 'without eating disorders'")
    spent = spent.set_index(["organisation_code", "year"])["pounds"]
    assert (spent["00V"][[2016, 2020, 2021]] / 1e6).round(2).tolist() == [1.92, 4.01, 4.56]
    assert round(spent[ENGLAND][2021] / 1e6) == 922  # so the Children's Commissioner in 2024


def test_autism_of_greater_manchester_is_there_and_burys_is_suppressed():
    table = tables.load("autism_referrals")
    last = table[table["month"] == "2023-06-01"].set_index(["organisation_code", "age"])
    assert last.loc[("14L", "under 10"), "value"] == 6
    assert last.loc[("00T", "10 to 17"), "value"] == 51
    bury = table[table["organisation_code"] == "00V"]
    assert (bury["missing"] == "suppressed").all() and bury["month"].nunique() == 51
    england = table[table["age"] == "0 to 17"].set_index(["month", "measure"])["value"]
    assert england["2026-06-01", "median days to first contact"] == 424
    assert england["2025-06-01", "open referrals"] == 153_386
