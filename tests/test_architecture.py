"""The plan of the house is that of its imports, and its worked examples run."""

import ast
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


def test_what_docstrings_refer_to_exists(root):
    files = {
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): file
        for file in sorted((root / "send_analysis").rglob("*.py"))
    }
    texts = {module: file.read_text(encoding="utf-8") for module, file in files.items()}
    named = {module: set(_names(ast.parse(text).body)) for module, text in texts.items()}
    known = {f"{module}.{name}" for module, names in named.items() for name in names}
    parts = [one.split(".") for one in {*known, *files}]
    ends = {".".join(one[i:]) for one in parts for i in range(len(one))}
    for module, text in texts.items():
        for near, name in re.findall(r":(?:func|class|mod|data|exc):`~?(\.?)([\w.]+)`", text):
            first, _, rest = name.partition(".")
            beside = f"{module.rpartition('.')[0]}.{name}" in files
            own = first in named[module] and (not rest or rest in ends)
            elsewhere = first in {"pandas", "datetime"} or ((near or rest) and name in ends)
            assert beside or own or elsewhere, f"{module} refers to {name}"


def _names(body):
    """Names that a module's statements define or import."""
    for node in body:
        yield from (name.asname or name.name for name in getattr(node, "names", []))
        targets = [*getattr(node, "targets", []), getattr(node, "target", None)]
        yield from (name.id for name in targets if isinstance(name, ast.Name))
        if hasattr(node, "name"):
            yield node.name
