"""What a notebook shows its reader: a finding, a figure with its data, a table, a note.

Each function displays HTML that reads well in JupyterLab and that `reports` styles
and numbers on a page. Text is escaped; none of it is Markdown.
"""

from __future__ import annotations

import base64
import io
import pickle
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from send_analysis import tables
from send_analysis.areas import slug
from send_analysis.errors import ParameterError
from send_analysis.show import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 500  # of a chart's data on the page; its download always has every row
LARGEST_SVG = 400_000  # bytes: above it (thousands of marks) a figure is a PNG at 200 dpi
MOST_PICTURES = 500  # kept of those that pages share: about 40 MB
YEARS = r"year|january|origin|horizon|^(start|end|opens|from|to)$"  # columns that hold years
DECIMALS = ((1000, ",.0f"), (10, ",.1f"), (1, ",.2f"), (0, ",.3f"))  # from a value's size on
SHORTEST_ALT = 40  # characters: less cannot say the chart's kind, its trend and a number


def finding(headline: str, *points: str) -> None:
    """Say what the notebook found; shown at the top of its page and on the index page.

    Parameters
    ----------
    headline : str
        One sentence with its numbers. A notebook calls `finding` once.
    *points : str
        Further sentences, shown as a list under the headline.
    """
    items = "".join(f"<li>{escape(point)}</li>" for point in points)
    body = f"<p><strong>{escape(headline)}</strong></p>" + (f"<ul>{items}</ul>" if items else "")
    text = "\n- ".join(["Finding: " + headline, *points])
    _display(f'<div class="finding">{body}</div>', text, kind="finding", headline=headline)


def note(text: str) -> None:
    """Tell the reader about a gap or a fault in the data, in a box of its own.

    Parameters
    ----------
    text : str
        One or more sentences.
    """
    _display(f'<div class="note"><p>{escape(text)}</p></div>', f"Note: {text}", kind="note")


def show(
    figure: Axes | Figure | np.ndarray | partial,
    *,
    data: pd.DataFrame,
    alt: str,
    source: str | Sequence[str],
    caption: str | None = None,
    note: str | None = None,
    labels: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> None:
    """Display a figure with alternative text, source, data table and download, and close it.

    Parameters
    ----------
    figure : Axes, Figure, array of Axes, or partial
        As figure functions return it. The title, subtitle and source drawn in it by
        `style` are left out of the picture and set as text instead. ``partial(function, ...)``
        is drawn here, and only once for the same function and arguments: for charts that many
        areas' pages share.
    data : pandas.DataFrame
        The numbers that are drawn. A named index gives the rows their headings; else the first
        column does.
    alt : str
        Alternative text, at least 40 characters: the kind of chart, what it shows, its main
        numbers. Not the title again.
    source : str or sequence of str
        Names of the tables that the numbers are from (see `send_analysis.tables.catalogue`), which
        the page turns into publication and release; or these in words.
    caption : str, optional
        Title; by default the one drawn in the figure.
    note : str, optional
        How to read the figure, what is missing.
    labels, formats : mapping of column to heading, and to format specification, optional
        As for `table`.

    Raises
    ------
    ParameterError
        Without a title, a source or alternative text worth the name.
    """
    drawn = _drawn_once(pickle.dumps(figure)) if isinstance(figure, partial) else _drawn(figure)
    title = caption or drawn.title
    origin, named = _origin(title, source)
    if len(alt.strip()) < SHORTEST_ALT or alt.strip() == title:
        raise ParameterError(
            f"Alternative text {alt!r} of the figure {title!r} says too little: name the kind of "
            f"chart, what it shows and its main numbers in {SHORTEST_ALT} characters or more."
        )
    html = (
        '<div class="chart"><figure>'
        f'<p class="figure-title"><strong>{escape(title)}</strong></p>'
        + (f'<p class="subtitle">{escape(drawn.subtitle)}</p>' if drawn.subtitle else "")
        + f'<div class="scroll picture" role="group" tabindex="0" '
        f'aria-label="{escape("Chart: " + title)}">'
        f'<img src="{drawn.picture}" alt="{escape(alt.strip())}" width="{drawn.width}" '
        f'height="{drawn.height}"></div>'
        f"<figcaption>{_below(note, origin)}</figcaption></figure>"
        '<details class="data"><summary>Data and download'
        f'<span class="of"> for “{escape(title)}”</span></summary>'
        f"{html_table(data.head(MOST_ROWS), f'Data: {title}', labels, formats)}"
        + (
            f"<p>The first {MOST_ROWS:,} of {len(data):,} rows; the download has them all.</p>"
            if len(data) > MOST_ROWS
            else ""
        )
        + f"{_download(data, title)}</details></div>"
    )
    _display(html, f"Figure: {title}\n{alt}\nSource: {origin}", kind="figure", tables=named)


def table(
    frame: pd.DataFrame,
    *,
    caption: str,
    source: str | Sequence[str],
    note: str | None = None,
    labels: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> None:
    """Display a table with its caption, source and download.

    Parameters
    ----------
    frame : pandas.DataFrame
        What is shown, in its order. A named index gives the rows their headings; else the first
        column does.
    caption : str
        Title of the table, with units and period.
    source : str or sequence of str
        Names of the tables that the numbers are from (see `send_analysis.tables.catalogue`), which
        the page turns into publication and release; or these in words.
    note : str, optional
        How to read the table, what is missing.
    labels : mapping of str to str, optional
        Heading of a column; by default its name with spaces for underscores.
    formats : mapping of str to str, optional
        Format specification of a column, e.g. ``{"rate": ".2f", "change": "+.1f"}``. By default
        whole numbers have thousands separators (years do not), others as many decimals as their
        size needs.

    Raises
    ------
    ParameterError
        Without a caption or a source.
    """
    origin, named = _origin(caption, source)
    html = (
        f'<div class="table">{html_table(frame, caption, labels, formats)}'
        f'<div class="below">{_below(note, origin)}{_download(frame, caption)}</div></div>'
    )
    _display(html, f"{caption}\n{frame.to_string()}\nSource: {origin}", kind="table", tables=named)


def html_table(
    frame: pd.DataFrame,
    caption: str,
    labels: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> str:
    """Write a frame as an accessible table, in a box that scrolls sideways by keyboard too.

    Parameters
    ----------
    frame, caption, labels, formats
        As for `table`.

    Returns
    -------
    str
        HTML.
    """
    headings = max(1, frame.index.nlevels) if _has_named_index(frame) else 1
    frame = frame.reset_index() if _has_named_index(frame) else frame
    names = [" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns]
    numeric = [
        i >= headings and pd.api.types.is_numeric_dtype(kind) for i, kind in enumerate(frame.dtypes)
    ]
    titles = [(labels or {}).get(name, _words(name)) for name in names]
    head = "".join(
        f'<th scope="col"{_number_class(is_number)}>{escape(title)}</th>'
        for title, is_number in zip(titles, numeric, strict=True)
    )
    columns = []
    for i, name in enumerate(names):
        tag, kind = ("th", ' scope="row"') if i < headings else ("td", _number_class(numeric[i]))
        texts = _texts(frame.iloc[:, i], (formats or {}).get(name))
        columns.append([f"<{tag}{kind}>{escape(text)}</{tag}>" for text in texts])
    rows = "".join(f"<tr>{''.join(row)}</tr>\n" for row in zip(*columns, strict=True))
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{escape("Table: " + caption)}">'
        f"<table><caption><strong>{escape(caption)}</strong></caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>{rows}</tbody></table></div>"
    )


def picture(figure: Figure) -> str:
    """Draw a figure as it is.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
        Data URI: SVG, or PNG where that is smaller by far.
    """
    import matplotlib as mpl

    from send_analysis.show.svg import svg

    with mpl.rc_context(style.RC):
        content, kind = svg(figure), "svg+xml"
        if len(content) > LARGEST_SVG:
            file, kind = io.BytesIO(), "png"
            figure.savefig(file, format=kind, metadata={"Software": None})
            content = file.getvalue()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def month(year_month: str) -> str:
    """Write a month such as ``"2025-06"`` as "June 2025"; a year alone stays one.

    Parameters
    ----------
    year_month : str
        Year and month, as the descriptor of the tables has them.

    Returns
    -------
    str
    """
    return year_month if len(year_month) == 4 else f"{pd.Timestamp(year_month):%B %Y}"


def _display(html: str, text: str, **marks: Any) -> None:
    """Send HTML with its plain form to the notebook, marked for the report."""
    from IPython.display import publish_display_data

    publish_display_data({"text/html": html, "text/plain": text}, metadata={"send_analysis": marks})


def _origin(caption: str | None, source: str | Sequence[str]) -> tuple[str, list[str]]:
    """Say where a figure or table is from; also return the names of tables among its sources."""
    if not caption or not caption.strip():
        raise ParameterError("A figure or table needs a title: draw one or give `caption`.")
    given = [source] if isinstance(source, str) else list(source)
    if not given or not all(text.strip() for text in given):
        raise ParameterError(f"{caption!r} needs its `source`: tables, or publication and release.")
    named = [text for text in given if re.fullmatch(r"[a-z0-9_]+", text)]
    words = [text for text in given if text not in named]
    return "; ".join([*_releases(named), *words]), named


def _releases(names: Sequence[str]) -> list[str]:
    """Publications behind tables with their releases, the reporting years of one put together."""
    found = {it["name"]: it for name in names for it in tables.resource(name)["sources"]}
    series: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for it in found.values():
        title, _, year = it["title"].partition(", reporting year ")
        series.setdefault((title, it["publisher"]), []).append((it["published"], year))
    return [
        f"{title}{_reporting_years(sorted(filter(None, (year for _, year in releases))))} "
        f"({publisher}, {month(max(releases)[0])})"
        for (title, publisher), releases in series.items()
    ]


def _reporting_years(years: list[str]) -> str:
    """Name the reporting years of a publication, if it has any."""
    if len(years) < 2:
        return "".join(f", reporting year {year}" for year in years)
    return f", reporting years {', '.join(years[:-1])} and {years[-1]}"


class _Drawn(NamedTuple):
    """A figure as the page has it: its picture as a data URI, its size in CSS pixels."""

    title: str | None
    subtitle: str | None
    picture: str
    width: int
    height: int


@lru_cache(MOST_PICTURES)
def _drawn_once(pickled: bytes) -> _Drawn:
    """Draw what a pickled call of a figure function makes, unless that was done before."""
    return _drawn(pickle.loads(pickled)())


def _drawn(made: Any) -> _Drawn:
    """Draw a figure, with its texts taken out, and close it."""
    import matplotlib.pyplot as plt

    figure = _figure_of(made)
    title, subtitle = _hide_texts(figure)
    drawn = picture(figure)
    width, height = (figure.get_size_inches() * 96).round().astype(int)
    plt.close(figure)
    return _Drawn(title, subtitle, drawn, width, height)


def _figure_of(figure: Any) -> Figure:
    """Find the figure of what a figure function returned."""
    first = figure.flat[0] if isinstance(figure, np.ndarray) else figure
    return getattr(first, "figure", first)


def _hide_texts(figure: Figure) -> tuple[str | None, str | None]:
    """Hide title, subtitle and source, which the page says in text; return the first two."""
    from matplotlib.text import Text

    by_part: dict[str, list[Text]] = {"title": [], "subtitle": [], "source": []}
    for holder in (figure, *figure.axes):
        for artist in holder.get_children():
            if isinstance(artist, Text) and artist.get_gid() in by_part:
                by_part[artist.get_gid()].append(artist)
    if figure.get_suptitle():
        by_part["title"] = [figure._suptitle]
    elif len(figure.axes) == 1 and not by_part["title"]:
        by_part["title"] = [figure.axes[0].title]
    texts = {
        part: " ".join(artists[0].get_text().split())
        for part, artists in by_part.items()
        if len(artists) == 1
    }
    for part in texts:
        by_part[part][0].set_text("")  # one that is only hidden would be placed all the same
    return texts.get("title"), texts.get("subtitle")


def _below(note: str | None, source: str) -> str:
    """Lines under a figure or table."""
    return (f"<p>{escape(note)}</p>" if note else "") + (
        f'<p class="source">Source: {escape(source)}</p>'
    )


def _download(frame: pd.DataFrame, caption: str) -> str:
    """Link that holds the data as CSV."""
    text = frame.to_csv(index=_has_named_index(frame), lineterminator="\n", float_format="%.12g")
    # Excel reads anything but ASCII wrongly unless the file starts with a byte-order mark.
    data = text.encode("ascii" if text.isascii() else "utf-8-sig")
    link = f"data:text/csv;charset=utf-8;base64,{base64.b64encode(data).decode()}"
    name = slug(caption)[:60].strip("-") + ".csv"
    return (
        f'<p class="download"><a download="{name}" href="{link}">Download as CSV'
        f'<span class="of">: {escape(caption)}</span></a> ({_bytes(len(data))})</p>'
    )


def _bytes(size: int) -> str:
    """Size of a file in the unit that suits it."""
    return f"{size} bytes" if size < 1000 else f"{size / 1000:,.0f} kB"


def _has_named_index(frame: pd.DataFrame) -> bool:
    """Whether the index is data, not a counter."""
    return any(name is not None for name in frame.index.names)


def _words(name: str) -> str:
    """Heading of a column from its name."""
    words = name.replace("_", " ").strip()
    words = re.sub(r"\b(ehc|nhs|sen|send)\b", lambda found: found[0].upper(), words)
    return words[:1].upper() + words[1:]


def _number_class(is_number: bool) -> str:
    """Attribute of a cell that holds a number."""
    return ' class="number"' if is_number else ""


def _texts(column: pd.Series, form: str | None) -> list[str]:
    """Values of a column as they are read."""
    form = form or _default_format(column)
    return [
        "n/a" if missing else format(value, form)
        for value, missing in zip(column, column.isna(), strict=True)
    ]


def _default_format(column: pd.Series) -> str:
    """Format of a column that its author gave none."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "%d %B %Y"
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return ""
    values = np.abs(column.dropna().to_numpy(dtype=float))
    whole = bool((values == values.round()).all())
    is_year = whole and len(values) > 0 and values.min() >= 1900 and values.max() <= 2100
    if is_year and re.search(YEARS, str(column.name), re.IGNORECASE):
        return ".0f"
    if whole:
        return ",.0f"
    # As many decimals as tell values of this size apart: .275 and .25 are not both "0.3".
    most = values.max()
    return next(form for above, form in DECIMALS if most >= above)
