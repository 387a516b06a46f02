"""Boards and branches of authorities: made-up look-ups, read and refused."""

import pandas as pd
import pytest

from send_analysis.cleaning import nhs_organisations, reading
from send_analysis.errors import DataError

LINK = """la_name,icb_name,nhs_code,nhs_name
Overton,NHS Hill and Dale ICB,01A,NHS East Overton CCG
Overton,NHS Dale ICB,01B,NHS Dale CCG
Overton,NHS Dale ICB,01C,NHS Nether Dale CCG
Netherby,NHS Dale ICB,01B,NHS Dale CCG
Oldshire,NHS Dale ICB,01C,NHS Nether Dale CCG
"""
BRANCHES = """SICBL22CDH,SICBL22CD,ICB22CDH,ICB22NM
01A,E38000001,QA,NHS Hill and Dale Integrated Care Board
01B,E38000009,QB,NHS dale Integrated Care Board
01C,E38000003,QB,NHS dale Integrated Care Board
"""
GROUPS = "CCG21CDH,CCG21CD\n01A,E38000001\n01B,E38000002\n01C,E38000003\n"
AREAS = pd.DataFrame(
    [
        ("E1", "Overton", "E1", 2025),
        ("E2", "Netherby", "E2", 2025),
        ("E3", "Oldshire", "E4", 2020),
        ("E4", "Newshire", "E4", 2025),
    ],
    columns=["area_code", "area", "footprint", "last_year"],
).assign(level="local authority")


def links(root, *, link=LINK, branches=BRANCHES):
    for name, text in (
        ("nhs_area_links_2024", link), ("nhs_boards_2022", branches), ("nhs_groups_2021", GROUPS)
    ):  # fmt: skip
        path = root / reading.release(name)["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = nhs_organisations.nhs_area_links(root, AREAS)
    return found.set_index(["area_code", "level", "organisation_code"])


def test_the_board_with_the_name_comes_first_and_one_with_more_branches_after(tmp_path):
    found = links(tmp_path)
    assert found.loc[("E1", "icb", "QA"), "rank"] == 1
    assert found.loc[("E1", "icb", "QB"), ["rank", "named"]].tolist() == [
        2, "NHS Dale CCG; NHS Nether Dale CCG"
    ]  # fmt: skip
    assert found.loc[("E1", "icb", "QB"), "basis"] == nhs_organisations.BASES["further"]
    assert found.loc[("E2", "icb", "QB"), "basis"] == nhs_organisations.BASES["only"]


def test_branches_say_whether_others_share_them(tmp_path):
    found = links(tmp_path)["basis"]
    assert found["E1", "sub_icb", "01A"] == nhs_organisations.BASES["own"]
    assert found["E2", "sub_icb", "01B"] == nhs_organisations.BASES["shared"]


def test_a_branch_with_another_code_of_the_statistics_office_was_redrawn(tmp_path):
    drawn = links(tmp_path)["drawn"].dropna()
    assert drawn.index.tolist() == [("E1", "sub_icb", "01B"), ("E2", "sub_icb", "01B")]
    assert (drawn == pd.Timestamp(2022, 7, 1)).all()


def test_a_new_authority_has_the_link_of_the_one_it_was_made_from(tmp_path):
    found = links(tmp_path)
    assert found.loc[("E4", "icb", "QB"), "basis"].endswith(nhs_organisations.DIVIDED)
    assert found.loc[("E4", "sub_icb", "01C"), "named"] == "NHS Nether Dale CCG"
    assert not found.loc[("E3", "icb", "QB"), "basis"].endswith(nhs_organisations.DIVIDED)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"link": LINK.replace("Netherby", "Nethrby")}, "'la_name', row 5.*Nethrby.*Netherby"),
        ({"link": LINK.replace("NHS Dale ICB,01B", "NHS Hill ICB,01B", 1)}, "row 3.*NHS Hill ICB"),
        ({"branches": BRANCHES.replace("01C", "01D")}, "row 4.*01C"),
        ({"link": LINK + LINK.splitlines()[-1] + "\n"}, "second row"),
        ({"link": LINK.replace("nhs_code", "code")}, "missing"),
    ],
)
def test_look_ups_that_contradict_each_other_are_refused(tmp_path, files, message):
    with pytest.raises(DataError, match=message):
        links(tmp_path, **files)
