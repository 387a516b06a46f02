"""Sentences of growth follow the results that they are read off."""

import pytest

from send_analysis.growth import decomposition, series, stages, views, words


@pytest.fixture(scope="module")
def off():
    return decomposition.sensitivity("Bury")


def test_causes_sum_up_what_was_found(off):
    parts, requests, chance = words.causes("Bury")
    prevalence = off.query("component == 'prevalence' and variant == 'ages as published'")["plans"]
    assert f"added {prevalence.item():,.0f}" in parts
    assert "estimated" not in parts
    assert "9.1 requests" in requests  # 560 for 61,599 residents
    assert "no clear difference" in chance


def test_causes_leave_out_what_an_area_has_no_figures_for(monkeypatch):
    assert len(words.causes("England")) == 1
    monkeypatch.setattr(views, "period", lambda area: views.Period(2019, series.latest(area)))
    assert words.causes("Cumberland")[-1].startswith("Plans in Cumberland and")


def test_ratio_sentences_follow_the_interval():
    found = stages.ratios("Bury")
    asked, *_ = words.ratios_in_words(found)
    assert "a year's ordinary ups and downs could be the whole difference" in asked
    narrow = found.assign(low=found["value"] - 0.01, high=found["value"] + 0.01)
    assert "above England by more than the ordinary" in words.ratios_in_words(narrow)[0]
    wide = found.assign(low=0.0, high=1000.0)
    assert all("whole difference" in one for one in words.ratios_in_words(wide))
    below = found.assign(high=found["high"].where(found["role"] != "area", 0.1), low=0.0)
    assert all("below England" in one for one in words.ratios_in_words(below))


def test_tables_for_readers():
    # Kent: the words say that ages added 921, as the table does, and the parts add to the change
    kent = views.variants("Kent")
    assert kent.loc["ages as published"].tolist() == [416, 921, 7535]
    assert set(kent.sum(axis=1)) == {20_635 - 11_763}
    variants = views.variants("Bury")
    assert list(variants.columns) == list(decomposition.COMPONENTS)
    assert list(variants.index) == ["ages as published", "ages in January"]
    assert list(views.compared("Bury").index) == ["England", "North West", "ten neighbours"]
    broke = views.broke(views.tested("Bury"))
    assert list(broke.index[:2]) == ["England", "Bury against England"]


@pytest.mark.parametrize(
    ("area", "said"),
    [
        # the release of 2025; of Slough's 110, 108 had no decision and 2 were withdrawn
        ("North Yorkshire", "899 plans began in that year, and 757 assessments are counted"),
        ("Slough", "Of 469 requests 110 had no decision yet or were withdrawn"),
        ("Bury", ""),
    ],
)
def test_a_share_is_told_with_what_its_counts_lack(area, said):
    told = " ".join(words.ratios_in_words(stages.ratios(area)))
    assert said in told
    lacking = ("some may be missing", "had no decision")
    assert sum(text in told for text in lacking) == bool(said)
