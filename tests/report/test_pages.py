"""What a reader meets: every page opened in a browser with the network cut."""

import base64
import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from reading import frames, soup_of

from send_analysis.report import page as page_of

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": TAGS, "resultTypes": ["violations"]}  # what passed takes long to tell
NO_COLOURS = {"color-contrast": {"enabled": False}}
UNFOLD = "open => document.querySelectorAll('details').forEach(it => it.open = open)"
A4_AT_96_DPI = (595.276, 841.890)  # points; the PDF's media box


MOST_STOPS = 42  # of the keyboard
# What is out of view on a page: its width, texts outside of it or under another, tables and
# pictures that are wider than their box, boxes that scroll but not by keyboard; and its stops.
SEEN = """() => {
  const all = (path) => [...document.querySelectorAll(path)].filter(it => it.checkVisibility());
  const told = (its) => its.map(it => it.outerHTML.slice(0, 120));
  const box = (it) => it.getBoundingClientRect();
  const texts = all("main :is(h1, h2, h3, h4, p, li, dt, dd, th, td, caption strong, summary)")
    .filter(it => !it.querySelector("p, li, dl, table") && it.innerText.trim());
  const inView = texts.filter(it => !it.closest(".scroll, pre"));
  const under = texts.slice(1).filter((it, i) => {
    const [a, b] = [box(texts[i]), box(it)];
    return !texts[i].contains(it) && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2
      && ![it, texts[i]].some(one => one.closest("details .scroll"));
  });
  const scrolls = all("main *, footer *").filter(it => it.scrollWidth > it.clientWidth + 1
    && getComputedStyle(it).overflowX == "auto");
  return {
    wide: document.documentElement.scrollWidth,
    outside: told(inView.filter(it => box(it).left < 0 || box(it).right > innerWidth)),
    under: told(under),
    cut: told([...scrolls.filter(it => !it.closest("details")),
      ...all(".picture img").filter(it => box(it).right > innerWidth)]),
    unnamed: told(scrolls.filter(it => it.tabIndex != 0 && !it.querySelector("summary"))),
    stops: all("a[href], summary, [tabindex='0'], button, input, select").length,
  };
}"""
# Rows of a table that read the same on a screen, though another column tells them apart.
SAME_ROWS = """() => [...document.querySelectorAll("table")].filter(it => it.checkVisibility())
  .flatMap(table => {
    const rows = [...table.tBodies].flatMap(it => [...it.rows]).map(it => [...it.cells]);
    const texts = (cells) => cells.map(it => it.textContent).join("|");
    const seen = rows.map(it => texts(it.filter(cell => cell.checkVisibility())));
    return new Set(seen).size < new Set(rows.map(texts)).size ? [table.caption.textContent] : [];
  })"""
# Boxes of the texts of each chart: those under another, and those that its edge cuts off.
TEXTS_OF_CHARTS = """() => [...document.images].filter(it => it.src.includes("svg+xml")).map(it => {
  const holder = document.createElement("div");
  const drawn = new TextDecoder().decode(
    Uint8Array.from(atob(it.src.split(",")[1]), one => one.charCodeAt(0)));
  holder.innerHTML = drawn;
  const svg = holder.querySelector("svg");
  document.body.append(svg);
  const edge = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("g[id^=text_]")].map(one => one.getBoundingClientRect());
  svg.remove();
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  // Matplotlib sets its outlines, drawn at 100 points, by "scale(0.09 -0.09)".
  const type = 100 * Math.min(...[...drawn.matchAll(/scale\\(([0-9.]+) -/g)].map(one => one[1]));
  const high = type * 4 / 3 * it.width / it.naturalWidth;
  return {alt: it.alt, high, problems: texts.flatMap((a, i) => [
    ...texts.slice(i + 1).filter(b => over(a, b)).map(b => ["under", i]),
    ...(a.left < edge.left - 1 || a.right > edge.right + 1 ? [["cut", i]] : []),
  ])};
})"""
# Exhibits that a sheet's end cuts, and headings that are parted from what follows.
SHEETS = """() => {
  const [wide, gap, high] = [178, 20, 270].map(it => it * 96 / 25.4);
  document.body.style.cssText = `width: ${wide}px; height: ${high}px; columns: ${wide}px; `
    + `column-gap: ${gap}px; column-fill: auto; margin: 0`;
  const sheet = (box) => Math.floor((box.left + gap / 2) / (wide + gap));
  const all = (path) => [...document.querySelectorAll(path)].filter(it => it.checkVisibility());
  const parted = (it) => new Set([...it.getClientRects()].map(sheet)).size > 1;
  const flow = all("h1, h2, h3, h4, p, li, figure, tr");
  const heads = all("h2, h3, h4, .figure-title, .subtitle, caption, thead").filter(head => {
    const next = flow.find(it => head.compareDocumentPosition(it) & 4 && !head.contains(it));
    return next && sheet([...head.getClientRects()].pop()) != sheet(next.getClientRects()[0]);
  });
  const told = (its) => its.map(it => it.textContent.slice(0, 80));
  return {
    sheets: Math.ceil(document.body.scrollWidth / (wide + gap)),
    cut: told(all("figure, .note, .finding, tr, .tile").filter(parted)),
    orphans: told(heads),
  };
}"""


@pytest.fixture(scope="session", params=["tiny_report", "bury_report"])
def pages(request):
    return request.getfixturevalue(request.param)["path"].tolist()


def test_axe_finds_no_violation(pages, fresh_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for path in pages:
        page = fresh_page(path)
        empty = "[...document.querySelectorAll('th')].filter(it => !it.textContent.trim()).length"
        assert page.evaluate(empty) == 0, path
        # Long tables take axe minutes and tell it nothing new after their first rows.
        page.evaluate(
            "document.querySelectorAll('tbody tr:nth-child(n + 3)').forEach(it => it.remove())"
        )
        # All pages share one style sheet, and colours take axe longest: the tiny report, folded
        # too, and the index show what it does, wide and narrow, light and dark.
        tiny = len(pages) == 2
        coloured = tiny or path == pages[0]
        looks = [("light", 1280), ("dark", 360)] if coloured else [("light", 1280)]
        options = OPTIONS if coloured else OPTIONS | {"rules": NO_COLOURS}
        for unfolded in (False, True) if tiny else (True,):
            page.evaluate(UNFOLD, unfolded)
            for scheme, width in looks:
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 900})
                found = axe.run(page, options=options).response["violations"]
                told = [(it["id"], [node["html"][:200] for node in it["nodes"]]) for it in found]
                assert not told, f"{path}, {scheme}, {width} px: {told}"


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
    page.locator(".chart summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.data table").first.is_visible()
    for label in ("Download as CSV", "#figure-1", "Table: "):
        page.keyboard.press("Tab")
        got = page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.innerText")
        assert got.startswith(label)


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
def test_everything_is_in_view(pages, open_page, width):
    """Measured by boxes: folded as pages are opened, at two widths unfolded too."""
    for path in pages:
        page = open_page(path, width)
        for unfolded in (False, True) if width in (360, 1280) else (False,):
            page.evaluate(UNFOLD, unfolded)
            seen = page.evaluate(SEEN)
            assert seen["wide"] <= width, f"{path}: {seen['wide']} px on a screen of {width} px"
            assert seen["outside"] == seen["under"] == seen["unnamed"] == [], path
            assert width < 360 or seen["cut"] == [], path
            assert page.evaluate(SAME_ROWS) == [], path
            if not unfolded:
                assert seen["stops"] <= MOST_STOPS, path


def test_charts_are_legible_on_a_phone(pages, open_page):
    """No text of a chart under another or cut off; its type at least 8 px high at 360 px."""
    for path in pages:
        page = open_page(path, 360)
        charts = page.evaluate(TEXTS_OF_CHARTS)
        for chart in charts:
            assert chart["problems"] == [], (path, chart["alt"])
            assert 8 < chart["high"] < 40, (path, chart["alt"])
        assert charts or path == pages[0], path


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


def test_print_leaves_no_orphans(pages, fresh_page):
    """Sheets are set as columns, which break where sheets do: their boxes can be measured."""
    for path in pages[1:3]:
        page = fresh_page(path)
        page.emulate_media(media="print")
        sheets = page.evaluate(SHEETS)
        assert sheets["sheets"] > 1
        assert sheets["cut"] == sheets["orphans"] == [], path


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
            assert re.fullmatch(r"bury-[a-z0-9-]{1,60}\.csv", link["download"])
            assert link["href"].startswith("data:text/csv;charset=utf-8;base64,")
            head = base64.b64decode(link["href"].partition(",")[2]).decode("utf-8-sig")
            assert re.search(r"^# area: Bury\n(?:#.*\n)*# source: .+\n", head, re.MULTILINE)
            told = re.findall(r"^# column (.+)$", head, re.MULTILINE)
            (frame,) = frames(link.parent)
            if len(pages) > 2:  # of the tiny one nothing is known
                assert len(told) == frame.shape[1]
                assert [one for one in told if not one.endswith(")")] == [], path
            shown = next(around.table for around in link.parents if around.table)
            assert len(shown.thead.find_all("th")) == frame.shape[1], path
            assert len(shown.tbody.find_all("tr")) == min(len(frame), 500), path


def test_download_is_the_frame_itself(tiny_report, fresh_page):
    page = fresh_page(tiny_report["path"].iloc[-1])
    with page.expect_download() as waiting:
        page.locator(".chart summary").first.click()
        page.locator("a[download]").first.click()
    file = waiting.value
    assert file.suggested_filename == "bury-plans-rose-by-175-in-two-years.csv"
    frame = pd.read_csv(file.path(), comment="#", index_col="January")
    expected = pd.DataFrame(
        {"plans": [1200, None, 1375], "rate_per_1,000": [27.25, 28.5, 30.12]},
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


def test_names_that_are_spoken_with_an_article_have_it_in_sentences():
    said = page_of.with_articles(
        "<h1>Plans in Isle of Wight</h1> more than in City of London; Hampshire and Isle of Wight; "
        "Isle of Wight has; of Bury<p>In Isle of Wight it grew. Isle of Wight has"
        "<td>Isle of Wight</td><p>City of London is"
    )
    assert said == (
        "<h1>Plans in the Isle of Wight</h1> more than in the City of London; Hampshire and Isle "
        "of Wight; Isle of Wight has; of Bury<p>In the Isle of Wight it grew. The Isle of Wight has"
        "<td>Isle of Wight</td><p>The City of London is"
    )
    assert page_of.tied("over 99 %, 1 in 5") == "over 99\u00a0%, 1 in 5"
