"""The index of all areas: its figures, and search and sort by keyboard."""

import base64
import io
import re
from itertools import pairwise

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from send_analysis import areas, caveats, tables, terms
from send_analysis.capacity import words
from send_analysis.forecasting import outlook
from send_analysis.growth import panel, series
from send_analysis.growth import words as growth_words
from send_analysis.report import england, index, regions
from send_analysis.report.edition import edition_of

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
    day = edition_of("2026-01-31")
    label = words.chance_in(caveats.latest("placements") + 1)
    figure = {"label": label, "words": "", "tables": ["placements"]}
    made = {
        "E08000002": {"more_needed": figure | {"value": "91 %", "number": 91.26}},
        "E06000060": {"more_needed": figure | {"value": "40 %", "number": 40.4}},
    }
    return index.write(told, tmp_path_factory.mktemp("index"), day, made=made)


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
    code = areas.find(area)
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
    row = summary.loc[areas.find(area)]
    for column, of in (
        ("expected", "median"),
        ("expected_low", "low_80"),
        ("expected_high", "high_80"),
    ):
        assert row["plans"] * (1 + row[column] / 100) == pytest.approx(last[of])


def test_faults_of_a_region_are_its_own_and_those_of_its_authorities(summary):
    """North West: none of its own; nine authorities, Blackpool to Wigan, have one each."""
    found = tables.load("quality")["area_code"]
    known = tables.load("areas").set_index("area_code")
    wider = regions.summary().set_index("area_code")
    for code in wider.index:
        within = known.index[known["region_code"] == code]
        assert wider.loc[code, "faults"] == found.isin([code, *within]).sum()
        assert wider.loc[code, "faults"] >= summary.loc[summary.index.isin(within), "faults"].sum()
    assert wider.loc["E12000002", "faults"] == 9
    assert summary.loc[areas.ENGLAND, "faults"] == len(found)


def test_changed_boundaries_have_the_growth_of_their_footprint(summary):
    both = summary.loc[["E06000061", "E06000062"]]
    assert both["growth"].nunique() == 1
    assert set(both["footprint"]) == {"North Northamptonshire and West Northamptonshire"}
    assert summary.loc["E08000002", "footprint"] == ""


def test_axe_finds_no_violation_and_nothing_is_wider_than_a_phone(page_path, fresh_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = fresh_page(page_path, 1280)
    page.locator("#search").fill("north west")
    page.locator(".areas thead button").nth(3).click()
    page.locator("input[type=radio]").nth(2).check()
    page.locator("details").evaluate_all("its => its.forEach(it => it.open = true)")
    found = axe.run(page, options={"runOnly": TAGS}).response["violations"]
    told = [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    assert not told
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.complaints == []
    assert [url for url in page.requested if not url.startswith("file:")] == []


def test_search_and_sort_by_keyboard(page_path, fresh_page):
    page = fresh_page(page_path)
    everyone = names(page)
    assert len(everyone) == 153 and everyone == sorted(everyone)
    page.locator("#search").focus()
    page.keyboard.type("st hel")
    assert names(page) == ["St. Helens"]
    assert page.locator(".status").inner_text() == "1 of 153 areas"
    assert not page.locator("tbody.national tr").is_visible()
    for typed, found in (
        ("Kensington & Chelsea", "Kensington and Chelsea"),
        ("stoke on trent", "Stoke-on-Trent"),
        ("RBKC", "Kensington and Chelsea"),
        ("BCP", "Bournemouth, Christchurch and Poole"),
        ("hull", "Kingston upon Hull"),
    ):
        page.locator("#search").fill(typed)
        assert names(page) == [found]
        assert not page.locator("tbody.national tr").is_visible()
    page.locator("#search").fill("engl")
    assert page.locator("tbody.national tr").is_visible() and "Essex" in names(page)
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
    heading = page.locator(".areas thead th").nth(2)
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator(".areas thead [aria-sort]").count() == 1
    assert "highest first" in page.locator(".status").inner_text()
    page.keyboard.press("Enter")
    assert names(page)[0] == areas.name(plans["area_code"].iloc[0])
    assert heading.get_attribute("aria-sort") == "ascending"
    assert page.locator("tbody.national th").inner_text() == "England"


def test_missing_figures_are_last_both_ways(page_path, fresh_page):
    page = fresh_page(page_path)
    button = page.locator(".areas thead button").nth(5)
    for _ in range(2):
        button.click()
        shown = page.locator(f"{ROWS} td:nth-child(6)").all_inner_texts()
        assert shown[-1] == "flagged" and shown[0] != "flagged"


def test_areas_with_a_report_are_links_and_failures_are_listed(page_path, fresh_page):
    page = fresh_page(page_path)
    links = page.locator("table.areas a")
    assert links.evaluate_all("its => its.map(it => it.getAttribute('href'))") == [
        "buckinghamshire/index.html",
        "bury/index.html",
    ]
    assert page.locator(".failed li").inner_text() == "Hull <1>: a < b\nhere"


def test_the_map_and_the_table_say_the_same_of_every_measure(page_path, fresh_page, summary):
    page = fresh_page(page_path)
    cells = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('tbody.local tr')].map(row =>"
        " [row.dataset.code, [...row.cells].map(it => [it.dataset.value, it.innerText])]))"
    )
    for at, column in enumerate(("growth", "rate", "in_time", "expected", "more_needed")):
        page.locator("input[type=radio]").nth(at).check()
        shown = page.locator(".map svg path[role]").evaluate_all(
            "its => its.map(it => [it.dataset.code, it.getAttribute('aria-label'),"
            " Number(it.getAttribute('class').split('-')[1])])"
        )
        assert len(shown) == 153
        place = 3 + at
        kinds = {}
        for code, label, kind in shown:
            value, text = cells[code][place]
            assert label == f"{areas.name(code)}: {text}"
            kinds.setdefault(kind, []).append(float(value) if value else text)
        without, classes = ("no report", 2) if column == "more_needed" else ("n/a", 5)
        assert set(kinds.pop(5, [without])) == {without}
        assert set(kinds.pop(6, ["flagged"])) == {"flagged"}
        ends = [(min(kinds[kind]), max(kinds[kind])) for kind in sorted(kinds)]
        assert len(ends) == classes and all(a[1] <= b[0] for a, b in pairwise(ends))
        key = page.locator(".key:visible .count").all_inner_texts()
        assert sum(int(text.strip("()")) for text in key) == 153
        lowest = "E06000060"
        if column in summary:
            lowest = summary.loc[summary["plans"] > 100, column][1:].astype(float).idxmin()
        assert areas.name(lowest) in page.locator(".pattern:visible").inner_text()


def test_no_end_is_of_an_authority_whose_page_says_that_its_middle_is_no_answer(page_path):
    """Isles of Scilly: 17 plans in January 2025, one issued in 2024; City of London: 26 plans."""
    for path in sorted(page_path.parent.glob("*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        titles = page.select("figure.map .figure-title")
        assert len(titles) >= 4
        for title in titles:
            assert not re.search("Scilly|City of London", title.get_text())
        for told in page.select("p.pattern"):
            named, _, small = told.get_text().rpartition(" Left out of the ends ")
            if path == page_path and small:
                assert not re.search(r"\d in the (Isles|City)", named)
            assert set(re.findall("Isles of Scilly|City of London", small)) <= {
                row.th.find(string=True) for row in page.select("tbody.local tr")
            }
        for row in page.select("tbody.local tr[data-code=E06000053]"):
            assert row.select("td")[4].get_text() == "100 (1 of 1)"
    assert "100 in 5 authorities" in page_path.read_text(encoding="utf-8")


def test_chances_that_read_alike_are_one_number():
    label = words.chance_in(caveats.latest("placements") + 1)
    figure = {"label": label, "value": "over 90 %", "words": "", "tables": ["placements"]}
    codes = ["E08000002", "E06000060"]
    made = {
        code: {"more_needed": figure | {"number": number}}
        for code, number in zip(codes, (97.4, 92.7), strict=True)
    }
    found = england.with_chances(england.summary(), made).set_index("area_code")
    assert found.loc[codes, "more_needed"].tolist() == [91, 91]


def test_the_map_is_one_tab_stop_and_arrows_go_from_area_to_area(page_path, fresh_page):
    page = fresh_page(page_path)
    assert page.locator(".map svg [tabindex='0']").count() == 1
    page.locator(".map svg path[data-code=E08000002]").focus()
    gone = []
    for key in ("ArrowRight", "ArrowLeft", "ArrowDown", "End", "ArrowUp"):
        page.keyboard.press(key)
        gone.append(page.evaluate("document.activeElement.dataset.code"))
    assert areas.name(gone[0]) == "Rochdale"  # east of Bury
    assert gone[1] == "E08000002" and areas.name(gone[3]) == "York"
    assert page.locator(".map svg [tabindex='0']").get_attribute("data-code") == gone[-1]
    page.locator(".map svg path[data-code=E08000002]").hover()
    told = page.locator(".pointed")
    assert told.inner_text().startswith("Bury") and "%: +73" in told.inner_text()
    assert told.locator("a").get_attribute("href") == "bury/index.html"


def test_the_table_is_there_as_csv_with_its_sources(page_path, summary):
    link = re.search(r'download="send_local_authorities.csv" href="[^"]*,([^"]*)"',
                     page_path.read_text(encoding="utf-8"))  # fmt: skip
    text = base64.b64decode(link[1]).decode("utf-8-sig")
    table = pd.read_csv(io.StringIO(text), comment="#").set_index("area_code")
    pd.testing.assert_series_equal(table["plans"], summary["plans"], check_dtype=False)
    assert table.loc["E08000002", "growth"] == pytest.approx(73.4, abs=0.05)
    assert "\n# Source: Education, health and care plans" in text
    assert all(f"\n# {column}: " in text for column in table)


def test_each_csv_is_called_what_it_holds_and_every_column_says_what_it_is(page_path):
    for path in [page_path, *page_path.parent.glob("region-*.html")]:
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        link = page.select_one("a[download^=send_]")["href"]
        text = base64.b64decode(link.partition(",")[2]).decode("utf-8-sig")
        table = pd.read_csv(io.StringIO(text), comment="#")
        assert text.startswith(f"# {page.h1.get_text()}: ")
        local = table[table["area_code"] != areas.ENGLAND]
        assert len(local) == len(page.select("tbody.local tr"))
        said = dict(re.findall(r"^# (\w+): (.*)$", text, re.MULTILINE))
        for column in set(table) - {"region"}:
            assert len(said[column]) > len(terms.heading(column)), column
        assert "lower end of its 80 % interval" in said["expected_low"]


def test_regions_are_those_of_the_release():
    """Bury's region in January 2025, by its plans and the residents of mid-2024 (ONS)."""
    frame = regions.regions().query("year == 2025").set_index("area")["rate"]
    assert len(frame) == 10
    plans = tables.load("ehc_plans").query("age_band == 'all' and year == 2025")
    plans = plans.set_index("area_code")["plans"]["E12000002"]
    people = tables.load("population").query("year == 2024 and age <= 25")
    known = tables.load("areas").query("region_code == 'E12000002'")["area_code"]
    people = people[people["area_code"].isin(known)]["people"].sum()
    assert frame["North West"] == pytest.approx(1000 * plans / people)


def test_no_title_about_regions_or_kinds_hangs_on_a_flagged_return():
    """Newham returned 1,199 plans in January 2025 after 2,705 (Department for Education).

    Without its plans and its residents England has 36.0 plans per 1,000, more than the North East.
    """
    flagged = areas.find("Newham")
    plans = tables.load("ehc_plans").query("age_band == 'all' and year == 2025")
    plans = plans.set_index("area_code")["plans"].reindex(areas.current()).drop(flagged)
    people = tables.load("population").query("year == 2024 and age <= 25")
    people = people.groupby("area_code")["people"].sum().reindex(plans.index)
    known = tables.load("areas").set_index("area_code")
    whole = 1000 * plans.sum() / people.sum()
    assert whole == pytest.approx(36.0, abs=0.05)
    for frame, what, group in (
        (regions.regions(), "regions", known["region_code"].map(known["area"])),
        (regions.kinds(), "kinds of authorities", known["footprint"].str[:3].map(regions.KINDS)),
    ):
        rates = 1000 * plans.groupby(group).sum() / people.groupby(group).sum()
        chart = regions.beside_england(frame, what)
        assert chart.title.startswith(f"{(rates > whole).sum()} of {len(rates)} {what} ")
        for name, word in ((rates.idxmax(), "most"), (rates.idxmin(), "least")):
            assert re.search(rf"{rates[name]:.1f} in (the )?{name}( is)? the {word}", chart.title)
        assert f"without Newham England has {whole:.1f}" in chart.note


def test_regions_count_as_faster_and_slower_what_page_02_calls_so():
    """One answer: the sentences of the areas' own pages, and 5 and 4 of 148 in docs/growth.md."""
    told = panel.growth_ratios().set_index("area")
    said = {name: growth_words.beyond_chance(told.loc[[name]].reset_index()) for name in told.index}
    ways = dict.fromkeys(("faster", "slower"), 0)
    for region in regions.codes():
        frame = regions.within(region)
        own = frame[frame["role"] == "authority"]
        title = regions.compared(frame, region).title
        counts = {
            way: sum(f"That is {way} than England by more" in said[name] for name in own["area"])
            for way in ways
        }
        assert f"in {counts['faster'] or 'none'} of {len(own)} areas of" in title
        assert title.endswith(f", slower in {counts['slower'] or 'none'}")
        ways = {way: ways[way] + counts[way] for way in ways}
    assert ways == {"faster": 5, "slower": 4}


def test_kinds_of_authorities_add_up_to_england():
    """Plans of England's 153 authorities in January 2025 (Department for Education): 638,745."""
    frame = regions.kinds()
    last = frame[frame["year"] == 2025].set_index("area")
    assert set(last.index) == {*regions.KINDS.values(), "England"}
    assert frame.groupby("year")["area"].count().eq(5).all()
    plans = tables.load("ehc_plans").query("age_band == 'all' and year == 2025")
    plans = plans.set_index("area_code")["plans"].reindex(areas.current())
    people = tables.load("population").query("year == 2024 and age <= 25")
    people = people.groupby("area_code")["people"].sum().reindex(areas.current())
    assert plans.sum() == 638_745
    london = plans.index.str.startswith("E09")
    rate = 1000 * plans[london].sum() / people[london].sum()
    assert last.loc["London boroughs", "rate"] == pytest.approx(rate)
    assert last.loc["London boroughs", "holds"] == "Newham"
    inside = last["rate"].drop("England")
    assert inside.min() < last.loc["England", "rate"] < inside.max()


def test_each_region_has_a_page_of_its_authorities(page_path, fresh_page, summary):
    page = fresh_page(page_path)
    links = page.locator("table.wider a").evaluate_all("its => its.map(it => it.href)")
    assert len(links) == 9
    known = tables.load("areas").query("region_code == 'E12000002'")["area_code"]
    page.goto(next(link for link in links if link.endswith("region-north-west.html")))
    codes = page.locator(ROWS).evaluate_all("its => its.map(it => it.dataset.code)")
    assert set(codes) == set(known) & set(areas.current())
    assert page.locator(".map svg path[role]").count() == len(codes)
    wider = page.locator("tbody.national tr").evaluate_all(
        "its => its.map(it => [...it.cells].map(cell => cell.innerText))"
    )
    assert [row[0] for row in wider] == ["England", "North West"]
    both = [92_839, 47_353]  # North West, January 2025 and 2019 (Department for Education)
    assert wider[1][2:4] == [f"{both[0]:,}", f"{100 * (both[0] / both[1] - 1):+.0f}"]
    assert page.locator("header a").get_attribute("href") == "index.html"
    assert page.complaints == []


def test_the_table_in_sentences(summary):
    told = england.story(england.summary())
    assert told[0].startswith(
        f"638,745 children and young people in England had an EHC plan in January 2025, "
        f"{100 * (638745 / 353995 - 1):.0f} % more than in January 2019"
    )
    timed = summary["in_time"][1:].dropna()
    assert f"in {(timed < 50).sum()} of {len(timed)} authorities" in told[2]
    assert "Newham" in told[-1]


def test_without_script_the_map_and_the_table_are_whole(page_path, browser):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(page_path.resolve().as_uri())
    assert page.locator("table.areas tbody tr").count() == 154
    assert not page.locator("form.search").is_visible()
    assert page.locator(".areas thead button").count() == 0
    context.close()
