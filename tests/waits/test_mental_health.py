"""Children's mental health: figures read off the workbooks, sums by hand, sentences."""

from pathlib import Path

import pandas as pd
import pytest

from send_analysis import areas, tables
from send_analysis.waits import mental_health, words_mental_health

ROOT = Path(__file__).parents[2]


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
    text = " ".join(words_mental_health.referred("Bury"))
    assert "by the end of 2019-20, 2020-21 and 2021-22 had waited 55, 41 and 33 days resp" in text
    assert "(England 43, 32 and 40)" in text
    assert "47, 36 and 50 % respectively (England 27, 24 and 32) were closed before" in text
    assert "12, 12 and 20 % respectively (England 22, 22 and 24) were without any contact" in text
    assert "shorter for those who got in, and more were closed untreated or had no contact" in text
    assert "advises against comparing years" in text
    assert words_mental_health.referred("England") == []


def test_contacts_are_of_windows_that_do_not_overlap():
    table = mental_health.contacts("Bury").set_index(["level", "month"])
    bury = table.loc["group"]
    assert bury.index.to_series().diff().dropna().dt.days.min() >= 365
    assert bury["children"].tolist() == [2660, 2555, 3240]
    assert bury["fewest"].iloc[-1] == 2490
    assert bury["change"].iloc[-1] == pytest.approx(100 * (3240 / 2555 - 1))
    text = " ".join(words_mental_health.contacts("Bury"))
    assert "3,240 children of NHS Bury CCG" in text and "a rise of 26.8 %" in text
    assert "a fall of 9.0 %" in words_mental_health.contacts("Kent")[0]


def test_money_per_child_is_of_all_authorities_in_the_groups_or_of_none():
    spent = mental_health.spending("Kent").set_index(["level", "year"])
    people = tables.load("population").query("age < 18 and year == 2021").groupby("area_code")
    both = people["people"].sum()[["E10000016", "E06000035"]].sum()  # Kent, Medway
    last = spent.loc["group", "2021-22"]
    assert last["per child"] == pytest.approx(last["pounds"] / both)
    # Frimley's group holds Slough and Windsor too, and Hampshire other groups.
    assert mental_health.spending("Surrey").query("level == 'group'")["per child"].isna().all()
    text = words_mental_health.spent("Bury", 1_400_000)[0]
    assert "£4.56 million in 2021-22" in text and "£1.4 million is 30.7 %" in text


REDRAWN = {"01Y", "06H", "15E", "15M", "78H", "D2P2L"}


def test_groups_were_redrawn_where_the_statistics_office_gave_another_code(official):
    def codes(file, letters, code):
        return pd.read_csv(next((official / "lookups").glob(file))).set_index(letters)[code]

    before = codes("Clinical*2021*", "CCG21CDH", "CCG21CD")
    after = codes("Sub_ICB*2022*", "SICBL22CDH", "SICBL22CD")
    assert set(after.index[after != before[after.index]]) == REDRAWN
    assert (before["15E"], after["15E"]) == ("E38000220", "E38000258")
    links = tables.load("nhs_area_links")
    drawn = links.set_index("organisation_code")["drawn"].dropna()
    assert set(drawn.index) == REDRAWN and set(drawn) == {pd.Timestamp(2022, 7, 1)}


def test_redrawn_groups_are_not_divided_by_residents_nor_compared():
    # £26.48 million lack the west of Birmingham, whose children are among Birmingham's residents.
    several = set()
    for area in areas.current():
        drawn = set(mental_health.groups(area)["organisation_code"]) & REDRAWN
        assert ("changed in July 2022" in " ".join(words_mental_health.redrawn(area))) == bool(
            drawn
        )
        if not drawn:
            continue
        several.add(areas.name(area))
        spent, seen = mental_health.spending(area), mental_health.contacts(area)
        assert spent.loc[spent["level"] == "group", "per child"].isna().all()
        rows = seen.loc[seen["level"] == "group", ["change", "per 100", "fewest", "fewest to"]]
        assert rows.isna().all(axis=None)
        said = words_mental_health.contacts(area)[0] + words_mental_health.spent(area, 1e6)[0]
        assert "resident" not in said and "twelve months before" not in said
    assert len(several) == 14 and {"Birmingham", "Tameside", "Hertfordshire"} <= several
    text = words_mental_health.redrawn("Birmingham")[0]
    assert text.startswith("The boundaries of NHS Birmingham and Solihull CCG changed in July 2022")
    assert words_mental_health.contacts("Birmingham")[0].startswith("13,060 children")
    assert "£26.48 million in 2021-22; in" in words_mental_health.spent("Birmingham", 1e6)[0]


def test_groups_of_a_divided_authority_are_said_to_be():
    for area in ("Cumberland", "Westmorland and Furness"):
        (said,) = words_mental_health.redrawn(area)
        assert said.startswith("The groups are those of an authority with other boundaries")
    assert words_mental_health.redrawn("Bury") == words_mental_health.redrawn("England") == []


def test_first_contacts_name_the_provider_the_board_and_england():
    said = words_mental_health.first_contacts("Bury")
    assert [text.split(" had ")[0] for text in said] == [
        "Pennine Care NHS Foundation Trust", "NHS Greater Manchester Integrated Care Board",
        "England",
    ]  # fmt: skip
    assert "half had waited 153 days or longer, then 199" in said[0]
    assert "over 52 weeks 30 %, then 37 %" in said[2]  # 71,204 of 236,199; 86,753 of 233,799
    assert len(words_mental_health.first_contacts("Kent")) == 2


def test_groups_of_authorities_of_a_board_may_be_another_boards(official):
    lookup = pd.read_csv(next((official / "lookups").glob("Sub_ICB*2022*")))
    board = lookup.set_index("SICBL22CDH")["ICB22CDH"]
    known = tables.load("autism_referrals").drop_duplicates("organisation", keep="last")
    codes = known.set_index("organisation")["organisation_code"]
    links = tables.load("nhs_area_links", area_code=areas.current(), level="icb")
    first = links[links["rank"] == 1].set_index("area_code")["organisation_code"]
    foreign = {}
    for area in first.index:
        others = mental_health.autism(area).query("level == 'other'")["organisation"].map(codes)
        foreign[areas.name(area)] = set(others[others.map(board) != first[area]])
    assert foreign["Reading"] == {"92G", "M1J4Y"}
    assert foreign["North Lincolnshire"] == {"01K", "36J"}
    assert foreign["Bury"] == set()
    assert sum(map(bool, foreign.values())) == 29
    page = (ROOT / "notebooks" / "05_waiting_times.ipynb").read_text(encoding="utf-8")
    assert "others of its board" not in page


def test_autism_of_a_suppressed_group_is_said_to_be():
    text, england = words_mental_health.autism("Bury")
    assert "NHS Bury CCG suppressed at both ages" in text
    assert "England 22 % of those under 10 and 19 % of those aged 10 to 17" in text
    assert "143,251 children" in england and "424 days or longer (560 in June 2025)" in england
    table = mental_health.autism("Bury")
    assert (table["level"] == "other").sum() == 9
    assert table.loc[table["level"] == "other", "under 10"].notna().sum() == 4
