"""The index of all areas' reports: a map, regions, and a table to search, sort and download."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from send_analysis import __version__, areas, disk, reads
from send_analysis.areas import Area, slug
from send_analysis.capacity import words
from send_analysis.forecasting.scoring import SMALLEST
from send_analysis.report import england, page, regions, render
from send_analysis.report.edition import Edition
from send_analysis.show import about
from send_analysis.show import map as maps
from send_analysis.show.origin import brief, origin
from send_analysis.show.page import chart_html
from send_analysis.show.table import Table

NAME = "index.html"
NOT_SHOWN = ("areas", "series_breaks", "hexagons")  # read too, for names, doubts and outlines
FLAGGED = ("plans", "growth", "rate", "expected")  # columns that lean on the latest January
CHANCES = (50, 70, 80, words.SUREST)  # per cent, between the map's classes, up to what is told
SCALE = 100  # of the map's units, so that corners are whole numbers


class Measure(NamedTuple):
    """A column of the table: its heading, the format of its values, and what the map calls it."""

    name: str
    heading: str
    form: str | maps.Written
    what: str = ""
    choice: str = ""
    classes: int | tuple[float, ...] = maps.CLASSES
    note: str = ""


def write(
    told: pd.DataFrame, out: Path, edition: Edition, *, made: Mapping[str, Mapping[str, Any]]
) -> Path:
    """Write the index of all areas, and a page for each region.

    Parameters
    ----------
    told : pandas.DataFrame
        ``area, state, error`` of the areas that were asked for, as
        :func:`batch.render_all` returns them: those that failed are listed.
    out : Path
        Folder of the reports.
    edition : Edition
    made : mapping of str to mapping
        By code the areas that have a report there, and so a link: the figures of its first page
        that stand here too, as :func:`.page.parts` returns them.

    Returns
    -------
    Path
        The index.
    """
    out.mkdir(parents=True, exist_ok=True)
    summary, wider = england.with_chances(england.summary(), made), regions.summary()
    measures = _measures(summary)
    rows = [
        _row(row, measures, f"{slug(row['area'])}/{NAME}" if row["area_code"] in made else "")
        for row in summary.to_dict("records")
    ]
    above = [_row(row, measures, page_of(row["area"])) for row in wider.to_dict("records")]
    of_regions = [it for it in measures if it.name != "more_needed"]
    shown = [it for it in measures if it.what]
    shaded = [_map(summary, it, [row["cells"][measures.index(it)][1] for row in rows])
              for it in shown]  # fmt: skip
    charts = [
        regions.beside_england(regions.regions(), "regions"),
        regions.beside_england(regions.kinds(), "kinds of authorities"),
    ]
    shared = {
        "area": "England",
        "page": None,
        "pages": [],
        "around": None,
        "measures": measures,
        "outlines": maps.outlines(),
        "shades": maps.shades(maps.CLASSES),
        "source": brief(reads.of(summary)),
        "css": (page.TEMPLATES / "report.css").read_text(encoding="utf-8"),
        "more_css": (page.TEMPLATES / "england.css").read_text(encoding="utf-8"),
        "script": (page.TEMPLATES / "england.js").read_text(encoding="utf-8"),
        "method": "",
    }
    template = render.templates().get_template("england.html.j2")
    used = [*reads.of(summary, *(chart.data for chart in charts)), *NOT_SHOWN]
    title = "SEND services in every local authority of England"
    whole = template.render(
        title=title,
        region="",
        story=england.story(summary),
        national=rows[:1],
        local=rows[1:],
        above=[_row(it, of_regions, page_of(it["area"])) for it in wider.to_dict("records")],
        maps=_on_page(shown, shaded, measures),
        svg=_svg(rows, shaded),
        regions=chart_html(charts[0]),
        kinds=chart_html(charts[1]),
        download=_download(title, summary, measures),
        file="send_local_authorities.csv",
        failed=told[told["state"] == "failed"].to_dict("records"),
        **render.provenance(used, edition, title),
        **shared,
    )
    for region, row in zip(regions.codes(), above, strict=True):
        own = [it for it in rows if it["region"] == region.name]
        chart = regions.compared(regions.within(region), region)
        title = f"SEND services in the authorities of {maps.place(region.name)}"
        html = template.render(
            title=title,
            region=region.name,
            story=[],
            national=[rows[0], row],
            local=own,
            above=[],
            maps=_on_page(shown, shaded, measures, region, own),
            svg=_svg(own, shaded),
            regions=chart_html(chart),
            kinds="",
            download=_download(title, summary[summary["region"] == region.name], measures),
            file=f"send_{slug(region.name).replace('-', '_')}.csv",
            failed=[],
            **render.provenance([*reads.of(summary, chart.data), *NOT_SHOWN], edition, title),
            **shared,
        )
        disk.write_text(out / page_of(region.name), page.tied(page.with_articles(html)))
    disk.write_text(out / NAME, page.tied(page.with_articles(whole)))
    return out / NAME


def page_of(region: str) -> str:
    """Name of a region's page, by the name of the region."""
    return f"region-{slug(region)}.html"


def _row(row: dict[str, Any], measures: Sequence[Measure], link: str) -> dict[str, Any]:
    """What the page says of an authority, a region or England: names, doubts, cells."""
    empty = {"footprint": "", "caveat": "", "in_time_caveat": "", "more_needed": pd.NA}
    row = empty | {"more_needed_caveat": "", "flagged": False, "holds": ""} | row
    notes = [
        f"Holds the flagged return of {row['holds']}." if row["holds"] else "",
        "" if row["flagged"] or not link else row["more_needed_caveat"],
    ]
    return {
        "code": row["area_code"],
        "area": row["area"],
        "also": ", ".join(areas.also(row["area_code"])),
        "region": row.get("region", ""),
        "footprint": row["footprint"],
        "caveat": " ".join(filter(None, [row["caveat"], row["in_time_caveat"]])),
        "note": " ".join(filter(None, notes)),
        "link": link,
        "cells": [_cell(row, it) for it in measures],
    }


def _measures(summary: pd.DataFrame) -> list[Measure]:
    """Columns of the table, those that are on the map with what it calls them."""
    years = summary.attrs
    since, until = f"January {years['start']}", f"January {years['january']}"
    ahead = f"January {years['forecast_year']}"
    chance = words.chance_in(years["placed"] + 1)
    chances = [
        Measure(
            "more_needed", chance, words.chance, chance, "Chance that more places are needed",
            CHANCES, words.tested(),
        )
    ] if summary["more_needed"].notna().any() else []  # fmt: skip
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
        *chances,
        Measure("faults", "Faults found in releases", ",.0f"),
    ]  # fmt: skip


def _cell(row: dict[str, Any], measure: Measure) -> tuple[str, str]:
    """Value that a column is sorted by (none where the figure is flagged), and what is read."""
    name, form = measure.name, measure.form
    value = row[name]
    if row["flagged"] and name in FLAGGED:
        return "", "flagged" if pd.isna(value) else f"{value:{form}}, flagged"
    if pd.isna(value) and name == "more_needed":
        return "", england.without_chance(row)
    if pd.isna(value):
        why = {"growth": row["caveat"], "in_time": row["in_time_caveat"]}
        return "", "flagged" if why.get(name) else "n/a"
    text = maps.written(value, form)
    if name == "in_time" and row["timed"] <= SMALLEST:
        text += f" ({value * row['timed'] / 100:.0f} of {row['timed']})"
    if name == "expected":
        text += f" ({row['expected_low']:{form}} to {row['expected_high']:{form}})"
    return f"{float(value):.6g}", text


def _map(summary: pd.DataFrame, measure: Measure, texts: Sequence[str]) -> maps.Chart:
    """Draw a measure on the map, flagged where the table says so."""
    flagged = [text.endswith("flagged") for text in texts]
    frame = summary[["area_code", measure.name]].assign(flagged=flagged, few=england.few(summary))
    return maps.map(
        frame, measure.name, what=measure.what, form=measure.form, classes=measure.classes
    )


def _on_page(
    shown: Sequence[Measure],
    shaded: Sequence[maps.Chart],
    measures: Sequence[Measure],
    region: Area | None = None,
    rows: Sequence[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """What the page says of each map: title, pattern, key; its column in the table."""
    out = []
    for measure, chart in zip(shown, shaded, strict=True):
        title, alt, data = chart.title, chart.alt, chart.data
        at = measures.index(measure)
        if region is not None:
            data = data[data["region"] == region.name]
            few = set(data.loc[data["few"] != "", "area"])
            cells = [(it["area"], *it["cells"][at]) for it in rows]
            title, alt = _pattern(region, measure, cells, few)
        counts = data["shade"].value_counts(sort=False)
        out.append({
            "choice": measure.choice,
            "title": title,
            "what": measure.what,
            "heading": measure.heading,
            "alt": alt,
            "note": measure.note,
            "column": 2 + at,
            "key": [
                (kind, name, count) for kind, (name, count) in enumerate(counts.items()) if count
            ],
        })  # fmt: skip
    return out


def _pattern(
    region: Area, measure: Measure, cells: Sequence[tuple[str, str, str]], few: Collection[str]
) -> tuple[str, str]:
    """Title and alternative text of a region's map, from name, value and text of each authority.

    Those in `few` are left out of the ends.
    """
    known = sorted((it for it in cells if it[1] and it[0] not in few), key=lambda it: float(it[1]))
    texts = [text.split(" (")[0] for _, _, text in known]
    ends = [
        f"{texts[end]} in "
        + (f"{alike} authorities" if (alike := texts.count(texts[end])) > 1 else known[end][0])
        for end in (0, -1)
        if known
    ]
    listed = "; ".join(f"{area} {text}" for area, _, text in cells)
    found = f"from {' to '.join(ends)}" if ends else "no figure"
    apart = f" Left out of the ends ({england.FEW}): {', '.join(sorted(few))}." if few else ""
    return (
        f"{measure.what}: {found}",
        f"Map of the {len(cells)} authorities of {maps.place(region.name)}, shaded in the classes "
        f"of all of England by: {measure.what}. {listed}.{apart}",
    )


def _svg(rows: Sequence[dict[str, Any]], shaded: Sequence[maps.Chart]) -> dict[str, Any]:
    """The page's map: its frame, widths of lines, and each authority.

    Of an authority: its row, middle, outline, and its shade on each map.
    """
    kinds = pd.concat([it.data.set_index("area")["shade"].cat.codes for it in shaded], axis=1)
    hexagons, corners = [], []
    for row in rows:
        rings = [
            np.rint(SCALE * ring * (1, -1)).astype(int)
            for ring in maps.shapes().get(row["code"], [])
        ]
        if rings:
            corners += rings
            hexagons.append(row | {
                "at": rings[0].mean(axis=0).round().astype(int),
                "kinds": kinds.loc[row["area"]].tolist(),
                "outline": "".join(map(_outline, rings)),
            })  # fmt: skip
    low, high = (getattr(np.concatenate(corners), end)(axis=0) for end in ("min", "max"))
    unit = max(1, round((high - low).max() / 540))  # a 540th of the map: about a pixel
    frame = [*(low - 4 * unit), *(high - low + 8 * unit)]
    return {"frame": " ".join(map(str, frame)), "unit": unit, "hexagons": hexagons}


def _outline(ring: np.ndarray) -> str:
    """Path of a ring: its first corner, then steps."""
    steps = " ".join(f"{x},{y}" for x, y in np.diff(ring, axis=0))
    return f"M{ring[0, 0]},{ring[0, 1]}l{steps}z"


def _download(title: str, summary: pd.DataFrame, measures: Sequence[Measure]) -> str:
    """The table as a CSV behind a link; lines that begin with # say what it is and its source."""
    named = {it.name: it.what or it.heading for it in measures}
    named |= {
        f"expected_{end}": f"{named['expected']}: {of} end of its 80 % interval"
        for end, of in (("low", "lower"), ("high", "upper"))
    }
    named["flagged"] = "whether the latest return is flagged: no figure is made from it"
    if "more_needed" in named:
        named["more_needed"] += f", % ({words.SUREST + 1}: over {words.SUREST})"
    named["faults"] += ", number; of England with those of every area within"
    told = about.columns(Table(summary, title))
    ((licence, _),) = about.licences(reads.of(summary))
    said = [
        f"{title}: from official statistics, made by send_analysis {__version__}",
        f"Source: {origin(reads.of(summary))}",
        f"Contains public sector information licensed under the {licence}",
        *(f"{name}: {named.get(name, words)}" for name, words in told),
    ]
    return about.link(about.commented(summary, said, form="%.4g"))
