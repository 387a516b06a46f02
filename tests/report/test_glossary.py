"""Words are explained once where they first stand, and listed as they are used."""

import pytest
from bs4 import BeautifulSoup

from send_analysis import terms
from send_analysis.report import glossary


def test_forms_are_told_apart_and_meanings_are_sentences():
    forms = [form for entry in glossary.entries() for form in set(entry.forms)]
    assert len(forms) == len(set(forms))
    for entry in glossary.entries():
        assert entry.meaning[0].isupper() and entry.meaning.endswith("."), entry.term


@pytest.mark.parametrize(
    "word", ["EHC plan", "SEND", "SEN2", "Tribunal", "resourced provision", "SEN unit",
             "80\N{NO-BREAK SPACE}% range", "statistical neighbours"],
)  # fmt: skip
def test_words_that_a_reader_meets_are_explained(word):
    assert len(glossary.used(f"There is {word}, here.")) == 1


def test_the_longest_form_counts():
    assert [entry.term for entry in glossary.used("SEN support")] == ["SEN support"]
    assert glossary.used("SENT supporting") == []


def test_a_word_is_marked_where_it_first_stands_in_running_text():
    page = BeautifulSoup(
        "<h2>EHC plans</h2><table><td>EHC plan</td></table><p>An <a>EHC plan</a>; an EHC plan, "
        "CAMHS and <em>EHC plans</em>.</p><p>EHC plan</p>",
        "html.parser",
    )
    text = page.get_text()
    glossary.mark(page)
    assert page.get_text() == text
    assert [it.get_text() for it in page.find_all("abbr")] == ["EHC plan", "CAMHS"]
    assert page.abbr["title"] == glossary.used("EHC plan")[0].meaning


def test_a_list_is_escaped_and_none_is_empty():
    entry = glossary.Entry("a < b", "Less.", ("a < b",))
    assert "<dt>a &lt; b</dt><dd>Less.</dd>" in glossary.disclosure([entry], "Words")
    assert glossary.disclosure([], "Words") == ""


def test_headings_of_ranges_are_explained():
    assert glossary.used(terms.heading("plans_low_80"))[0].term == "Range and interval"
