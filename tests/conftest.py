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
