"""The committed tables are what the code makes of the official releases, to the byte."""

import shutil
from pathlib import Path

import pytest

from send_analysis import tables
from send_analysis.cleaning.build import build, put
from send_analysis.errors import DataError, SendAnalysisError


@pytest.fixture(scope="module")
def rebuilt(official, tmp_path_factory):
    out = tmp_path_factory.mktemp("tables")
    build(official, out)
    return out


def test_every_table_is_rebuilt_byte_for_byte(rebuilt, root):
    made = sorted(path.name for path in rebuilt.iterdir())
    committed = {entry["path"] for entry in tables.descriptor()["resources"]}
    assert set(made) == committed | {tables.DESCRIPTOR}
    different = [
        name
        for name in made
        if (rebuilt / name).read_bytes() != (root / "data" / name).read_bytes()
    ]
    assert different == []


def test_a_spoilt_release_leaves_the_tables_untouched(official, tmp_path):
    source, out = tmp_path / "official", tmp_path / "data"
    shutil.copytree(official, source, ignore=shutil.ignore_patterns("nhs_community", "finance"))
    out.mkdir()
    (out / "areas.csv").write_text("as it was")
    lookup = source / "lookups" / "LTLA_to_UTLA_2022-12_EW.csv"
    lookup.chmod(0o644)
    lookup.write_text(lookup.read_text(encoding="utf-8-sig").replace("UTLA22CD", "UTLA23CD"))
    with pytest.raises(DataError, match="UTLA22CD"):
        build(source, out, only=["inspections", "population"])
    assert [path.name for path in out.iterdir()] == ["areas.csv"]
    assert (out / "areas.csv").read_text() == "as it was"


def test_a_replacement_that_fails_halfway_is_undone(tmp_path, monkeypatch):
    new, out = tmp_path / "new", tmp_path / "out"
    for folder, text in ((new, "new"), (out, "old")):
        folder.mkdir()
        for name in ("a.csv", "b.csv"):
            (folder / name).write_text(text)
    (new / "aa.csv").write_text("not there before")
    replace = Path.replace

    def fail(self, target):
        if self == new / "b.csv":
            raise OSError("no space left")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        put(new, out)
    monkeypatch.undo()
    assert {file.name: file.read_text() for file in out.iterdir()} == {
        "a.csv": "old", "b.csv": "old",
    }  # fmt: skip
    (new / "a.csv").write_text("new")
    put(new, out)
    assert {file.read_text() for file in out.iterdir()} == {"new"}


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SendAnalysisError, match="not a folder"):
        build(tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "out").exists()
