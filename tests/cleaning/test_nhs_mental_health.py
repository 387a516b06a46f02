"""Workbooks of waits into children's mental health services: read, held together, refused."""

import numpy as np
import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.areas import ENGLAND
from send_analysis.cleaning import nhs_mental_health as cleaning
from send_analysis.errors import DataError

HEAD = [
    "Organisation Code", "Organisation Name", "Total number of People",
    "Average Waiting Time (for People with Two Contacts, Days)",
    "Number of People Waiting Between 0 and 4 Weeks", "% Waiting Between 0 and 4 Weeks",
    "Number of People Waiting Between 4 and 6 Weeks",
    "Number of People Waiting Between 6 and 8 Weeks",
    "Number of People Waiting Between 8 and 10 Weeks",
    "Number of People Waiting Between 10 and 12 Weeks", "Number of People Waiting Over 12 Weeks",
    "Referral Closed Before Treatment ", "% Referral Closed Before Treatment ",
    "Number of People Still Waiting, no contact", "Number of People Still Waiting, one contact",
]  # fmt: skip
TITLE = (
    "Table 1b: The number of children and young people and the time waiting between referral and "
    "their second contact, for mental health services, April 2020 - March 2021."
)


def sheet(title=TITLE, head=HEAD, england=100, group=60):
    """A sheet of England, a region, and a group beside those whose group is not known."""
    rest = [1.5, 4, 4, 3, 2, 1, 1, 5, 20, 20, 10, "*"]

    def row(code, name, total):
        return [code, name, total, *rest]

    rows = [
        [title], ["Return to Contents"], head,
        row("England", "England", england), row("Y62", "NORTH WEST", england),
        row("UNKNOWN", "UNKNOWN", 0), row("00V", "NHS BURY CCG", group),
        row("UNKNOWN", "UNKNOWN", 40), [""], ["Copyright"],
    ]  # fmt: skip
    return pd.DataFrame([one + [""] * (len(head) - len(one)) for one in rows], dtype="object")


def read(frame, year=2020):
    return cleaning._read(frame, year, "made up!1b")


def test_a_sheet_says_what_it_counts_in_its_title():
    found = read(sheet())
    assert found[["period", "counts", "services"]].drop_duplicates().values.tolist() == [
        ["year", "people", "mental health"]
    ]
    bury = found.set_index("organisation_code").loc["00V"]
    assert bury["referred"] == 60 and bury["mean_days"] == 1.5 and bury["closed"] == 20
    assert pd.isna(bury["one_contact"])
    assert found["level"].tolist() == ["england", "region", "region", "group", "group"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (sheet(title=TITLE.replace("mental health", "dental")), "title is .*dental"),
        (sheet(title=TITLE.replace("March 2021", "May 2020")), "expected the year from April 2020"),
        (
            sheet(head=[x.replace("Closed", "Shut") for x in HEAD]),
            "0 headings .*'referral closed",
        ),
        (sheet(group="many"), "'many' is neither a number"),
        (sheet(group=10), "groups add up to 50, England is 100"),
    ],
)
def test_a_sheet_of_another_shape_is_refused(frame, message):
    with pytest.raises(DataError, match=message):
        read(frame)


@pytest.mark.parametrize(
    ("everything", "refused"), [(100, False), (120, False), (99, True), (121, True)]
)
def test_all_services_lie_between_the_largest_part_and_the_sum(everything, refused):
    rows = [("1a", "all", everything), ("1b", "mental health", 100), ("1c", "learning", 20)]
    frame = pd.DataFrame(rows, columns=["sheet", "services", "referred"])
    frame = frame.assign(
        year=2020, period="year", counts="people", organisation_code=ENGLAND,
        **dict.fromkeys(cleaning.VALUES[1:], 1.0),
    )  # fmt: skip
    found = cleaning.contradicting(frame)
    assert found["sheet"].tolist() == (["1a"] if refused else [])


def test_the_sheets_that_repeat_another_quarter_are_found_in_the_table_quality():
    found = tables.load("quality").query("table == 'mental_health_waits'")
    assert found["year"].tolist() == [2020, 2021]
    assert found["note"].str.contains("sheet 10a .* repeats sheet 8a").all()
    assert found["published"].tolist() == [238_667, 288_701]


@pytest.mark.official
def test_every_cell_is_that_of_an_independent_extraction(official):
    file = "cyp_mh_waits_referral_to_second_contact_2019-20_to_2021-22.csv.gz"
    other = pd.read_csv(official / "nhs_mental_health" / file, dtype="str", keep_default_na=False)
    other = other[other["table"].str.match(r"[12][abc]")]
    printed = {
        "referred": "total", "mean days to second contact": "average_wait_days",
        "second contact within 4 weeks": "wait_0_4_weeks",
        "second contact after 10 to 12 weeks": "wait_10_12_weeks",
        "second contact after more than 12 weeks": "wait_over_12_weeks",
        "closed before treatment": "closed_before_treatment",
        "open, no contact": "still_waiting_no_contact",
        "open, one contact": "still_waiting_one_contact",
    }  # fmt: skip
    other = other.assign(year=other["year"].str[:4].astype(int))
    names = {"learning disability": "learning disability and autism"}
    other = other.replace({"services": names})
    other["organisation_code"] = other["org_code"].replace(
        {"England": ENGLAND, "UNKNOWN/INVALID": "UNKNOWN"}
    )
    key = ["year", "organisation_code", "counts", "services"]
    table = tables.load("mental_health_waits")
    table = table[table["organisation_code"] != "UNKNOWN"]  # three lists have such a row
    wide = table.pivot(index=key, columns="measure", values="value").sort_index()
    other = other[other["organisation_code"] != "UNKNOWN"].set_index(key).sort_index()
    assert wide.index.equals(other.index)
    for measure, column in printed.items():
        theirs = pd.to_numeric(other[column], errors="coerce").to_numpy()
        np.testing.assert_allclose(wide[measure].astype("Float64").astype(float), theirs, rtol=1e-9)
