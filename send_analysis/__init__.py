"""SEND services in England: test claims, explain growth, forecast demand, from official statistics.

>>> import send_analysis as sa
>>> sa.load("ehc_plans").query("area_code == 'E08000002' and age_band == 'all'")

A folder a chapter: ``sa.growth``, ``sa.forecasting``, ``sa.capacity``, ``sa.waits``,
``sa.outcomes`` and ``sa.evidence``. Modules are imported when first used, so that
``import send_analysis`` and the command line start fast.
"""

from send_analysis import lazy

__version__ = "0.3.0"

# Public name → module that has it.
_FUNCTIONS = {
    "load": "tables",
    "catalogue": "tables",
    "verify": "tables",
    "area": "areas:find",
    "forecast": "forecasting.totals",
    "backtest": "forecasting.scoring",
    "map": "show.map",
    "SendAnalysisError": "errors",
}
__all__ = [
    "__version__",
    *_FUNCTIONS,
    "areas",
    "capacity",
    "caveats",
    "errors",
    "evidence",
    "explore",
    "forecasting",
    "growth",
    "outcomes",
    "releases",
    "report",
    "scenarios",
    "show",
    "tables",
    "waits",
]

__getattr__, _ = lazy.face(__name__, **_FUNCTIONS)


def __dir__() -> list[str]:
    return __all__
