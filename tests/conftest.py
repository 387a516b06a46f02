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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module in one worker, so that its fixtures are made once."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
