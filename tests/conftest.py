"""What tests share: the official releases, where they are at hand."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
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


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep in one worker what looks at Bury's report, and the tests of each module."""
    for item in items:
        browser = {"bury_report", "pages"} & set(getattr(item, "fixturenames", ()))
        group = "browser" if browser else item.nodeid.split("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
