"""The index of all areas' reports: one page that can be searched and sorted without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from send_analysis import __version__
from send_analysis.areas import slug
from send_analysis.files import disk
from send_analysis.report import england, page, render

NAME = "index.html"
FLAGGED = ("plans", "growth", "rate", "expected")  # columns that lean on the latest January


def write(told: pd.DataFrame, out: Path, *, made: set[str]) -> Path:
    """Write the index of all areas.

    Parameters
    ----------
    told : pandas.DataFrame
        ``area, state, error`` of the areas that were asked for, as
        :func:`batch.render_all` returns them: those that failed are listed.
    out : Path
        Folder of the reports.
    made : set of str
        Codes of the areas that have a report there, and so a link.

    Returns
    -------
    Path
        The page.
    """
    summary = england.summary()
    years = summary.attrs
    columns = [
        ("plans", f"Plans, January {years['january']}", "{:,.0f}"),
        ("growth", f"Growth since January {years['start']}, %", "{:+.0f}"),
        ("rate", "Plans per 1,000 aged 0 to 25", "{:.1f}"),
        (
            "in_time",
            f"Within 20 weeks, of plans of {years['calendar_year']} without exceptions, %",
            "{:.0f}",
        ),
        ("expected", f"Forecast growth to January {years['forecast_year']}, % (80 % interval)", ""),
        ("faults", "Faults found in releases", "{:.0f}"),
    ]
    rows = [
        {
            "area": row["area"],
            "region": row["region"],
            "footprint": row["footprint"],
            "caveat": row["caveat"],
            "link": f"{slug(row['area'])}/index.html" if row["area_code"] in made else "",
            "cells": [_cell(row, name, form) for name, _, form in columns],
        }
        for row in summary.to_dict("records")
    ]
    html = (
        render.templates()
        .get_template("england.html.j2")
        .render(
            area="England",
            page=None,
            pages=[],
            rows=rows,
            headings=[heading for _, heading, _ in columns],
            failed=told[told["state"] == "failed"].to_dict("records"),
            css=(page.TEMPLATES / "report.css").read_text(encoding="utf-8"),
            more_css=(page.TEMPLATES / "england.css").read_text(encoding="utf-8"),
            script=(page.TEMPLATES / "england.js").read_text(encoding="utf-8"),
            version=__version__,
            **years,
            **render.provenance(
                [
                    "areas",
                    "series_breaks",
                    "ehc_plans",
                    "population",
                    "timeliness",
                    "requests",
                    "new_plans",
                    "pupils",
                ]
            ),
        )
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / NAME
    disk.write_text(path, html)
    return path


def _cell(row: dict[str, Any], name: str, form: str) -> tuple[str, str]:
    """Value that a column is sorted by (none where the figure is flagged), and what is read."""
    value = row[name]
    if row["flagged"] and name in FLAGGED:
        return "", "flagged" if pd.isna(value) else f"{form.format(value)}, flagged"
    if pd.isna(value):
        return "", "flagged" if name == "growth" and row["caveat"] else "n/a"
    if name == "expected":
        text = f"{value:+.0f} ({row['expected_low']:+.0f} to {row['expected_high']:+.0f})"
    else:
        text = form.format(value)
    return f"{float(value):.6g}", text
