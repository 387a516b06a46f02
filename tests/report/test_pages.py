"""What a reader meets: every page opened in a browser with the network cut."""

import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from reading import frames, soup_of

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": TAGS, "resultTypes": ["violations"]}  # what passed takes long to tell
A4_AT_96_DPI = (595.276, 841.890)  # points; the PDF's media box


@pytest.fixture(scope="session", params=["tiny_report", "bury_report"])
def pages(request):
    return request.getfixturevalue(request.param)["path"].tolist()


def test_axe_finds_no_violation(pages, fresh_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for path in pages:
        page = fresh_page(path)
        # Long tables take axe minutes and tell it nothing new after their first rows.
        page.evaluate(
            "document.querySelectorAll('details').forEach(it => it.open = true);"
            "document.querySelectorAll('tbody tr:nth-child(n + 5)').forEach(it => it.remove())"
        )
        # All pages share one style sheet: narrow, the index and one page show what it does.
        for width in (1280, 320) if path in pages[:2] else (1280,):
            page.set_viewport_size({"width": width, "height": 900})
            found = axe.run(page, options=OPTIONS).response["violations"]
            told = [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
            assert not told, f"{path} at {width} px: {told}"


def test_axe_would_find_what_is_wrong(tiny_report, fresh_page):
    """The check above can fail: take away what the page does right."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = fresh_page(tiny_report["path"].iloc[-1])
    page.evaluate(
        "document.querySelector('img').removeAttribute('alt');"
        "document.documentElement.removeAttribute('lang');"
        "document.querySelector('.text p').style.color = '#bbb';"
        "document.querySelector('h2').outerHTML = '<h4>x</h4>'"
    )
    found = {rule["id"] for rule in axe.run(page, options=OPTIONS).response["violations"]}
    assert {"image-alt", "html-has-lang", "color-contrast", "heading-order"} <= found


def test_no_request_leaves_the_page(pages, open_page):
    for path in pages:
        page = open_page(path)
        away = [url for url in page.requested if not url.startswith(("file:", "data:"))]
        assert away == [], path
        assert len([url for url in page.requested if url.startswith("file:")]) == 1, path
        assert page.complaints == [], path
        assert page.locator("script, link, iframe, object, embed").count() == 0, path


def test_pictures_are_drawn_and_described(pages, open_page):
    for path in pages[1:]:
        page = open_page(path)
        pictures = page.evaluate(
            "[...document.images].map(it => [it.alt, it.complete && it.naturalWidth > 0])"
        )
        texts = [text for text, _ in pictures]
        assert all(drawn for _, drawn in pictures), path
        assert len(set(texts)) == len(texts), path
        for text in texts:
            assert len(text) >= 40 and re.search(r"\d", text), text
            assert not re.search(r"no description|image|untitled|alt text", text, re.IGNORECASE)


def test_structure(pages, open_page):
    for path in pages:
        page = open_page(path)
        levels = page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(it => +it.tagName[1])"
        )
        assert levels[0] == 1 and levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert page.evaluate("document.documentElement.lang") == "en-GB"
        assert "Bury" in page.title()
        for landmark in ("main", "body > header", "body > footer"):
            assert page.locator(landmark).count() == 1, (path, landmark)
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(it => it.id)")
        assert len(set(ids)) == len(ids), path


def test_contents_lead_to_every_section(pages, open_page):
    for path in pages[1:]:
        page = open_page(path)
        entries = page.evaluate(
            "[...document.querySelectorAll('.contents a')].map(it => [it.textContent, it.hash])"
        )
        for text, anchor in entries:
            assert page.locator(f".text {anchor}").inner_text() == text, path
        assert page.locator(".text h2, .text h3").count() == len(entries) > 0, path


def test_skip_link_is_first_and_shows_when_focused(tiny_report, fresh_page):
    page = fresh_page(tiny_report["path"].iloc[-1])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the main text"
    box = page.locator(".skip").bounding_box()
    assert box["width"] > 100 and box["height"] > 20
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_data_table_opens_by_keyboard(tiny_report, fresh_page):
    page = fresh_page(tiny_report["path"].iloc[-1])
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.data table").first.is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Table: ")


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_page_does_not_scroll_sideways(pages, open_page, width):
    for path in pages:
        page = open_page(path, width)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path}: {wide} px on a screen of {width} px"


def test_what_scrolls_takes_the_keyboard_and_has_a_name(pages, open_page):
    for path in pages:
        page = open_page(path, 320)
        unnamed = page.evaluate(
            "[...document.querySelectorAll('main *, footer *')]"
            ".filter(it => it.scrollWidth > it.clientWidth + 1 && "
            "  getComputedStyle(it).overflowX == 'auto')"
            ".filter(it => it.tabIndex != 0).map(it => it.outerHTML.slice(0, 120))"
        )
        assert unnamed == [], path


def test_line_length(pages, open_page):
    for path in pages:
        page = open_page(path, 1280)
        longest = page.evaluate(
            "Math.max(0, ...[...document.querySelectorAll('.text > p')].map(it => {"
            "  const probe = document.createElement('span'); probe.textContent = '0'.repeat(10);"
            "  it.append(probe); const ten = probe.getBoundingClientRect().width; probe.remove();"
            "  return it.getBoundingClientRect().width / ten * 10; }))"
        )
        assert longest <= 72, path


def test_print_fits_a4(pages, fresh_page):
    for path in pages:
        page = fresh_page(path)
        if path in pages[:2]:  # one style sheet has the size of the sheet
            boxes = re.findall(
                rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", page.pdf(prefer_css_page_size=True)
            )
            assert boxes
            for box in boxes:
                assert [float(side) for side in box] == pytest.approx(A4_AT_96_DPI, abs=1)
        # 178 mm: A4 less the margins of the style sheet. What is wider would be cut off or
        # make the browser shrink the page.
        page.set_viewport_size({"width": int(178 / 25.4 * 96), "height": 1000})
        page.emulate_media(media="print")
        over = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(it => it.getClientRects().length && "
            "  it.getBoundingClientRect().right > innerWidth + 1 && "
            "  getComputedStyle(it).clipPath == 'none')"
            ".map(it => it.outerHTML.slice(0, 120))"
        )
        assert over == [], path
        assert page.locator(".skip, .contents, details, .download").evaluate_all(
            "its => its.filter(it => it.checkVisibility()).length"
        ) == 0, path  # fmt: skip


def test_downloads_hold_the_tables_beside_them(pages):
    for path in pages[1:]:
        links = soup_of(Path(path)).select("a[download]")
        assert links, path
        for link in links:
            assert link["download"].endswith(".csv")
            assert link["href"].startswith("data:text/csv;charset=utf-8;base64,")
            (frame,) = frames(link.parent)
            shown = next(around.table for around in link.parents if around.table)
            assert len(shown.thead.find_all("th")) == frame.shape[1], path
            assert len(shown.tbody.find_all("tr")) == min(len(frame), 500), path


def test_download_is_the_frame_itself(tiny_report, fresh_page):
    page = fresh_page(tiny_report["path"].iloc[-1])
    with page.expect_download() as waiting:
        page.locator("details.data summary").first.click()
        page.locator("a[download]").first.click()
    file = waiting.value
    assert file.suggested_filename == "plans-rose-by-175-in-two-years.csv"
    frame = pd.read_csv(file.path(), index_col="January")
    expected = pd.DataFrame(
        {"plans": [1200, None, 1375], "rate_per_1,000": [27.25, 28.5, 30.125]},
        index=pd.Index([2023, 2024, 2025], name="January"),
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_every_chart_has_source_data_and_download(pages, open_page):
    for path in pages[1:]:
        page = open_page(path)
        charts = page.locator(".chart")
        for part in ("figure img", "figure > figcaption .source", "details table caption",
                     "details a[download]"):  # fmt: skip
            with_part = page.locator(f".chart:has({part})")
            assert with_part.count() == charts.count(), (path, part)
        tables = page.locator("table:has(th)")
        assert page.locator("tbody th:not([scope=row])").count() == 0
        assert tables.count() == page.locator("table").count()
        assert page.locator(".table:has(.source):has(a[download])").count() == (
            page.locator(".table").count()
        )
