"""Words that a reader may not know, explained where a page first has them and in a list.

One source, ``glossary.yml``. A page lists the words that it has, an area's first page all of them.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bs4 import BeautifulSoup

FILE = Path(__file__).with_name("glossary.yml")
# Parts of a page in which a word is not marked: their text is a name, code, title or link.
UNMARKED = {"a", "abbr", "caption", "code", "details", "pre", "table"}
UNMARKED_CLASSES = {"figure-title", "source", "subtitle"}


class Entry(NamedTuple):
    """A word of the glossary."""

    term: str
    meaning: str
    forms: tuple[str, ...]  # as pages have it


@cache
def entries() -> tuple[Entry, ...]:
    """Return the words of the glossary, by alphabet."""
    listed = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    found = [
        Entry(one["term"], one["meaning"], (one["term"], *one.get("also", []))) for one in listed
    ]
    return tuple(sorted(found, key=lambda entry: entry.term.casefold()))


@cache
def _pattern() -> tuple[re.Pattern, dict[str, Entry]]:
    """Return a pattern that finds every form, the longest first, and whose form it is."""
    of = {form: entry for entry in entries() for form in entry.forms}
    forms = "|".join(re.escape(form) for form in sorted(of, key=len, reverse=True))
    forms = forms.replace(r"\ ", r"\s")  # a number and its per cent sign are tied
    return re.compile(rf"(?<![\w-])(?:{forms})(?![\w-])"), of


def _plain(form: str) -> str:
    """Write a form with plain spaces, as the glossary has it."""
    return re.sub(r"\s", " ", form)


def used(text: str) -> list[Entry]:
    """Return the words of the glossary that a text has, by alphabet."""
    pattern, of = _pattern()
    there = {of[_plain(form)] for form in pattern.findall(text)}
    return [entry for entry in entries() if entry in there]


def mark(body: BeautifulSoup) -> None:
    """Explain each word where it first stands in running text of a page.

    Parameters
    ----------
    body : BeautifulSoup
        Changed in place.
    """
    pattern, of = _pattern()
    told: set[Entry] = set()
    for text in body.find_all(string=pattern):
        parents = [*text.parents]
        names = {tag.name for tag in parents}
        classes = {kind for tag in parents for kind in tag.get("class", [])}
        if not names & {"p", "li"} or names & UNMARKED or classes & UNMARKED_CLASSES:
            continue
        pieces, end = [], 0
        for match in pattern.finditer(text):
            entry = of[_plain(match[0])]
            if entry not in told:
                told.add(entry)
                word = body.new_tag("abbr", attrs={"title": entry.meaning})
                word.string = match[0]
                pieces += [text[end : match.start()], word]
                end = match.end()
        if pieces:
            text.replace_with(*(piece for piece in (*pieces, text[end:]) if piece))


def disclosure(listed: Iterable[Entry], heading: str) -> str:
    """Write words and their meanings behind a disclosure.

    Parameters
    ----------
    listed : iterable of Entry
    heading : str
        What opens it.

    Returns
    -------
    str
        HTML; empty if there is none.
    """
    rows = "".join(f"<dt>{escape(it.term)}</dt><dd>{escape(it.meaning)}</dd>\n" for it in listed)
    if not rows:
        return ""
    summary = f"<summary>{escape(heading)}</summary>"
    return f'<details class="data words">{summary}\n<dl>{rows}</dl></details>'
