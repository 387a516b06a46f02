"""What notebooks show: HTML read back with an independent parser."""

import base64
import io
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis import reads, tables, terms
from send_analysis.errors import ParameterError
from send_analysis.show import Chart, Table, Tile, about, finding, note, said, show, summary
from send_analysis.show.origin import LISTS, brief, origin
from send_analysis.show.table import html_table

ALT = "Line chart that rises from 1 in 2023 to 4 in 2025."


@pytest.fixture
def shown(monkeypatch):
    """Outputs that would go to the notebook."""
    outputs = []
    monkeypatch.setattr(
        "IPython.display.publish_display_data",
        lambda data, metadata: outputs.append((data, metadata["send_analysis"])),
    )
    return outputs


def frame(tables=("ehc_plans",)):
    made = pd.DataFrame({"plans": [1, 4]}, index=pd.Index([2023, 2025], name="year"))
    return reads.stamp(made, tables)


def line(data):
    def draw(ax):
        ax.plot(data.index, np.ravel(data.to_numpy()[:, :1]))

    return Chart(title="It rises", subtitle="Plans & places", alt=ALT, data=data, draw=draw)


def soup_of(shown, i=0):
    return BeautifulSoup(shown[i][0]["text/html"], "html.parser")


def csv_of(soup, **options):
    data = base64.b64decode(soup.select_one("a[download]")["href"].split(",", 1)[1])
    return pd.read_csv(io.BytesIO(data), comment="#", **options)


def test_a_chart_has_words_data_and_the_source_that_it_carries(shown):
    show(line(frame()))
    soup = soup_of(shown)
    assert soup.img["alt"] == ALT
    assert soup.select_one(".figure-title").get_text() == "It rises"
    assert soup.select_one(".subtitle").get_text() == "Plans & places"
    # Read off the publisher's pages, not the descriptor.
    release = "Education, health and care plans, reporting years 2022 and 2025"
    assert soup.figcaption.get_text() == f"Source: {release} (Department for Education, June 2025)"
    assert [th.get_text() for th in soup.select("thead th[scope=col]")] == ["Year", "Plans"]
    assert [th.get_text() for th in soup.select("tbody th[scope=row]")] == ["2023", "2025"]
    pd.testing.assert_frame_equal(csv_of(soup, index_col="year"), frame())
    assert ALT in shown[0][0]["text/plain"]
    assert shown[0][1] == {"kind": "figure", "tables": ["ehc_plans"]}


def test_charts_shown_together_have_one_disclosure(shown):
    other = line(frame(["tribunals"]))
    show(line(frame()), other, Table(frame(), "C"))
    assert [marks["kind"] for _, marks in shown] == ["figure", "table"]
    assert shown[0][1]["tables"] == ["ehc_plans", "tribunals"]
    soup = soup_of(shown)
    assert len(soup.select("figure")) == len(soup.select("dl")) == len(soup.select("table")) == 2
    assert len(soup.select("summary")) == 1


def test_a_table_carries_its_sources_in_order_of_their_names(shown):
    made = frame(["tribunals", "inspections"])
    show(Table(made, "C", source="own counts, 2025"))
    text = soup_of(shown).select_one(".source").get_text()
    assert "Ofsted and the Care Quality Commission" in text
    assert text.endswith("; own counts, 2025")
    assert shown[0][1]["tables"] == ["inspections", "tribunals"]


def test_lists_of_areas_are_no_source_of_figures():
    assert "lookup" not in origin(("population",))
    assert origin(("population",)).count("Population estimates") == 3
    assert "link of local authorities" in origin(("nhs_area_links",))  # nothing else is in it


TABLES = sorted(
    {entry["name"] for entry in tables.descriptor()["resources"]} - set(reads.NOT_SHOWN)
)


@given(st.lists(st.sampled_from(TABLES), min_size=1, max_size=6, unique=True))
@settings(max_examples=40, deadline=None)
def test_the_line_of_sources_names_every_publisher_and_counts_every_release(named):
    sources = {it["name"]: it for name in named for it in tables.resource(name)["sources"]}
    figures = [it for it in sources.values() if not LISTS.search(it["title"])] or [
        *sources.values()
    ]
    line, whole = brief(tuple(named)), origin(tuple(named))
    assert len(line) <= len(whole)
    assert all(it["publisher"] in line for it in figures)
    if line != whole:
        one_of = len({it["publisher"] for it in figures})
        assert one_of + sum(map(int, re.findall(r" and (\d+) more of its releases", line))) == len(
            figures
        )


def test_the_disclosure_has_every_table_and_every_release(shown):
    named = ("ehc_plans", "population", "pupils", "requests", "tribunals")
    show(line(frame(named)), Table(frame(named), "C"))
    assert brief(named) in soup_of(shown).figcaption.get_text()
    for soup in (soup_of(shown, 0), soup_of(shown, 1)):
        assert len(soup.select_one(".source").get_text()) < 200 < len(origin(named))
        behind = soup.details.get_text()
        assert origin(named) in behind and "Open Government Licence v3.0" in behind
        assert all(f"{name} (" in behind for name in named)


def test_what_is_from_nowhere_is_refused(shown):
    with pytest.raises(ParameterError, match="'C' is made from no table"):
        show(Table(frame(()), "C"))
    with pytest.raises(ParameterError, match="needs a caption"):
        Table(frame(), " ")
    with pytest.raises(ParameterError, match="DataFrame cannot be shown"):
        show(frame())
    assert shown == []


def test_the_last_value_of_a_cell_shows_itself(shown):
    line(frame())._ipython_display_()
    Table(frame(), "C")._ipython_display_()
    assert [marks["kind"] for _, marks in shown] == ["figure", "table"]


def test_long_data_is_cut_on_the_page_but_not_in_the_download(shown):
    show(line(reads.stamp(pd.DataFrame({"n": range(1234)}), ["pupils"])))
    soup = soup_of(shown)
    assert len(soup.select("tbody tr")) == 500
    assert "500 of 1,234" in soup.get_text()
    assert len(csv_of(soup)) == 1234


def test_table_formats_missing_values_and_escapes(shown):
    made = pd.DataFrame(
        {
            "area & band": ["<b>Bury</b>", "England"],
            "year": [2024, 2025],
            "plans": pd.array([12345, None], dtype="Int64"),
            "width": [1.25, np.nan],
            "day": pd.to_datetime(["2025-06-26", None]),
        }
    )
    show(Table(made, "Bits & pieces", source="S"))
    soup = soup_of(shown)
    cells = [[cell.get_text() for cell in row.select("th, td")] for row in soup.select("tr")]
    assert cells == [
        ["Area & band", "Year", "Plans", "Width", "Day"],
        ["<b>Bury</b>", "2024", "12,345", "1.25", "26 June 2025"],
        ["England", "2025", "n/a", "n/a", "n/a"],
    ]
    assert soup.caption.get_text() == "Bits & pieces"
    assert soup.b is None
    assert [th.get_text() for th in soup.select("thead th.number")] == ["Year", "Plans", "Width"]


def test_table_with_two_levels_of_rows(shown):
    index = pd.MultiIndex.from_product([["Bury"], [2024, 2025]], names=["area", "year"])
    show(Table(pd.DataFrame({"plans": [1, 2]}, index=index), "C", source="S"))
    rows = soup_of(shown).select("tbody tr")
    assert [[th.get_text() for th in row.select("th[scope=row]")] for row in rows] == [
        ["Bury", "2024"], ["Bury", "2025"],
    ]  # fmt: skip


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1).map(
    lambda text: f"c{text}"
)


@settings(max_examples=60, deadline=None)
@given(
    columns=st.dictionaries(
        names, st.lists(st.floats(-1e9, 1e9) | st.none(), min_size=3, max_size=3), min_size=1
    )
)
def test_any_frame_survives_the_download(columns):
    made = pd.DataFrame(columns, dtype=float)
    data = about.data(Table(made, "A caption", source="S"), "A caption")
    back = pd.read_csv(io.BytesIO(data), comment="#", skip_blank_lines=False)
    assert back.columns.tolist() == made.columns.tolist()
    for name in made:
        digits = re.search(r"\.(\d+)f", terms.form(made[name], name))
        half = 0.5 * 10.0 ** -(int(digits[1]) + 1) if digits else 0
        np.testing.assert_allclose(back[name], made[name], rtol=1e-11, atol=half)


def test_download_opens_in_excel_when_it_is_not_ascii():
    def start(data):
        return about.data(Table(data, "C"), "C")[:5]

    assert start(frame()) == b"# C\n#"
    assert start(frame().rename(columns={"plans": "£"})) == b"\xef\xbb\xbf# "


@reads.result
def counted(area):
    """Count plans.

    Notes
    -----
    As :func:`frame` does, in ``plans``.
    """
    made = {"area_code": ["E08000002"], "area": [area], "plans": [2.0], "rate": [1 / 3]}
    return pd.DataFrame(made)


def test_what_lies_behind_an_exhibit_is_derived(shown, monkeypatch):
    monkeypatch.setattr(about, "area", lambda: "St. Helens")
    made = reads.stamp(counted("Bury").query("plans > 0"), ["ehc_plans"])
    title = "Plans # of all the children and young people of the whole of the area"
    show(Table(made, title, "Read it so."))
    soup = soup_of(shown)
    told = {dt.get_text(): dt.find_next("dd").get_text() for dt in soup.select("dt")}
    assert told["How to read a row"] == "Bury: Plans: 2; Per 1,000: 0.3."
    assert told["How it was computed"].startswith(
        f"{__name__}.counted: Count plans. As frame does, in plans. Read from the tables ehc_"
    )
    assert "plans for each 1,000 residents" in told["Columns"]
    assert told["Cite this"].startswith(f"“{title}” (St. Helens). send_analysis ")
    assert told["Cite this"].endswith("licensed under the Open Government Licence v3.0.")
    link = soup.select_one("a[download]")
    assert link["download"] == "st-helens-plans-of-all-the-children-and-young-people-of-the.csv"
    text = base64.b64decode(link["href"].split(",", 1)[1]).decode("utf-8-sig")
    lines = text.splitlines()
    assert lines[:2] == [f"# {title}", "# area: St. Helens"]
    assert "# note: Read it so." in lines
    assert any(
        line.startswith("# licence: Open Government Licence v3.0, https://") for line in lines
    )
    assert "# column area: Area (name of the area)" in lines
    assert lines[-2:] == ["area_code,area,plans,rate", "E08000002,Bury,2,0.33"]
    heads = [th.get_text() for th in soup.select("tbody th[scope=row]")]
    assert heads == ["Bury"]  # a name, no code


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            {"kind": pd.Categorical(["state", "all"]), "phase": pd.Categorical(["primary"] * 2),
             "areas": [143, 142]},
            "state, primary: Areas: 143.",
        ),
        ({"horizon": [1, 1, 2], "level": [2.5, 5.0, 2.5], "below": [1.8, 3.0, 2.0]},
         "Years ahead 1, Quantile 2.5 %: Outcomes below it, %: 1.8."),
        ({"kind": ["all specialist"] * 2, "phase": ["all"] * 2, "chance_low": [80, 90],
          "chance_high": [90, 100], "areas": [39, 27]},
         "all specialist, all, Chance from 80 %: Chance to, %: 90; Areas: 39."),
        ({"area": ["Bury", "York"], "start": [2019] * 2, "against": ["england"] * 2,
          "years": [6, 6], "growth_a_year": [19.7, 3.0]},
         "Bury, 2019, Against england: Years: 6; Growth, % a year: 19.7."),
        ({"area": ["England"] * 2, "year": [2010, 2011], "origin": [2025] * 2,
          "published": [228_221, 229_017]}, "England, 2010: Plans published: 228,221."),
        ({"phase": ["primary", "all"], "probability": [None, 40.0], "unsaid": ["no better", None],
          "extra_80": [283, 10]}, "primary: More places, enough in 80 of 100 simulations: 283."),
        ({"month": pd.to_datetime(["2023-01-01", "2023-02-01"]), "value": [51.8, 50.0]},
         "January 2023: Value: 51.8."),
    ],
)  # fmt: skip
def test_a_row_is_read_with_what_it_is_of_and_what_tells_it_apart(columns, told):
    assert about.reading(Table(pd.DataFrame(columns), "Made up")) == told


WRITTEN = st.one_of(
    st.integers(0, 10**7).map("{:,}".format), st.floats(0, 100).map("{:.1f}".format),
    st.integers(1, 60).map("{} or more".format), st.integers(0, 100).map("% {}".format),
    st.tuples(st.integers(0, 9999), st.integers(0, 100)).map(lambda it: f"{it[0]:,} → {it[1]} %"),
    st.integers(1, 99).map("{:+}".format), st.integers(0, 99).map("£{}".format),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(WRITTEN, min_size=4, max_size=4), st.lists(WRITTEN, min_size=1, max_size=4))
def test_numbers_written_as_text_are_read_under_their_headings(first, last):
    keys = {"service": ["audiology"] * 2 + ["physiotherapy"] * 2, "measure": ["a", "b"] * 2}
    columns = {"first_month": first, "last_month": [*last, *["n/a", None, "n/a"]][:4]}
    made = pd.DataFrame({**keys, **columns, "unit": ["children"] * 4})
    told = f"audiology, a: First month: {first[0]}; Last month: {last[0]}."
    assert about.reading(Table(made, "Made up")) == told


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]), st.sampled_from([2019, 2025]),
            st.integers(0, 2), st.sampled_from([0.5, 2.5]), st.sampled_from(["x", "y", None]),
        ), min_size=1, max_size=12, unique=True,
    )
)  # fmt: skip
def test_the_columns_that_name_a_row_name_no_other(rows):
    frame = pd.DataFrame(rows, columns=["area", "year", "week", "share", "remark"])
    told = frame.iloc[[0]].dropna(axis=1)
    figures = {name for name, column in frame.items() if about._is_figure(column, name)}
    names = about._telling(frame, 0, figures)
    found = frame.merge(told[names]).drop_duplicates()
    assert len(found) == len(frame.merge(told).drop_duplicates())


def test_every_licence_is_named_once_and_for_what_it_covers():
    known = {it["name"]: it for it in tables.descriptor()["licenses"]}
    assert len({it["title"] for it in known.values()}) == len(known)
    for entry in tables.descriptor()["resources"]:
        used = {part for it in entry["sources"] for part in it["licence"].split(" and ")}
        assert used <= set(known), entry["name"]
        cited = about.citation(SimpleNamespace(tables=(entry["name"],), source=""), "T")
        for name, licence in known.items():
            said = f"Contains {licence['covers']} licensed under the {licence['title']}."
            assert cited.count(said) == (name in used), entry["name"]
            assert cited.count(licence["title"]) == (name in used), entry["name"]
    assert "public sector" in known["OGL-UK-3.0"]["covers"]
    assert not any(
        "public sector" in it["covers"] for name, it in known.items() if "OGL" not in name
    )


def test_a_phone_shows_what_tells_rows_apart_and_the_key_columns(shown):
    phases = {"kind": ["special"] * 2, "phase": ["primary", "secondary"]}
    numbers = {f"number of places {i}": [1234, 5678] for i in range(6)}
    show(Table(pd.DataFrame({**phases, **numbers, "extra_80": [77, 88]}), "C", source="S"))
    table = soup_of(shown).table
    assert {"h1", "h2", "h9"} & set(table["class"]) == set()
    assert {"cards", "h7", "h8"} <= set(table["class"])
    assert "--c9:'More places, enough in 80 of 100 simulations'" in table["style"]
    show(Table(frame(), "C"))
    assert not soup_of(shown, 1).table.has_attr("class")


def test_finding_note_and_sentences(shown):
    finding("1 < 2", "a & b")
    note("x < y")
    said("One.")
    said("One.", "Two.")
    assert soup_of(shown).strong.get_text() == "1 < 2"
    assert soup_of(shown).li.get_text() == "a & b"
    assert shown[0][1] == {"kind": "finding", "headline": "1 < 2"}
    assert soup_of(shown, 1).get_text() == "x < y"
    assert soup_of(shown, 2).p.get_text() == "One."
    assert [item.get_text() for item in soup_of(shown, 3).select("li")] == ["One.", "Two."]


def test_nothing_is_shown_where_there_is_nothing_to_say(shown):
    note("")
    note(None)
    said()
    show()
    assert shown == []


def test_the_releases_of_a_publication_are_put_together():
    lists = origin(("nhs_waits",))
    months = "January to October 2023, August 2024 to July 2025 and October 2025"
    assert lists.startswith(f"Community health services waiting lists, {months} (NHS England, ")
    people = origin(("population",))
    assert "Population estimates, mid-2021, mid-2022, mid-2023 and mid-2024, by single" in people


def test_a_summary_is_marked_for_the_first_page(shown):
    summary(Tile("Plans <2025>", "2,804", "More than before."), None, line(frame()))
    assert [marks["kind"] for _, marks in shown] == ["summary", "summary"]
    assert soup_of(shown).select_one(".value").get_text() == "2,804"
    assert soup_of(shown).select_one(".label").get_text() == "Plans <2025>"
    assert soup_of(shown, 1).img["alt"] == ALT
    assert "Department for Education" in soup_of(shown, 1).select_one(".source").get_text()
    assert shown[1][1]["tables"] == ["ehc_plans"]


def test_a_phone_shows_what_tells_rows_apart():
    """Places of Bury on a phone: without the phase three rows of a kind would read the same."""
    made = pd.DataFrame({
        "kind": ["independent or non-maintained special school"] * 2,
        "phase": ["primary", "secondary"],
        "unsaid": ["no better than an average"] * 2,
        "extra_80": [76, 136],
        "extra_95": [145, 204],
    })  # fmt: skip
    table = BeautifulSoup(html_table(made, "Places", "<p>below</p>"), "html.parser").table
    assert set(table["class"]) == {"cards", "h3", "h5"}


def test_rows_that_a_phone_cannot_tell_apart_are_cards_from_the_start():
    made = pd.DataFrame({
        "organisation": ["Northern Care Alliance NHS Foundation Trust"] * 2,
        "service": ["Therapy interventions: Speech and language"] * 2,
        "month": ["October 2023", "August 2024"],
        "children_before": [1_234, 2_345],
    })  # fmt: skip
    table = BeautifulSoup(html_table(made, "Lists", "<p>below</p>"), "html.parser").table
    assert set(table["class"]) == {"apart"}
    assert "--c3:'Month'" in table["style"]
    twice = pd.concat([made.iloc[:1]] * 2)  # no column tells these apart
    table = BeautifulSoup(html_table(twice, "Lists", "<p>below</p>"), "html.parser").table
    assert "cards" in table["class"]
