"""The project's own files agree with each other."""

import re
import tomllib

import pytest
import yaml


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_conda_environment_equals_the_dependencies(root, project):
    conda = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    packages = [entry for entry in conda if isinstance(entry, str)]
    python = f"python{project['project']['requires-python']}"
    assert sorted(packages) == sorted([python, "pip", *project["project"]["dependencies"]])
    assert conda[-1] == {"pip": ["-e ."]}


def test_the_lock_pins_every_dependency_by_hash(root, project):
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["build"],
              *project["dependency-groups"]["test"]]  # fmt: skip
    names = {re.split(r"[<>=[]", entry)[0].lower() for entry in wanted}
    assert names <= pinned
    blocks = re.split(r"^(?=[a-z0-9-]+==)", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("name", ["requirements.lock", "installer.lock"])
def test_a_lock_names_no_download_address(root, name):
    lock = (root / name).read_text(encoding="utf-8")
    lines = [line for line in lock.splitlines() if not line.startswith("#")]
    assert not re.search(r"https?://|index-url|find-links", "\n".join(lines))


def test_versions_agree(root, project):
    version = project["project"]["version"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version
    assert f'__version__ = "{version}"' in (root / "send_analysis/__init__.py").read_text()


def test_notebooks_are_committed_without_outputs(root):
    import nbformat

    for path in sorted((root / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        assert all(not c.get("outputs") and c.get("execution_count") is None for c in cells), path
