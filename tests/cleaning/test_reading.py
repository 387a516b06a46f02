"""Official files read as they are; anything else is refused with its file, column and row."""

import re

import pytest

from send_analysis.cleaning import reading
from send_analysis.errors import DataError

FILE = "ehc_plans/education-health-and-care-plans_2025.zip!data/requests.csv"


def test_cells_become_numbers_or_reasons(requests_file):
    rows = reading.tidy(requests_file(), "ehc_plans_2025", "requests")
    by_category = rows[rows["year"] == 2023].set_index("category")
    assert by_category.loc["all", "value"] == 500
    assert by_category.loc["all", "missing"] == ""
    reasons = by_category.loc[
        ["not assessed", "no decision yet", "withdrawn", "decided within 6 weeks",
         "decided after 6 weeks"], "missing",
    ]  # fmt: skip
    assert list(reasons) == ["unavailable", "not_applicable", "suppressed", "not_returned", "blank"]
    assert by_category.loc["not assessed", "value"] is reading.pd.NA


def test_area_and_year_are_read(requests_file):
    rows = reading.tidy(requests_file(), "ehc_plans_2025", "requests")
    assert set(rows["area_code"]) == {"E08000002"}
    assert set(rows["year"]) == {2023, 2024}


@pytest.mark.parametrize(
    ("spoil", "column", "row", "says"),
    [
        (lambda t: t.replace("requests_withdrawn", "requests_withdrawn_total"),
         "requests_withdrawn", None, "nearest columns: requests_withdrawn_total"),
        (lambda t: t.replace(",560,", ",five hundred,"), "requests_received_in_year", 3,
         "'five hundred' is neither a number nor a code"),
        (lambda t: t.replace(",560,", ",-560,"), "requests_received_in_year", 3, "'-560'"),
        (lambda t: t + t.splitlines()[-1] + "\n", None, 4, "a second row for"),
        (lambda t: t.replace("\n2024,", "\n202425,"), "time_period", 3, "is not a year such"),
        (lambda t: t.replace("E08000002", "Bury"), "new_la_code", 2,
         "'Bury' is not the code of an authority"),
        (lambda t: t.splitlines()[0] + "\n2024,a,b,c\n" + "x," * 40 + "\n", None, 2,
         "has 4 cells, the first row has 21"),
    ],
    ids=["renamed", "not a number", "negative", "duplicated", "year", "area", "ragged"],
)  # fmt: skip
def test_a_spoilt_file_is_refused(requests_file, spoil, column, row, says):
    with pytest.raises(DataError, match=re.escape(says)) as refused:
        reading.tidy(requests_file(spoil), "ehc_plans_2025", "requests")
    assert refused.value.file == FILE
    assert refused.value.column == column
    assert refused.value.row == row
    assert str(refused.value).startswith(FILE)


def test_another_encoding_is_refused_with_its_row(requests_file):
    folder = requests_file(lambda t: t.replace("Bury,All", "Bür,All"), encoding="latin-1")
    with pytest.raises(DataError, match="not UTF-8") as refused:
        reading.tidy(folder, "ehc_plans_2025", "requests")
    assert refused.value.row == 2


def test_a_truncated_archive_is_refused(requests_file):
    folder = requests_file()
    archive = folder / "ehc_plans/education-health-and-care-plans_2025.zip"
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(DataError, match="damaged or cut short"):
        reading.tidy(folder, "ehc_plans_2025", "requests")


def test_an_archive_without_the_file_is_refused(requests_file):
    with pytest.raises(DataError, match="does not hold this file"):
        reading.tidy(requests_file(), "ehc_plans_2025", "caseload")


def test_an_absent_release_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file") as refused:
        reading.tidy(tmp_path, "ehc_plans_2023", "management_information")
    assert "sen2_mi_2023_release.csv" in str(refused.value)


def test_an_unknown_topic_is_refused(requests_file):
    with pytest.raises(DataError, match="All requests"):
        reading.tidy(requests_file(), "ehc_plans_2025", "requests", topics={"All request": "all"})


WHOLE = b"time_period,area,plans\n2024,Bury,10\n2025,Bury,20\n"


@pytest.mark.parametrize(
    ("content", "row", "says"),
    [
        (WHOLE.replace(b"2024,Bury,10", b"2024,Bury"), 2, "has 2 cells, the first row has 3"),
        (WHOLE.replace(b"Bury,10", b"Bury,10,"), 2, "are there commas at its end"),
        (WHOLE.replace(b"Bury,10", b"Bury,10,new"), 2, "what is 'new' for"),
        (WHOLE[:-1], None, "the last row has no line end"),
        (WHOLE[:-5], 3, "has 2 cells"),
        (WHOLE.replace(b"Bury,20", b'"Bury,20'), None, "quotation mark"),
        (WHOLE.replace(b"Bury,20", b"Bury\xe9,20"), 3, "not UTF-8"),
        (WHOLE.decode().encode("utf-16"), 1, "not UTF-8"),
        (WHOLE.replace(b",", b";"), None, "parted by"),
        (WHOLE.replace(b"Bury,20", b"\x00,20"), 3, "null character"),
        (b"", None, "its first row is empty"),
        (WHOLE.splitlines(keepends=True)[0], None, "holds a heading and no rows"),
    ],
    ids=["short", "comma", "extra", "torn", "cut", "quote", "latin", "utf-16", "semicolon", "null",
         "nothing", "heading"],
)  # fmt: skip
def test_a_file_of_the_wrong_shape_is_refused_in_one_line(tmp_path, content, row, says):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=re.escape(says)) as refused:
        reading.read_csv(tmp_path, "a.csv")
    assert refused.value.file == "a.csv"
    assert row is None or refused.value.row == row
    assert "\n" not in str(refused.value)


def test_rows_of_commas_alone_are_left_out(tmp_path):
    (tmp_path / "a.csv").write_bytes(WHOLE + b",,\n,,\n")
    assert len(reading.read_csv(tmp_path, "a.csv")) == 2


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        reading.read_csv(tmp_path, "a.csv")


def test_academic_years_are_the_year_of_their_january():
    frame = reading.pd.DataFrame({"time_period": ["201819", "202425"]})
    frame.attrs["file"] = "f.csv"
    assert list(reading.years(frame, "academic_year")) == [2019, 2025]
