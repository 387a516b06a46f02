"""The index of all areas: its figures, and search and sort by keyboard."""

import pandas as pd
import pytest

from send_analysis import areas, tables
from send_analysis.forecasting import outlook
from send_analysis.growth import series
from send_analysis.report import england, index

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ROWS = "table.areas tbody.local tr:not([hidden])"


@pytest.fixture(scope="module")
def summary():
    return england.summary().set_index("area_code")


@pytest.fixture(scope="module")
def page_path(tmp_path_factory):
    told = pd.DataFrame(
        {"area": ["Bury", "Hull <1>"], "state": ["written", "failed"], "error": ["", "a < b\nhere"]}
    )
    return index.write(told, tmp_path_factory.mktemp("index"), made={"E08000002", "E06000060"})


def names(page):
    return page.locator(f"{ROWS} th").evaluate_all(
        "its => its.map(it => it.firstChild.textContent)"
    )


def test_every_authority_of_today_and_england(summary):
    assert len(summary) == 154
    assert summary.index[0] == areas.ENGLAND
    assert set(summary.index[1:]) == set(areas.current())
    assert summary["area"].iloc[1:].is_monotonic_increasing


@pytest.mark.parametrize("area", ["Bury", "England", "Hull", "Isles of Scilly", "Westminster"])
def test_figures_are_those_of_the_single_area(summary, area):
    code = areas.resolve(area)
    row = summary.loc[code]
    rates = series.rates(area).query("role == 'area'").sort_values("year").iloc[-1]
    assert (row["plans"], row["rate"]) == (rates["plans"], pytest.approx(rates["rate"]))
    times = series.timeliness(area).query("role == 'area' and year == 2024")
    if len(times):
        assert row["in_time"] == pytest.approx(times["share"].iloc[0])
    else:
        assert pd.isna(row["in_time"])
    grown = series.growth(2019, 2025).set_index("area_code")["growth"]
    assert row["growth"] == pytest.approx(grown[code])


def test_bury_read_off_the_release(summary):
    """January 2019: 1,617 plans, January 2025: 2,804 (Department for Education, June 2025)."""
    bury = summary.loc["E08000002"]
    assert bury["plans"] == 2804
    assert bury["growth"] == pytest.approx(100 * (2804 / 1617 - 1))
    found = tables.load("quality")
    assert bury["faults"] == (found["area_code"] == "E08000002").sum()


@pytest.mark.parametrize("area", ["Bury", "England", "Cumberland"])
def test_the_forecast_is_that_of_the_single_area(summary, area):
    last = outlook.fan(area).iloc[-1]
    row = summary.loc[areas.resolve(area)]
    for column, of in (
        ("expected", "median"),
        ("expected_low", "low_80"),
        ("expected_high", "high_80"),
    ):
        assert row["plans"] * (1 + row[column] / 100) == pytest.approx(last[of])


def test_changed_boundaries_have_the_growth_of_their_footprint(summary):
    both = summary.loc[["E06000061", "E06000062"]]
    assert both["growth"].nunique() == 1
    assert set(both["footprint"]) == {"North Northamptonshire and West Northamptonshire"}
    assert summary.loc["E08000002", "footprint"] == ""


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_no_violation(page_path, fresh_page, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = fresh_page(page_path, width)
    page.locator("#search").fill("north west")
    page.locator("thead button").nth(3).click()
    found = axe.run(page, options={"runOnly": TAGS}).response["violations"]
    told = [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    assert not told
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.complaints == []
    assert [url for url in page.requested if not url.startswith("file:")] == []


def test_search_and_sort_by_keyboard(page_path, fresh_page):
    page = fresh_page(page_path)
    everyone = names(page)
    assert len(everyone) == 153 and everyone == sorted(everyone)
    page.locator("#search").focus()
    page.keyboard.type("St Hel")
    assert names(page) == ["St. Helens"]
    assert page.locator(".status").inner_text() == "1 of 153 areas"
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    for _ in range(3):  # the scrolling box, then the headings "Area" and "Region"
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("Plans, January")
    page.keyboard.press("Enter")
    plans = tables.load("ehc_plans").query("age_band == 'all' and year == 2025")
    plans = plans[plans["area_code"].isin(areas.current())].sort_values("plans")
    assert names(page)[0] == areas.name(plans["area_code"].iloc[-1])
    heading = page.locator("thead th").nth(2)
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator("thead [aria-sort]").count() == 1
    assert "highest first" in page.locator(".status").inner_text()
    page.keyboard.press("Enter")
    assert names(page)[0] == areas.name(plans["area_code"].iloc[0])
    assert heading.get_attribute("aria-sort") == "ascending"
    assert page.locator("tbody.national th").inner_text() == "England"


def test_missing_figures_are_last_both_ways(page_path, fresh_page):
    page = fresh_page(page_path)
    button = page.locator("thead button").nth(5)
    for _ in range(2):
        button.click()
        shown = page.locator(f"{ROWS} td:nth-child(6)").all_inner_texts()
        assert shown[-1] == "n/a" and shown[0] != "n/a"


def test_areas_with_a_report_are_links_and_failures_are_listed(page_path, fresh_page):
    page = fresh_page(page_path)
    links = page.locator("table.areas a")
    assert links.evaluate_all("its => its.map(it => it.getAttribute('href'))") == [
        "buckinghamshire/index.html",
        "bury/index.html",
    ]
    assert page.locator(".failed li").inner_text() == "Hull <1>: a < b\nhere"


def test_without_script_the_table_is_whole(page_path, browser):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(page_path.resolve().as_uri())
    assert page.locator("table.areas tbody tr").count() == 154
    assert not page.locator("form.search").is_visible()
    assert page.locator("thead button").count() == 0
    context.close()
