"""What tests share: the official releases and a browser, where they are at hand."""

import shutil
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
# Modules that look at the same rendered reports.
REPORTS = {
    "test_pages.py",
    "test_render.py",
    "test_exhibits.py",
    "test_numbers.py",
    "test_numbers_elsewhere.py",
}
# What takes longest begins first, so that no worker waits for the other at the end.
LONGEST = [
    *(f"tests/report/{name}" for name in sorted(REPORTS)),
    *("tests/cleaning/test_build.py", "tests/cleaning/test_series.py"),
    *("tests/report/test_batch.py", "tests/test_explore.py", "tests/test_one_answer.py"),
    *("tests/releases/test_refresh.py", "tests/evidence/test_verdicts.py", "tests/test_reads.py"),
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OFFICIAL = ROOT.parent / "shared" / "official"


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def official() -> Path:
    """Folder of the official releases; tests that need it are skipped where it is absent."""
    if not OFFICIAL.is_dir():
        pytest.skip(f"the official releases are not at {OFFICIAL}")
    return OFFICIAL


@pytest.fixture(scope="module")
def browser():
    """A browser of its own for each module: two at a time in one process do not get on."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class _ByModule(LoadScopeScheduling):
    """Keep the tests of a module in one worker, so that its fixtures are made once."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::")[0]
        return "reports" if Path(module).name in REPORTS else module


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.split("::")[0], len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _ByModule:
    config.option.loadscopereorder = False  # by the number of tests, not by their time
    return _ByModule(config, log)
