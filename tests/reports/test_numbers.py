"""Every number of a page's headline and text stands in one of its tables.

The growth page is read for five areas; the pages on evidence and waits, and the index, for Bury.
"""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from send_analysis.output import reports

ROOT = Path(__file__).parents[2]
AREAS = ("Bury", "Newham", "Cumberland", "Isles of Scilly", "England")
NUMBER = re.compile(r"(?<![\w.£])[£+−-]?\d[\d,]*(?:\.\d+)?(?![\w])")
# Numbers that are no finding, by what they are:
YEARS = range(1900, 2101)
AGES = range(26)  # and weeks of the statutory clocks, parts of "four in five", months
CONSTANTS = {
    80, 90, 95,  # levels of intervals, shares that a target asks for
    100, 1_000, 4_000,  # "of 100", "per 1,000", simulations
    52,  # weeks of a year, the edge of the longest band of waits
}  # fmt: skip
MONTHS = "January February March April May June July August September October November December"
DAY = re.compile(rf"\b\d{{1,2}} (?={MONTHS.replace(' ', '|')})")
SUM = re.compile(r"£[\d.,]*\d(?: million)?")  # sums that a claim names are constants
COUNTED = re.compile(r"\b([\d,]+) of ([\d,]+)\b")  # rows of a table that meet a condition


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The growth pages of five areas, by path."""
    notebook = ROOT / "notebooks" / "02_demand_growth.ipynb"
    out = tmp_path_factory.mktemp("numbers")
    made = reports.render(list(AREAS), out, notebooks=[notebook])
    pages = made[made["path"].astype(str).str.endswith("02_demand_growth.html")]
    return {Path(path): Path(path).read_text(encoding="utf-8") for path in pages["path"]}


def _printed(text: str) -> list[tuple[str, float, int]]:
    """Numbers of a text: as printed, its size, and how many decimals it has."""
    out = []
    for match in NUMBER.finditer(text):
        digits = match[0].lstrip("£+−-").replace(",", "")
        out.append((match[0], float(digits), len(digits.partition(".")[2])))
    return out


def _tabled(soup: BeautifulSoup) -> np.ndarray:
    """Sizes of all numbers in the page's tables: those of the downloads, unrounded."""
    found = [np.zeros(0)]
    for link in soup.select("a[download]"):
        raw = base64.b64decode(link["href"].partition(",")[2])
        frame = pd.read_csv(io.BytesIO(raw), encoding="utf-8-sig")
        numbers = frame.select_dtypes("number").to_numpy(dtype=float).ravel()
        words = frame.select_dtypes(exclude="number").fillna("").astype(str).to_numpy().ravel()
        texts = " ".join(map(str, words))
        found += [numbers[np.isfinite(numbers)], np.array([n for _, n, _ in _printed(texts)])]
        found.append(np.array([float(len(frame))]))
    return np.unique(np.abs(np.concatenate(found)))


def _sizes(soup: BeautifulSoup) -> set[int]:
    """Numbers of rows of the page's downloads."""
    links = [link["href"].partition(",")[2] for link in soup.select("a[download]")]
    return {len(pd.read_csv(io.BytesIO(base64.b64decode(raw)))) for raw in links}


def _named() -> set[str]:
    """Sums of money that claims of any area name."""
    files = sorted((ROOT / "data" / "claims").glob("*.yml"))
    return set(SUM.findall(" ".join(file.read_text(encoding="utf-8") for file in files)))


def _without_exceptions(text: str, sizes: set[int], named: set[str]) -> str:
    """Take out days of dates, sums that claims name, and counts of the rows of a table."""
    text = SUM.sub(lambda match: "" if match[0] in named else match[0], DAY.sub("", text))

    def rows(match: re.Match) -> str:
        part, whole = (int(one.replace(",", "")) for one in match.groups())
        return "" if part <= whole and whole in sizes else match[0]

    return COUNTED.sub(rows, text)


def untabled(html: str) -> list[str]:
    """Numbers of a page's text that none of its tables has, with the words around them."""
    soup = BeautifulSoup(html, "html.parser")
    tabled, sizes, named = _tabled(soup), _sizes(soup), _named()
    for aside in soup.select("table, details, script, style, nav, header, footer, .source, "
                             ".download, code, pre"):  # fmt: skip
        aside.decompose()
    out = []
    for part in soup.select("main p, main li, main figcaption"):
        text = " ".join(part.get_text(" ").split())
        for printed, number, decimals in _printed(_without_exceptions(text, sizes, named)):
            if decimals == 0 and (number in YEARS or number in AGES or number in CONSTANTS):
                continue
            near = np.abs(tabled - number) <= 0.5 * 10.0**-decimals + 1e-9
            if not near.any():
                out.append(f"{printed} in {text[:160]!r}")
    return out


def test_every_number_of_the_text_is_in_a_table(rendered):
    found = {str(path.parent.name + "/" + path.stem): untabled(html)
             for path, html in rendered.items()}  # fmt: skip
    assert {page: numbers for page, numbers in found.items() if numbers} == {}


def test_a_number_that_no_table_has_is_found(rendered):
    html = next(iter(rendered.values()))
    spoilt = html.replace("</main>", "<p>There are 7,654,321 more.</p></main>", 1)
    assert any("7,654,321" in one for one in untabled(spoilt))


@pytest.mark.parametrize("name", ["01_inspection_evidence", "05_waiting_times"])
def test_every_number_of_burys_evidence_and_waits_is_in_a_table(bury_report, name):
    path = next(path for path in map(Path, bury_report["path"]) if path.stem == name)
    assert untabled(path.read_text(encoding="utf-8")) == []


def _words(path: Path, parts: str) -> list[str]:
    """Texts of a page's parts, with single spaces."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return [" ".join(part.get_text(" ").split()) for part in soup.select(parts)]


def test_the_index_says_nothing_that_its_pages_do_not(bury_report):
    paths = list(map(Path, bury_report["path"]))
    pages = " ".join(
        text for path in paths if path.stem != "index" for text in _words(path, "main")
    )
    said = _words(next(path for path in paths if path.stem == "index"), "main li")
    said += [" ".join(text.split()) for text in bury_report["finding"].dropna()]
    assert len(said) > 20
    assert [text for text in said if text not in pages] == []
