"""Charts are values: words and data first, drawn only when shown, yours to change."""

import base64

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from send_analysis import reads
from send_analysis.errors import ParameterError
from send_analysis.show import Chart, chart, layout

ALT = "Line chart that rises from 1 in 2023 to 4 in 2025."
FRAME = reads.stamp(pd.DataFrame({"plans": [1, 4]}, index=pd.Index([2023, 2025])), ["ehc_plans"])


def line(frame=FRAME, **given):
    def draw(ax):
        ax.plot(frame.index, frame["plans"])

    return Chart(**{"title": "It rises", "alt": ALT, "data": frame, "draw": draw} | given)


def marks(picture):
    return base64.b64decode(picture.uri.split(",")[1]).decode().count("<use ")


def test_nothing_is_drawn_until_it_is_shown():
    drawn = []
    chart = line(draw=drawn.append)
    assert drawn == []
    assert chart.tables == ("ehc_plans",)
    chart.axes()
    assert len(drawn) == 1


def test_the_axes_are_yours():
    mine = plt.figure().subplots()
    assert line(subtitle="Plans").axes(mine) is mine
    assert mine.get_title(loc="left") == "It rises"
    assert [text.get_text() for text in mine.texts] == ["Plans"]
    plt.close("all")


def test_the_picture_of_a_page_has_no_title_and_leaves_nothing_open():
    before = plt.get_fignums()
    bare, titled = line().picture(), line(title="It rises a good deal more").picture()
    assert bare == titled  # the words are the page's
    assert marks(bare) > 0
    assert plt.get_fignums() == before


def test_copied_ticks_are_drawn_as_those_of_matplotlib(monkeypatch):
    def draw(ax):
        ax.plot([2019.5, 2025], [0, 123_456])
        ax.tick_params(axis="x", labelsize=7, rotation=30)
        ax.set_yticks([0, 50_000, 100_000], ["none", "some", "many"], color="red")
        ax.get_yticklabels()[1].set_fontweight("bold")
        ax.grid(axis="x")

    copied = line(draw=draw)._drawn()
    monkeypatch.setattr(layout, "HouseAxes", Axes)
    assert line(draw=draw)._drawn() == copied


def test_what_was_drawn_is_drawn_once_and_what_differs_is_not_confused(monkeypatch):
    line().picture()
    drawn, draw = [], chart.Chart._drawn
    monkeypatch.setattr(chart.Chart, "_drawn", lambda self: drawn.append(self) or draw(self))
    assert line().picture() == line().picture()
    assert not drawn
    other = line(FRAME.assign(plans=[4, 1])).picture()
    assert other != line().picture()
    assert line(height=3.0).picture().height == 288
    assert len(drawn) == 2
    monkeypatch.setattr(chart, "MOST_PICTURES", len(chart._kept))
    line(height=4.0).picture()
    assert len(chart._kept) == chart.MOST_PICTURES


def test_panels_have_an_array_of_axes():
    def draw(axs):
        for ax in np.ravel(axs):
            ax.plot([0, 1])

    several = line(draw=draw, panels={"ncols": 2})
    axs = several.axes()
    assert axs.shape == (2,)
    assert axs[0].figure.get_suptitle() == "It rises"
    plt.close("all")
    assert several.picture().width == 528


def test_a_chart_with_many_marks_is_a_png():
    points = np.random.default_rng(1).normal(size=(2, 20_000))
    picture = line(draw=lambda ax: ax.plot(*points, ".")).picture()
    assert picture.uri.startswith("data:image/png;base64,")
    assert len(picture.uri) < 1_500_000


@pytest.mark.parametrize("alt", ["", "   ", "A chart", "It rises"])
def test_poor_alternative_text_is_refused(alt):
    with pytest.raises(ParameterError, match="Alternative text"):
        line(alt=alt)


def test_alternative_text_that_repeats_the_title_is_refused():
    title = "Plans rise from one to four in the two years to January 2025"
    with pytest.raises(ParameterError, match="too little"):
        line(title=title, alt=title)


def test_a_chart_without_a_title_is_refused():
    with pytest.raises(ParameterError, match="title"):
        line(title=" ")
