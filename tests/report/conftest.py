"""Pages in a browser, a tiny report and Bury's real one, each made once."""

from functools import cache
from pathlib import Path

import pytest

from send_analysis import areas
from send_analysis.report import edition, render
from send_analysis.report import kernel as kernels
from send_analysis.report.kernel import Kernel

TINY = Path(__file__).parent / "notebooks" / "01_tiny.ipynb"


DAY = "2026-01-31"  # on all pages


@pytest.fixture(scope="session")
def tiny() -> Path:
    return TINY


@pytest.fixture(scope="session")
def tiny_report(tmp_path_factory):
    out = tmp_path_factory.mktemp("tiny")
    return render.render(["Bury"], out, notebooks=[TINY], day=DAY)


@pytest.fixture(scope="session")
def witness(tmp_path_factory):
    """File in which the kernel of `report_of` writes down what each exhibit was made from."""
    return tmp_path_factory.mktemp("witness") / "exhibits.jsonl"


@pytest.fixture(scope="session")
def report_of(tmp_path_factory, witness):
    """Report of an area, made when it is first asked for, all in one kernel."""
    out, paths = tmp_path_factory.mktemp("reports"), render.notebook_paths()
    watched = [f"--IPKernelApp.exec_files={Path(__file__).with_name('witness.py')}"]
    with pytest.MonkeyPatch.context() as patch, Kernel() as kernel:
        patch.setenv("SEND_ANALYSIS_WITNESS", str(witness))
        patch.setattr(kernels, "_ARGUMENTS", [*kernels._ARGUMENTS, *watched])

        @cache
        def made(area):
            code = areas.find(area)
            pages = [render.page_of(code, it, kernel=kernel) for it in paths]
            return render._write(code, pages, out, edition.edition_of(DAY))

        yield made


@pytest.fixture(scope="session")
def bury_report(report_of):
    return report_of("Bury")


def _opened(browser, path, width):
    """Open a file with the network cut; the page keeps every request and complaint it makes."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, offline=True, locale="en-GB"
    )
    page = context.new_page()
    page.requested, page.complaints = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(Path(path).resolve().as_uri())
    return page


@pytest.fixture
def fresh_page(browser):
    """Open a file for one test, which may change what it finds."""
    opened = []

    def fresh(path, width=1280):
        opened.append(_opened(browser, path, width))
        return opened[-1]

    yield fresh
    for page in opened:
        page.context.close()


@pytest.fixture(scope="module")
def open_page(browser):
    """Open a file with everything unfolded, once for all tests that only look."""

    @cache
    def unfolded(path):
        page = _opened(browser, path, 1280)
        page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        return page

    def opened(path, width=1280):
        page = unfolded(path)
        if page.viewport_size["width"] != width:
            page.set_viewport_size({"width": width, "height": 900})
        return page

    return opened
