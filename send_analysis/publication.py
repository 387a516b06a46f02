"""When a figure was first published, as the releases that the tables were made from say."""

from __future__ import annotations

import pandas as pd

from send_analysis import tables

# A table's series of releases, and how many years after its year the reporting year is: plans of
# January 2024 are in reporting year 2024, plans issued in 2023 as well.
SERIES = {
    "ehc_plans": ("ehc_plans", 0),
    "ehc_plans_by_age": ("ehc_plans", 0),
    "placements": ("ehc_plans", 0),
    "primary_need": ("ehc_plans", 0),
    "new_plans": ("ehc_plans", 1),
    "new_plans_by_age": ("ehc_plans", 1),
    "new_plans_by_placement": ("ehc_plans", 1),
    "requests": ("ehc_plans", 1),
    "assessments": ("ehc_plans", 1),
    "timeliness": ("ehc_plans", 1),
    "tribunals": ("ehc_plans", 1),
    "pupils": ("pupils", 0),
}


def first_published(table: str, period: int | pd.Timestamp) -> str | None:
    """Return the month in which a table's figure first came out.

    Parameters
    ----------
    table : str
        E.g. ``"ehc_plans"``.
    period : int or Timestamp
        Year, or month where the table has months.

    Returns
    -------
    str or None
        Year and month, ``"2024-06"``; None where no release says.
    """
    if isinstance(period, pd.Timestamp):
        return _releases().get(f"{table}_{period:%Y_%m}")
    series, later = SERIES.get(table, (table, 0))
    return _releases().get(f"{series}_{period + later}")


@tables.remembered
def _releases() -> dict[str, str]:
    """Month of publication of every release and of reporting years without one, by name."""
    described = tables.descriptor()
    known = {
        f"{series}_{year}": month
        for series, years in described.get("first_published", {}).items()
        for year, month in years.items()
    }
    for entry in described["resources"]:
        known |= {source["name"]: source["published"][:7] for source in entry["sources"]}
    return known
