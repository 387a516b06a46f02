"""What the package promises to have."""

import send_analysis as sa

PUBLIC = [
    "SendAnalysisError",
    "__version__",
    "alt_texts",
    "alt_texts_capacity",
    "alt_texts_forecast",
    "alt_texts_why",
    "archive",
    "areas",
    "assessments",
    "backtest",
    "batch",
    "breaks",
    "capacity",
    "capacity_views",
    "catalogue",
    "caveats",
    "cohort_views",
    "cohorts",
    "control_charts",
    "costs",
    "decomposition",
    "denominators",
    "display",
    "errors",
    "evidence",
    "explore",
    "figures",
    "figures_capacity",
    "figures_forecast",
    "figures_waits",
    "figures_why",
    "flows",
    "forecast",
    "forecasting",
    "growth",
    "growth_panel",
    "investment",
    "levers",
    "load",
    "mental_health",
    "narrative",
    "narrative_waits",
    "narrative_why",
    "national",
    "neighbours",
    "outlook",
    "pipeline",
    "places",
    "planned_places",
    "queues",
    "refresh",
    "reports",
    "resolve",
    "returns",
    "scenarios",
    "scoring",
    "staffing",
    "style",
    "tables",
    "verify",
    "wait_claims",
    "wait_later",
    "wait_views",
    "waits",
]


def test_the_public_names_are_these():
    assert sorted(sa.__all__) == sorted(PUBLIC)
    assert all(hasattr(sa, name) for name in PUBLIC)


def test_public_functions_say_what_they_return():
    for name in PUBLIC:
        thing = getattr(sa, name)
        if callable(thing) and not isinstance(thing, type):
            assert "Returns\n" in thing.__doc__, name


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(sa, "no_such_name")
