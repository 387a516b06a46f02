"""The data dictionary: the descriptor of the tables written out for readers."""

from __future__ import annotations

from typing import Any

from send_analysis import tables
from send_analysis.errors import ParameterError


def markdown() -> str:
    """Write every table with its columns, sources and key.

    Returns
    -------
    str
        Markdown; the same descriptor gives the same text.

    Raises
    ------
    ParameterError
        If a column has no description.
    """
    described = tables.descriptor()
    resources = sorted(described["resources"], key=lambda entry: entry["name"])
    lines = [
        "# Data dictionary",
        "",
        "Written from `data/datapackage.json` by `send-analysis data dictionary`; do not change it "
        "by hand.",
        "",
        "An empty cell is a missing value; the column `missing` says why. A column that makes a "
        "row unique is marked with *.",
        "",
        "| table | title | rows | years |",
        "| --- | --- | --- | --- |",
        *(
            f"| [`{entry['name']}`](#{entry['name']}) | {_cell(entry['title'])} "
            f"| {entry['rows']:,} | {_years(entry)} |"
            for entry in resources
        ),
    ]
    for entry in resources:
        lines += _table(entry)
    return "\n".join(lines) + "\n"


def _table(entry: dict[str, Any]) -> list[str]:
    """Section of one table."""
    key = entry["schema"].get("primaryKey", [])
    columns = []
    for field in entry["schema"]["fields"]:
        name = field["name"]
        if not field.get("description"):
            raise ParameterError(
                f"Table {entry['name']!r}, column {name!r} has no description: give it one in "
                "cleaning/schemas.yml and rebuild the tables."
            )
        mark = " *" if name in key else ""
        columns.append(
            f"| `{name}`{mark} | {field['type']} | {_cell(field['description'])} "
            f"| {_cell(field.get('unit', ''))} | {_cell(_allowed(field))} |"
        )
    sources = [
        f"- {_cell(source['title'])}, {source['publisher']}, released {source['published']}, "
        f"{source['licence']}"
        for source in sorted(entry["sources"], key=lambda source: source["name"])
    ]
    return [
        "",
        f"## {entry['name']}",
        "",
        f"{entry['title']}. {entry['rows']:,} rows in `{entry['path']}`."
        + (f" Figures: {entry['counts']}." if "counts" in entry else ""),
        "",
        "| column | type | what it holds | unit | values |",
        "| --- | --- | --- | --- | --- |",
        *columns,
        "",
        "From:",
        "",
        *dict.fromkeys(sources),
    ]


def _years(entry: dict[str, Any]) -> str:
    """First and last year of a table."""
    years = entry.get("years") or []
    return "–".join(str(year) for year in dict.fromkeys(years)) or "no years"


def _allowed(field: dict[str, Any]) -> str:
    """Values that a column may have, as far as the descriptor limits them, and their meaning."""
    limits = field.get("constraints", {})
    meant = field.get("definitions")
    if meant:
        known = limits.get("enum") or [value for value in meant if value != "parts"]
        told = [f"“{value}”" + (f": {meant[value]}" if meant.get(value) else "") for value in known]
        return "; ".join(
            told + (["others as printed"] if "enum" not in limits and "wording" in field else [])
        )
    if "enum" in limits:
        return ", ".join(
            f"“{value}”" if "," in str(value) else str(value) for value in limits["enum"]
        )
    if "minimum" in limits:
        return f"{limits['minimum']} or more"
    return ""


def _cell(text: str) -> str:
    """Text within a table: on one line, without a bar that would end the cell."""
    return " ".join(str(text).split()).replace("|", "\\|")
