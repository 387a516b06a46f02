"""The plan of the house is that of its imports, and its worked examples run."""

import re
import runpy

import matplotlib as mpl

mpl.use("agg")


def test_the_picture_is_drawn_from_the_imports(root):
    drawing = runpy.run_path(str(root / "docs/draw_architecture.py"))
    page = (root / "docs/architecture.md").read_text(encoding="utf-8")
    assert drawing["drawn"](page) == page
    arrows = re.findall(r"^  (\w+) --> (\w+)$", page, re.MULTILINE)
    above = {room: i for i, (_, names) in enumerate(drawing["FLOORS"]) for room in names}
    assert len(arrows) > 15
    assert all(above[one] <= above[other] for one, other in arrows)  # no step up


def test_the_examples_of_contributing_run(root, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "IPython.display.publish_display_data",
        lambda data, metadata: shown.append(data["text/html"]),
    )
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    assert len(shown) == 1
    assert "Department for Education" in shown[0]
    own = names["support"]("Bury").query("role == 'area' and year == 2025")
    assert f"{own['percent'].item():.1f} % of pupils have SEN support" in shown[0]
