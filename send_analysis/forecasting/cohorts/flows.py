"""Plans as a stock and its flows, for every simulation, year, age and setting; levers on the flows.

A simulation holds what each year of it did: the share of plans that ended, where the others were a
year later, the new plans. A scenario runs the same years again with flows changed, so that
scenario and simulation share every random number and their difference is the levers' alone. See
docs/cohorts.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from send_analysis import areas, caveats, tables
from send_analysis.areas import Area
from send_analysis.categories import AGE_BANDS
from send_analysis.errors import MissingDataError, ParameterError
from send_analysis.forecasting.cohorts.inputs import AGES, SETTINGS
from send_analysis.forecasting.cohorts.levers import SIZES, TRANSFERS, validate
from send_analysis.forecasting.cohorts.moves import GROUPS
from send_analysis.forecasting.cohorts.shrinkage import divide
from send_analysis.growth import denominators

LONGEST = 15  # years; population beyond is next to unborn
GROUP_OF = np.repeat(range(len(GROUPS)), [len(ages) for ages in GROUPS])  # of each age but the last

_RATES = ("requests_return", "share_assessed", "share_issued")  # levels that tables give


@dataclass(frozen=True)
class Projection:
    """Simulated plans of one area, and the flows that made them.

    Axes are years (T), simulations (n), age at 31 August (A, `inputs.AGES`), setting
    (S, `inputs.SETTINGS`).

    Parameters
    ----------
    area_code : Area
    origin : int
        January projected from.
    stock : ndarray (T + 1, n, A, S)
        Plans each January, the origin's first.
    joined : ndarray (T + 1, n, A, S)
        New plans in the calendar year before; those published for the year before the origin first.
    leave : ndarray (T, n, A, S)
        Share of the plans of a January that end before the next, by age in that January.
    moves : ndarray (n, groups, S, S)
        Settings a year later of those that do not end, by `moves.MOVE_GROUPS`.
    deal : ndarray of int (T, n)
        Which row of `moves` a simulation has in a year.
    pull : ndarray (T, groups, S) or float
        Factor on the shares of `moves` that go to a setting in a year, as `mixes` finds them.
    notes : tuple of str
        What stands in for a figure that the tables lack.
    tables : tuple of str
        Tables that it was made from.
    made : dict of int to ndarray
        What `moving` gives for a year, kept: scenarios run the same years again.
    """

    area_code: Area
    origin: int
    stock: np.ndarray
    joined: np.ndarray
    leave: np.ndarray
    moves: np.ndarray
    deal: np.ndarray
    pull: np.ndarray | float = 1.0
    notes: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    made: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def new(self) -> np.ndarray:
        """New plans in the calendar year before each January, by age (T + 1, n, A)."""
        return self.joined.sum(axis=-1)

    def until(self, years: int) -> Projection:
        """Return the first years of the projection."""
        return replace(
            self,
            stock=self.stock[: years + 1],
            joined=self.joined[: years + 1],
            leave=self.leave[:years],
            deal=self.deal[:years],
            pull=self.pull if isinstance(self.pull, float) else self.pull[:years],
        )

    def moving(self, step: int) -> np.ndarray:
        """Settings a year later of those that do not end (n, groups, S, S), in one of the years."""
        if step not in self.made:
            rows = self.moves[self.deal[step]]
            bent = not isinstance(self.pull, float)
            self.made[step] = pulled(rows, self.pull[step][:, None]) if bent else rows
        return self.made[step]


def pulled(shares: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """Multiply the shares that go to each setting, and bring their sum back to what it was.

    Parameters
    ----------
    shares : ndarray (…, S)
    pull : ndarray (…, S)
        Factors.

    Returns
    -------
    ndarray (…, S)
    """
    bent = shares * pull
    one = np.ones(bent.shape[-1])  # a product adds a short last axis several times faster
    bent *= divide(shares @ one, bent @ one)[..., None]
    return bent


def advance(
    stock: np.ndarray, leave: np.ndarray, moves: np.ndarray, joined: np.ndarray
) -> np.ndarray:
    """Carry plans forward by one year.

    Parameters
    ----------
    stock : ndarray (n, A, S)
    leave : ndarray (n, A, S)
        Share that ends.
    moves : ndarray (n, groups, S, S)
    joined : ndarray (n, A, S)
        New plans, by age after the birthday.

    Returns
    -------
    ndarray (n, A, S)
        N(a + 1, t) = Σ over s of N(a, s) · (1 − leave(a, s)) · moves(a, s, t) + joined(a + 1, t).
        Plans of the last age end.
    """
    kept = stock * (1 - leave)
    following = joined.copy()
    for number, ages in enumerate(GROUPS):
        first, last = ages[[0, -1]]  # a run: a slice of it is no copy
        following[:, first + 1 : last + 2] += kept[:, first : last + 1] @ moves[:, number]
    return following


def apply(projection: Projection, levers: Sequence[Mapping], *, seed: int = 50) -> Projection:
    """Run a simulation again with flows changed.

    Parameters
    ----------
    projection : Projection
        One without levers.
    levers : sequence of mapping
        As :func:`levers.validate` wants them. They act in their order, each on what those before
        left:

        - ``requests``, ``new_plans``: new plans (at ``ages``) are multiplied; requests change new
          plans of the same year in proportion;
        - ``requests_return``: new plans return to their number of the year before the origin times
          requests per head in ``to_year`` over requests per head in that year;
        - ``requests_stabilise``: new plans stay at their number of the year before ``from_year``
          (the published one, if that is left out), age by age and setting by setting;
        - ``share_assessed``, ``share_issued``: new plans change as the share of requests that is
          assessed, or of assessments that end in a plan, goes from its latest figure to ``share``;
        - ``settings_of_new_plans``: a share of new plans in one setting goes to another;
          ``placements``: of new plans and of those who move in;
        - ``moves``: a share of the plans that stay in a setting goes to another, each year;
        - ``cessation``: the share of plans that end is multiplied (at ``ages``, in ``settings``);
        - ``reassessment``: at a transfer, each plan goes on with probability ``keep``;
        - ``protected``: plans held in the January of ``from_year`` (at ``ages``) are spared by
          ``cessation``, ``reassessment``, ``moves`` and ``placements``.
    seed : int
        Of the sizes that are ranges.

    Returns
    -------
    Projection
        As `projection`, and itself where there are no levers.

    Raises
    ------
    ParameterError
        A lever that is wrong, begins more than 15 years ahead or ends before the first.
    MissingDataError
        A figure that the tables lack for the area, and no substitute is named.
    """
    origin, count = projection.origin, projection.stock.shape[1]
    acting, notes, levers = [], list(projection.notes), validate(levers)
    for number, lever in enumerate(levers, start=1):
        lever, where = {"from_year": origin} | lever, f"{levers.file}, levers[{number}]"
        if lever["from_year"] > origin + LONGEST:
            raise ParameterError(
                f"{where}.from_year: must be a year up to {origin + LONGEST}, not "
                f"{lever['from_year']}."
            )
        if lever.get("until_year", origin) < origin:
            raise ParameterError(
                f"{where}.until_year: must be {origin}, the first year that is simulated, or "
                f"later, not {lever['until_year']}."
            )
        size = next((lever[key] for key in SIZES if key in lever), 1.0)
        if isinstance(size, list):
            size = np.random.default_rng([seed, number]).uniform(*size, count)
        size = np.broadcast_to(np.asarray(size, dtype=float), count)
        if lever["lever"] in _RATES:
            size, note = _against_table(projection.area_code, origin - 1, lever, size)
            notes += [note] if note else []
        acting.append((lever, size))
    if all(lever["lever"] == "protected" for lever, _ in acting):  # from what nothing does
        return projection
    return _rerun(replace(projection, notes=tuple(dict.fromkeys(notes))), acting)


def _rerun(base: Projection, levers: Sequence[tuple[dict, np.ndarray]]) -> Projection:
    """Carry the origin's plans forward with changed flows."""
    stock, joined, leave = (np.empty_like(it) for it in (base.stock, base.joined, base.leave))
    stock[0], joined[0] = base.stock[0], base.joined[0]
    safe = None  # plans that levers spare, a part of all
    for step in range(len(base.deal)):
        plans, usual, rows = stock[step], base.leave[step], base.moving(step)
        new, ends, moves = base.joined[step + 1], usual, rows
        for lever, size in levers:
            kind, part = lever["lever"], _phase(lever, base.origin + step)
            if part == 0:
                continue
            if kind == "protected":
                if step == max(lever["from_year"] - base.origin, 0):
                    safe = np.maximum(0.0 if safe is None else safe, plans * _ages(lever)[:, None])
            elif kind in ("requests_return", "requests_stabilise"):
                since = max(lever["from_year"] - base.origin, 0) * (kind == "requests_stabilise")
                new = (1 - part) * new + part * joined[since] * size[:, None, None]
            elif "from" in lever:
                new, moves = _elsewhere(lever, part * size, new, moves)
            elif kind == "cessation":
                cells = _ages(lever)[:, None] & np.isin(SETTINGS, lever.get("settings", SETTINGS))
                cells[-1] = False  # plans of the last age end whatever is done
                ends = np.minimum(ends * (1 + (part * (size - 1))[:, None, None] * cells), 1.0)
            elif kind == "reassessment":
                at = np.array(AGES) == TRANSFERS[lever["transfer"]]
                ends = ends + (1 - ends) * (part * (1 - size))[:, None, None] * at[:, None]
            else:
                new = new * (1 + (part * (size - 1))[:, None] * _ages(lever))[..., None]
        following = advance(plans if safe is None else plans - safe, ends, moves, new)
        if safe is not None:
            ended = safe * usual + (plans - safe) * ends
            ends = np.divide(ended, plans, out=ends.copy(), where=plans > 0)
            safe = advance(safe, usual, rows, np.zeros_like(new))
            following = following + safe
        stock[step + 1], joined[step + 1], leave[step] = following, new, ends
    return replace(base, stock=stock, joined=joined, leave=leave)


def _phase(lever: Mapping, year: int) -> float:
    """How far a lever is pulled in a year, 0 to 1."""
    if not lever["from_year"] <= year <= lever.get("until_year", year):
        return 0.0
    return min(1.0, (year - lever["from_year"] + 1) / lever.get("over_years", 1))


def _ages(lever: Mapping) -> np.ndarray:
    """Mark the ages that a lever names, singly or by band; all when it names none."""
    named = lever.get("ages", AGES)
    return np.isin(AGES, [age for name in named for age in AGE_BANDS.get(name, [name])])


def _elsewhere(
    lever: Mapping, share: np.ndarray, new: np.ndarray, moves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Send a share of new plans, movers or those who stay in one setting to another."""
    source, target = SETTINGS.index(lever["from"]), SETTINGS.index(lever["to"])
    if lever["lever"] != "moves":
        sent = new[..., source] * (share[:, None] * _ages(lever))
        new = new.copy()
        new[..., source] -= sent
        new[..., target] += sent
    if lever["lever"] != "settings_of_new_plans":
        moves = moves.copy()
        chosen = np.arange(len(SETTINGS)) == source
        rows = chosen if lever["lever"] == "moves" else ~chosen
        sent = moves[..., source] * share[:, None, None] * rows
        moves[..., source] -= sent
        moves[..., target] += sent
    return new, moves


def _against_table(
    area: Area, year: int, lever: Mapping, size: np.ndarray
) -> tuple[np.ndarray, str]:
    """Turn a level into a factor on an area's new plans, by its figures; say what stands in."""
    if lever["lever"] == "requests_return":
        factor = _rate("requests a head", lever["to_year"]) / _rate("requests a head", year)
        what = f"requests a head in {lever['to_year']} over those in {year}"
    else:
        factor = 1 / _rate(lever["lever"], year)
        what = f"{lever['lever'].replace('_', ' ')} in {year}"
    factor = factor[np.isfinite(factor) & (factor > 0)]
    if area in factor.index:
        return size * factor[area], ""
    named = lever.get("substitute")
    other = areas.ENGLAND if named == "England" else ""
    if named in ("footprint", "region") and area.level == "local authority":
        other = area.footprint if named == "footprint" else area.region
    if other not in factor.index:
        raise MissingDataError(
            f"{area.name} has no figure for {what}. Let another stand in, by the key "
            f"substitute of the lever {lever['lever']}: footprint, region or England"
            f"{f' ({named} has none either)' if named else ''}."
        )
    note = f"{other.name} stands in for {area.name}: {what}."
    return size * factor[other], note


@tables.remembered
def _rate(what: str, year: int) -> pd.Series:
    """Requests a head, or the share of requests assessed or of assessments that end in a plan.

    Of authorities, regions, England and footprints (members' codes joined by ``+``).
    """
    table, column, top, bottom = {
        "requests a head": ("requests", "requests", "all", ["all"]),
        "share_assessed": ("requests", "requests", "assessed", ["assessed", "not assessed"]),
        "share_issued": (
            "assessments", "assessments", "plan issued", ["plan issued", "plan not issued"],
        ),
    }[what]  # fmt: skip
    rows = tables.load(table)
    rows = rows[(rows["year"] == year) & rows["outcome"].isin([top, *bottom])]
    rows = rows[caveats.sound(rows, table)]
    rows = rows[["area_code", "outcome", column]]
    joint = areas.on_footprints(rows, [column], ("outcome",))
    rows = pd.concat([rows, joint[joint["area_code"].str.contains("+", regex=False)]])
    wide = rows.pivot(index="area_code", columns="outcome", values=column).astype("float64")
    wide = wide.reindex(columns=[top, *bottom]).loc[:, lambda it: ~it.columns.duplicated()]
    if what != "requests a head":
        return wide[top] / wide[bottom].sum(axis=1, min_count=len(bottom))
    people = denominators.residents()
    people = people[people["year"] == year][["area_code", "year", "people"]]
    people = pd.concat([people, areas.on_footprints(people, ["people"])])
    people = people.drop_duplicates("area_code").set_index("area_code")["people"]
    return wide[top] / people.astype("float64")
