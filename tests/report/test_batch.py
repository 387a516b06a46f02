"""Many areas: what is done is not done again, failures do not spread, a cluster gives the same."""

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from send_analysis import areas
from send_analysis.errors import NotebookError, ParameterError, UnknownNameError
from send_analysis.report import batch, render
from send_analysis.report.edition import edition_of

AREAS = ["Bury", "Oldham", "St. Helens", "Wigan", "Isles of Scilly", "England"]
DAY = "2026-01-31"
CHANCES = {"Bury": (87.26, "87 %"), "Oldham": (99.4, "over 90 %"), "Wigan": (0.2, "1 %")}
SOURCE = """
import pandas as pd
from send_analysis import areas, caveats
from send_analysis.capacity import views, words
from send_analysis.show import finding, summary
if area == "Oldham" and {fails}:
    raise RuntimeError("no luck today")
number = areas.find(area)
finding(f"{{area}} has the code {{number}}, which has 9 characters.")
chances = {chances}
if area in chances or area == "Isles of Scilly":
    forecast = pd.DataFrame({{
        "kind": views.EVERY, "phase": "all", "year": caveats.latest("placements") + 1,
        "capacity": 900.0, "demand": 950.0 if area in chances else 6.0, "demand_low_80": 5.0,
        "demand_high_80": 1000.0, "probability": chances.get(area, [50.0])[0],
    }}, index=[0])
    forecast.attrs["tables"] = ("ehc_plans", "high_needs_places")
    summary(words.places(forecast))
"""


def write(folder, *, fails=False, title="A title"):
    cells = [
        nbformat.v4.new_markdown_cell(f"# {title}"),
        nbformat.v4.new_code_cell('area = "Nowhere"', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(SOURCE.format(fails=fails, chances=CHANCES)),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    path = folder / "01_code.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def content(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.html")}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    return write(tmp_path_factory.mktemp("notebook"))


@pytest.fixture
def no_kernel(monkeypatch):
    """Stand in for the execution of a notebook, to save the time of a kernel."""

    def execute(path, *, area, kernel):
        nb = nbformat.read(path, 4)
        if "and True" in nb.cells[-1].source and area == "Oldham":
            raise NotebookError("Oldham, 01_code.ipynb, cell 3: RuntimeError: no luck today")
        html = f'<div class="finding"><p><strong>{area} has 1 code.</strong></p></div>'
        marks = {"send_analysis": {"kind": "finding", "headline": f"{area} has 1 code."}}
        output = nbformat.v4.new_output("display_data", {"text/html": html}, metadata=marks)
        nb.cells[-1].outputs = [output]
        return nb

    monkeypatch.setattr(render, "execute", execute)


@pytest.fixture(scope="module")
def serial(notebook, tmp_path_factory):
    """Folder and result of a run without any other worker."""
    out = tmp_path_factory.mktemp("serial")
    return out, batch.render_all(AREAS, out, notebooks=[notebook], jobs=1, day=DAY)


def test_every_area_has_its_report(serial):
    out, told = serial
    assert told.columns.tolist() == ["area_code", "area", "state", "error", "path"]
    assert told["area"].tolist() == AREAS
    assert set(told["state"]) == {"written"}
    for row in told.itertuples():
        assert row.area_code in (Path(row.path).parent / "01_code.html").read_text("utf-8")
    assert (out / "index.html").is_file()


def chances(out):
    """What the index says of the chance that more places are needed, and the area's page."""
    text = (out / "index.html").read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    index = BeautifulSoup(text, "html.parser")
    heads = [cell.get_text() for cell in index.select("table.areas thead th")]
    at = next(at for at, head in enumerate(heads) if head.startswith("Chance that more specialist"))
    told = {}
    for row in index.select("table.areas tbody tr"):
        area = areas.find(row["data-code"]).name
        path = out / areas.slug(area) / "index.html"
        page = BeautifulSoup(path.read_text("utf-8") if path.is_file() else "", "html.parser")
        value = page.select_one(".tile .value")
        names, *cells = row.select("th, td")
        told[area] = cells[at - 1].get_text(), names.get_text(), value and value.get_text()
    return told, index


def test_the_index_has_the_chance_that_the_page_of_the_area_has(serial):
    told, index = chances(serial[0])
    for area, (_, said) in CHANCES.items():
        text, _, value = told[area]
        assert text == value.replace("\N{NO-BREAK SPACE}", " ") == said
    text, why, value = told["Isles of Scilly"]
    assert (text, value) == ("n/a", "5 to 1,000")
    assert "No chance is given (fewer than 10 places)." in why
    assert told["St. Helens"][0] == "n/a" and "make it anew" in told["St. Helens"][1]
    assert (told["England"][0], told["Leeds"][0]) == ("–", "no report")
    pattern = index.select(".pattern")[-1].get_text()
    assert "Highest: over 90 % in Oldham, 87 % in Bury, 1 % in Wigan." in pattern
    assert "No figure, 150 of them." in pattern
    assert "Dedicated schools grant" in index.select_one(".used").get_text()


def test_a_chance_that_is_not_that_of_the_page_is_not_in_the_index(serial, notebook, tmp_path):
    """Noted before figures were, made since by another run, noted of an earlier January."""
    out = shutil.copytree(serial[0], tmp_path / "out")
    noted = json.loads((out / batch.MANIFEST).read_text("utf-8"))
    del noted[areas.find("Bury")]["figures"]
    figure = noted[areas.find("Wigan")]["figures"]["more_needed"]
    past = figure | {"label": figure["label"].replace(" 20", " 19")}
    noted[areas.find("St. Helens")]["figures"] = {"more_needed": past}
    page = out / "oldham" / "index.html"
    page.write_text(page.read_text("utf-8") + " ", "utf-8")

    (out / batch.MANIFEST).write_text(json.dumps(noted), "utf-8")
    run = batch.render_all(["England"], out, notebooks=[notebook], jobs=1, day=DAY)
    assert run["state"].tolist() == ["unchanged"]
    told, _ = chances(out)
    assert [told[area][0] for area in (*CHANCES, "St. Helens")] == ["n/a", "n/a", "1 %", "n/a"]
    assert "make it anew" in told["Oldham"][1]


def test_other_processes_give_the_same_bytes(serial, notebook, tmp_path):
    area = "isles-of-scilly"  # none of the others is like it: its links are the same
    told = batch.render_all(["Isles of Scilly"], tmp_path, notebooks=[notebook], jobs=2, day=DAY)
    assert set(told["state"]) == {"written"}
    for page in ("index.html", "01_code.html"):
        assert (tmp_path / area / page).read_bytes() == (serial[0] / area / page).read_bytes()


def test_what_is_up_to_date_is_left_alone(no_kernel, tmp_path, monkeypatch):
    path = write(tmp_path)
    out = tmp_path / "out"

    def states():
        told = batch.render_all(["Bury", "Wigan"], out, notebooks=[path], jobs=1)
        return told["state"].tolist()

    assert states() == ["written", "written"]
    before = content(out)
    with monkeypatch.context() as patched:
        patched.setattr(batch, "_report", None)  # nothing may be called
        assert states() == ["unchanged", "unchanged"]
    (out / "wigan" / "01_code.html").write_text("spoilt")
    assert states() == ["unchanged", "written"]
    (out / "bury" / "01_code.html").unlink()
    assert states() == ["written", "unchanged"]
    assert content(out) == before
    write(tmp_path, title="Another title")
    assert states() == ["written", "written"]
    assert b"Another title" in (out / "bury" / "01_code.html").read_bytes()


def test_hash_covers_tables_code_and_notebooks(tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    (data / "datapackage.json").write_text("{}")
    monkeypatch.setenv("SEND_ANALYSIS_DATA", str(data))
    path = write(tmp_path)
    seen = {batch.fingerprint([path])}
    (data / "plans.csv").write_text("1")
    seen.add(batch.fingerprint([path]))
    (data / "plans.csv").write_text("2")
    seen.add(batch.fingerprint([path]))
    write(tmp_path, title="Another title")
    seen.add(batch.fingerprint([path]))
    monkeypatch.setattr(batch.metadata, "version", lambda name: "0")
    seen.add(batch.fingerprint([path]))
    assert len(seen) == 5
    assert batch.fingerprint([path]) in seen


def test_a_failure_is_told_and_the_rest_is_there(no_kernel, tmp_path):
    path = write(tmp_path, fails=True)
    out = tmp_path / "out"
    (out / "wigan").mkdir(parents=True)
    (out / "wigan" / "thesis.docx").write_text("years of work")
    told = batch.render_all(["Bury", "Oldham", "Wigan"], out, notebooks=[path], jobs=1)
    assert told["state"].tolist() == ["written", "failed", "failed"]
    assert "Oldham, 01_code.ipynb, cell 3: RuntimeError: no luck today" in told["error"][1]
    assert "thesis.docx" in told["error"][2]
    assert (out / "wigan" / "thesis.docx").is_file()
    index = (out / "index.html").read_text("utf-8")
    assert "no luck today" in index
    assert 'href="bury/index.html"' in index and 'href="oldham/index.html"' not in index
    write(tmp_path)
    (out / "wigan" / "thesis.docx").unlink()
    told = batch.render_all(["Bury", "Oldham", "Wigan"], out, notebooks=[path], jobs=1)
    assert set(told["state"]) == {"written"}
    assert "no luck today" not in (out / "index.html").read_text("utf-8")


def test_areas_of_a_board_are_made_by_one_worker():
    """Greater Manchester's ten authorities have one integrated care board (NHS England)."""
    everywhere = [areas.find("England"), *areas.current()]
    tasks = batch.together(everywhere)
    assert sorted(code for task in tasks for code in task) == sorted(everywhere)
    assert [areas.ENGLAND] in tasks
    names = "Bury Bolton Manchester Oldham Rochdale Salford Stockport Tameside Trafford Wigan"
    manchester = set(map(areas.find, names.split()))
    theirs = [task for task in tasks if manchester & set(task)]
    assert len(theirs) == 3 and sum(map(len, theirs)) == 10
    assert batch.together(everywhere[:5]) == [[code] for code in everywhere[:5]]  # few: one each


def test_mistakes_are_refused_before_anything_runs(notebook, tmp_path):
    with pytest.raises(UnknownNameError, match="Burry"):
        batch.render_all(["Bury", "Burry"], tmp_path, notebooks=[notebook])
    assert list(tmp_path.iterdir()) == []


def test_a_worker_with_other_inputs_is_refused(notebook):
    day, nowhere = edition_of(DAY), render.Around("", [])
    (made,) = batch._reports([("E08000002", nowhere)], [str(notebook)], "another stamp", day)
    assert made.pages == {}
    assert "other tables, code, notebooks or packages" in made.error


def test_by_default_all_areas_of_today_and_england(monkeypatch, tmp_path, notebook):
    """153 authorities since April 2023 (Department for Education), and England."""
    monkeypatch.setattr(batch, "_report", lambda code, *_: batch.Report(code, {"index": code}, {}))
    told = batch.render_all(out=tmp_path, notebooks=[notebook], jobs=1)
    assert len(told) == 154
    assert told["area_code"][0] == areas.ENGLAND
    assert len({Path(path).parent for path in told["path"]}) == 154


def test_a_cluster_that_loses_a_worker_gives_the_same(serial, notebook, tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    out = tmp_path / "out"
    killed = []

    def kill_one(cluster):
        """Kill a worker when the first report is there."""
        until = time.monotonic() + 60
        while not list(out.glob("*/index.html")) and time.monotonic() < until:
            time.sleep(0.02)
        with distributed.Client(cluster) as client:
            busy = {
                address: pid
                for address, pid in client.run(os.getpid).items()
                if client.processing().get(address)
            }
            address, pid = next(iter(busy.items()))
            os.kill(pid, signal.SIGKILL)
            killed.append(address)

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        watcher = threading.Thread(target=kill_one, args=(cluster,))
        watcher.start()
        told = batch.render_all(
            AREAS, out, notebooks=[notebook], scheduler=cluster.scheduler_address, day=DAY
        )
        watcher.join()
    assert len(killed) == 1
    assert set(told["state"]) == {"written"}, told["error"].tolist()
    assert content(out) == content(serial[0])


def test_a_scheduler_that_does_not_answer(monkeypatch, notebook, tmp_path):
    pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    monkeypatch.setattr(batch, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(ParameterError, match="No Dask scheduler answers at 'tcp://"):
        batch.render_all(["Bury"], tmp_path, notebooks=[notebook], scheduler="tcp://127.0.0.1:9")
