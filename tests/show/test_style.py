"""The house style, held to numbers of WCAG 2.2 and to what is drawn."""

import re
from itertools import combinations, pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb

from send_analysis.show import style

mpl.use("agg")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("colour", "background", "expected"),
    [
        ("#000000", "#FFFFFF", 21.0),  # the most there is, by definition
        ("#777777", "#FFFFFF", 4.48),  # the well-known grey that just fails level AA
        ("#767676", "#FFFFFF", 4.54),  # and the one that just passes
        ("#FFFFFF", "#FFFFFF", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(colour, background, expected):
    assert style.contrast(colour, background) == pytest.approx(expected, abs=0.005)
    assert style.contrast(background, colour) == pytest.approx(expected, abs=0.005)


def test_marks_and_text_can_be_told_from_the_background():
    meaningful = {role: look["color"] for role, look in style.ROLES.items() if role != "others"}
    for colour in (*style.PALETTE, *meaningful.values(), style.RULE):
        assert style.contrast(colour) >= 3
    for colour in (style.TEXT, style.MUTED_TEXT, *map(style.ink, style.PALETTE)):
        assert style.contrast(colour) >= 4.5


def test_ink_leaves_dark_colours_alone():
    assert style.ink("#12436D") == "#12436d"
    assert style.ink("#F46A25") != "#f46a25"
    assert style.contrast(style.ink("#FFDD00", background="#F1F5F9"), "#F1F5F9") >= 4.5


def _axes():
    return plt.subplots(figsize=(style.WIDTH, style.HEIGHT), layout=style.layout())[1]


def test_house_style_is_used_by_the_function_and_left_behind_by_none():
    draw = style.house(_axes)
    with mpl.rc_context({"axes.spines.right": True}):
        assert not draw().spines["right"].get_visible()
        assert mpl.rcParams["axes.spines.right"]


def test_the_house_style_is_a_theme_of_seaborn():
    import seaborn as sns

    with mpl.rc_context():
        style.use()
        assert sns.color_palette().as_hex()[:2] == [colour.lower() for colour in style.PALETTE[:2]]
        assert mpl.rcParams["axes.titlelocation"] == "left"


def test_title_stands_inside_the_figure():
    @style.house
    def draw():
        ax = _axes()
        style.title(ax, "A long finding " * 8, subtitle="a measure, its unit and period " * 4)
        return ax

    ax = draw()
    ax.figure.draw_without_rendering()
    width, height = ax.figure.get_size_inches() * ax.figure.dpi
    texts = [ax.title, ax._left_title, *ax.texts]
    for box in (text.get_window_extent() for text in texts if text.get_text()):
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height
    title, subtitle = ax._left_title.get_window_extent(), ax.texts[0].get_window_extent()
    assert subtitle.y1 <= title.y0 + 1


def boxes_of_labels(ends, size=10):
    @style.house
    def draw():
        ax = _axes()
        for i, end in enumerate(ends):
            ax.plot([0, 1], [0, end], label=f"line {i}")
        ax.set_ylim(0, 10)
        style.label_ends(ax, size=size)
        return ax

    ax = draw()
    ax.figure.draw_without_rendering()
    labels = [text for text in ax.texts if text.get_gid() == "label"]
    boxes = [mpl.text.Text.get_window_extent(label) for label in labels]
    names = [label.get_text() for label in labels]
    limits = ax.figure.bbox.width, ax.bbox.y1
    plt.close(ax.figure)
    return names, boxes, limits


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 100).map(lambda tenths: tenths / 10), min_size=1, max_size=8))
def test_labels_never_overlap_and_keep_the_order_of_the_ends(ends):
    names, boxes, (right, top) = boxes_of_labels(ends)
    assert sorted(names) == sorted(f"line {i}" for i in range(len(ends)))
    by_height = sorted(zip(boxes, names, strict=True), key=lambda pair: pair[0].y0)
    for (lower, _), (upper, _) in pairwise(by_height):
        assert upper.y0 >= lower.y1 - 0.5
    order = [ends[int(name.split()[1])] for _, name in by_height]
    assert order == sorted(order)
    assert max(box.x1 for box in boxes) <= right
    assert max(box.y1 for box in boxes) <= top  # above it a panel has its title


def test_label_with_room_stands_at_its_line():
    def distance(ends):
        _, boxes, _ = boxes_of_labels(ends)
        return np.diff([(box.y0 + box.y1) / 2 for box in boxes])

    # 2 and 8 of 10 units are 0.6 of the axes apart; 1 and 7 as well: no label is moved.
    assert distance([2, 8]) == pytest.approx(distance([1, 7]), abs=0.5)


def test_names_stand_right_in_a_figure_of_another_layout():
    """A figure that is not the house's is laid out at once, as nothing will do it later."""
    figure, ax = plt.subplots()
    ax.plot([0, 1], [0, 5], label="lower")
    ax.plot([0, 1], [0, 5.01], label="upper")
    style.label_ends(ax)
    figure.draw_without_rendering()
    lower, upper = (mpl.text.Text.get_window_extent(text) for text in ax.texts)
    assert upper.y0 >= lower.y1 - 0.5


@pytest.mark.parametrize("top", [18.4, 1000])  # up to 18.4 ticks widen as the panels shrink
def test_panels_and_their_names_stay_apart(top):
    @style.house
    def draw():
        figure, axs = plt.subplots(2, 2, figsize=(style.WIDTH, 6.4), layout=style.layout())
        for ax in axs.flat:
            ax.plot([0, 1], [0, top], label="a rather long name")
            ax.set_title("title", loc="left")
            style.label_ends(ax, size=9)
        return figure

    figure = draw()
    figure.draw_without_rendering()
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    for first, second in combinations(boxes, 2):
        assert not first.overlaps(second)
    width, height = figure.bbox.size
    for box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height


def test_lines_without_label_or_values_are_not_named():
    ax = _axes()
    ax.plot([0, 1], [1, 2])
    ax.plot([0, 1], [np.nan, np.nan], label="empty")
    ax.plot([0, 1, 2], [1, 3, np.nan], label="ends early")
    style.label_ends(ax)
    assert [text.get_text() for text in ax.texts] == ["ends early"]
    assert ax.texts[0].xy == (1, 3)


def test_charts_are_legible_in_the_dark(root):
    """The page's filter turns a chart round: computed as the Filter Effects module defines it."""
    css = (root / "send_analysis/report/templates/report.css").read_text(encoding="utf-8")
    amount = float(re.search(r"filter: invert\((\.\d+)\) hue-rotate\(180deg\)", css)[1])
    light = np.array([0.213, 0.715, 0.072])
    half_round = 2 * np.outer(np.ones(3), light) - np.eye(3)  # the matrix of 180 degrees

    def turned(colour):
        inverted = amount + (1 - 2 * amount) * np.array(to_rgb(colour))
        return to_hex(np.clip(half_round @ inverted, 0, 1))

    paper = turned("white")
    for colour in (*style.PALETTE, style.RULE):
        assert style.contrast(turned(colour), paper) >= 3, colour
        assert style.contrast(turned(style.ink(colour)), paper) >= 4.5, colour
    for colour in (style.TEXT, style.MUTED_TEXT):
        assert style.contrast(turned(colour), paper) >= 4.5, colour
