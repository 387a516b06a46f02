"""A section with nothing to show is left out and named; what shows anything stays."""

import pytest
from nbformat import v4

from send_analysis.report import sections
from send_analysis.show.missing import AGAIN


def shown(text="a table", **marks):
    """A code cell with one output."""
    data = {"text/html": f"<div>{text}</div>", "text/plain": text}
    mark = {"send_analysis": {"kind": "table"} | marks}
    return v4.new_code_cell("", outputs=[v4.new_output("display_data", data, metadata=mark)])


def missing(text):
    return shown(f"Note: {text}" if text != AGAIN else f"Note: {AGAIN}", kind="note", missing=True)


def left(*cells):
    """Headings that are left of a notebook, and the notes it has."""
    nb = v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), shown(kind="finding"), *cells])
    sections.leave_out(nb)
    heads = [cell.source for cell in nb.cells if cell.cell_type == "markdown"]
    notes = [
        output.data["text/plain"]
        for cell in nb.cells
        for output in cell.get("outputs", [])
        if output.metadata["send_analysis"]["kind"] == "note"
    ]
    return heads[1:], notes


head = v4.new_markdown_cell


def test_what_is_missing_is_named_once_with_its_reason():
    heads, notes = left(
        head("## Claims\n\nProse."), missing("None recorded."), missing(AGAIN),
        head("### Who"), missing(AGAIN), head("## Plans"), shown(),
    )  # fmt: skip
    assert heads == ["## Plans"]
    assert notes == ["None recorded. So this page is without: Claims; Who."]


def test_a_heading_stays_where_something_below_it_does():
    heads, notes = left(
        head("## Ages\n\n### By band"), missing("No ages."), head("### By year"), shown()
    )
    assert heads == ["## Ages\n\n### By band", "### By year"]
    assert notes == ["Note: No ages."]


def test_a_heading_over_nothing_but_missing_sections_goes_with_them():
    heads, notes = left(head("## Why"), head("### One"), missing("No."), head("## What"), shown())
    assert heads == ["## What"]
    assert notes == ["No. So this page is without: One."]


@pytest.mark.parametrize("cells", [[head("## Prose")], [head("## A"), shown(), missing("No.")]])
def test_prose_and_sections_that_show_something_stay(cells):
    heads, _ = left(*cells)
    assert heads == [cells[0].source]


def test_a_note_beside_what_is_missing_goes_to_the_top_with_it():
    heads, notes = left(head("## Why?"), shown("Note: Merged.", kind="note"), missing("No."))
    assert heads == []
    assert notes == ["No. So this page is without: Why.\nMerged."]
    heads, notes = left(head("## Why"), shown("Note: Merged.", kind="note"))
    assert (heads, notes) == (["## Why"], ["Note: Merged."])


def test_reasons_are_told_apart():
    _, notes = left(head("## A"), missing("One."), head("## B"), missing("Two."))
    assert notes == ["One. So this page is without: A.\nTwo. So this page is without: B."]
