"""The notebook for exploring: what its controls do, executed, and driven in JupyterLab."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from html import unescape

import nbformat
import pytest

from send_analysis import explore
from send_analysis.capacity import balance
from send_analysis.errors import MissingDataError
from send_analysis.forecasting import views
from send_analysis.forecasting.cohorts import levers
from send_analysis.growth import series
from send_analysis.report import kernel

NAMES = ("area", "near", "years", "scenario")


@pytest.fixture(scope="module")
def board():
    return explore.board("Bury")


@pytest.fixture
def controls(board):
    """Controls by name; put back as they were."""
    found = dict(zip(NAMES, board.children[0].children, strict=True))
    yield found
    found["scenario"].value = ""
    found["years"].value = (2019, 2025)
    found["area"].value = "E92000001"
    found["area"].value = "E08000002"


def alt(html):
    return unescape(re.search(r'alt="([^"]*)"', html)[1])


def test_at_first_bury_against_england_its_region_and_neighbours(board, controls):
    grew, ahead, enough = (it.value for it in board.children[1:])
    expected = series.comparators("Bury")["area"].iloc[1:6].tolist()
    assert [it for it in expected if it in alt(grew)] == expected
    assert "Bury 173" in alt(grew)  # 2,804 over 1,617
    assert "EHC plans in Bury" in alt(ahead)
    assert "all specialist, in Bury" in alt(enough)
    assert "<td" in grew and "+73.4" in grew


def test_another_area_moves_everything(board, controls):
    controls["area"].value = "E08000004"
    grew, ahead, enough = (it.value for it in board.children[1:])
    assert "Oldham" in alt(grew) and "EHC plans in Oldham" in alt(ahead)
    assert "in Oldham" in alt(enough)
    assert list(controls["near"].value)[:2] == ["E92000001", "E12000002"]


def test_years_and_comparators(board, controls):
    controls["near"].value = ("E09000007",)
    controls["years"].value = (2012, 2020)
    text = alt(board.children[1].value)
    assert "January 2012 = 100. In 2020" in text
    assert "Camden" in text and "England" not in text


def test_a_scenario_changes_the_forecast_and_says_by_how_much(board, controls):
    controls["scenario"].value = "demand-requests-stabilise"
    html = board.children[2].value
    plain = views.fan("Bury")["median"].iloc[-1]
    changed = views.fan(
        "Bury", scenario="demand-requests-stabilise", simulations=explore.SIMULATIONS
    )["median"].iloc[-1]
    assert changed < plain
    assert f"{changed:,.0f} plans in January 2030, {changed - plain:,.0f} against" in html


def demand_in_the_end(html):
    return int(re.search(r"demand to ([\d,]+),", alt(html))[1].replace(",", ""))


def test_a_scenario_changes_the_places_needed(board, controls):
    plain = demand_in_the_end(board.children[3].value)
    controls["scenario"].value = "demand-requests-stabilise"
    levelled = demand_in_the_end(board.children[3].value)
    assert levelled < plain
    made = balance.forecast(
        "Bury",
        years=5,
        scenario={"name": "stable", "levers": levers.read("demand-requests-stabilise")},
    )
    whole = made[(made["kind"] == "all specialist") & (made["phase"] == "all")].iloc[-1]
    assert levelled == pytest.approx(whole["demand"], rel=0.05)  # 100 simulations against 1,000


def test_a_region_has_no_places_and_says_so(board, controls):
    controls["area"].value = "E92000001"
    assert "no single authority" in board.children[3].value


def test_what_an_area_does_not_have_is_said(board, controls):
    controls["area"].value = "E06000061"  # North Northamptonshire, since 2021
    grew, ahead, _ = (it.value for it in board.children[1:])
    assert "no plans in January 2019" in grew and "figures of its own" in grew
    assert "EHC plans in North Northamptonshire" in alt(ahead)
    with pytest.raises(MissingDataError, match="no plans in January 2019"):
        explore.compared("North Northamptonshire", [], 2019, 2025)


def test_it_runs_from_top_to_bottom(root):
    done = kernel.execute(root / "notebooks" / "00_explore.ipynb", area="Camden")
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    assert any("application/vnd.jupyter.widget-view+json" in it.get("data", {}) for it in outputs)


@pytest.fixture
def lab(root, tmp_path):
    """Address of a JupyterLab that has nothing but the notebook."""
    shutil.copy(root / "notebooks" / "00_explore.ipynb", tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = tmp_path / "settings"
    folders = {f"JUPYTER_{it}_DIR": str(own / it) for it in ("CONFIG", "RUNTIME")}
    folders |= {f"JUPYTERLAB_{it}_DIR": str(own / it) for it in ("SETTINGS", "WORKSPACES")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ip=127.0.0.1",
         f"--ServerApp.root_dir={tmp_path}", "--LabApp.extension_manager=readonly"],
        env=os.environ | folders | {"PYTHONPATH": str(root), "IPYTHONDIR": str(own / "ipython")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{address}/api/status", timeout=5) as answer:
                    json.load(answer)
                break
            except OSError:
                time.sleep(0.3)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def test_in_jupyterlab_a_change_draws_anew(lab, browser):
    page = browser.new_page(viewport={"width": 1300, "height": 1400})
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/lab/tree/00_explore.ipynb")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator("[data-command='runmenu:run-all']").click()
    page.locator("img[alt*='In 2025: Bury 173']").wait_for()
    page.locator(".widget-dropdown select").nth(0).select_option("Oldham")
    page.locator("img[alt*='In 2025: Oldham']").wait_for()
    page.locator("img[alt*='EHC plans in Oldham']").wait_for()
    page.locator("img[alt*='all specialist, in Oldham']").wait_for()
    page.locator(".widget-dropdown select").nth(1).select_option(
        "New plans stay at their latest number"
    )
    page.get_by_text("New plans stay at their latest number:").wait_for()
    assert page.locator("img[alt*='Bury']").count() == 0
    if shot := os.environ.get("EXPLORE_SHOT"):
        page.screenshot(path=shot)


def test_the_notebook_has_no_page(root):
    from send_analysis.report import render

    assert "00_explore" not in [path.stem for path in render.notebook_paths()]
    assert nbformat.read(root / "notebooks" / "00_explore.ipynb", 4).cells[0].source
