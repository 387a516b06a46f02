"""Control charts of an area's shares over 18 weeks, and where its board stands among all."""

from __future__ import annotations

import pandas as pd

from send_analysis import reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError
from send_analysis.waits import control
from send_analysis.waits import lists as waits
from send_analysis.waits.lists import BANDS, SERVICES
from send_analysis.waits.views import focus, lists, lists_of, main_lists
from send_analysis.waits.views_compared import all_recounted, recounted_of

FUNNELS = ("speech and language", "occupational therapy")


@reads.result
def charts(area: Area) -> pd.DataFrame:
    """Control charts of the share over 18 weeks, service by service.

    Returns
    -------
    DataFrame
        ``service, organisation, month`` and the chart as :func:`.control.xmr` returns it, from the
        list's last jump on. Limits allow for what carries over from month to month. A share that
        never moves, as of a list of a few children, has none, nor has a list with fewer than
        ``control.RUN`` months since it jumped.

    Raises
    ------
    MissingDataError
        If no share moves that long.
    """
    own = focus(area)
    return _charts(own["organisation_code"], own["organisation"])


@tables.remembered
def _charts(code: str, name: str) -> pd.DataFrame:
    """Control charts of one organisation, which serves many areas."""
    carried = carry_over()["autocorrelation"]
    parts = {
        service: control.xmr(values, lower_bound=0, upper_bound=100, autocorrelation=carried)
        for service, values in _since_jumps(code).items()
        if _charted(values)
    }
    if not parts:
        raise MissingDataError(
            f"No list of {name} has a share over 18 weeks that moves, in "
            f"{control.RUN} months at least without a jump: it takes that to draw limits."
        )
    out = pd.concat(parts, names=["service", "month"]).reset_index()
    out.insert(1, "organisation", name)
    return out


def _since_jumps(code: str) -> dict[str, pd.Series]:
    """Shares of an organisation as :func:`shares`, from the month of each list's last jump on."""
    jumped = recounted_of(code)
    return {
        name: values[values.index >= jumped.get(name, values.index[0])]
        for name, values in _shares(lists_of(code)).items()
    }


@reads.found
def left(area: Area) -> pd.DataFrame:
    """Lists that jumped, and what a control chart has left of them.

    Returns
    -------
    DataFrame
        ``service, month`` (of the last jump), ``months`` (with a share since), ``charted``.
    """
    code = focus(area)["organisation_code"]
    since = _since_jumps(code)
    rows = [
        {"service": name, "month": month, "months": int(since[name].count()),
         "charted": _charted(since[name])}
        for name, month in recounted_of(code).items()
        if name in since
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["service", "month", "months", "charted"])


def _charted(values: pd.Series) -> bool:
    """Whether a share has a control chart: it moves, in months enough."""
    return bool(values.count() >= control.RUN and _moves(values))


def _moves(values: pd.Series) -> bool:
    """Whether a series changes between neighbouring months: without that it has no limits."""
    return bool((values.diff().abs() > 0).any())


@reads.found
def shares(area: Area) -> dict[str, pd.Series]:
    """Share over 18 weeks of each service at the organisation that stands for an area, by month.

    Returns
    -------
    dict
        Short name of the service, and per cent indexed by month.
    """
    return _shares(lists(area))


def _shares(lists: pd.DataFrame) -> dict:
    """Series of the share over 18 weeks, by service, or by service and organisation."""
    found = waits.measures(lists)
    share = found[found["measure"] == "share_over_18_weeks"]
    one = share["organisation_code"].nunique() == 1
    by = "service" if one else ["organisation_code", "service"]
    return {name: part.set_index("month")["value"] for name, part in share.groupby(by)}


@tables.remembered
def carry_over() -> pd.Series:
    """Measure how much boards' lists carry over, and how often their control charts signal.

    Returns
    -------
    Series
        ``charts`` (boards' charts of the four main services, of lists without a jump), ``months,
        autocorrelation, widened`` (factor on the limits); per cent of the charts with a signal,
        and of simulated steady series that carry over as much: ``signals_independent,
        alarms_independent``
        (limits for independent months), ``signals, alarms`` (limits as drawn).
    """
    lists = main_lists()
    every = _shares(lists[lists["level"] == "icb"])
    jumped = set(all_recounted()[["organisation_code", "service"]].itertuples(index=False))
    series = [one for name, one in every.items() if _moves(one) and name not in jumped]
    r = control.carry_over(series)
    months = waits.then()["month"].nunique()
    out = {
        "charts": len(series), "months": months, "autocorrelation": r,
        "widened": 1 / (1 - r) ** 0.5,
    }  # fmt: skip
    for name, allowed in (("_independent", 0.0), ("", r)):
        found = [control.has_signal(one, autocorrelation=allowed) for one in series]
        out[f"signals{name}"] = 100 * sum(found) / len(found)
        out[f"alarms{name}"] = 100 * control.false_alarms(months, r, allowed=allowed)
    return pd.Series(out)


@reads.result
def carried() -> pd.DataFrame:
    """Return :func:`carry_over`, a figure a row.

    Returns
    -------
    DataFrame
        Indexed by ``measure`` (in words): ``figure``.
    """
    names = {
        "charts": "Charts of boards whose lists do not jump",
        "autocorrelation": "Correlation of neighbouring months",
        "signals_independent": "Charts with a signal, limits for independent months, %",
        "alarms_independent": "Steady lists with a signal, limits for independent months, %",
        "widened": "Limits as drawn are wider, times",
        "signals": "Charts with a signal, limits as drawn, %",
        "alarms": "Steady lists with a signal, limits as drawn, %",
    }
    found = carry_over()
    return found[list(names)].rename(names).rename_axis("measure").to_frame("figure")


@reads.result
def signals(found: pd.DataFrame) -> pd.DataFrame:
    """List what control charts show.

    Parameters
    ----------
    found : DataFrame
        As :func:`charts` returns it.

    Returns
    -------
    DataFrame
        Indexed by ``service``: ``first_month, last_month, mean, lower, upper`` (per cent),
        ``signals``.
    """
    told = found["month"].dt.strftime("%B ") + found["signal"] + ", " + found["side"]
    told = told[found["signal"] != ""].groupby(found["service"]).agg("; ".join)
    group = found.groupby("service")
    ends = group["value"].agg(first_month=lambda x: x.iloc[0], last_month=lambda x: x.iloc[-1])
    out = ends.join(group[["mean", "lower", "upper"]].last()).join(told.rename("signals"))
    return out.fillna({"signals": "none"})


@reads.result
def boards(area: Area) -> pd.DataFrame:
    """All boards' shares over 18 weeks of two services in the last month, with funnel limits.

    Returns
    -------
    DataFrame
        ``service, month, organisation_code, organisation``, what :func:`.control.funnel` returns,
        and ``own`` (whether the board stands for the area).
    """
    found = _boards()
    return found.assign(own=found["organisation_code"] == focus(area)["organisation_code"])


@tables.remembered
def _boards() -> pd.DataFrame:
    """Funnels of all boards."""
    table = waits.then()
    last = table["month"].max()
    table = table[(table["level"] == "icb") & (table["month"] == last)]
    parts = []
    for service in FUNNELS:
        lists = waits.wide(table[table["service"] == SERVICES[service]])
        lists = lists[lists["banded"] > 0].set_index(["organisation_code", "organisation"])
        over = lists[list(BANDS[-2:])].sum(axis=1)
        parts.append(control.funnel(over, lists["banded"]).reset_index())
    return pd.concat(parts, keys=FUNNELS, names=["service"]).reset_index(level=0).assign(month=last)
