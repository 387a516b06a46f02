"""Sections of a notebook that have nothing to show are left out, and named with the reason."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from send_analysis.show.missing import AGAIN

if TYPE_CHECKING:
    from nbformat import NotebookNode

HEADING = re.compile(r"(#{2,6}) +(.+)")


class Section(NamedTuple):
    """Cells from one heading to the next."""

    start: int
    end: int
    level: int
    title: str


def leave_out(nb: NotebookNode) -> None:
    """Take sections out that hold only notes of what is missing; one note at the top names them.

    A heading stays where anything below it does. Other notes of such a section go to the top too.

    Parameters
    ----------
    nb : nbformat.NotebookNode
        Executed notebook, changed in place.
    """
    sections = _sections(nb)
    reasons = _reasons(nb, sections)
    gone: set[Section] = set()
    for at, section in reversed([*enumerate(sections)]):
        below = []
        for other in sections[at + 1 :]:
            if other.level <= section.level:
                break
            below.append(other)
        empty = reasons[section] is not None if below else bool(reasons[section])
        if empty and gone.issuperset(below):
            gone.add(section)
    if not gone:
        return
    named: dict[str, list[str]] = {}
    notes: list[str] = []
    for section in sections:
        if section in gone:
            if reasons[section]:
                named.setdefault(reasons[section], []).append(section.title)
            notes += [_text(it) for it in _outputs(nb, section) if not _marks(it).get("missing")]
    first = sections[0].start
    out = {place for section in gone for place in range(section.start, section.end)}
    rest = [cell for place, cell in enumerate(nb.cells) if place >= first and place not in out]
    nb.cells = [*nb.cells[:first], _told(named, notes), *rest]


def _sections(nb: NotebookNode) -> list[Section]:
    """Return the sections of a notebook: markdown cells that begin with a heading, and on."""
    heads = [
        (place, found)
        for place, cell in enumerate(nb.cells)
        if cell.cell_type == "markdown" and (found := HEADING.match(cell.source))
    ]
    ends = [*(place for place, _ in heads[1:]), len(nb.cells)][: len(heads)]
    return [
        Section(place, end, len(found[1]), found[2].strip())
        for (place, found), end in zip(heads, ends, strict=True)
    ]


def _reasons(nb: NotebookNode, sections: list[Section]) -> dict[Section, str | None]:
    """Say of each section why it shows nothing: "" if it shows nothing by itself, None if it does.

    A cell that needs what an earlier one lacked has the reason of that one.
    """
    last, found = "", {}
    for section in sections:
        outputs = _outputs(nb, section)
        told = [_text(output) for output in outputs if _marks(output).get("missing")]
        last = next((text for text in told if text != AGAIN), last)
        # Beside what is missing a note shows nothing; alone it is what the section has to say.
        shows = any(_marks(output).get("kind") != "note" for output in outputs)
        shows |= bool(outputs) and not told
        found[section] = None if shows else (last if told else "")
    return found


def _outputs(nb: NotebookNode, section: Section) -> list[NotebookNode]:
    """Outputs of the cells of a section."""
    cells = nb.cells[section.start : section.end]
    return [output for cell in cells for output in cell.get("outputs", [])]


def _marks(output: NotebookNode) -> dict:
    """What the package says of an output of its own."""
    return output.get("metadata", {}).get("send_analysis", {})


def _text(output: NotebookNode) -> str:
    """Text of a note."""
    return output.data["text/plain"].removeprefix("Note: ")


def _told(named: dict[str, list[str]], notes: list[str]) -> NotebookNode:
    """Return a cell that says what is not on the page, by reason, and what was noted there."""
    from nbformat import v4

    texts = [
        f"{reason} So this page is without: {'; '.join(titles).removesuffix('?')}."
        for reason, titles in named.items()
    ]
    texts += [text for text in dict.fromkeys(notes) if not any(text in told for told in texts)]
    html = "".join(f"<p>{escape(text)}</p>" for text in texts)
    output = v4.new_output(
        "display_data",
        {"text/html": f'<div class="note">{html}</div>', "text/plain": "\n".join(texts)},
        metadata={"send_analysis": {"kind": "note"}},
    )
    return v4.new_code_cell("", outputs=[output])
