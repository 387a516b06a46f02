"""Pages in a browser, a tiny report and Bury's real one, each made once."""

from pathlib import Path

import pytest

from send_analysis.report import render

TINY = Path(__file__).parent / "notebooks" / "01_tiny.ipynb"


@pytest.fixture(scope="session")
def tiny() -> Path:
    return TINY


@pytest.fixture(scope="session")
def tiny_report(tmp_path_factory):
    out = tmp_path_factory.mktemp("tiny")
    return render.render(["Bury"], out, notebooks=[TINY])


@pytest.fixture(scope="session")
def bury_report(tmp_path_factory):
    return render.render(["Bury"], tmp_path_factory.mktemp("bury"))


@pytest.fixture(scope="module")
def fresh_page(browser):
    """Open a file with the network cut; the page keeps every request and complaint it makes."""
    contexts = []

    def opened(path, width=1280):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, offline=True, locale="en-GB"
        )
        contexts.append(context)
        page = context.new_page()
        page.requested, page.complaints = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(Path(path).resolve().as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def open_page(fresh_page):
    """Open a file with everything unfolded, once a width, for tests that only look."""
    kept = {}

    def opened(path, width=1280):
        if (path, width) not in kept:
            kept[path, width] = fresh_page(path, width)
            kept[path, width].evaluate(
                "document.querySelectorAll('details').forEach(it => it.open = true)"
            )
        return kept[path, width]

    return opened
