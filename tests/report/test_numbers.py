"""What a report says agrees with its tables and with itself: Bury's pages, all of them."""

import re
from pathlib import Path

import pandas as pd
import pytest
from reading import (
    contradictions,
    differing,
    fractions,
    frames,
    published,
    soup_of,
    texts,
    untabled,
)


@pytest.fixture(scope="module")
def pages(bury_report) -> list[Path]:
    return [Path(path) for path in bury_report["path"]]


def page(pages, name):
    return next(path for path in pages if path.stem.startswith(name))


def test_every_number_of_the_text_is_in_a_table(pages):
    known = published("Bury")
    found = {path.stem: untabled(path, known) for path in pages if path.stem != "index"}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


def test_a_number_that_no_table_has_is_found(pages):
    html = page(pages, "02").read_text(encoding="utf-8")
    spoilt = html.replace("</main>", "<p>There are 7,654,321 more.</p></main>", 1)
    assert any("7,654,321" in one for one in untabled(spoilt))


def test_no_text_of_the_report_contradicts_another(pages):
    assert contradictions(pages) == []


def test_a_contradiction_is_found(pages, tmp_path):
    other = tmp_path / "02.html"
    html = page(pages, "02").read_text(encoding="utf-8")
    other.write_text(re.sub(r"that is place \d+", "that is place 999", html), encoding="utf-8")
    assert any("that is place" in one for one in contradictions([*pages, other]))


def _rows(path: Path, *columns: str) -> pd.DataFrame:
    """The one download of a page that has these columns."""
    found = [frame for frame in frames(soup_of(path)) if set(columns) <= set(frame.columns)]
    assert len(found) == 1, [list(frame.columns) for frame in frames(soup_of(path))]
    return found[0]


def test_settings_and_totals_are_forecast_once(pages):
    """Pages 03 and 04 have one number of plans a setting, and one range.

    Page 04 leaves out children under 4, who need no place in a school.
    """
    ahead = _rows(page(pages, "03"), "category", "median", "low_80", "high_80")
    places = _rows(page(pages, "04"), "kind", "phase", "in_use", "demand", "kept")
    places = places[places["phase"] == "all"].rename(columns={"kind": "category"})
    both = ahead.merge(places, on="category", suffixes=("", "_of_places")).set_index("category")
    assert len(both) >= 4
    assert (both["demand"] <= both["median"] + 0.5).all()
    assert (both["demand"] > 0.9 * both["median"]).all()
    older = both.select_dtypes("number").loc["further education"].round()
    assert older["median"] == older["demand"]
    assert older["low_80"] == older["low_80_of_places"]
    assert older["high_80"] == older["high_80_of_places"]


def test_most_is_not_said_of_the_largest_group(pages):
    """The largest of several groups holds most of them only above a half; claims may say so."""
    own = [path for path in pages if not path.stem.startswith(("01", "index"))]
    said = [text for path in own for text, _ in texts(soup_of(path))]
    assert any("largest group" in text for text in said)
    assert [text for text in said if re.search(r"(^|\. )Most (plans|children|people)", text)] == []


def test_a_share_is_per_cent_in_every_table(pages):
    assert fractions(pages) == []


def test_one_quantity_is_one_number_in_every_table(pages):
    """Rows of one name have one value, whichever table of the two pages prints them."""
    both = [page(pages, "03"), page(pages, "04")]
    assert differing(both) == []


def test_assessments_needed_and_expected_each_say_what_they_are(pages):
    """They are two numbers of one year: what a target would ask for, and what is likely to come."""
    path = page(pages, "04")
    words = _words(path, "main th, main p")
    assert "Assessments expected" in words
    assert "Completions that 90 % would ask for" in words
    assert any("That is another number than the assessments expected" in one for one in words)
    staff = _rows(path, "profession", "hours", "hours_a_post", "posts")
    apart = staff["hours"] / staff["hours_a_post"] / staff["posts"]
    assert apart.between(0.95, 1.05).all()


def test_what_is_beyond_the_tests_says_so(pages):
    """A title or an alternative text of a year that no forecast of all plans was tested for."""
    tested = int(_rows(page(pages, "04"), "kind", "phase", "in_use", "kept")["year"].iloc[0])
    own = [page(pages, "03"), page(pages, "04")]
    titles = [one for path in own for one in _words(path, ".figure-title")]
    alts = [part.get("alt", "") for path in own for part in soup_of(path).select("main img")]
    late = [
        one
        for one in titles + alts
        if any(int(year) > tested for year in re.findall(r"\b20\d\d\b", one))
    ]
    assert len(late) > 3
    assert [
        one for one in late if not re.search("untested|has been tested|illustration", one)
    ] == []


def _words(path: Path, parts: str) -> list[str]:
    """Texts of a page's parts, with single spaces."""
    return [" ".join(part.get_text(" ").split()) for part in soup_of(path).select(parts)]


def test_the_index_says_nothing_that_its_pages_do_not(pages, bury_report):
    said = " ".join(text for path in pages if path.stem != "index" for text in _words(path, "main"))
    index = [" ".join(text.split()) for text in bury_report["finding"].dropna()]
    assert len(index) == 6
    assert [text for text in index if text not in said] == []
    tiles = " ".join(_words(page(pages, "index"), "main .tile"))
    numbers = re.findall(r"\d[\d,.]*\d", tiles)
    assert len(numbers) > 15
    assert [number for number in numbers if number not in said] == []


def test_no_column_has_the_meaning_of_another_table(pages):
    """Growth factors are of page 02 alone, a profession is no part of areas."""
    said = {path.stem[:2]: " ".join(_words(path, "main dl")) for path in pages}
    assert "growth factor after the event" in said["02"]
    assert "growth factor after the event" not in said["05"]
    assert "Profession (staff whose posts are counted)" in said["04"]
    assert "figures that the official one is computed from" not in said["04"]
    read = re.findall(r"How to read a row (.*?) How it was computed", said["04"])
    assert any(one.startswith("educational psychologist, 20") for one in read)


def test_a_share_in_time_says_of_what(pages):
    shares = [
        text
        for path in pages
        for text, part in texts(soup_of(path))
        if part.name != "img" and "within 20 weeks in" in text and "%" in text
    ]
    assert shares
    assert [text for text in shares if " of " not in text] == []
