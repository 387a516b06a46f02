"""What `releases.yml` can say of a release, and how a file's words are found under it."""

import pytest

from send_analysis.cleaning import layout, reading, series
from send_analysis.errors import MissingFileError


@pytest.fixture
def specification(monkeypatch):
    """Other entries in place of `releases.yml`."""

    def use(releases, **rest):
        content = {"releases": releases, "left_out": [], "synonyms": {"columns": {}, "topics": {}}}
        monkeypatch.setattr(layout, "specification", lambda: content | rest)
        layout.release.cache_clear()

    yield use
    layout.release.cache_clear()


def test_a_release_is_like_another_but_for_what_it_says(specification):
    specification(
        {
            "second": {"like": "first", "year": 2031,
                       "files": {"a": {"values": {"x": None, "z_{flow_year}": "last"}}}},
            "third": {"like": "second", "year": 2032, "files": {"b": None}},
            "first": {"year": 2030, "series": "s", "path": "one.zip",
                      "files": {"a": {"member": "a.csv", "values": {"x": "first", "y": "all"}},
                                "b": {"member": "b.csv"}}},
        }
    )  # fmt: skip
    assert layout.release("first")["files"]["a"]["values"] == {"x": "first", "y": "all"}
    second = layout.release("second")
    assert second["files"]["a"]["values"] == {"y": "all", "z_2030": "last"}
    assert second["files"]["a"]["member"] == "a.csv"
    assert second["path"] == "one.zip"
    third = layout.release("third")
    assert third["files"] == {"a": {"member": "a.csv", "values": {"y": "all", "z_2031": "last"}}}
    assert series.known("s") == ["third", "second", "first"]


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        (["Plans"], ["Plans"]),
        (["all_plans", "other"], ["all_plans"]),
        (["girls", "BOYS"], ["girls", "BOYS"]),
        (["plans", "girls", "boys"], ["plans"]),
        (["girls"], ["plans"]),
    ],
    ids=["capitals", "renamed", "split", "both", "neither"],
)
def test_a_column_is_found_under_its_names(specification, columns, parts):
    specification({}, synonyms={"columns": {"plans": ["all_plans", "girls + boys"]}, "topics": {}})
    assert layout.parts("plans", columns) == parts


def test_a_topic_in_other_words_counts_only_where_its_own_are_not_there(specification):
    specification({}, synonyms={"columns": {}, "topics": {"Whole": ["All", "Every"]}})
    assert layout.topic_words(["Whole"], ["All", "Sex"]) == {"All": "Whole"}
    assert layout.topic_words(["Whole"], ["Whole", "All"]) == {}
    assert layout.topic_words(["Whole"], ["Sex"]) == {}


def test_a_file_is_found_in_an_archive_by_the_first_name_that_fits():
    names = ["data/b_new.csv", "data/a.csv", "meta/a.csv"]
    assert layout.find_member("data/a.csv", names) == "data/a.csv"
    assert layout.find_member(["data/b.csv", "data/b*.csv"], names) == "data/b_new.csv"
    assert layout.find_member(["x.csv"], names) is None


@pytest.mark.parametrize(
    ("cells", "value", "reason"),
    [
        (("4", "5"), 9, ""),
        (("4", "z"), 4, ""),
        (("z", "5"), 5, ""),
        (("z", "z"), None, "not_applicable"),
        (("4", "x"), None, "unavailable"),
        (("c", "5"), None, "suppressed"),
        (("x", "c"), None, "unavailable"),
        (("z", "x"), None, "unavailable"),
        (("0", "0"), 0, ""),
    ],
)
def test_parts_are_added_up_and_a_missing_one_is_not_nought(cells, value, reason):
    codes = {"x": "unavailable", "z": "not_applicable", "c": "suppressed"}
    pieces = [
        reading.numbers(reading.pd.Series([cell], name="n"), file="f", codes=codes)
        for cell in cells
    ]
    total, missing = reading._together(pieces)
    assert missing.tolist() == [reason]
    assert total.isna().tolist() == [value is None]
    if value is not None:
        assert total.tolist() == [value]


def test_every_column_of_the_2025_release_is_read_or_left_out_on_purpose(official):
    assert series.unread_columns(official, "ehc_plans_2025").empty


def test_a_folder_without_a_release_names_those_it_looked_for(tmp_path):
    with pytest.raises(MissingFileError, match=r"_2026.zip or .*_2025.zip: .*data refresh"):
        series.present(tmp_path)
