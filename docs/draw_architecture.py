"""Draw the house in `architecture.md` from the imports: run `python docs/draw_architecture.py`."""

from __future__ import annotations

from pathlib import Path

import grimp

PACKAGE = "send_analysis"
PAGE = Path(__file__).with_name("architecture.md")
START, END = "```mermaid\n", "```\n"
# Rooms of the house, from the top floor down; modules outside a folder stand together.
FLOORS = [
    ("Face", ["cli", "explore"]),
    ("Pages", ["report"]),
    ("Chapters", ["capacity", "forecasting", "evidence", "outcomes", "growth", "waits"]),
    ("What chapters share", ["show", "scenarios", "caveats"]),
    ("Intake", ["releases", "cleaning"]),
    ("Ground", ["areas", "tables"]),
]


def rooms() -> dict[str, str]:
    """Room of each module: its folder or itself; what no floor names belongs to the ground."""
    named = {name for _, names in FLOORS for name in names}
    modules = grimp.build_graph(PACKAGE).modules
    first = {module: module.split(".")[1] for module in modules if "." in module}
    first = {module: "cli" if name == "__main__" else name for module, name in first.items()}
    return {module: name if name in named else "tables" for module, name in first.items()}


def diagram() -> str:
    """Mermaid of the rooms; an arrow says that one imports another, one floor's kin together."""
    graph, room = grimp.build_graph(PACKAGE), rooms()
    arrows = sorted(
        {
            (room[module], room[other])
            for module in room
            for other in graph.find_modules_directly_imported_by(module)
            if other in room and room[module] != room[other]
        }
    )
    # Nearly everything stands on the ground: arrows to it would hide the rest.
    arrows = [(one, other) for one, other in arrows if other not in FLOORS[-1][1]]
    lines = ["flowchart TD"]
    for number, (floor, names) in enumerate(FLOORS):
        lines.append(f'  subgraph f{number}["{floor}"]')
        lines += [f"    {name}" for name in names]
        lines.append("  end")
    lines += [f"  {one} --> {other}" for one, other in arrows]
    return "\n".join(lines) + "\n"


def drawn(page: str) -> str:
    """The page with its picture drawn anew."""
    before, rest = page.split(START, 1)
    return before + START + diagram() + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
