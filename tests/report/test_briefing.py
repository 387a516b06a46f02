"""An area's first page: one A4 page whatever the area, the same alone and in its report."""

import re
import subprocess
from html import escape
from pathlib import Path

import pandas as pd
import pytest

import send_analysis
from send_analysis import areas, caveats
from send_analysis.capacity import views
from send_analysis.capacity import words as capacity
from send_analysis.errors import ParameterError
from send_analysis.evidence import verdicts
from send_analysis.evidence import views as claimed
from send_analysis.forecasting import outlook
from send_analysis.growth import series
from send_analysis.report import briefing, edition
from send_analysis.show import chart

DAY = edition.edition_of("2026-01-31")
WIDTH, HEIGHT = 182, 276  # mm: A4 less the margins of the style sheet
SPARE = 8  # mm: two lines and a half, for numbers that are shorter than the longest
# Heights of a sheet with each name in the place of its own, and with those neighbours.
RENAMED = """(sheet, [own, areas]) => {
  const html = sheet.innerHTML;
  return areas.map(([name, near]) => {
    sheet.innerHTML = html.replaceAll(own, name);
    sheet.querySelector(".near ul").innerHTML = near.map(it => `<li>${it}</li>`).join("");
    return sheet.offsetHeight;
  });
}"""
# How far the last tile of each row is from the end of its grid.
HOLES = """grids => grids.flatMap(grid => {
  const ends = {};
  for (const it of grid.children) ends[it.offsetTop] = it.getBoundingClientRect().right;
  return Object.values(ends).map(it => grid.getBoundingClientRect().right - it);
})"""


def box(it):
    """Stand in for the picture of a chart: as large."""
    width, height = round(it.width * 96), round(it.height * 96)
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'/>"
    return chart.Picture("data:image/svg+xml," + svg.replace("<", "%3C").replace(">", "%3E"),
                         width, height)  # fmt: skip


def of_their_own():
    """Areas whose briefings hold sentences that most do not: flagged, broken, of a footprint."""
    year = caveats.latest("ehc_plans")
    grown = series.growth(series.COMPARABLE, year)
    units = grown.loc[
        (grown["caveat"] != "") | grown["area_code"].str.contains("+", regex=False), "area_code"
    ]
    return {
        *caveats.flagged("ehc_plans", year).index,
        *caveats.flagged("placements", year, category="special / all").index,
        *caveats.flagged(
            "timeliness", caveats.latest("timeliness"), category=series.IN_TIME
        ).index,
        *units.str.split("+", regex=False).explode(),
    } & set(areas.current())  # fmt: skip


@pytest.fixture
def widest():
    """A forecast of places in numbers as wide as those of the largest authority."""
    return pd.DataFrame({
        "kind": views.EVERY, "phase": "all", "year": 2026, "in_use": 9000.0, "capacity": 9500.0,
        "demand": 10_100.0, "demand_low_80": 9_990.0, "demand_high_80": 10_499.6,
        "probability": 99.4,
    }, index=[0])  # fmt: skip


def test_every_briefing_is_one_a4_page(monkeypatch, fresh_page, tmp_path, widest):
    """Those with sentences of their own, the most plans, and England.

    All others say the same sentences with smaller numbers: the tallest of these, with the name and
    the neighbours of each.
    """
    monkeypatch.setattr(chart.Chart, "picture", box)
    told = views.forecast  # says why there is none
    monkeypatch.setattr(
        views, "forecast", lambda code: told(code) if caveats.unplaced(code) else widest
    )
    found = {"verdict": [verdicts.REPRODUCED] * 24 + [verdicts.BROKEN] * 9, "same_as": ""}
    monkeypatch.setattr(claimed, "recorded", lambda code: pd.DataFrame(found))
    codes = areas.current()
    plans = series.totals(codes).query("year == year.max()").sort_values("plans")["area_code"]
    chosen = {*of_their_own(), *plans.tail(1)}
    names = [(escape(code.name), [escape(it.name) for it in code.neighbours]) for code in codes]
    codes = [areas.ENGLAND, *map(areas.find, sorted(chosen))]
    pages = [briefing.html(code, DAY, tmp_path) for code in codes]
    styles = "".join(re.findall(r"<style>.*?</style>", pages[0], re.DOTALL))
    bodies = [re.search(r"<body>(.*)</body>", page, re.DOTALL)[1] for page in pages]
    sheets = "".join(f'<div class="a4">{body}</div>' for body in bodies)
    path = tmp_path / "all.html"
    path.write_text(f"{styles}<style>.a4 {{ break-after: page }}</style>{sheets}", "utf-8")
    page = fresh_page(path)
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == len(codes)
    page.set_viewport_size({"width": int(WIDTH / 25.4 * 96), "height": 1000})
    page.emulate_media(media="print")
    tall = page.locator(".a4").evaluate_all("its => its.map(it => it.offsetHeight)")
    assert max(tall) / 96 * 25.4 < HEIGHT - SPARE, codes[tall.index(max(tall))]
    over = page.locator(".tile, .pictures figure").evaluate_all(
        "its => its.filter(it => it.scrollWidth > it.clientWidth + 1).map(it => it.innerText)"
    )
    assert over == []
    most = tall.index(max(tall))
    own = escape(codes[most].name)
    renamed = page.locator(".a4").nth(most).evaluate(RENAMED, [own, names])
    assert len(renamed) == 153 and renamed[[name for name, _ in names].index(own)] == max(tall)
    assert max(renamed) / 96 * 25.4 < HEIGHT - SPARE, names[renamed.index(max(renamed))]
    page.emulate_media(media="screen")
    for width in (360, 768, 1000, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 1000})
        assert max(page.locator(".tiles").evaluate_all(HOLES)) < 1, width


def test_the_tiles_answer_for_bury():
    """Read off the releases: 2,804 plans, 293 of 296 in time; the forecast is that of page 03."""
    things = [
        *briefing.growth.things("E08000002"),
        *briefing.forecasting.things("E08000002"),
        capacity.in_time("E08000002"),
    ]
    tiles = {thing.label: thing for thing in things if isinstance(thing, tuple)}
    assert tiles["EHC plans in January 2025"].value == "2,804"
    assert tiles["EHC plans in January 2025"].words == (
        f"{100 * (2804 / 1617 - 1):+.0f} % since January 2019; in England "
        f"{100 * (638745 / 353995 - 1):+.0f} %."
    )
    assert tiles["EHC plans issued within 20 weeks in 2024"].value == "293 of 296"
    last = outlook.fan("E08000002").iloc[-1]
    ends = f"{last['low_80']:,.0f} to {last['high_80']:,.0f}"
    assert tiles["EHC plans forecast for January 2030"].value == ends


def test_a_chance_stands_only_where_one_has_been_shown_to_tell_something(widest):
    said = capacity.places(widest)
    assert said.label == "Chance that more specialist places are needed in January 2026"
    assert said.value == capacity.chance(said.figure.number) == "over 90 %"
    assert said.words.startswith(
        "9,990 to 10,500 specialist places are likely to be needed, a range such as held in"
    )
    assert capacity.places(widest.assign(demand=6.0)).figure.number is None
    few = capacity.places(widest.assign(demand=6.0, demand_low_80=2.4, demand_high_80=8.0))
    assert few.value == "2 to 8" and "%" not in few.words
    assert few.words.endswith("No chance is given (fewer than 10 places).")


def test_what_cannot_be_said_has_its_reason():
    newham = [thing for thing in briefing.growth.things("Newham") if isinstance(thing, tuple)]
    assert [tile.value for tile in newham] == ["1,199", "not ranked"]
    assert "fault of recording" in newham[0].words
    assert [tile.value for tile in briefing.forecasting.things("Newham")] == ["none"]
    assert capacity.things("Newham")[0].value == "none forecast"
    assert capacity.in_time("E09000001").value == "not told"
    cumberland = briefing.growth.things("Cumberland")[0]
    assert cumberland.words.startswith("With Westmorland and Furness, ")


def test_as_html_and_as_pdf_of_the_same_bytes(monkeypatch, tmp_path):
    monkeypatch.setattr(briefing, "html", lambda code, *_: f"<title>{code}</title><p>A page")
    done = []
    for name in ("first", "second"):
        written, why = briefing.write(["bury"], tmp_path / name, DAY)
        if why:
            pytest.skip(why)
        assert [path.name for path in written] == ["bury-briefing.html", "bury-briefing.pdf"]
        done.append([path.read_bytes() for path in written])
    assert done[0] == done[1]
    assert done[0][1].startswith(b"%PDF") and b"(D:20260131000000" in done[0][1]


def test_without_a_browser_a_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(briefing, "html", lambda code, *_: "<p>A page")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(briefing.BROWSER, raising=False)
    written, why = briefing.write(["bury"], tmp_path, DAY)
    assert [path.name for path in written] == ["bury-briefing.html"]
    assert why.startswith("No PDF: ") and "\n" not in why and "--browser" in why
    with pytest.raises(ParameterError, match="No browser 'netscape'"):
        briefing.write(["bury"], tmp_path, DAY, browser="netscape")
    monkeypatch.setenv(briefing.BROWSER, "/bin/true")
    with pytest.raises(ParameterError, match="/bin/true did not print"):
        briefing.write(["bury"], tmp_path, DAY)


def test_the_day_is_that_of_the_run_or_the_one_that_is_given(monkeypatch):
    monkeypatch.setenv(edition.EPOCH, "1769860000")  # 31 January 2026, 11:46 UTC
    assert edition.edition_of().rendered == "31 January 2026"
    assert edition.edition_of("2025-12-01").rendered == "1 December 2025"
    for day, epoch in (("yesterday", "0"), (None, "soon"), (None, "9" * 30)):
        monkeypatch.setenv(edition.EPOCH, epoch)
        with pytest.raises(ParameterError, match="that is no day"):
            edition.edition_of(day)


def test_the_commit_is_that_of_the_code():
    asked = ["git", "rev-parse", "--short", "HEAD"]
    head = subprocess.run(asked, capture_output=True, text=True, cwd=Path(briefing.__file__).parent)
    if head.returncode:
        pytest.skip("no repository")
    assert DAY.commit.removesuffix(", changed") == head.stdout.strip()
    assert DAY.package == f"send_analysis {send_analysis.__version__} ({DAY.commit})"
