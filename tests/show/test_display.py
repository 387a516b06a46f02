"""What notebooks show: HTML read back with an independent parser."""

import base64
import io
from functools import partial

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from send_analysis.errors import ParameterError, UnknownNameError
from send_analysis.forecasting import charts
from send_analysis.show import display, style

mpl.use("agg")
ALT = "Line chart that rises from 1 in 2023 to 4 in 2025."
GIVEN = {"alt": ALT, "source": "A publisher, release 2"}


@pytest.fixture
def shown(monkeypatch):
    """Outputs that would go to the notebook."""
    outputs = []
    monkeypatch.setattr(
        "IPython.display.publish_display_data",
        lambda data, metadata: outputs.append((data, metadata["send_analysis"])),
    )
    return outputs


@pytest.fixture
def frame():
    return pd.DataFrame({"plans": [1, 4]}, index=pd.Index([2023, 2025], name="year"))


@style.house
def line(frame, title="It rises"):
    ax = style.axes()
    ax.plot(frame.index, frame["plans"])
    style.title(ax, title, subtitle="Plans & places")
    style.source(ax, "drawn source")
    return ax


def frame_of_shares():
    """Made-up shares of outcomes under each quantile, as `scoring.reliability` has them."""
    levels = [0.1, 0.5, 0.9]
    return pd.DataFrame({"horizon": [1] * 3, "level": levels, "below": levels})


def soup_of(shown, i=0):
    return BeautifulSoup(shown[i][0]["text/html"], "html.parser")


def csv_of(soup, **options):
    data = base64.b64decode(soup.select_one("a[download]")["href"].split(",", 1)[1])
    return pd.read_csv(io.BytesIO(data), **options)


def test_figure_has_words_data_and_source(shown, frame):
    display.show(line(frame), data=frame, **GIVEN)
    soup = soup_of(shown)
    assert soup.img["alt"] == ALT
    assert soup.select_one(".figure-title").get_text() == "It rises"
    assert soup.select_one(".subtitle").get_text() == "Plans & places"
    assert soup.figcaption.get_text() == "Source: A publisher, release 2"
    assert [th.get_text() for th in soup.select("thead th[scope=col]")] == ["Year", "Plans"]
    assert [th.get_text() for th in soup.select("tbody th[scope=row]")] == ["2023", "2025"]
    pd.testing.assert_frame_equal(csv_of(soup, index_col="year"), frame)
    assert ALT in shown[0][0]["text/plain"]
    assert shown[0][1] == {"kind": "figure", "tables": []}


def test_words_of_the_page_are_not_drawn_too(shown, frame):
    """The picture of a titled figure is that of the same figure without any title."""
    display.show(line(frame), data=frame, **GIVEN)
    bare = style.house(lambda: style.axes().plot(frame.index, frame["plans"])[0].axes)
    display.show(bare(), data=frame, caption="It rises", **GIVEN)
    marks = [
        base64.b64decode(soup_of(shown, i).img["src"].split(",")[1]).decode().count("<use ")
        for i in (0, 1)
    ]
    assert marks[0] == marks[1] > 0


def test_figure_is_closed_so_that_it_is_not_shown_twice(shown, frame):
    before = plt.get_fignums()
    display.show(line(frame), data=frame, **GIVEN)
    assert plt.get_fignums() == before


def test_a_chart_of_many_pages_is_drawn_once_and_is_the_same(shown, frame):
    display.show(charts.reliability(frame_of_shares()), data=frame, **GIVEN)
    for _ in range(2):
        chart = partial(charts.reliability, frame_of_shares())
        display.show(chart, data=frame, **GIVEN)
    assert shown[0] == shown[1] == shown[2]
    drawn = display._drawn_once.cache_info()
    other = frame_of_shares().assign(below=0.5)
    display.show(partial(charts.reliability, other), data=frame, **GIVEN)
    assert shown[3] != shown[2]
    assert display._drawn_once.cache_info().misses == drawn.misses + 1


def test_title_of_plain_matplotlib_is_used(shown, frame):
    ax = style.axes()
    ax.set_title("Set the plain way")
    display.show(ax, data=frame, **GIVEN)
    assert soup_of(shown).select_one(".figure-title").get_text() == "Set the plain way"


def test_title_is_found_beside_a_second_scale(shown, frame):
    ax = line(frame)
    ax.twinx().set_ylabel("other scale")
    display.show(ax, data=frame, **GIVEN)
    assert soup_of(shown).select_one(".figure-title").get_text() == "It rises"


def test_source_may_name_tables(shown, frame):
    display.table(frame, caption="C", source=["inspections", "tribunals"])
    said = soup_of(shown).select_one(".source").get_text()
    # Read off the publishers' pages, not the descriptor.
    assert "Ofsted and the Care Quality Commission" in said
    release = "Education, health and care plans, reporting year 2025"
    assert f"{release} (Department for Education, June 2025)" in said
    assert shown[0][1]["tables"] == ["inspections", "tribunals"]
    display.table(frame, caption="C", source=["ehc_plans", "own counts, 2025"])
    assert soup_of(shown, 1).select_one(".source").get_text() == (
        "Source: Education, health and care plans, reporting years 2022 and 2025 "
        "(Department for Education, June 2025); own counts, 2025"
    )
    with pytest.raises(UnknownNameError, match="tribunals"):
        display.table(frame, caption="C", source="tribunal")


def test_array_of_axes_and_figure_title(shown, frame):
    figure, several = plt.subplots(1, 2)
    figure.suptitle("Two panels")
    several[0].set_title("Left")
    display.show(several, data=frame, **GIVEN)
    assert soup_of(shown).select_one(".figure-title").get_text() == "Two panels"
    assert several[0].get_title() == "Left"


def test_figure_with_many_marks_is_a_png(shown, frame):
    ax = style.axes()
    points = np.random.default_rng(1).normal(size=(2, 20_000))
    ax.plot(*points, ".")
    display.show(ax, data=frame, caption="Many points", **GIVEN)
    soup = soup_of(shown)
    assert soup.img["src"].startswith("data:image/png;base64,")
    assert len(soup.img["src"]) < 1_500_000


def test_long_data_is_cut_on_the_page_but_not_in_the_download(shown):
    long = pd.DataFrame({"n": range(1234)})
    display.show(line(pd.DataFrame({"plans": [1, 2]})), data=long, **GIVEN)
    soup = soup_of(shown)
    assert len(soup.select("tbody tr")) == 500
    assert "500 of 1,234" in soup.get_text()
    assert len(csv_of(soup)) == 1234


@pytest.mark.parametrize("alt", ["", "   ", "A chart", "It rises"])
def test_poor_alternative_text_is_refused(frame, alt):
    with pytest.raises(ParameterError, match="Alternative text"):
        display.show(line(frame), data=frame, alt=alt, source="A publisher")


def test_alternative_text_that_repeats_the_title_is_refused(frame):
    title = "Plans rise from one to four in the two years to January 2025"
    with pytest.raises(ParameterError, match="too little"):
        display.show(line(frame, title), data=frame, alt=title, source="A publisher")


def test_figure_without_title_or_source_is_refused(frame):
    with pytest.raises(ParameterError, match="title"):
        display.show(style.axes(), data=frame, **GIVEN)
    with pytest.raises(ParameterError, match="source"):
        display.show(line(frame), data=frame, alt=ALT, source=" ")


def test_table_formats_missing_values_and_escapes(shown):
    frame = pd.DataFrame(
        {
            "area & band": ["<b>Bury</b>", "England"],
            "year": [2024, 2025],
            "plans": pd.array([12345, None], dtype="Int64"),
            "rate": [1.25, np.nan],
            "change": [0.5, -2],
            "day": pd.to_datetime(["2025-06-26", None]),
        }
    )
    display.table(
        frame, caption="Bits & pieces", source="S", labels={"rate": "Per <1,000"},
        formats={"change": "+.1f"},
    )  # fmt: skip
    soup = soup_of(shown)
    cells = [[cell.get_text() for cell in row.select("th, td")] for row in soup.select("tr")]
    assert cells == [
        ["Area & band", "Year", "Plans", "Per <1,000", "Change", "Day"],
        ["<b>Bury</b>", "2024", "12,345", "1.25", "+0.5", "26 June 2025"],
        ["England", "2025", "n/a", "n/a", "-2.0", "n/a"],
    ]
    assert soup.caption.get_text() == "Bits & pieces"
    assert soup.b is None
    numbers = [th.get_text() for th in soup.select("thead th.number")]
    assert numbers == ["Year", "Plans", "Per <1,000", "Change"]


def test_table_with_two_levels_of_rows(shown):
    index = pd.MultiIndex.from_product([["Bury"], [2024, 2025]], names=["area", "year"])
    display.table(pd.DataFrame({"plans": [1, 2]}, index=index), caption="C", source="S")
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
    frame = pd.DataFrame(columns, dtype=float)
    link = BeautifulSoup(display._download(frame, "A caption"), "html.parser")
    back = csv_of(link, skip_blank_lines=False)
    assert back.columns.tolist() == frame.columns.tolist()
    np.testing.assert_allclose(back.to_numpy(), frame.to_numpy(), rtol=1e-11)


def test_download_opens_in_excel_when_it_is_not_ascii(frame):
    def start(data):
        link = BeautifulSoup(display._download(data, "C"), "html.parser").a["href"]
        return base64.b64decode(link.split(",", 1)[1])[:3]

    assert start(frame) == b"yea"
    assert start(frame.rename(columns={"plans": "£"})) == b"\xef\xbb\xbf"


def test_finding_and_note(shown):
    display.finding("1 < 2", "a & b")
    display.note("x < y")
    assert soup_of(shown).strong.get_text() == "1 < 2"
    assert soup_of(shown).li.get_text() == "a & b"
    assert shown[0][1] == {"kind": "finding", "headline": "1 < 2"}
    assert soup_of(shown, 1).get_text() == "x < y"


def test_numbers_are_told_apart_and_years_are_years():
    frame = pd.DataFrame({
        "area": ["Bury", "Bury"], "start": [2019, 2025], "origin": [2018, 2019],
        "quantile": [0.025, 0.25], "share": [0.27, 0.35], "plans_start": [1999, 2019],
        "pounds": [51370.4, 59143.2], "weeks": [18.25, 52.0],
    })  # fmt: skip
    table = BeautifulSoup(display.html_table(frame, "Kinds"), "html.parser")
    first, second = ([c.get_text() for c in row.select("td")] for row in table.select("tbody tr"))
    assert first == ["2019", "2018", "0.025", "0.270", "1,999", "51,370", "18.2"]
    assert second == ["2025", "2019", "0.250", "0.350", "2,019", "59,143", "52.0"]
