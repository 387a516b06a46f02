"""Maps: every authority shaded as its figure is, what has none told apart, the pattern in words."""

import re
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import send_analysis as sa
from send_analysis import areas, reads
from send_analysis.errors import MissingDataError, ParameterError, UnknownNameError
from send_analysis.show import map as maps
from send_analysis.show.style import contrast


def frame(**changes):
    """A figure an authority, in the order of their codes: 1 to 153, some changed."""
    codes = areas.current()
    values = pd.Series(np.arange(1.0, len(codes) + 1), index=codes)
    values.update(pd.Series({areas.find(k): v for k, v in changes.items()}, dtype=float))
    out = pd.DataFrame({"area_code": codes, "rate": values.to_numpy(), "flagged": False})
    return reads.stamp(out, ["ehc_plans"])


@pytest.fixture
def drawn():
    """Draw a chart; return the number of authorities and the looks of its collections."""

    def draw(chart):
        ax = plt.figure().subplots()
        chart.draw(ax)
        return ax

    yield draw
    plt.close("all")


def test_every_authority_is_drawn_once_darker_where_there_is_more(drawn):
    ax = drawn(sa.map(frame(), "rate"))
    assert sum(len(one.get_paths()) for one in ax.collections) == 153
    order = [contrast(tuple(one.get_facecolor()[0][:3])) for one in ax.collections]
    assert order == sorted(order)
    sizes = [len(one.get_paths()) for one in ax.collections]
    assert len(sizes) == 5 and max(sizes) - min(sizes) <= 2


def test_shades_are_told_apart_without_colour():
    """Each step of the scale is seen in grey: in print, and by who sees no colour."""
    steps = [contrast(shade) for shade in maps.shades(5)]
    assert all(after / before > 1.25 for before, after in pairwise(steps))
    assert steps[0] > 1.3 and steps[-1] > 7


def test_classes_hold_what_is_read():
    values = pd.Series([27.96, 28.04, 30.0, 41.0, None])
    classed = maps.classed(values, ".1f", [28, 41])
    assert classed.tolist()[:4] == [
        "28.0 to under 41.0", "28.0 to under 41.0", "28.0 to under 41.0", "41.0 or more",
    ]  # fmt: skip
    assert pd.isna(classed[4])
    assert maps.classed(pd.Series([3.0, 3.0]), ".0f").tolist() == ["all the same"] * 2


def test_the_words_say_the_ends_the_regions_and_what_is_missing(drawn):
    rows = frame(Bury=900, Bolton=800, Kent=-5).set_index("area_code")
    rows.loc[areas.find("Kent"), "flagged"] = True
    rows.loc[areas.find("Essex"), "rate"] = np.nan
    north = [code for code in rows.index if areas.Area(code).region == areas.find("North East")]
    rows.loc[north, "rate"] = 700
    chart = sa.map(rows, "rate", what="Plans per 1,000")
    assert "Highest: 900.0 in Bury, 800.0 in Bolton, 700.0 in " in chart.alt
    assert "is highest in the North East (700.0)" in chart.alt
    assert "No figure, 1 of them: Essex." in chart.alt
    assert "Flagged, 1 of them: Kent." in chart.alt
    assert "900.0 in Bury" in chart.title and "-5" not in chart.title
    data = chart.data.set_index("area")
    assert data.loc["Kent", "shade"] == "flagged" and pd.isna(data.loc["Kent", "rate"])
    assert data.loc["Essex", "shade"] == "no figure"
    key = [text.get_text() for text in drawn(chart).get_legend().get_texts()]
    assert key[-2:] == ["no figure (1)", "flagged (1)"]
    assert sum(int(text.split("(")[1][:-1]) for text in key) == 153


def test_authorities_that_read_alike_are_counted_not_chosen():
    rows = frame().assign(rate=[100.0] * 4 + [99.96] + [3.0] * 2 + list(range(4, 150)))
    chart = sa.map(rows, "rate", form=".0f")
    assert "Highest: 149 in" in chart.alt and "Lowest: 3 in " in chart.alt
    rows["rate"] = rows["rate"].clip(upper=100)
    chart = sa.map(rows, "rate", form=".0f", what="On time, %")
    assert chart.title.startswith("On time, %: from 3 in 2 authorities to 100 in 55 authorities")
    assert "Highest: 100 in 55 authorities." in chart.alt
    assert re.search(r"Lowest: 3 in [^.0-9]*, 3 in [^.0-9]*, 4 in [^.0-9]*\.", chart.alt)
    rows.loc[rows["rate"].between(4, 6), "rate"] = 4
    chart = sa.map(rows, "rate", form=".0f", what="On time, %")
    assert re.search(r"Lowest: 3 in [^.0-9]*, 3 in [^.0-9]*, 4 in 3 authorities\.", chart.alt)


def test_an_area_of_few_is_shaded_and_left_out_of_the_ends():
    codes = [areas.find(name) for name in ("Isles of Scilly", "City of London")]
    rows = frame(**{"Isles of Scilly": 900, "City of London": -5})
    rows["few"] = rows["area_code"].isin(codes).map({True: "at most 100 plans", False: ""})
    chart = sa.map(rows, "rate", what="Plans")
    told = f"{chart.title} {chart.alt.partition(' Left out of the ends')[0]}"
    assert "Scilly" not in told and "City of London" not in told
    assert chart.alt.endswith("(at most 100 plans): City of London, Isles of Scilly.")
    assert chart.data.set_index("area").loc["Isles of Scilly", "shade"] == sa.map(
        rows.drop(columns="few"), "rate"
    ).data["shade"].cat.categories[4]  # fmt: skip
    with pytest.raises(MissingDataError):
        sa.map(rows[rows["few"] != ""], "rate")


def test_an_area_and_its_neighbours_are_marked(drawn):
    chart = sa.map(frame(), "rate", area="Bury", what="Plans")
    bare, marked = drawn(sa.map(frame(), "rate")), drawn(chart)
    more = [len(one.get_paths()) for one in marked.collections[len(bare.collections) :]]
    assert more == [10, 1]
    assert chart.alt.endswith(f"Marked: Bury {chart.data.set_index('area').loc['Bury', 'rate']:.1f}"
                              ", and its 10 statistical neighbours.")  # fmt: skip
    assert "Plans: Bury" in chart.title
    assert marked.get_legend().get_texts()[-1].get_text() == "Bury"


def test_a_figure_with_a_caveat_is_not_shaded():
    """Plans of Newham jumped and were flagged: no growth is told of it."""
    data = sa.map(sa.growth.series.growth(2019, 2025), "growth").data.set_index("area")
    assert data.loc["Newham", "shade"] == "flagged" and pd.isna(data.loc["Newham", "growth"])
    assert data["growth"].notna().sum() >= 150


def test_units_of_several_authorities_shade_each_and_regions_none():
    rows = pd.DataFrame({"area_code": ["E06000061+E06000062", "E12000002"], "growth": [61.0, 1.0]})
    data = sa.map(rows, "growth").data.dropna()
    assert data["area"].tolist() == ["North Northamptonshire", "West Northamptonshire"]
    assert set(data["growth"]) == {61.0}


def test_sources_are_those_of_the_frame_and_the_outlines_have_their_licence():
    chart = sa.map(frame(), "rate", source="made up")
    assert chart.tables == ("ehc_plans",)
    assert chart.source.startswith("made up; outlines: House of Commons Library")
    assert "Open Parliament Licence v3.0" in chart.source


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda f: (f, "rates"), UnknownNameError, "Did you mean 'rate'"),
        (lambda f: (f.drop(columns="area_code"), "rate"), UnknownNameError, "'area_code'"),
        (lambda f: (pd.concat([f, f.tail(1)]), "rate"), ParameterError, "has 2 rows: a map shows"),
        (lambda f: (f.assign(rate="3"), "rate"), ParameterError, "no numbers"),
        (lambda f: (f.assign(rate=np.nan), "rate"), MissingDataError, "No authority has a figure"),
    ],
)
def test_what_is_no_map_is_refused(change, error, says):
    with pytest.raises(error, match=says):
        sa.map(*change(frame()))


def test_a_locator_marks_an_area_darkest(drawn):
    chart = maps.locator("Bury")
    assert chart.title == "Bury is in the North West"
    assert chart.tables == ("neighbours",)
    assert chart.data["area"].tolist() == ["Bury", *map(areas.name, areas.find("Bury").neighbours)]
    ground, near, own = (one.get_facecolor()[0][:3] for one in drawn(chart).collections)
    assert contrast(tuple(own)) > contrast(tuple(near)) > contrast(tuple(ground))
    assert "1 of them in the same region (North West)" in chart.alt  # Lancashire, by the tool
    with pytest.raises(MissingDataError):
        maps.locator("England")


def test_every_name_on_a_locator_stands_inside_its_picture():
    """Bournemouth, Christchurch and Poole was cut off on the right."""
    for area in areas.current():
        ax = maps.locator(area).axes()
        ax.figure.canvas.draw()
        name = next(text for text in ax.texts if text.get_gid() == "name")
        box, picture = name.get_window_extent(), ax.figure.bbox
        assert picture.x0 <= box.x0 and box.x1 <= picture.x1, area.name
        assert picture.y0 <= box.y0 and box.y1 <= picture.y1, area.name
        plt.close(ax.figure)
