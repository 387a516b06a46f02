"""SEND services in England: test claims, explain growth, forecast demand, from official statistics.

>>> import send_analysis as sa
>>> sa.load("ehc_plans").query("area_code == 'E08000002' and age_band == 'all'")

Everything public is listed in ``__all__``; modules are imported when first used, so that
``import send_analysis`` and the command line start fast.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

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
_MODULES = (
    "alt_texts",
    "alt_texts_capacity",
    "alt_texts_forecast",
    "alt_texts_why",
    "archive",
    "areas",
    "assessments",
    "breaks",
    "capacity",
    "capacity_views",
    "cohorts",
    "batch",
    "control_charts",
    "costs",
    "decomposition",
    "denominators",
    "display",
    "errors",
    "evidence",
    "figures",
    "figures_capacity",
    "figures_forecast",
    "figures_waits",
    "figures_why",
    "forecasting",
    "growth",
    "growth_panel",
    "investment",
    "levers",
    "narrative",
    "narrative_waits",
    "narrative_why",
    "national",
    "outlook",
    "pipeline",
    "places",
    "planned_places",
    "queues",
    "refresh",
    "reports",
    "returns",
    "scenarios",
    "scoring",
    "staffing",
    "style",
    "tables",
    "wait_claims",
    "waits",
)

__all__ = ["__version__", *_MODULES, *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"send_analysis.{name}")
    if name in _PUBLIC:
        return getattr(import_module(f"send_analysis.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'send_analysis' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
