"""The data dictionary is what the descriptor says, and every table and column is in it."""

import pytest

from send_analysis import tables
from send_analysis.errors import ParameterError
from send_analysis.report import dictionary


def test_the_committed_dictionary_is_current(root):
    """If this fails: send-analysis data dictionary --out docs/data_dictionary.md."""
    committed = (root / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert committed == dictionary.markdown()


def test_every_table_and_column_is_there():
    text = dictionary.markdown()
    for entry in tables.descriptor()["resources"]:
        section = text.split(f"\n## {entry['name']}\n")[1].split("\n## ")[0]
        for field in entry["schema"]["fields"]:
            assert f"| `{field['name']}`" in section
        assert all(source["published"] in section for source in entry["sources"])


def test_tables_are_well_formed():
    """Every row of a Markdown table has as many cells as its heading."""
    rows = 0
    for block in dictionary.markdown().split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        widths = {line.replace("\\|", "").count("|") for line in lines}
        assert len(widths) <= 1, block
        rows += len(lines)
    assert rows > 100


def test_a_column_without_a_description_is_refused(monkeypatch):
    entry = dict(tables.descriptor()["resources"][0])
    entry["schema"] = {"fields": [{"name": "bare", "type": "string"}]}
    monkeypatch.setattr(tables, "descriptor", lambda: {"resources": [entry]})
    with pytest.raises(ParameterError, match="'bare' has no description"):
        dictionary.markdown()
