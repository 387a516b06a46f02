"""Read a page as a reader does: its numbers, the tables they stand in, and its sentences."""

import base64
import io
import re
from collections import defaultdict
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from bs4 import BeautifulSoup, Tag

from send_analysis import areas, tables
from send_analysis.growth import series as growth

ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"(?<![\w.£])[£+−-]?\d[\d,]*(?:\.\d+)?(?![\w])")
# Numbers that are no finding, by what they are:
YEARS = range(1900, 2101)
AGES = range(26)  # and weeks of the statutory clocks, parts of "four in five", months
CONSTANTS = {
    60, 80, 90, 95, 99.8,  # levels of intervals, shares that a target asks for
    100, 1_000, 4_000,  # "of 100", "per 1,000", simulations
    30,  # fewest areas that a row of a test rests on
    52,  # weeks of a year, the edge of the longest band of waits
}  # fmt: skip
# Numbers between 0 and 1 that are no shares: p-values, levels of quantiles, what is over another.
NO_SHARES = {"p", "quantile", "ratio", "ratio_low", "ratio_high", "wis_ratio"}
NO_SHARES |= {"skill", "skill_error"}
YEARLY = ["year", "start", "end", "origin", "horizon"]  # numbers that say of when a row is
REMARKS = {"note", "source", "caveat", "unsaid", "title", "counted"}  # words that name no row
MONTHS = "January February March April May June July August September October November December"
DAY = re.compile(rf"\b\d{{1,2}} (?={MONTHS.replace(' ', '|')})")
SUM = re.compile(r"£[\d.,]*\d(?: million)?")  # sums that a claim names are constants
COUNTED = re.compile(r"\b(\d[\d,]*) of (\d[\d,]*)\b")  # rows of a table that meet a condition
# Why a figure is refused: the figure itself, which the page does not show (tested in test_caveats).
REFUSED = re.compile(r"returned [\d,]+ plans in January \d{4} after [\d,]+ a year before")


@cache
def soup_of(path: Path) -> BeautifulSoup:
    """A page, read once; leave it as it is."""
    return BeautifulSoup(Path(path).read_text(encoding="utf-8"), "html.parser")


def frames(part: Tag) -> list[pd.DataFrame]:
    """Downloads of a page or of a part of it."""
    links = [link["href"].partition(",")[2] for link in part.select("a[download]")]
    return [_csv(base64.b64decode(raw)) for raw in links]


def _csv(raw: bytes) -> pd.DataFrame:
    """Data of an exhibit, without the lines that say what it is."""
    return pd.read_csv(io.BytesIO(raw), encoding="utf-8-sig", comment="#")


def printed(text: str) -> list[tuple[str, float, float]]:
    """Numbers of a text: as printed, the size, and half of the last digit."""
    out = []
    for match in NUMBER.finditer(text):
        digits = match[0].lstrip("£+−-").replace(",", "")
        out.append((match[0], float(digits), 0.5 * 10.0 ** -len(digits.partition(".")[2])))
    return out


def sizes(found: list[pd.DataFrame]) -> np.ndarray:
    """Sizes of all numbers in tables, unrounded; how many rows they have counts too."""
    out = [np.zeros(0)]
    for frame in found:
        numbers = frame.select_dtypes("number").to_numpy(dtype=float).ravel()
        words = frame.select_dtypes(exclude="number").fillna("").astype(str).to_numpy().ravel()
        out += [numbers[np.isfinite(numbers)], [n for _, n, _ in printed(" ".join(words))]]
        out.append([float(len(frame))])
    return np.unique(np.abs(np.concatenate(out)))


def differences(found: list[pd.DataFrame]) -> np.ndarray:
    """Differences of two numbers of one row: what a title may say of its own table."""
    out = [np.zeros(0)]
    for frame in found:
        numbers = frame.select_dtypes("number").to_numpy(dtype=float)
        out += [numbers[:, i] - numbers[:, j] for i, j in combinations(range(numbers.shape[1]), 2)]
    return np.abs(np.concatenate(out))


@cache
def _named() -> frozenset[str]:
    """Sums of money that claims of any area name."""
    files = sorted((ROOT / "data" / "claims").glob("*.yml"))
    return frozenset(SUM.findall(" ".join(file.read_text(encoding="utf-8") for file in files)))


def _without_exceptions(text: str, rows: set[int]) -> str:
    """Take out days of dates, sums that claims name, refusals, and counts of rows of a table."""
    text = SUM.sub(lambda match: "" if match[0] in _named() else match[0], DAY.sub("", text))

    def counted(match: re.Match) -> str:
        part, whole = (int(one.replace(",", "")) for one in match.groups())
        return "" if part <= whole and whole in rows else match[0]

    return COUNTED.sub(counted, REFUSED.sub("", text))


def texts(soup: BeautifulSoup) -> list[tuple[str, Tag]]:
    """Running texts, headlines, titles of charts and what is told instead of them."""
    parts = [part for part in soup.select("main p, main li") if not part.find_parent(["table"])]
    parts = [part for part in parts if not part.find_parent(["nav", "details", "pre"])]
    said = []
    for part in parts:
        if {"source", "download"} & set(part.get("class", [])):
            continue
        words = " ".join(
            piece for piece in part.strings if not piece.find_parent(["code", "table", "details"])
        )
        said.append((" ".join(words.split()), part))
    return said + [(picture.get("alt", ""), picture) for picture in soup.select("main img")]


def published(area: str) -> set[float]:
    """Newest figures of an area that pages start from: plans, new plans, plans in time and of all.

    A page that works with them need not print their tables again.
    """
    code, out = areas.find(area), set()
    plans = growth.totals([code]).sort_values("year")["plans"]
    new = tables.load("new_plans").query("area_code == @code and age_band == 'all'")
    times = growth.timeliness(area).query("area_code == @code").sort_values("year")
    for series in (plans, new.sort_values("year")["plans"], times["in_time"], times["issued"]):
        out |= set(series.dropna().tail(1).astype(float))
    return out


def untabled(page: Path | str, constants: set[float] = frozenset()) -> list[str]:
    """Numbers of a page's text that none of its tables has, with the words around them."""
    soup = soup_of(page) if isinstance(page, Path) else BeautifulSoup(page, "html.parser")
    found = frames(soup)
    tabled, rows = sizes(found), {len(frame) for frame in found}
    out = []
    for text, part in texts(soup):
        chart = part.find_parent(class_="chart")
        own = np.append(tabled, differences(frames(chart))) if chart else tabled
        if "million" in text:
            own = np.append(own, own / 1e6)
        for word, number, half in printed(_without_exceptions(text, rows)):
            if number.is_integer() and half == 0.5 and (number in YEARS or number in AGES):
                continue
            if number in CONSTANTS | constants:
                continue
            if not (np.abs(own - number) <= half + 1e-9).any():
                out.append(f"{word} in {text[:160]!r}")
    return out


def contradictions(paths: list[Path]) -> list[str]:
    """Texts of pages that are the same but for their numbers; years tell texts apart."""
    said = defaultdict(set)

    def year(match: re.Match) -> str:
        return match[0] if match[0].isdigit() and int(match[0]) in YEARS else "#"

    for path in paths:
        for text, part in texts(soup_of(path)):
            if part.name != "img":
                numbers = tuple(one for one, size, _ in printed(text) if size not in YEARS)
                said[NUMBER.sub(year, text)].add(numbers)
    return [f"{words}: {sorted(numbers)}" for words, numbers in said.items() if len(numbers) > 1]


def fractions(paths: list[Path]) -> list[tuple[str, str]]:
    """Columns of pages' tables that may be shares from 0 to 1; all are to be per cent."""
    return [
        (path.stem, column)
        for path in paths
        for frame in frames(soup_of(path))
        for column in frame.select_dtypes("number").columns.difference([*NO_SHARES])
        if 0 < frame[column].abs().max() <= 1 and len(frame) > 2
    ]


def differing(paths: list[Path]) -> list[str]:
    """Columns that pages' tables print with two values in rows of one name."""
    cells = []
    for frame in [one for path in paths for one in frames(soup_of(path))]:
        words = frame.select_dtypes(exclude="number").columns.difference(REMARKS)
        keys = [*words, *(name for name in YEARLY if name in frame and name not in words)]
        if not keys:
            continue
        texts = frame[keys].astype(str).fillna("")
        named = (texts.columns + " " + texts).agg("; ".join, axis=1)
        if named.duplicated().any():  # a curve: its rows have no name
            continue
        values = frame.select_dtypes("number").drop(columns=keys, errors="ignore")
        cells.append(values.assign(named=named).melt("named", value_name="printed").dropna())
    every = pd.concat(cells).assign(printed=lambda cell: cell["printed"].round(1))
    counted = every.groupby(["variable", "named"])["printed"].nunique()
    return [f"{column} of {named}" for column, named in counted[counted > 1].index]


def in_time(paths: list[Path]) -> dict[str, set[str]]:
    """Plans in time of plans counted, as they stand in titles and texts, by year."""
    found = defaultdict(set)
    for path in paths:
        for text, part in texts(soup_of(path)):
            year = re.search(r"[Ii]n (\d{4})", text)
            counts = re.search(r"(?<![\d,])(\d[\d,]*) of (\d[\d,]*)", text)
            if part.name != "img" and "within 20 weeks" in text and "counted" in text and counts:
                found[year[1]].add(counts[0])
    return dict(found)
