"""An executed notebook taken apart into what its page is made of, and held to its rules.

The rules are those a reader relies on: one title, one finding, headings that go down one level
at a time, alternative text with every picture, nothing loaded from elsewhere.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from send_analysis.areas import slug
from send_analysis.errors import NotebookError
from send_analysis.report import glossary, sections
from send_analysis.show.missing import AGAIN

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from bs4.element import Tag
    from nbconvert import HTMLExporter
    from nbformat import NotebookNode

# Rows of a table that hold text and nothing else: most of a page, and nothing in them to check.
PLAIN_ROWS = re.compile(
    r"<tbody>(?:[^<]|<wbr>|</?t[rdh]\b(?: (?:class|scope)=\"[a-z]+\")*>)*</tbody>"
)
DATA = re.compile(r'(?<=")data:[^"]{1000,}(?=")')  # pictures and files: most of the rest
_NAMES = "(?:Isle of Wight|Isles of Scilly|City of London)"
SPOKEN = re.compile(rf" (?={_NAMES}\b)")
FIRST = re.compile(
    rf"(?<=>)(?={_NAMES} (?:(?:goes|had|has|is)\b|in 20))|(?<=[a-z0-9%][.] )(?={_NAMES} [a-z])"
)
# Not after "and": boards have such names, "Hampshire and Isle of Wight".
BEFORE = re.compile(
    r"\b(?:against|at|between|by|for|from|in|marks|of|than|to|with)$", re.IGNORECASE
)
WITHIN = re.compile(rf"(?<=, )(?={_NAMES} (?:had|has|is|will|would)\b)")
LOADING = {"script", "link", "iframe", "object", "embed"}
HEADINGS = {"h2", "h3", "h4", "h5", "h6"}
TEMPLATES = Path(__file__).parent / "templates"


def parts(nb: NotebookNode, *, name: str, where: str) -> dict[str, Any]:
    """Take an executed notebook apart.

    Parameters
    ----------
    nb : nbformat.NotebookNode
        Executed notebook; its outputs are those of `display`, Markdown and text.
    name : str
        Name of the notebook without its ending, e.g. ``"02_demand_growth"``.
    where : str
        What error messages call it: area and file.

    Returns
    -------
    dict
        ``name``; ``short``, a name for links; ``title``, ``headline`` and ``points`` as text;
        ``finding`` and ``body`` as HTML; ``summary``, HTML for the area's first page;
        ``words``, HTML that explains those of the glossary; ``contents``, a list of
        ``anchor, text, below``; ``code``; ``tables``, the names of the tables that its figures and
        tables are made from; ``figures``, by their names those of its summary that the index of all
        areas has: ``label, value, words, number`` (left out where there is none) and ``tables``.

    Raises
    ------
    NotebookError
        If the notebook breaks a rule; the message names the cell and what to do.
    """
    headline, tables, figures = _check_outputs(nb, where)
    code = "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "code")
    sections.leave_out(nb)
    body, lifted = _body(nb, where)
    for text in body.find_all(string=re.compile(r"\d %")):
        text.replace_with(tied(text))
    summary = [_inner(it.extract(), lifted) for it in _of(body, "div", "summary")]
    title, finding = _take(body, where, "h1"), _take(body, where, "div", "finding")
    _check_self_contained(body, where)
    words = glossary.used(" ".join([title.get_text(), finding.get_text(" "), body.get_text(" ")]))
    glossary.mark(body)
    return {
        "name": name,
        "short": short(name),
        "title": title.get_text(),
        "headline": tied(headline),
        "points": [point.get_text() for point in finding.select("li")],
        "summary": summary,
        "finding": _inner(finding, lifted),
        "words": glossary.disclosure(words, "Words used on this page"),
        "contents": _contents(body, where),
        "body": _inner(_numbered(body), lifted),
        "code": code,
        "tables": tables,
        "figures": figures,
    }


def short(name: str) -> str:
    """Return what links call a page, by the name of its notebook: "Demand growth"."""
    return re.sub(r"^\d+_", "", name).replace("_", " ").capitalize()


def _check_outputs(nb: NotebookNode, where: str) -> tuple[str, list[str], dict[str, Any]]:
    """Refuse outputs a reader cannot use; return the headline, tables and figures named."""
    headlines, tables, figures = [], set(), {}
    for number, cell in enumerate(nb.cells, start=1):
        for output in cell.get("outputs", []):
            marks = output.get("metadata", {}).get("send_analysis", {})
            data = output.get("data", {})
            tables.update(marks.get("tables", []))
            if marks.get("kind") == "finding":
                headlines.append(marks["headline"])
            if "figure" in marks:
                told = {key: it for key, it in marks["figure"].items() if it is not None}
                figures[told.pop("name")] = told
            if not marks and any(kind.startswith("image/") for kind in data):
                raise NotebookError(
                    f"{where}, cell {number}: a figure without alternative text, data or source. "
                    "Show a send_analysis.show.Chart."
                )
            if not marks and 'class="dataframe"' in data.get("text/html", ""):
                raise NotebookError(
                    f"{where}, cell {number}: a table without caption or source. "
                    "Show a send_analysis.show.Table."
                )
    if len(headlines) != 1:
        raise NotebookError(
            f"{where}: {len(headlines)} findings. Call send_analysis.show.finding once."
        )
    return headlines[0], sorted(tables), figures


def _body(nb: NotebookNode, where: str) -> tuple[BeautifulSoup, list[str]]:
    """Render the cells; also return what is left out of the parsed page: rows, pictures, files."""
    from bs4 import BeautifulSoup
    from nbconvert import TemplateExporter
    from nbconvert.filters.markdown_mistune import InvalidNotebook

    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_for_readers(output)]
    _say_once(nb)
    # HTMLExporter would parse and write the page once more, to put a word in the place of
    # alternative text that is absent: here that is a mistake.
    try:
        html, _ = TemplateExporter.from_notebook_node(_exporter(), nb)
    except InvalidNotebook as error:
        named = [n for n, cell in enumerate(nb.cells, 1) if "(attachment:" in cell.source]
        raise NotebookError(
            f"{where}, cell {' or '.join(map(str, named))}: {error}. Attach the picture again "
            "under a name of plain letters, digits and hyphens."
        ) from None
    lifted: list[str] = []

    def lift(text: str) -> str:
        lifted.append(text)
        return f"data:lifted,{len(lifted) - 1}"

    html = PLAIN_ROWS.sub(lambda it: f'<tbody id="{lift(tied(it[0]))}"></tbody>', html)
    return BeautifulSoup(DATA.sub(lambda it: lift(it[0]), html), "html.parser"), lifted


def _say_once(nb: NotebookNode) -> None:
    """Say each note once: what is missing again refers to the first, once in a row of notes."""
    told, follows = set(), False  # `follows`: whether a note is what stands before
    for cell in nb.cells:
        follows &= cell.cell_type == "code"
        kept = []
        for output in cell.get("outputs", []):
            marks = output.get("metadata", {}).get("send_analysis", {})
            if marks.get("kind") == "note":
                html = output.data["text/html"]
                if html in told and marks.get("missing"):
                    output.data["text/html"] = f'<div class="note"><p>{AGAIN}</p></div>'
                refers = AGAIN in output.data["text/html"]
                if (html in told and not refers) or (refers and follows):
                    continue
                told.add(html)
            follows = marks.get("kind") == "note"
            kept.append(output)
        if cell.cell_type == "code":
            cell.outputs = kept


def _inner(tag: Tag, lifted: list[str]) -> str:
    """Write what is in a tag, with what was left out of the parsed page."""
    place = r'<tbody id="data:lifted,(\d+)"></tbody>|(?<=")data:lifted,(\d+)(?=")'
    html = tag.decode_contents(formatter="minimal")
    return re.sub(place, lambda at: lifted[int(at[1] or at[2])], html)


def _of(body: Tag, name: str, kind: str) -> list[Tag]:
    """Elements of a name and a class: BeautifulSoup finds those of a name alone much faster."""
    return [tag for tag in body.find_all(name) if kind in tag.get("class", [])]


@cache
def _exporter() -> HTMLExporter:
    """Return nbconvert's exporter with the package's template, compiled once."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    options = {"exclude_anchor_links": True, "optimistic_validation": True}
    return HTMLExporter(
        config=Config({"HTMLExporter": options}),
        template_name="send",
        extra_template_basedirs=[str(TEMPLATES)],
    )


def with_articles(html: str) -> str:
    """Give names that are spoken with an article theirs, inside of sentences and titles."""

    def article(found: re.Match) -> str:
        before = html[max(0, found.start() - 10) : found.start()]
        return " the " if BEFORE.search(before) else " "

    return WITHIN.sub("the ", FIRST.sub("The ", SPOKEN.sub(article, html)))


def tied(text: str) -> str:
    """Keep a number and its per cent sign on one line."""
    return re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)


def _is_for_readers(output: NotebookNode) -> bool:
    """Whether an output belongs on the page: no progress bar, control or bare object."""
    if output.output_type == "stream":
        return output.name == "stdout"
    data = output.data
    if "application/vnd.jupyter.widget-view+json" in data:
        return False
    return set(data) != {"text/plain"} or not re.fullmatch(r"<[^>]*>", data["text/plain"])


def _take(body: BeautifulSoup, where: str, name: str, kind: str | None = None) -> Tag:
    """Take the only element of a name, and class, out of the body."""
    found = _of(body, name, kind) if kind else body.find_all(name)
    if len(found) != 1:
        what = f"{name}.{kind}" if kind else name
        raise NotebookError(f"{where}: {len(found)} elements {what!r}, one is needed.")
    return found[0].extract()


def _check_self_contained(body: BeautifulSoup, where: str) -> None:
    """Refuse what would make a page send a request or run a script."""
    for tag in body.find_all(True):
        loads = tag.name in LOADING or "src" in tag.attrs
        if loads and not tag.get("src", "").startswith("data:"):
            raise NotebookError(
                f"{where}: {str(tag)[:80]} would load something from outside the page. Leave it "
                "out; a picture has to be drawn by the notebook."
            )
    texts = [image.get("alt", "") for image in body.find_all("img")]
    twice = next((text for text in texts if texts.count(text) > 1 or not text), None)
    if twice is not None:
        raise NotebookError(f"{where}: two figures share the alternative text {twice!r}.")


def _contents(body: BeautifulSoup, where: str) -> list[dict[str, Any]]:
    """Give every heading an anchor and list those of levels 2 and 3."""
    entries, used, before = [], {"main"}, 1
    for heading in (tag for tag in body.find_all(True) if tag.name in HEADINGS):
        level, text = int(heading.name[1]), heading.get_text()
        if level > before + 1:
            raise NotebookError(
                f"{where}: heading {text!r} is of level {level}, below level {before}. "
                "Headings go down one level at a time."
            )
        before = level
        anchor = base = slug(text) or "section"
        count = 2
        while anchor in used:
            anchor, count = f"{base}-{count}", count + 1
        used.add(anchor)
        heading["id"] = anchor
        if level == 2:
            entries.append({"anchor": anchor, "text": text, "below": []})
        elif level == 3:
            entries[-1]["below"].append({"anchor": anchor, "text": text})
    return entries


def _numbered(body: BeautifulSoup) -> BeautifulSoup:
    """Number figures and tables, let every table scroll, lead links to pages."""
    for number, title in enumerate(_of(body, "p", "figure-title"), start=1):
        title.insert(0, _number(body, f"Figure {number}: "))
        title["id"] = f"figure-{number}"
        title.parent["aria-labelledby"] = title["id"]
    for number, table in enumerate(_of(body, "div", "table"), start=1):
        table.caption.strong.insert(0, _number(body, f"Table {number}: "))
        table["id"] = f"table-{number}"
    for exhibit in [*_of(body, "div", "chart"), *_of(body, "div", "table")]:
        named = _of(exhibit, "p", "figure-title") or [exhibit]
        for one, behind in zip(named, exhibit.find_all("dl"), strict=True):
            behind.extend(_linked(body, one["id"]))
    for table in body.find_all("table"):
        if not any("scroll" in tag.get("class", []) for tag in table.parents):
            table.wrap(body.new_tag("div", attrs={"class": "scroll", "tabindex": "0"}))
    for link in body.find_all("a", href=re.compile(r"\.ipynb$")):
        link["href"] = Path(link["href"]).with_suffix(".html").name
    return body


def _linked(body: BeautifulSoup, anchor: str) -> list[Tag]:
    """Link to an exhibit, for what lies behind it."""
    term, told = body.new_tag("dt"), body.new_tag("dd")
    link = body.new_tag("a", attrs={"href": f"#{anchor}"})
    term.string, link.string = "Link to this", f"#{anchor}"
    told.append(link)
    return [term, told]


def _number(body: BeautifulSoup, text: str) -> Tag:
    """Number that stands before a caption."""
    tag = body.new_tag("span", attrs={"class": "number-of"})
    tag.string = text
    return tag
