"""The school capacity (SCAP) return: pupils with EHC plans who need specialist places.

The survey asks for primary pupils five academic years ahead and secondary pupils seven, by year
group and kind of provision, in whole pupils. Cells are rounded so that every sum of them is the
rounded sum.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from send_analysis import areas, tables
from send_analysis.capacity import places
from send_analysis.capacity.places import ALTERNATIVE, INDEPENDENT, SPECIAL, SURVEY_KINDS, UNIT
from send_analysis.errors import ParameterError
from send_analysis.forecasting.cohorts.inputs import SETTINGS
from send_analysis.rounding import controlled_rounding

# Years ahead of the academic year of the collection: guide for local authorities, April 2026.
AHEAD = {"primary": 5, "secondary": 7}
RECEPTION = 4  # age at 31 August; year group n is age n + 4
YEAR_GROUPS = {"primary": range(0, 7), "secondary": range(7, 12)}
LAST_YEAR_GROUP = 14  # special schools can have pupils to 19
KIND_NAMES = {
    UNIT: "SEN units and resourced provision in mainstream schools",
    SPECIAL: "State-funded special schools",
    INDEPENDENT: "Independent and non-maintained special schools",
    ALTERNATIVE: "Alternative provision",
}


def academic_year(january: int) -> str:
    """Name the academic year of a January: 2027 is 2026/27."""
    return f"{january - 1}/{january % 100:02d}"


def survey(simulation: places.Simulation) -> int:
    """Year of the survey to which a simulation answers.

    The first academic year asked for begins that September. The return closes in July; plans of a
    January come out in the June after it, too late for that year's.
    """
    return simulation.origin + 1


def scap(simulation: places.Simulation, *, last_year_group: int = 11) -> pd.DataFrame:
    """Forecast residents who need specialist places, as the survey asks for them.

    Parameters
    ----------
    simulation : Simulation
    last_year_group : int, default 11
        Last year group of the secondary part; up to 14 for special schools with sixth forms.

    Returns
    -------
    DataFrame
        ``area_code, phase, academic_year, year_group`` (0 is reception), ``kind, pupils``, whole
        numbers.

    Raises
    ------
    ParameterError
        If the simulation does not reach as far, or the last year group is not from 11 to 14.

    Notes
    -----
    A cell is the mean over simulations, scaled so that each phase and year adds to the median
    number of specialist places, the number that the rest of the report shows.
    """
    if not max(YEAR_GROUPS["secondary"]) <= last_year_group <= LAST_YEAR_GROUP:
        raise ParameterError(
            f"last_year_group is {last_year_group!r}; give 11 to {LAST_YEAR_GROUP}."
        )
    collection = survey(simulation)
    last = collection + max(AHEAD.values())
    if simulation.origin + len(simulation.stock) - 1 < last:
        raise ParameterError(
            f"The return of {collection} needs Januaries to {last}: simulate "
            f"{last - simulation.origin} years from January {simulation.origin}."
        )
    kinds = [SETTINGS.index(kind) for kind in SURVEY_KINDS]
    groups = YEAR_GROUPS | {"secondary": range(7, last_year_group + 1)}
    frames = []
    for phase, ahead in AHEAD.items():
        ages = np.array(groups[phase]) + RECEPTION - places.YOUNGEST
        each = pd.MultiIndex.from_product([groups[phase], SURVEY_KINDS])
        rows = each.to_frame(index=False, name=["year_group", "kind"]).assign(phase=phase)
        for january in range(collection + 1, collection + ahead + 1):
            plans = simulation.stock[january - simulation.origin][:, ages][..., kinds]
            cells = plans.mean(axis=0)
            total = np.median(plans.sum(axis=(1, 2)))
            cells = cells * (total / cells.sum() if cells.sum() else 0)
            pupils = controlled_rounding(cells).ravel()
            frames.append(rows.assign(academic_year=academic_year(january), pupils=pupils))
    out = pd.concat(frames, ignore_index=True).assign(area_code=simulation.area_code)
    return out[["area_code", "phase", "academic_year", "year_group", "kind", "pupils"]]


def layout(frame: pd.DataFrame) -> pd.DataFrame:
    """Lay the return out for people and for export: a row a year group, a column a kind.

    Parameters
    ----------
    frame : DataFrame
        As :func:`scap` returns it.

    Returns
    -------
    DataFrame
        ``LA code`` (three digits), ``Local authority, Phase, Academic year, Year group``, the four
        kinds in the survey's words, and ``Total``; after each phase and year a row of totals.
    """
    wide = frame.pivot(
        index=["phase", "academic_year", "year_group"], columns="kind", values="pupils"
    )[list(KIND_NAMES)]
    totals = wide.groupby(["phase", "academic_year"]).sum()
    totals.index = pd.MultiIndex.from_tuples(
        [(*key, LAST_YEAR_GROUP + 1) for key in totals.index], names=wide.index.names
    )
    wide = pd.concat([wide, totals]).sort_index()
    wide = wide.rename(columns=KIND_NAMES).assign(Total=wide.sum(axis=1)).reset_index()
    code = frame["area_code"].iat[0]
    old = tables.load("areas").set_index("area_code")["old_code"]
    words = {0: "Reception", LAST_YEAR_GROUP + 1: "Total"}
    out = pd.DataFrame(
        {
            "LA code": old[code],
            "Local authority": areas.name(code),
            "Phase": wide["phase"].str.capitalize(),
            "Academic year": wide["academic_year"],
            "Year group": wide["year_group"].map(lambda group: words.get(group, f"Year {group}")),
        }
    )
    return out.join(wide[[*KIND_NAMES.values(), "Total"]])


def write(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write the return as CSV (UTF-8, line feeds), laid out as :func:`layout` does.

    Returns
    -------
    Path
        The file.
    """
    path = Path(path)
    layout(frame).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return path


def method_text(simulation: places.Simulation) -> str:
    """Describe the method for the return, as the survey's guidance asks.

    Parameters
    ----------
    simulation : Simulation
        The one that the return was made from.

    Returns
    -------
    str
        Paragraphs, plain text.
    """
    collection = survey(simulation)
    name, origin = areas.name(simulation.area_code), simulation.origin
    start = simulation.stock[0].sum() / simulation.stock.shape[1]
    first, last = academic_year(collection + 1), academic_year(collection + AHEAD["secondary"])
    return "\n\n".join(
        [
            f"Forecast of residents of {name} with EHC plans who need a specialist place, academic "
            f"years {first} to {last}.",
            f"Data. Plans maintained by {name} in January {origin} ({start:,.0f}) by single year "
            "of age and setting, plans made and ceased in the calendar years before, from the SEN2 "
            "statistics of the Department for Education; residents by single year of age from the "
            "Office for National Statistics.",
            "Method. A cohort model. Each year every plan ages, ends, moves to another setting or "
            "stays; new plans enter by age. Rates are the authority's own, drawn towards those of "
            "its region and England where its numbers are small, with higher rates of moving at "
            "the ages of transfer (4, 11, 16). New plans follow the population of each age and the "
            "recent trend. The number of plans of all ages is held to a statistical forecast of "
            f"the authority's total. {simulation.stock.shape[1]:,} simulations carry the "
            "uncertainty of every rate.",
            "Year groups are ages at 31 August. The kinds of provision are those that residents "
            "attend, in the authority or outside it. Cells are means over simulations, scaled to "
            "the median total of each phase and year, and rounded so that all totals add.",
            "Assumptions. The law on EHC plans stays as it is. Where pupils wait for a place, or "
            "attend a kind of provision for want of another, the forecast repeats that choice: it "
            "forecasts placements as they have been made, not need that has gone unmet. Changes to "
            "the number of places are not in it; they are set against it separately.",
            "Checks. The model's projection of the latest January from the one before is compared "
            "with what was published, by age band and setting and against the assumption of no "
            "change; the results are published with the model.",
        ]
    )
