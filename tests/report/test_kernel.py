"""Notebooks in a kernel that is kept: as good as one of their own; gaps are told, not fatal."""

from pathlib import Path

import nbformat
import pytest

from send_analysis.errors import NotebookError
from send_analysis.report import kernel as execution
from send_analysis.report import page as pages
from send_analysis.report import render
from send_analysis.report.edition import edition_of

CODE, TEXT = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
MISSING = "from send_analysis.errors import MissingDataError\nraise MissingDataError('No plans.')"
FINDING = "from send_analysis.show import finding\nfinding('A finding with 1 number.')"


@pytest.fixture(scope="module")
def kernel():
    with execution.Kernel() as kept:
        yield kept


@pytest.fixture
def run(kernel, tmp_path):
    """Write and execute a notebook of code cells in the kernel that is kept."""

    def call(*sources):
        parameters = CODE('area = "Nowhere"', metadata={"tags": ["parameters"]})
        cells = [TEXT("# A title"), parameters, *map(CODE, sources)]
        path = tmp_path / "01_written.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return execution.execute(path, area="Bury", kernel=kernel)

    return call


def html(nb):
    return [
        output["data"].get("text/html")
        for cell in nb.cells
        for output in cell.get("outputs", [])
        if output.output_type == "display_data"
    ]


def test_a_kept_kernel_gives_the_same_page_as_one_of_its_own(kernel, tiny, tiny_report):
    day, alone = edition_of("2026-01-31"), render.around("E08000002", Path("nowhere"))
    for _ in range(2):
        made = [render.page_of("E08000002", tiny, kernel=kernel)]
        rendered = render.html_of("E08000002", made, day, alone)
        for name, path in tiny_report.set_index("page")["path"].items():
            assert rendered[name].encode() == Path(path).read_bytes()


def test_nothing_is_left_for_the_next_notebook(run, tmp_path):
    run(
        "import os, matplotlib.pyplot as plt\nplt.figure()\nplt.rcParams['font.size'] = 30\n"
        "os.chdir('/')\nleft = 1"
    )
    nb = run(
        "import os, matplotlib.pyplot as plt\n"
        "print('left' in globals(), plt.get_fignums(), plt.rcParams['font.size'], os.getcwd())"
    )
    assert nb.cells[-1].outputs[0].text.split() == ["False", "[]", "10.0", str(tmp_path)]


def test_what_was_read_stays_in_memory(run):
    source = "from send_analysis import tables\nprint(id(tables._read(tables.data_dir(), 'areas')))"
    first, second = run(source), run(source)
    assert first.cells[-1].outputs[0].text == second.cells[-1].outputs[0].text


def test_a_kernel_that_died_is_replaced(run):
    with pytest.raises(NotebookError, match="died"):
        run("import os\nos._exit(1)")
    assert run("print(1 + 1)").cells[-1].outputs[0].text == "2\n"


def test_a_cell_that_hangs_is_ended(run, monkeypatch):
    monkeypatch.setattr(execution, "SECONDS_A_CELL", 1)
    with pytest.raises(NotebookError, match="timed out"):
        run("import time\ntime.sleep(60)")
    monkeypatch.undo()
    assert run("print(1 + 1)").cells[-1].outputs[0].text == "2\n"


def test_missing_figures_are_told_and_the_rest_goes_on(run):
    nb = run(FINDING, f"made = 1\n{MISSING}\nother = 2", "print(other)", "print('after')", MISSING)
    assert nb.cells[-2].outputs[0].text == "after\n"
    notes = [text for text in html(nb) if 'class="note"' in text]
    again = '<div class="note"><p>Not shown, for the reason given above.</p></div>'
    why = '<div class="note"><p>No plans.</p></div>'
    assert notes == [why, again, why]  # a cell that is run again says the reason again
    page = pages.parts(nb, name="01_written", where="Bury")["body"]
    assert page.count(why) == 1
    assert page.count(again) == 1  # not below the first note, but after what stands in between


def test_a_page_without_its_finding_says_what_is_missing(run):
    nb = run(MISSING)
    page = pages.parts(nb, name="01_written", where="Bury")
    assert page["headline"].startswith("The official tables do not have")
    assert "for Bury. No plans." in page["headline"]


@pytest.mark.parametrize(
    ("sources", "cell", "error"),
    [
        (["print(undefined)"], 3, "NameError"),
        ([f"made = 1\n{MISSING}", "print(1)", "print(undefined)"], 5, "NameError"),
        ([MISSING, "1 / 0"], 4, "ZeroDivisionError"),
    ],
)
def test_other_mistakes_still_fail(run, sources, cell, error):
    with pytest.raises(NotebookError, match=f"Bury, 01_written.ipynb, cell {cell}: {error}"):
        run(*sources)
