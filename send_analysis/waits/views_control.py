"""Control charts of an area's shares over 18 weeks, and where its board stands among all."""

from __future__ import annotations

import pandas as pd

from send_analysis import tables
from send_analysis.waits import control
from send_analysis.waits import lists as waits
from send_analysis.waits.lists import BANDS, SERVICES
from send_analysis.waits.views import MAIN, focus, lists, lists_of


def charts(area: str = "Bury") -> dict[str, pd.DataFrame]:
    """Control charts of the share over 18 weeks, service by service.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    dict
        Short name of the service, and the chart as :func:`control_charts.xmr`
        returns it, indexed by month. Limits allow for what carries over from month to month. A
        share that never moves, as of a list of a few children, has none.
    """
    return _charts(focus(area)["organisation_code"])


@tables.remembered
def _charts(code: str) -> dict[str, pd.DataFrame]:
    """Control charts of one organisation's services."""
    carried = carry_over()["autocorrelation"]
    return {
        name: control.xmr(values, lower_bound=0, autocorrelation=carried)
        for name, values in _shares(lists_of(code)).items()
        if _moves(values)
    }


def _moves(values: pd.Series) -> bool:
    """Whether a series changes between neighbouring months: without that it has no limits."""
    return bool((values.diff().abs() > 0).any())


def shares(area: str = "Bury") -> dict[str, pd.Series]:
    """Share over 18 weeks of each service at the organisation that stands for an area, by month.

    Parameters
    ----------
    area : str, default "Bury"

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
        ``charts`` (boards' charts of the four main services), ``months``, ``autocorrelation``,
        ``widened`` (factor on the limits); per cent of the charts with a signal, and per cent of
        simulated steady series that carry over as much: ``signals_independent, alarms_independent``
        (limits for independent months), ``signals, alarms`` (limits as drawn).
    """
    table = waits.then()
    rows = table[
        (table["level"] == "icb") & table["service"].isin([SERVICES[name] for name in MAIN])
    ]
    series = [one for one in _shares(waits.wide(rows)).values() if _moves(one)]
    r = control.carry_over(series)
    months = table["month"].nunique()
    out = {
        "charts": len(series), "months": months, "autocorrelation": r,
        "widened": 1 / (1 - r) ** 0.5,
    }  # fmt: skip
    for name, allowed in (("_independent", 0.0), ("", r)):
        found = [control.has_signal(one, autocorrelation=allowed) for one in series]
        out[f"signals{name}"] = 100 * sum(found) / len(found)
        out[f"alarms{name}"] = 100 * control.false_alarms(months, r, allowed=allowed)
    return pd.Series(out)


def signals(area: str = "Bury") -> pd.DataFrame:
    """List what the control charts of an area's services show.

    Parameters
    ----------
    area : str, default "Bury"

    Returns
    -------
    DataFrame
        Indexed by ``service``: ``first, last, mean, lower, upper`` (per cent), ``signals``.
    """
    rows = {
        name: {
            "first": chart["value"].iloc[0],
            "last": chart["value"].iloc[-1],
            **chart[["mean", "lower", "upper"]].iloc[-1],
            "signals": "; ".join(
                f"{month:%B} {signal}, {side}"
                for month, signal, side in zip(
                    chart.index, chart["signal"], chart["side"], strict=True
                )
                if signal
            )
            or "none",
        }
        for name, chart in charts(area).items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("service")


@tables.remembered
def boards(service: str = "occupational therapy") -> pd.DataFrame:
    """All boards' shares over 18 weeks in the last month, with funnel limits.

    Parameters
    ----------
    service : str
        Short name.

    Returns
    -------
    DataFrame
        As :func:`control_charts.funnel`, indexed by ``organisation_code``, with
        ``organisation``.
    """
    table = waits.then()
    rows = table[
        (table["level"] == "icb")
        & (table["service"] == waits.service_line(service))
        & (table["month"] == table["month"].max())
    ]
    last = waits.wide(rows).set_index("organisation_code")
    last = last[last["banded"] > 0]
    over = last[list(BANDS[-2:])].sum(axis=1)
    return control.funnel(over, last["banded"]).assign(organisation=last["organisation"])
