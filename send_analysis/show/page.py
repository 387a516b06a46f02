"""What a notebook shows its reader: a finding, charts and tables with their sources, notes.

Each function displays HTML that reads well in JupyterLab and that `report` styles and numbers on
a page. Text is escaped; none of it is Markdown.
"""

from __future__ import annotations

import base64
from html import escape
from typing import Any

import pandas as pd

from send_analysis.areas import slug
from send_analysis.errors import ParameterError
from send_analysis.show import missing
from send_analysis.show.chart import Chart
from send_analysis.show.origin import origin
from send_analysis.show.table import Table, has_named_index, html_table
from send_analysis.show.tile import Tile

missing.install()
MOST_ROWS = 500  # of a chart's data on the page; its download always has every row


def finding(headline: str, *points: str) -> None:
    """Say what the notebook found; shown at the top of its page.

    Parameters
    ----------
    headline : str
        One sentence with its numbers. A notebook calls `finding` once.
    *points : str
        Further sentences, shown as a list under the headline.
    """
    body = f"<p><strong>{escape(headline)}</strong></p>" + _listed(points)
    text = "\n- ".join(["Finding: " + headline, *points])
    _display(f'<div class="finding">{body}</div>', text, kind="finding", headline=headline)


def note(text: str | None, **marks: Any) -> None:
    """Tell the reader about a gap or a fault in the data, in a box of its own.

    Parameters
    ----------
    text : str or None
        One or more sentences; nothing is shown where there is nothing to say.
    **marks
        For the report.
    """
    if text:
        html = f'<div class="note"><p>{escape(text)}</p></div>'
        _display(html, f"Note: {text}", kind="note", **marks)


def said(*sentences: str) -> None:
    """Show sentences as a list, one alone as a paragraph; nothing where there are none."""
    if sentences:
        html = _listed(sentences) if len(sentences) > 1 else f"<p>{escape(sentences[0])}</p>"
        _display(f'<div class="text">{html}</div>', "\n".join(sentences), kind="said")


def show(*things: Chart | Table) -> None:
    """Display charts and tables with their source, data and download.

    Raises
    ------
    ParameterError
        If something is neither, or is made from no table and names no source.
    """
    for thing in things:
        if isinstance(thing, Chart):
            _show_chart(thing)
        elif isinstance(thing, Table):
            _show_table(thing)
        else:
            raise ParameterError(
                f"{type(thing).__name__} cannot be shown: give a Chart or a Table."
            )


def chart_html(chart: Chart) -> str:
    """Write a chart as HTML: title, picture, source, its data behind a disclosure.

    Raises
    ------
    ParameterError
        If it is made from no table and names no source.
    """
    title, source = escape(chart.title), _source(chart, chart.title)
    picture, rows = chart.picture(), len(chart.data)
    return (
        '<div class="chart"><figure>'
        f'<p class="figure-title"><strong>{title}</strong></p>'
        + (f'<p class="subtitle">{escape(chart.subtitle)}</p>' if chart.subtitle else "")
        + f'<p class="picture"><img src="{picture.uri}" alt="{escape(chart.alt.strip())}" '
        f'width="{picture.width}" height="{picture.height}"></p>'
        f"<figcaption>{_below(chart.note, source)}</figcaption></figure>"
        '<details class="data"><summary>Data and download'
        f'<span class="of"> for “{title}”</span></summary>'
        f"{html_table(chart.data.head(MOST_ROWS), f'Data: {chart.title}')}"
        + (
            f"<p>The first {MOST_ROWS:,} of {rows:,} rows; the download has them all.</p>"
            if rows > MOST_ROWS
            else ""
        )
        + f"{_download(chart.data, chart.title)}</details></div>"
    )


def summary(*things: Tile | Chart | None) -> None:
    """Put figures and charts on the first page of the area, where its pages are listed.

    Parameters
    ----------
    *things : Tile, Chart or None
        A chart is one that a page shows with its data; None is left out.
    """
    for thing in filter(None, things):
        text = f"{thing.title}\n{thing.alt}" if isinstance(thing, Chart) else ": ".join(thing)
        html = f'<div class="summary">{summary_html(thing)}</div>'
        _display(html, text, kind="summary", tables=list(getattr(thing, "tables", [])))


def summary_html(thing: Tile | Chart) -> str:
    """Write a figure, or a small chart, as HTML.

    Parameters
    ----------
    thing : Tile or Chart

    Returns
    -------
    str
    """
    if isinstance(thing, Chart):
        picture = thing.picture()
        return (
            f'<figure><p class="label">{escape(thing.title)}</p>'
            f'<img src="{picture.uri}" alt="{escape(thing.alt.strip())}" '
            f'width="{picture.width}" height="{picture.height}"><figcaption class="source">'
            f"Source: {escape(_source(thing, thing.title))}</figcaption></figure>"
        )
    label, value, words = map(escape, thing)
    return (
        f'<p><span class="label">{label}</span> <strong class="value">{value}</strong></p>'
        f"<p>{words}</p>"
    )


def _show_chart(chart: Chart) -> None:
    """Display a chart, its data behind a disclosure."""
    text = f"Figure: {chart.title}\n{chart.alt}\nSource: {_source(chart, chart.title)}"
    _display(chart_html(chart), text, kind="figure", tables=list(chart.tables))


def _show_table(table: Table) -> None:
    """Display a table."""
    source = _source(table, table.caption)
    html = (
        f'<div class="table">{html_table(table.frame, table.caption)}<div class="below">'
        f"{_below(table.note, source)}{_download(table.frame, table.caption)}</div></div>"
    )
    text = f"{table.caption}\n{table.frame.to_string()}\nSource: {source}"
    _display(html, text, kind="table", tables=list(table.tables))


def _source(thing: Chart | Table, title: str) -> str:
    """Say where a chart or table is from."""
    named = "; ".join(filter(None, [origin(thing.tables), thing.source]))
    if not named:
        raise ParameterError(
            f"{title!r} is made from no table: show what a result function returned, or give the "
            "`source` of a Table in words."
        )
    return named


def _listed(points: tuple[str, ...]) -> str:
    """Sentences as a list."""
    items = "".join(f"<li>{escape(point)}</li>" for point in points)
    return f"<ul>{items}</ul>" if items else ""


def _below(note: str, source: str) -> str:
    """Lines under a figure or table."""
    said = f"<p>{escape(note)}</p>" if note else ""
    return f'{said}<p class="source">Source: {escape(source)}</p>'


def _download(frame: pd.DataFrame, caption: str) -> str:
    """Link that holds the data as CSV."""
    text = frame.to_csv(index=has_named_index(frame), lineterminator="\n", float_format="%.12g")
    # Excel reads anything but ASCII wrongly unless the file starts with a byte-order mark.
    data = text.encode("ascii" if text.isascii() else "utf-8-sig")
    link = f"data:text/csv;charset=utf-8;base64,{base64.b64encode(data).decode()}"
    size = f"{len(data)} bytes" if len(data) < 1000 else f"{len(data) / 1000:,.0f} kB"
    return (
        f'<p class="download"><a download="{slug(caption)[:60].strip("-")}.csv" href="{link}">'
        f'Download as CSV<span class="of">: {escape(caption)}</span></a> ({size})</p>'
    )


def _display(html: str, text: str, **marks: Any) -> None:
    """Send HTML with its plain form to the notebook, marked for the report."""
    from IPython.display import publish_display_data

    publish_display_data({"text/html": html, "text/plain": text}, metadata={"send_analysis": marks})
