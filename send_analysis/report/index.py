"""The index of all areas' reports: a map, regions, and a table to search, sort and download."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from send_analysis import __version__, reads, terms
from send_analysis.areas import slug
from send_analysis.files import disk
from send_analysis.report import england, page, render
from send_analysis.report.edition import Edition
from send_analysis.show import map as maps
from send_analysis.show.origin import origin
from send_analysis.show.page import chart_html

NAME = "index.html"
FLAGGED = ("plans", "growth", "rate", "expected")  # columns that lean on the latest January
SCALE = 100  # of the map's units, so that corners are whole numbers


class Measure(NamedTuple):
    """A column of the table: its heading, the format of its values, and what the map calls it."""

    name: str
    heading: str
    form: str
    what: str = ""
    choice: str = ""


def write(told: pd.DataFrame, out: Path, edition: Edition, *, made: set[str]) -> Path:
    """Write the index of all areas.

    Parameters
    ----------
    told : pandas.DataFrame
        ``area, state, error`` of the areas that were asked for, as
        :func:`batch.render_all` returns them: those that failed are listed.
    out : Path
        Folder of the reports.
    edition : Edition
    made : set of str
        Codes of the areas that have a report there, and so a link.

    Returns
    -------
    Path
        The page.
    """
    summary = england.summary()
    measures = _measures(summary.attrs)
    cells = {it.name: [_cell(row, it) for row in summary.to_dict("records")] for it in measures}
    rows = [
        {
            "code": row["area_code"],
            "area": row["area"],
            "region": row["region"],
            "footprint": row["footprint"],
            "caveat": " ".join(filter(None, [row["caveat"], row["in_time_caveat"]])),
            "link": f"{slug(row['area'])}/index.html" if row["area_code"] in made else "",
            "cells": [cells[it.name][place] for it in measures],
        }
        for place, row in enumerate(summary.to_dict("records"))
    ]
    shown = [it for it in measures if it.what]
    shaded = [_map(summary, it, [text for _, text in cells[it.name]]) for it in shown]
    by_region = england.by_region(england.regions())
    named = reads.of(summary, by_region.data)
    html = (
        render.templates()
        .get_template("england.html.j2")
        .render(
            area="England",
            page=None,
            pages=[],
            rows=rows,
            measures=measures,
            maps=_on_page(shown, shaded, measures),
            hexagons=_hexagons(rows, shaded),
            outlines=maps.OUTLINES,
            shades=maps.shades(maps.CLASSES),
            regions=chart_html(by_region),
            source=origin(reads.of(summary)),
            download=_download(summary, measures),
            failed=told[told["state"] == "failed"].to_dict("records"),
            css=(page.TEMPLATES / "report.css").read_text(encoding="utf-8"),
            more_css=(page.TEMPLATES / "england.css").read_text(encoding="utf-8"),
            script=(page.TEMPLATES / "england.js").read_text(encoding="utf-8"),
            method="",
            **render.provenance(
                [*named, "areas", "series_breaks", "hexagons"],
                edition,
                "SEND services in every local authority of England",
            ),
        )
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / NAME
    disk.write_text(path, html)
    return path


def _measures(years: dict[str, Any]) -> list[Measure]:
    """Columns of the table, those that are on the map with what it calls them."""
    since, until = f"January {years['start']}", f"January {years['january']}"
    ahead = f"January {years['forecast_year']}"
    return [
        Measure("plans", f"Plans, {until}", ",.0f"),
        Measure(
            "growth", f"Growth since {since}, %", "+,.0f",
            f"Growth in plans from {since} to {until}, %", "Growth in plans",
        ),
        Measure(
            "rate", "Plans per 1,000 aged 0 to 25", ",.1f",
            f"Plans per 1,000 residents aged 0 to 25, {until}", "Plans per 1,000",
        ),
        Measure(
            "in_time",
            f"Within 20 weeks, of plans of {years['calendar_year']} without exceptions, %", ".0f",
            f"Plans of {years['calendar_year']} issued within 20 weeks, exceptions left out, %",
            "On time",
        ),
        Measure(
            "expected", f"Forecast growth to {ahead}, % (80 % interval)", "+,.0f",
            f"Forecast growth in plans from {until} to {ahead}, % (median)", "Forecast growth",
        ),
        Measure("faults", "Faults found in releases", ",.0f"),
    ]  # fmt: skip


def _cell(row: dict[str, Any], measure: Measure) -> tuple[str, str]:
    """Value that a column is sorted by (none where the figure is flagged), and what is read."""
    name, form = measure.name, measure.form
    value = row[name]
    if row["flagged"] and name in FLAGGED:
        return "", "flagged" if pd.isna(value) else f"{value:{form}}, flagged"
    if pd.isna(value):
        why = {"growth": row["caveat"], "in_time": row["in_time_caveat"]}
        return "", "flagged" if why.get(name) else "n/a"
    text = f"{value:{form}}"
    if name == "expected":
        text += f" ({row['expected_low']:{form}} to {row['expected_high']:{form}})"
    return f"{float(value):.6g}", text


def _map(summary: pd.DataFrame, measure: Measure, texts: Sequence[str]) -> maps.Chart:
    """Draw a measure on the map, flagged where the table says so."""
    flagged = [text.endswith("flagged") for text in texts]
    frame = summary[["area_code", measure.name]].assign(flagged=flagged)
    return maps.map(frame, measure.name, what=measure.what, form=measure.form)


def _on_page(
    shown: Sequence[Measure], shaded: Sequence[maps.Chart], measures: Sequence[Measure]
) -> list[dict[str, Any]]:
    """What the page says of each map: title, pattern, key; its column in the table."""
    return [
        {
            "choice": measure.choice,
            "title": chart.title,
            "what": measure.what,
            "heading": measure.heading,
            "alt": chart.alt,
            "column": 2 + measures.index(measure),
            "key": [
                (kind, name, count)
                for kind, (name, count) in enumerate(
                    chart.data["shade"].value_counts(sort=False).items()
                )
                if count
            ],
        }
        for measure, chart in zip(shown, shaded, strict=True)
    ]


def _hexagons(rows: Sequence[dict[str, Any]], shaded: Sequence[maps.Chart]) -> list[dict[str, Any]]:
    """Each authority on the page's map: its row, middle, outline, and its shade on each map."""
    kinds = pd.concat([it.data.set_index("area")["shade"].cat.codes for it in shaded], axis=1)
    top = max(ring[:, 1].max() for rings in maps.shapes().values() for ring in rings)
    left = min(ring[:, 0].min() for rings in maps.shapes().values() for ring in rings)
    out = []
    for row in rows:
        rings = [
            np.rint(SCALE * (ring - (left, top)) * (1, -1)).astype(int)
            for ring in maps.shapes().get(row["code"], [])
        ]
        if rings:
            out.append(row | {
                "at": rings[0].mean(axis=0).round().astype(int),
                "kinds": kinds.loc[row["area"]].tolist(),
                "outline": "".join(map(_outline, rings)),
            })  # fmt: skip
    return out


def _outline(ring: np.ndarray) -> str:
    """Path of a ring: its first corner, then steps."""
    steps = " ".join(f"{x},{y}" for x, y in np.diff(ring, axis=0))
    return f"M{ring[0, 0]},{ring[0, 1]}l{steps}z"


def _download(summary: pd.DataFrame, measures: Sequence[Measure]) -> str:
    """The table as a CSV behind a link; lines that begin with # say what it is and its source."""
    headings = {it.name: it.heading for it in measures}
    said = [
        "Every local authority of England: SEND services from official statistics, made by "
        f"send_analysis {__version__}",
        f"Source: {origin(reads.of(summary))}",
        "Contains public sector information licensed under the Open Government Licence v3.0",
        *(f"{name}: {headings.get(name, terms.heading(name))}" for name in summary.columns),
    ]
    table = summary.to_csv(index=False, lineterminator="\n", float_format="%.4g")
    text = "".join(f"# {line}\n" for line in said) + table
    content = text.encode("ascii" if text.isascii() else "utf-8-sig")
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(content).decode()}"
