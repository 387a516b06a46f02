"""The pipeline: parameters, errors, files, the same bytes twice."""

import json
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

import send_analysis
from send_analysis import tables
from send_analysis.errors import (
    MissingDataError,
    NotebookError,
    ParameterError,
    UnknownNameError,
)
from send_analysis.report import render
from send_analysis.report.edition import edition_of

TEXT = nbformat.v4.new_markdown_cell
FINDING = 'from send_analysis.show import finding\nfinding("A finding with 1 number.")'


def cell(source="", marks=None, **data):
    """Code cell, with an output as a kernel would leave it."""
    made = nbformat.v4.new_code_cell(source)
    if data:
        data = {kind.replace("_", "/"): value for kind, value in data.items()}
        metadata = {"send_analysis": marks} if marks else {}
        made.outputs = [nbformat.v4.new_output("display_data", data, metadata=metadata)]
    return made


def finding(headline="A finding with 1 number."):
    marks = {"kind": "finding", "headline": headline}
    html = f'<div class="finding"><strong>{headline}</strong></div>'
    return cell(FINDING, marks, text_html=html)


@pytest.fixture
def notebook(tmp_path):
    """Write a notebook: title, parameters, a finding, and the cells given."""

    def write(*cells, tags=("parameters",)):
        parameters = nbformat.v4.new_code_cell('area = "Nowhere"', metadata={"tags": list(tags)})
        nb = nbformat.v4.new_notebook(cells=[TEXT("# A title"), parameters, finding(), *cells])
        path = tmp_path / "01_written.ipynb"
        nbformat.write(nb, path)
        return path

    return write


@pytest.fixture
def no_kernel(monkeypatch):
    """Take the outputs that stand in the file, to save the time of a kernel."""
    monkeypatch.setattr(render, "execute", lambda path, *, area, kernel: nbformat.read(path, 4))


def read(frame, page):
    return read_file(frame.set_index("page")["path"][page])


def read_file(path):
    return BeautifulSoup(Path(path).read_text(encoding="utf-8"), "html.parser")


def test_result_lists_every_page(tiny_report):
    assert tiny_report.columns.tolist() == [
        "area_code", "area", "page", "title", "finding", "path",
    ]  # fmt: skip
    assert tiny_report["page"].tolist() == ["index", "01_tiny"]
    assert set(tiny_report["area_code"]) == {"E08000002"}
    assert all(Path(path).is_file() for path in tiny_report["path"])
    assert Path(tiny_report["path"][1]).parts[-2:] == ("bury", "01_tiny.html")


def test_finding_is_at_the_top_of_page_and_index(tiny_report):
    headline = "Plans in Bury rose from 1,200 to 1,375 & no further."
    assert tiny_report["finding"][1] == headline
    page = read(tiny_report, "01_tiny")
    finding = page.select("main .top > .finding")
    assert len(finding) == 1
    assert finding[0].strong.get_text() == headline
    assert finding[0].li.get_text() == "The count of 2024 is missing."
    index = read(tiny_report, "index")
    assert index.select_one(".on a")["href"] == "01_tiny.html"
    assert index.select_one(".on a").get_text() == tiny_report["title"][1]


def test_page_says_what_it_was_made_from(tiny_report):
    footer = read(tiny_report, "01_tiny").footer.get_text(" ", strip=True)
    assert f"send_analysis {send_analysis.__version__}" in footer
    assert "01_tiny.ipynb" in footer
    assert "E08000002" in footer
    assert "To cite this page: The send_analysis authors (2026). " in footer
    banner = read(tiny_report, "01_tiny").header.get_text(" ", strip=True)
    for said in ("Rendered on 31 January 2026", send_analysis.__version__, "Releases to "):
        assert said in footer and said in banner
    assert 'area = "Bury"' in footer


def test_page_lists_the_releases_behind_its_tables(notebook, no_kernel, tmp_path):
    marks = {"kind": "table", "tables": ["inspections"]}
    path = notebook(cell("", marks, text_html="<p>a table</p>"))
    footer = read(render.render(["Bury"], tmp_path, notebooks=[path]), "01_written").footer
    rows = footer.select("details.data tbody tr")
    assert len(rows) == 1
    assert "Care Quality Commission" in rows[0].get_text()
    descriptor = json.loads((tables.data_dir() / "datapackage.json").read_text("utf-8"))
    source = next(it for it in descriptor["resources"] if it["name"] == "inspections")["sources"][0]
    assert rows[0].code.get_text() == source["sha256"]
    assert pd.Timestamp(source["published"]).strftime("%B %Y") in footer.p.get_text()


def test_index_shows_the_faults_of_the_area_and_of_no_other(notebook, no_kernel, tmp_path):
    known = pd.read_csv(tables.data_dir() / "quality.csv")
    pages = render.render(["Newham", "Wakefield"], tmp_path, notebooks=[notebook()])
    for code, path in pages.loc[pages["page"].eq("index"), ["area_code", "path"]].to_numpy():
        around = {code, "E12000007" if code == "E09000025" else "E12000003"}
        shown = read_file(path).select("main .faults tbody tr")
        assert len(shown) == known["area_code"].isin(around).sum() > 0
        told = read_file(path).select_one("main .faults").get_text(" ")
        assert "Plans published" not in told and "'published'" not in told
        assert not re.search(r"\de[+-]\d", told)
        heads = {th.get_text() for th in read_file(path).select("main .faults thead th")}
        assert {"Figure", "Held against"} <= heads
        assert {"Figure", "Held against"} >= set(re.findall("“(.*?)”", told))


def test_page_leaves_out_code_but_in_the_footer(tiny_report):
    page = read(tiny_report, "01_tiny")
    assert "show(" not in page.main.get_text()
    assert "show(" in page.select_one("footer details").get_text()
    assert "Rows: 3" in page.main.get_text()


def test_links_between_notebooks_lead_to_pages(tiny_report):
    hrefs = {link.get_text(): link["href"] for link in read(tiny_report, "01_tiny").select("a")}
    assert hrefs["other page"] == "02_other.html"
    assert hrefs["publisher"] == "https://www.gov.uk/"


def test_figures_and_tables_are_numbered_in_order(tiny_report):
    page = read(tiny_report, "01_tiny")
    assert [title.get_text() for title in page.select(".figure-title")] == [
        "Figure 1: Plans rose by 175 in two years",
        "Figure 2: Bars of two counts",
    ]
    assert page.select_one(".table caption").get_text() == "Table 1: Claims and what was found"


def test_same_inputs_same_bytes(tiny, tiny_report, tmp_path):
    again = render.render(["E08000002"], tmp_path, notebooks=[tiny], day="2026-01-31")
    for first, second in zip(tiny_report["path"], again["path"], strict=True):
        assert Path(first).read_bytes() == Path(second).read_bytes()


def test_area_is_given_to_the_notebook(notebook):
    path = notebook(cell('print("for", area)'))
    given = render.execute(path, area="St. Helens")
    assert given.cells[-1].outputs[0].text == "for St. Helens\n"
    assert [it.source for it in given.cells] == [it.source for it in nbformat.read(path, 4).cells]


def test_folder_is_named_after_the_area(notebook, no_kernel, tmp_path):
    pages = render.render(["Kensington and Chelsea", "st helens"], tmp_path, notebooks=[notebook()])
    index = pages.loc[pages["page"].eq("index"), "path"]
    assert [Path(it).parent.name for it in index] == ["kensington-and-chelsea", "st-helens"]
    assert [read_file(it).h1.get_text() for it in index] == [
        "SEND services in Kensington and Chelsea",
        "SEND services in St. Helens",
    ]


def test_widgets_progress_and_bare_objects_stay_in_the_notebook(notebook, no_kernel, tmp_path):
    progress = cell()
    progress.outputs = [nbformat.v4.new_output("stream", name="stderr", text="42 %")]
    widget = cell()
    view = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"}
    widget.outputs = [nbformat.v4.new_output("display_data", view)]
    path = notebook(progress, widget, cell(text_plain="<Axes: >"), cell(text_plain="a < b"))
    page = read(render.render(["Bury"], tmp_path, notebooks=[path]), "01_written").main.get_text()
    assert "42 %" not in page and "<Axes" not in page and "IntSlider" not in page
    assert "a < b" in page


def test_per_cent_sign_stays_with_its_number(notebook, no_kernel, tmp_path):
    made = render.render(["Bury"], tmp_path, notebooks=[notebook(TEXT("It rose by 5 % in all."))])
    assert "by 5\N{NO-BREAK SPACE}% in all" in read(made, "01_written").main.get_text()


def test_rows_of_tables_are_as_written(notebook, no_kernel, tmp_path):
    """Rows of plain text are not parsed; the page has them in their places all the same."""
    tables = [
        f'<table><tbody><tr><th scope="row">{n}</th><td>{n} % &lt; {n + 1} &amp;</td></tr>'
        "</tbody></table>"
        for n in (1, 2)
    ]
    path = notebook(*(cell(text_html=table) for table in tables))
    page = read(render.render(["Bury"], tmp_path, notebooks=[path]), "01_written")
    rows = [[each.get_text() for each in row.find_all(["th", "td"])] for row in page.select("tr")]
    assert [row for row in rows if len(row) == 2] == [
        ["1", "1\N{NO-BREAK SPACE}% < 2 &"],
        ["2", "2\N{NO-BREAK SPACE}% < 3 &"],
    ]


def test_failing_cell_is_named_and_the_earlier_report_stays(notebook, tmp_path):
    earlier = tmp_path / "bury" / "index.html"
    earlier.parent.mkdir()
    earlier.write_text("earlier")
    bad = notebook(cell("a = {}"), cell("b = 1\na['missing key']\nc = 2"))
    with pytest.raises(NotebookError) as error:
        render.render(["Bury"], tmp_path, notebooks=[bad])
    message = str(error.value)
    for part in (
        "Bury",
        "01_written.ipynb",
        "cell 5",
        "KeyError",
        "missing key",
        "a['missing key']",
    ):
        assert part in message
    assert "\x1b" not in message and len(message.splitlines()) <= 2
    assert sorted(it.name for it in tmp_path.iterdir()) == ["01_written.ipynb", "bury"]
    assert earlier.read_text() == "earlier"
    assert list(earlier.parent.iterdir()) == [earlier]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([cell(image_png="iVBORw0KGgo=", text_plain="<Figure>")], "alternative text"),
        ([cell(text_html='<table border="1" class="dataframe"></table>')], "caption"),
        ([finding("Another finding.")], "2 findings"),
        ([TEXT("## Section"), TEXT("#### Too deep")], "one level at a time"),
        ([TEXT("# A second title")], "'h1'"),
        ([TEXT("![a picture](https://example.org/a.png)")], "outside the page"),
        ([cell(text_html="<script>1</script>")], "outside the page"),
        (
            [cell(text_html="<table><tbody><tr><td><script>1</script></td></tr></tbody></table>")],
            "outside the page",
        ),
        (
            [cell(text_html='<table><tbody><tr><td onclick="x"><img src="a.png"></table>')],
            "outside the page",
        ),
        ([cell(text_html='<img src="data:," alt="">')], "alternative text"),
    ],
)
def test_what_readers_could_not_use_is_refused(notebook, no_kernel, tmp_path, cells, words):
    with pytest.raises(NotebookError, match=words):
        render.render(["Bury"], tmp_path, notebooks=[notebook(*cells)])
    assert not (tmp_path / "bury").exists()


def test_notebook_without_parameters_cell(notebook):
    with pytest.raises(NotebookError, match="tagged 'parameters'"):
        render.execute(notebook(tags=()), area="Bury")


def test_unknown_area_and_notebook_are_refused_before_anything_runs(tiny, tmp_path):
    with pytest.raises(UnknownNameError, match="Burry"):
        render.render(["Bury", "Burry"], tmp_path, notebooks=[tiny])
    with pytest.raises(MissingDataError, match="03_not_there"):
        render.render(["Bury"], tmp_path, notebooks=["03_not_there"])
    assert list(tmp_path.iterdir()) == []


def test_folder_with_other_files_is_left_alone(notebook, no_kernel, tmp_path):
    (tmp_path / "bury").mkdir()
    (tmp_path / "bury" / "thesis.docx").write_text("years of work")
    with pytest.raises(ParameterError, match="thesis"):
        render.render(["Bury"], tmp_path, notebooks=[notebook()])
    assert (tmp_path / "bury" / "thesis.docx").read_text() == "years of work"


def test_earlier_report_is_replaced_as_a_whole(notebook, no_kernel, tmp_path):
    first = notebook()
    render.render(["Bury"], tmp_path, notebooks=[first])
    second = first.rename(tmp_path / "02_later.ipynb")
    render.render(["Bury"], tmp_path, notebooks=[second])
    kept = sorted(it.name for it in (tmp_path / "bury").iterdir())
    assert kept == ["02_later.html", "index.html"]


@pytest.mark.parametrize(("day", "late"), [("2026-06-30", False), ("2026-07-01", True)])
def test_the_head_says_when_newer_counts_have_been_due(day, late):
    """The release of 2025 came in June; the next comes a year later."""
    told = render.provenance(["ehc_plans"], edition_of(day), "Title")["dates"][0]
    assert told == "Plans to January 2025" + " (the next were due in June 2026)" * late
