"""What a notebook shows its reader: a finding, charts and tables with their sources, notes.

Each function displays HTML that reads well in JupyterLab and that `report` styles and numbers on
a page. Text is escaped; none of it is Markdown.
"""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import Any

from send_analysis.errors import ParameterError
from send_analysis.show import about, missing
from send_analysis.show.chart import Chart, Tile
from send_analysis.show.origin import brief
from send_analysis.show.table import Table, html_table

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
    for kind, several in groupby(things, type):
        if issubclass(kind, Chart):
            _show_charts(*several)
        elif issubclass(kind, Table):
            for one in several:
                _show_table(one)
        else:
            raise ParameterError(f"{kind.__name__} cannot be shown: give a Chart or a Table.")


def chart_html(*charts: Chart) -> str:
    """Write charts as HTML: titles, pictures, sources; what lies behind them in one disclosure.

    Raises
    ------
    ParameterError
        If one is made from no table and names no source.
    """
    figures = "".join(map(_figure, charts))
    tables = []
    for chart in charts:
        rows = len(chart.data)
        table = html_table(chart.data.head(MOST_ROWS), f"Data: {chart.title}")
        if rows > MOST_ROWS:
            table += f"<p>The first {MOST_ROWS:,} of {rows:,} rows; the download has them all.</p>"
        tables.append(f"<div>{_behind(chart, chart.title)}{table}</div>")
    titles = " and ".join(f"“{chart.title}”" for chart in charts)
    return f'<div class="chart">{figures}{_folded(titles, "".join(tables))}</div>'


def _figure(chart: Chart) -> str:
    """Write a chart without what lies behind it."""
    source, picture = _source(chart, chart.title), chart.picture()
    return (
        f'<figure><p class="figure-title"><strong>{escape(chart.title)}</strong></p>'
        + (f'<p class="subtitle">{escape(chart.subtitle)}</p>' if chart.subtitle else "")
        + f'<p class="picture"><img src="{picture.uri}" alt="{escape(chart.alt.strip())}" '
        f'width="{picture.width}" height="{picture.height}"></p>'
        f"<figcaption>{_below(chart.note, source)}</figcaption></figure>"
    )


def summary(*things: Tile | Chart | None) -> None:
    """Put figures and charts on the first page of the area, where its pages are listed.

    Parameters
    ----------
    *things : Tile, Chart or None
        A chart is one that a page shows with its data; None is left out.
    """
    for thing in filter(None, things):
        marks: dict[str, Any] = {"tables": list(getattr(thing, "tables", []))}
        if isinstance(thing, Chart):
            text = f"{thing.title}\n{thing.alt}"
        else:
            text = ": ".join(thing[:3])
            if thing.figure is not None:
                told = {"label": thing.label, "value": thing.value, "words": thing.words}
                marks["figure"] = told | thing.figure._asdict()
        html = f'<div class="summary">{summary_html(thing)}</div>'
        _display(html, text, kind="summary", **marks)


def summary_html(thing: Tile | Chart) -> str:
    """Write a figure, or a small chart, as HTML."""
    if isinstance(thing, Chart):
        picture = thing.picture()
        return (
            f'<figure><p class="label">{escape(thing.title)}</p>'
            f'<img src="{picture.uri}" alt="{escape(thing.alt.strip())}" '
            f'width="{picture.width}" height="{picture.height}"><figcaption class="source">'
            f"Source: {escape(_source(thing, thing.title))}</figcaption></figure>"
        )
    label, value, words = map(escape, thing[:3])
    return (
        f'<p><span class="label">{label}</span> <strong class="value">{value}</strong></p>'
        f"<p>{words}</p>"
    )


def _show_charts(*charts: Chart) -> None:
    """Display charts that stand together, what lies behind them in one disclosure."""
    html = chart_html(*charts)
    text = "\n".join(
        f"Figure: {one.title}\n{one.alt}\nSource: {about.source(one)}" for one in charts
    )
    named = sorted({name for one in charts for name in one.tables})
    _display(html, text, kind="figure", tables=named)


def _show_table(table: Table) -> None:
    """Display a table."""
    source = _source(table, table.caption)
    behind = _folded(f"“{table.caption}”", _behind(table, table.caption))
    below = f"{_below(table.note, source)}{behind}"
    html = f'<div class="table">{html_table(table.frame, table.caption, below)}</div>'
    text = f"{table.caption}\n{table.frame.to_string()}\nSource: {about.source(table)}"
    _display(html, text, kind="table", tables=list(table.tables))


def _source(thing: Chart | Table, title: str) -> str:
    """Say in a line where a chart or table is from; its citation has every release."""
    named = "; ".join(filter(None, [brief(thing.tables), thing.source]))
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


def _folded(of: str, html: str) -> str:
    """Put what lies behind exhibits into one disclosure: one stop of the keyboard."""
    return (
        '<details class="data"><summary>Data, method, citation<span class="of"> of '
        f"{escape(of)}</span></summary>{html}</details>"
    )


def _behind(thing: Chart | Table, title: str) -> str:
    """Data, method and citation of an exhibit."""
    parts = {
        "Data": _download(about.data(thing, title), title),
        "How to read a row": escape(about.reading(thing)),
        "How it was computed": escape(" ".join(about.method(thing))),
        "Columns": escape("; ".join(words for _, words in about.columns(thing))),
        "Cite this": escape(about.citation(thing, title)),
    }
    listed = "".join(f"<dt>{name}</dt><dd>{html}</dd>" for name, html in parts.items() if html)
    return f"<dl>{listed}</dl>"


def _download(data: bytes, title: str) -> str:
    """Link that holds the data as a file."""
    size = f"{len(data)} bytes" if len(data) < 1000 else f"{len(data) / 1000:,.0f} kB"
    return (
        f'<a download="{about.file_name(title)}" href="{about.link(data)}">Download as CSV</a> '
        f"({size}; lines that begin with # say what it holds)"
    )


def _display(html: str, text: str, **marks: Any) -> None:
    """Send HTML with its plain form to the notebook, marked for the report."""
    from IPython.display import publish_display_data

    publish_display_data({"text/html": html, "text/plain": text}, metadata={"send_analysis": marks})
