"""What the package promises to have."""

import send_analysis as sa

PUBLIC = [
    "SendAnalysisError",
    "__version__",
    "area",
    "areas",
    "backtest",
    "capacity",
    "catalogue",
    "caveats",
    "errors",
    "evidence",
    "explore",
    "forecast",
    "forecasting",
    "growth",
    "load",
    "map",
    "outcomes",
    "releases",
    "report",
    "scenarios",
    "show",
    "tables",
    "verify",
    "waits",
]
CHAPTERS = {
    "growth": "series",
    "forecasting": "totals",
    "capacity": "places",
    "waits": "lists",
    "outcomes": "measures",
    "evidence": "verdicts",
}


def test_the_public_names_are_these():
    assert sorted(sa.__all__) == sorted(PUBLIC)
    assert all(hasattr(sa, name) for name in PUBLIC)


def test_public_functions_say_what_they_return():
    for name in PUBLIC:
        thing = getattr(sa, name)
        if callable(thing) and not isinstance(thing, type):
            assert "Returns\n" in thing.__doc__, name


def test_the_modules_of_a_chapter_are_found_when_asked_for():
    for chapter, module in CHAPTERS.items():
        found = getattr(getattr(sa, chapter), module)
        assert found.__name__ == f"send_analysis.{chapter}.{module}"
        assert module in dir(getattr(sa, chapter))
    assert sa.evidence.ledger is sa.evidence.verdicts.ledger
    assert not hasattr(sa.growth, "no_such_name")


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(sa, "no_such_name")
