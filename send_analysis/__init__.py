"""SEND services in England: test claims, explain growth, forecast demand, from official statistics.

>>> import send_analysis as sa
>>> sa.load("ehc_plans").query("area_code == 'E08000002' and age_band == 'all'")

Everything public is listed in ``__all__``; modules are imported when first used, so that
``import send_analysis`` and the command line start fast.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

# Public name → module that has it.
_PUBLIC = {
    "load": "tables",
    "catalogue": "tables",
    "verify": "tables",
    "resolve": "areas",
    "neighbours": "areas",
    "forecast": "forecasting",
    "backtest": "scoring",
    "SendAnalysisError": "errors",
}
# Folder → modules that are public.
_FOLDERS = {
    "": ("areas", "caveats", "errors", "refresh", "tables"),
    "models": ("evidence", "national", "scenarios"),
    "models.demand_growth": (
        "breaks",
        "decomposition",
        "denominators",
        "growth",
        "growth_panel",
        "pipeline",
    ),
    "models.forecast": ("archive", "forecasting", "outlook", "scoring"),
    "models.cohort": ("cohort_views", "cohorts", "flows", "levers"),
    "models.provision": (
        "assessments",
        "capacity",
        "capacity_views",
        "costs",
        "places",
        "planned_places",
        "staffing",
    ),
    "models.waiting": (
        "control_charts",
        "investment",
        "mental_health",
        "queues",
        "wait_claims",
        "wait_later",
        "wait_views",
        "waits",
    ),
    "output": (
        "batch",
        "display",
        "explore",
        "narrative",
        "narrative_waits",
        "narrative_why",
        "reports",
        "returns",
        "style",
    ),
    "output.charts": (
        "alt_texts",
        "alt_texts_capacity",
        "alt_texts_forecast",
        "alt_texts_why",
        "figures",
        "figures_capacity",
        "figures_forecast",
        "figures_waits",
        "figures_why",
    ),
}
_MODULES = {
    name: ".".join(filter(None, ("send_analysis", folder, name)))
    for folder, names in _FOLDERS.items()
    for name in names
}

__all__ = ["__version__", *_MODULES, *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _PUBLIC:
        return getattr(import_module(_MODULES[_PUBLIC[name]]), name)
    raise AttributeError(f"module 'send_analysis' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
