"""Waiting lists as the report shows them: of the organisation that stands for an area.

Results of one organisation serve all the areas that it stands for, and are kept.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from send_analysis import areas, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.waits import changes as wait_claims
from send_analysis.waits import investment, queues
from send_analysis.waits import lists as waits
from send_analysis.waits.lists import SERVICES, SHORT, TOTAL

CLAIMED = "claims as recorded in data/claims"  # beside the tables, the source of what is claimed
ASSUMED = "Assumptions of the project, data/assumptions.yml"
CHANGES = 5  # of a list from month to month: the median of fewer hangs on two of them
MAIN = ("community paediatrics", "occupational therapy", "physiotherapy", "speech and language")


@reads.found
@tables.remembered
def focus(area: Area) -> pd.Series:
    """Choose the organisation that stands for an area: its first board, else region or England.

    Returns
    -------
    Series
        ``organisation_code, organisation, level, basis``. A board whose providers report none of
        the main services is passed over.
    """
    serving = waits.organisations(area)
    serving = serving[serving["organisation_code"].isin(main_lists()["organisation_code"])]
    return serving[serving["level"] != "provider"].iloc[0]


@reads.found
def shared(area: Area) -> bool:
    """Whether the organisation that stands for an area has lists of others' children as well.

    So it has if it is called otherwise, or is a board that further authorities are linked to.
    """
    own = focus(area)
    if own["organisation"] != area.name:
        return True
    links = tables.load("nhs_area_links", area_code=areas.current())
    linked = links.loc[links["organisation_code"] == own["organisation_code"], "area_code"]
    return set(linked) > {area}


@reads.result
def organisations(area: Area) -> pd.DataFrame:
    """Return the organisations that serve an area, as :func:`.lists.organisations`.

    Returns
    -------
    DataFrame
        ``organisation_code, organisation, kind, basis``.
    """
    found = waits.organisations(area).rename(columns={"level": "kind"})
    return found.replace({"kind": {"icb": "integrated care board", "england": "country"}})


@reads.found
def unlisted(area: Area) -> pd.Series:
    """Names of the boards that an area is linked to and that have no list, by code.

    As the mental health tables name them; by code where they do not.
    """
    boards = tables.load("nhs_area_links", area_code=area, level="icb").sort_values("rank")
    codes = boards["organisation_code"].drop_duplicates()
    known = tables.load("mental_health_first_contacts").drop_duplicates("organisation_code")
    names = known.set_index("organisation_code")["organisation"]
    gone = codes[~codes.isin(waits.every_organisation().index)]
    return gone.map(names).fillna(gone).set_axis(gone)


@reads.found
def lists(area: Area) -> pd.DataFrame:
    """Lists of the four main services at the organisation that stands for an area.

    Returns
    -------
    DataFrame
        As :func:`lists.wide`; ``service`` has short names.
    """
    return lists_of(focus(area)["organisation_code"])


@tables.remembered
def lists_of(organisation: str) -> pd.DataFrame:
    """Lists of the four main services at one organisation, by its code, as :func:`lists`."""
    found = main_lists()
    return found[found["organisation_code"] == organisation].reset_index(drop=True)


@tables.remembered
def main_lists() -> pd.DataFrame:
    """Lists of the four main services at every organisation, as :func:`of_main`."""
    return of_main(waits.then())


def of_main(table: pd.DataFrame) -> pd.DataFrame:
    """Lists of the four main services, as :func:`lists.wide`; ``service`` has short names."""
    out = waits.wide(table[table["service"].isin([SERVICES[name] for name in MAIN])])
    return out.assign(service=out["service"].map(SHORT))


@reads.result
def reporting(area: Area) -> pd.DataFrame:
    """Children waiting at each provider that an area's board (or region) is added up from.

    Returns
    -------
    DataFrame
        Indexed by ``provider``, one column a month (as text); the last row is the sum as
        published. Missing where a provider sent nothing. ``attrs["service"]`` is the service:
        occupational therapy, or the first of the main ones that the board has.
    """
    chosen = focus(area)
    return _reporting(chosen["organisation_code"], chosen["level"])


@tables.remembered
def _reporting(code: str, level: str) -> pd.DataFrame:
    """Children waiting at each provider of one organisation, which serves many areas."""
    served = set(lists_of(code)["service"])
    service = next(name for name in ("occupational therapy", *MAIN) if name in served)
    table = waits.then()
    totals = table[(table["service"] == SERVICES[service]) & (table["band"] == TOTAL)]
    members = wait_claims.members().set_index("organisation_code")
    inside = members.index[members[level] == code]
    is_sum = totals["organisation_code"] == code
    own = totals[totals["organisation_code"].isin(inside) | is_sum]
    name = own["organisation"].where(own["level"] == "provider", "Sum as published")
    wide = own.assign(provider=name, month=own["month"].dt.strftime("%b %Y")).pivot(
        index="provider", columns="month", values="waiting"
    )
    months = totals["month"].drop_duplicates().sort_values().dt.strftime("%b %Y")
    last = wide.index == "Sum as published"
    out = pd.concat([wide[~last], wide[last]])[list(months)].rename_axis(columns=None)
    out.attrs["service"] = service
    return out


@reads.result
def changes(area: Area, claimed: Mapping[str, float]) -> pd.DataFrame:
    """Changes at the provider and the board of an area, on every definition, beside those claimed.

    Parameters
    ----------
    area : Area or str
    claimed : mapping of str to float
        Short name of a service, and the change of waits in per cent that was claimed.

    Returns
    -------
    DataFrame
        As :func:`.changes.changes`, without empty changes, by measure (in words), with ``service``
        (short name), ``area, claimed``.

    Raises
    ------
    MissingDataError
        If nothing was claimed.
    """
    serving = waits.organisations(area)
    if not claimed:
        raise MissingDataError(
            f"No claim that waits fell by a stated share is recorded for {area.name}."
        )
    codes = serving.loc[serving["level"].isin(["provider", "icb"]), "organisation_code"]
    each = [
        wait_claims.changes(
            waits.then(), organisations=codes, services=[waits.service_line(service)],
            members=wait_claims.members(),
        ).assign(service=service, claimed=change)
        for service, change in claimed.items()
    ]  # fmt: skip
    names = wait_claims.NAMES
    found = pd.concat(each).dropna(subset="change")
    order = found["measure"].map(list(names).index)
    found = found.iloc[order.argsort(kind="stable")].reset_index(drop=True)
    return found.assign(measure=found["measure"].map(names), area=area.name)


@reads.result
def changed(found: pd.DataFrame) -> pd.DataFrame:
    """Sum up the changes of one service, a row a measure.

    Parameters
    ----------
    found : DataFrame
        Rows of one service, as :func:`changes` returns them.

    Returns
    -------
    DataFrame
        ``measure, changes, lowest, middle, highest`` (per cent), ``as_claimed`` (how many reach
        what was claimed); the last row counts those of all measures.
    """
    found = found.assign(as_claimed=found["change"] <= found["claimed"])
    group = found.groupby("measure", sort=False)
    out = group["change"].agg(changes="size", lowest="min", middle="median", highest="max")
    out = out.join(group["as_claimed"].sum()).reset_index()
    sums = {"measure": "all measures", **out[["changes", "as_claimed"]].sum()}
    return pd.concat([out, pd.DataFrame([sums])], ignore_index=True)


@reads.result
def queue_plan(area: Area, *, target_wait: float = 18, weeks: float = 52) -> pd.DataFrame:
    """What each list would need to reach a target wait in a year.

    Parameters
    ----------
    area : Area or str
    target_wait : float
        Weeks within which nearly every child should be seen.
    weeks : float
        Until the list is at its target.

    Returns
    -------
    DataFrame
        Indexed by ``service``: ``month`` (of the list), ``waiting, join_a_week, leave_a_week`` and
        what :func:`.queues.plan` makes of them (its ``ratio`` as ``over_target``). Joining is the
        median over the months of half of those who have waited up to two weeks, a lower bound;
        leaving is that less the median weekly change of the list, which one month counted otherwise
        cannot move.
        A list with fewer than ``CHANGES`` changes has no row.
    """
    frame = _joining(focus(area)["organisation_code"])
    if frame.empty:
        raise MissingDataError(f"No list near {area.name} shows who joins and who leaves it.")
    plan = queues.plan(frame, target_wait=target_wait, weeks=weeks)
    plan["month"] = plan["month"].dt.strftime("%B %Y")
    return plan.rename(columns={
        "queue_size": "waiting", "demand": "join_a_week", "capacity": "leave_a_week",
        "ratio": "over_target",
    })  # fmt: skip


@tables.remembered
def _joining(code: str) -> pd.DataFrame:
    """Size of each list of one organisation, and who joins and leaves it, where both are known."""
    flows = queues.flows(lists_of(code)).dropna(subset="queue_size")
    group = flows.groupby("service")
    joined, net = group["joined_a_week"].median(), group["net_a_week"].median()
    last = group[["month", "queue_size"]].last()
    frame = last.assign(demand=joined, capacity=joined - net)
    frame = frame[group["net_a_week"].count() >= CHANGES].dropna()
    return frame[(frame["demand"] > 0) & (frame["capacity"] > 0)]


@reads.result
def futures(area: Area) -> pd.DataFrame:
    """Simulate the longest list of an area's organisation under three capacities.

    Returns
    -------
    DataFrame
        ``future`` (as now, relief, half the relief), ``week, quantile, size`` as
        :func:`.queues.simulate_list`; ``service, organisation, target_size, extra_a_week``.
    """
    plan = queue_plan(area)
    service = plan["waiting"].idxmax()
    row = plan.loc[service]
    now, relief = row["leave_a_week"], row["relief_capacity"]
    paths = {
        name: _simulated(int(row["waiting"]), row["join_a_week"], rate)
        for name, rate in (
            ("as now", now), ("relief", relief), ("half the relief", 0.5 * (now + relief))
        )
    }  # fmt: skip
    out = pd.concat(paths, names=["future"]).reset_index(level=0).reset_index(drop=True)
    return out.assign(
        service=service, organisation=focus(area)["organisation"], target_size=row["target_size"],
        extra_a_week=row["extra_a_week"],
    )  # fmt: skip


@tables.remembered
def came() -> pd.Series:
    """Hold each board's longest list "as now" against the first of the later lists.

    Returns
    -------
    Series
        ``month`` (of that list), ``drawn`` (lists drawn on), ``lists`` (how many of them were
        returned then), ``inside`` (how many lay where four draws in five do), ``missed, stayed``:
        by how many per cent half the lists differ at least from the middle of the draws, and from
        what they were.
    """
    from scipy.stats import norm

    later = of_main(waits.since())
    later = later[later["month"] == later["month"].min()].set_index(
        ["organisation_code", "service"]
    )
    boards = later.index[later["level"] == "icb"].unique("organisation_code")
    then = {code: frame for code in boards if len(frame := _joining(code))}
    longest = pd.concat({code: frame.nlargest(1, "queue_size") for code, frame in then.items()})
    found = longest.rename_axis(later.index.names).join(
        later[["month", TOTAL]].add_suffix(" later")
    )
    found = found[found[f"{TOTAL} later"] > 0]
    became = found[f"{TOTAL} later"]
    weeks = (found["month later"] - found["month"]).dt.days / 7
    middle = found["queue_size"] + weeks * (found["demand"] - found["capacity"])
    half = norm.ppf(0.9) * (weeks * (found["demand"] + found["capacity"])) ** 0.5
    bases = pd.DataFrame({"missed": middle.clip(lower=0), "stayed": found["queue_size"]})
    off = 100 * bases.rdiv(became, axis=0) - 100
    return pd.Series({
        "month": found["month later"].iloc[0], "drawn": len(longest), "lists": len(found),
        "inside": ((became - middle).abs() <= half).sum(), **off.abs().median(),
    })  # fmt: skip


@tables.remembered
def _simulated(queue_size: int, demand: float, capacity: float) -> pd.DataFrame:
    """Simulate a list of one organisation, which serves many areas."""
    return queues.simulate_list(queue_size, demand, capacity, seed=1)


def bought(pounds: float, service: str) -> pd.DataFrame:
    """Return what money buys, as :func:`.investment.what_money_buys`.

    Returns
    -------
    DataFrame
        ``item, amount, amount_low, amount_high, unit, basis``.
    """
    found = investment.what_money_buys(pounds, service)
    return _ranged(found, "amount")[["item", *_ends("amount"), "unit", "basis"]]


def assumptions() -> pd.DataFrame:
    """Return the assumptions about pay, caseloads and contacts.

    Returns
    -------
    DataFrame
        Indexed by ``assumption`` (in words): ``assumed, assumed_low, assumed_high, unit, source``.
    """
    found = _ranged(investment.assumptions(), "assumed")[[*_ends("assumed"), "unit", "source"]]
    return found.rename(index=lambda name: name.replace("_", " ")).rename_axis("assumption")


def _ranged(found: pd.DataFrame, name: str) -> pd.DataFrame:
    """Name a value and the ends of its range as results do."""
    return found.rename(columns=dict(zip(("value", "low", "high"), _ends(name), strict=True)))


def _ends(name: str) -> list[str]:
    """Columns of a value with a range."""
    return [name, f"{name}_low", f"{name}_high"]
