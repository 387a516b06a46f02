"""A release in the layout of 2026 with the figures of 2025: nothing is lost, a year is added."""

import json
import re
import shutil
from functools import partial

import made_up
import pandas as pd
import pytest

from send_analysis import tables
from send_analysis.areas import ENGLAND
from send_analysis.capacity import hindcast
from send_analysis.cleaning import layout, series
from send_analysis.cleaning.build import build
from send_analysis.errors import MissingDataError
from send_analysis.growth import series as growth
from send_analysis.show import missing, page, svg

SAME = [
    "ehc_plans", "ehc_plans_by_age", "placements", "new_plans", "new_plans_by_age",
    "new_plans_by_placement", "requests", "assessments", "timeliness",
]  # fmt: skip
OTHERS = ["ceased_plans", "ceased_plans_by_age", "ceased_plans_by_setting", "annual_reviews",
          "primary_need"]  # fmt: skip
ISLE_OF_WIGHT = "E06000046"


@pytest.fixture(scope="module")
def rebuilt(official, root, tmp_path_factory):
    """Tables made of a made-up release of 2026 that holds all that the one of 2025 does."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("tables")
    shutil.copytree(root / "data", out, dirs_exist_ok=True)
    old = official / layout.release("ehc_plans_2025")["path"]
    new = source / layout.release("ehc_plans_2026")["path"]
    new.parent.mkdir()
    new.write_bytes(made_up.next_release(old.read_bytes()))
    build(source, out, only=[*SAME, *OTHERS])
    assert series.unread_columns(source, "ehc_plans_2026").empty
    return out


def made(rebuilt, name):
    """A table as committed, and made of the release of 2026."""
    frame = tables.load(name)
    new = pd.read_csv(rebuilt / f"{name}.csv", dtype=frame.dtypes.to_dict(), keep_default_na=False,
                      na_values={c: [""] for c in frame.select_dtypes("Int64")})  # fmt: skip
    return frame, new


@pytest.mark.parametrize("name", SAME)
def test_the_years_before_are_the_same_but_for_the_name_of_the_release(rebuilt, name):
    """In 2026 special academies and free schools are two columns, in the first years one."""
    old, new = made(rebuilt, name)
    last = old["year"].max()
    assert new["year"].max() == last + 1
    assert len(new[new["year"] > last]) > 0.9 * (old["year"] == last).sum()
    gone = new[(new["area_code"] == ISLE_OF_WIGHT) & (new["year"] > last)]
    assert (
        gone[old.select_dtypes("Int64").columns.drop("year", errors="ignore")].isna().all(axis=None)
    )
    new = new[new["year"] <= last].reset_index(drop=True)
    if "release" in old:
        assert set(new["release"]) & {"ehc_plans_2025", "ehc_plans_2026"} == {"ehc_plans_2026"}
        new = new.assign(release=new["release"].str.replace("2026", "2025"))
    pd.testing.assert_frame_equal(old, new)


def test_what_the_2026_release_counts_otherwise(rebuilt):
    old, new = made(rebuilt, "ceased_plans")
    later = old["release"] == "ehc_plans_2025"
    expected = old[~(later & (old["reason"] == "not recorded"))]
    new = new[new["year"] <= old["year"].max()]
    assert new["plans"].tolist() == expected["plans"].tolist()
    old, new = made(rebuilt, "annual_reviews")
    assert set(new["year"]) == {2024, 2025}  # that of 2024 stays from the release of 2025
    new = new[new["year"] == 2025]
    england = new[new["area_code"] == ENGLAND].set_index("measure")["plans"]
    before = old[old["area_code"] == ENGLAND].set_index("measure")["plans"]
    for measure in ("decided to amend", "decided to maintain", "decided after 4 weeks"):
        assert england[measure] == before[measure]
    assert "review meeting held in any year" not in england
    old, new = made(rebuilt, "primary_need")
    key = ["area_code", "year", "primary_need", "plans_counted"]
    both = old.merge(new, on=key, suffixes=("", "_new"))
    assert len(both) == len(old)
    assert both["plans"].equals(both["plans_new"])
    down = new[new["primary_need"] == "Down syndrome"]
    assert set(down["year"]) == {2025, 2026}
    assert set(down.loc[down["plans_counted"] == "in January", "year"]) == {2026}


@pytest.fixture(scope="module")
def pages(rebuilt, root):
    """Run the notebooks that figures of a new January reach, without a kernel or pictures."""
    said = []
    monkeypatch = pytest.MonkeyPatch()
    countable = hindcast._countable
    # Few authorities and draws are enough to see that the year before is tried out anew.
    monkeypatch.setattr(hindcast, "_countable", lambda *both: countable(*both)[::4])
    monkeypatch.setattr(hindcast, "compute", partial(hindcast.compute, simulations=200))
    monkeypatch.setenv("SEND_ANALYSIS_DATA", str(rebuilt))
    monkeypatch.setattr(page, "_display", lambda html, text, **marks: said.append(text))
    monkeypatch.setattr(svg, "svg", lambda figure: b"")
    tables.clear_cache()

    def run(area):
        said.clear()
        for file in sorted((root / "notebooks").glob("0[234]_*.ipynb")):
            names, lost = {}, set()
            for number, cell in enumerate(json.loads(file.read_text("utf-8"))["cells"]):
                source = "".join(cell["source"])
                if cell["cell_type"] == "code":
                    source = f"area = {area!r}" if source.startswith("area = ") else source
                    try:
                        exec(compile(source, f"{file.name}, cell {number}", "exec"), names)
                    except (MissingDataError, NameError) as error:  # as on pages
                        if isinstance(error, NameError) and error.name not in lost:
                            raise
                        lost |= missing._names_made(source)
        return said

    yield run
    monkeypatch.undo()
    tables.clear_cache()


@pytest.mark.parametrize("area", ["Bury", "England", "Isle of Wight"])
def test_pages_move_on_with_a_new_january_and_none_breaks(pages, area):
    """The Isle of Wight's figures of the new January are withheld: it keeps the ones before."""
    said = pages(area)
    assert growth.latest() == 2026
    last = 2025 if area == "Isle of Wight" else 2026
    assert growth.latest(area) == last
    findings = [text for text in said if text.startswith("Finding: ")]
    assert f"January {last}" in findings[0]
    assert len(findings) == 3
    titles = [text.splitlines()[0] for text in said if text.startswith(("Figure: ", "Finding: "))]
    assert not [text for text in titles if re.search(r"\bnan\b|<NA>|None", text)]
    if area == "Isle of Wight":
        assert "January 2026: no figure in the release" in findings[0]
        assert any(f"from 2019 to {last}" in title for title in titles)
    else:
        # What is said of the last January before is said of it as of any other.
        assert not [text for text in titles if "January 2025" in text]
        assert any("in use in 2026" in text for text in said) or area == "England"
        assert any("January 2031" in text for text in said)
