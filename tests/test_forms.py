"""Files that people write: what is wrong is named in one line, what is right is read."""

import datetime
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.forms import Form, checked, read_yaml


class Item(Form):
    start: str = Field(alias="from")


class Example(Form):
    name: str
    share: float | None = Field(None, ge=0, le=1)
    year: int | None = Field(None, ge=2020, le=2060)
    sort: Literal["one", "two"] = "one"
    free: dict[str, Annotated[float, Field(ge=0, le=9)]] | None = None
    items: list[Item] | None = Field(None, min_length=1)
    month: str | None = Field(None, pattern=r"^\d{4}-\d{2}$", examples=["2028-09"])
    day: datetime.date | None = None
    any_of: str | list[str] = ""
    size: float = Field(1, gt=0)
    old: bool = False

    @model_validator(mode="after")
    def _no_forty(self):
        if self.share == 0.4:
            raise ValueError("share 0.4 is\nnot meant.")
        return self


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, r"f\.yml: key 'name' is missing; add it\."),
        ({"name": "a", "shar": 1}, r"f\.yml: key 'shar' is unknown\. Did you mean 'share'\?"),
        ({"nam": "a"}, r"f\.yml: key 'nam' is unknown\. Did you mean 'name'\?"),
        ({"name": "a", "q": 1}, r"key 'q' is unknown\. Keys: name, share, .* or old\."),
        ({"name": "a", "share": 2}, r"f\.yml, share: must be a number from 0 to 1, not 2\."),
        ({"name": "a", "share": True}, r"share: must be a number from 0 to 1, not True\."),
        ({"name": "a", "share": "0.5"}, r"share: must be a number from 0 to 1, not '0\.5'\."),
        ({"name": "a", "share": float("nan")}, r"share: must be a number from 0 to 1, not nan\."),
        ({"name": "a", "size": float("inf")}, r"size: must be a number above 0, not inf\."),
        ({"name": "a", "size": 0}, r"size: must be a number above 0, not 0\."),
        ({"name": "a", "year": 2025.0}, r"year: must be a whole number from 2020 to 2060, not 20"),
        ({"name": "a", "year": "2025"}, r"year: must be a whole number .*, not '2025'\."),
        ({"name": "a", "sort": "too"}, r"sort: must be one or two, not 'too'\. .* mean 'two'\?"),
        ({"name": 3}, r"name: must be text, not 3\."),
        ({"name": "a", "free": {"x": -1}}, r"f\.yml, free\.x: must be a number from 0 to 9, not -"),
        ({"name": "a", "free": {1: 1}}, r"f\.yml, free: key 1 must be text"),
        ({"name": "a", 2: 1}, r"f\.yml: key 2 must be text"),
        ({"name": "a", "items": [{"from": "b"}, {}]}, r"f\.yml, items\[2\]: key 'from' is missing"),
        ({"name": "a", "items": [{"form": "b"}]}, r"items\[1\]: key 'form' .* mean 'from'\?"),
        ({"name": "a", "items": []}, r"items: must be a list with at least one item, not \[\]\."),
        ({"name": "a", "items": "b"}, r"items: must be a list with at least one item, not 'b'\."),
        ({"name": "a", "month": "09/28"}, r"month: must be text such as 2028-09, not '09/28'\."),
        ({"name": "a", "day": "2024"}, r"day: must be a date such as 2024-05-31, not '2024'\."),
        ({"name": "a", "any_of": 1}, r"f\.yml, any_of: must be text or a list, not 1\."),
        ({"name": "a", "any_of": ["b", 1]}, r"f\.yml, any_of"),
        ({"name": "a", "old": "yes"}, r"old: must be true or false, not 'yes'\."),
        ({"name": "a", "share": None}, r"f\.yml: key 'share' is empty"),
        ({"name": "a", "share": 0.4}, r"f\.yml: share 0\.4 is not meant\."),
        ({"name": ["x" * 500]}, r"name: must be text, not .{50,70}…\."),
        (["name"], r"f\.yml: must be keys and values, not \['name'\]\."),
    ],
)
def test_a_fault_names_file_key_value_and_what_is_allowed(content, message):
    with pytest.raises(ParameterError, match=message) as caught:
        checked(Example, content, "f.yml")
    assert "\n" not in str(caught.value)


def test_where_leads_to_the_content():
    with pytest.raises(ParameterError, match=r"^f\.yml, claim 'x'\.test\.year: must be"):
        checked(dict[str, Example], {"test": {"name": "a", "year": 1}}, "f.yml", "claim 'x'")


def test_right_content_is_read():
    day = datetime.date(2024, 5, 31)
    content = {"name": "a", "share": 1, "year": 2030, "items": [{"from": "b"}], "day": day}
    read = checked(Example, content, "f.yml")
    assert (read.name, read.share, read.year, read.day) == ("a", 1.0, 2030, day)
    assert read.items[0].start == "b"


SCALARS = st.none() | st.floats() | st.text() | st.booleans()
NAMES = st.sampled_from([*Example.model_fields, "x"])


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_whatever_stands_there_is_read_or_refused_in_one_line(content):
    try:
        assert isinstance(checked(Example, content, "f.yml"), Example)
    except ParameterError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"f\.yml: line 3: key 'a' stands twice; keep one\."),
        ("x: [{a: 1, b: {c: 1, 'c': 2}}]", r"line 1: key 'c' stands twice"),
        ("a: [1\nb: 2", r"f\.yml: line 2: .*expected"),
        ("- a\n", r"f\.yml: must hold keys and values, not \['a'\]\."),
        ("", r"f\.yml: must hold keys and values, not None\."),
        ("a: \x00", r"f\.yml: not YAML;"),
        ("a: " + "[" * 5000, r"f\.yml: not YAML;"),
        ("a: 2024-13-45", r"f\.yml: not YAML;"),
        ("? [a]\n: 1", r"f\.yml: line 1: found unhashable key"),
        ("a: *b", r"f\.yml: line 1: found undefined alias"),
    ],
)
def test_yaml_that_cannot_be_read_is_refused_in_one_line(tmp_path, text, message):
    file = tmp_path / "f.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=message) as caught:
        read_yaml(file)
    assert "\n" not in str(caught.value)


def test_a_merged_key_may_be_replaced(tmp_path):
    file = tmp_path / "f.yml"
    file.write_text("\ufeffa: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3}\nc: {<<: *b, y: 4}\n", "utf-8")
    assert read_yaml(file) == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}, "c": {"x": 3, "y": 4}}


def test_folders_and_missing_files(tmp_path):
    with pytest.raises(ParameterError, match="is a folder; name a file"):
        read_yaml(tmp_path)
    with pytest.raises(MissingDataError, match="there is no such file"):
        read_yaml(tmp_path / "none.yml")
    (tmp_path / "latin.yml").write_bytes(b"a: \xe9")
    with pytest.raises(ParameterError, match="not YAML"):
        read_yaml(tmp_path / "latin.yml")
