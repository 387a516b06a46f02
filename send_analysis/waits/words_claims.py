"""What the lists say beside a claim about waits, in sentences; every number is of a result."""

from __future__ import annotations

import pandas as pd

from send_analysis.waits import changes, lists


def since(test: dict) -> str:
    """Say how long those on the lists had waited in the last month at hand, after a claim in weeks.

    Parameters
    ----------
    test : dict
        As :func:`.changes.nearest` takes it.

    Returns
    -------
    str
        Empty where a change is claimed, or no provider or board of the area has lists.
    """
    serving = lists.organisations(test["area"])
    serving = serving[serving["level"].isin(["provider", "icb"])].set_index("organisation_code")
    if "since" in test or serving.empty:
        return ""
    named = [test["service"]] if isinstance(test["service"], str) else test["service"]
    later = lists.since()
    found = changes.weeks(later, serving, {lists.service_line(name): name for name in named})
    found = found[found["role"] == changes.NEAREST]
    if found.empty:
        return ""
    when, told = found["window"].iloc[0], "; ".join(found["definition"] + ": " + found["rows"])
    return f"The newest lists, not to be held against those, {when}: {told}."


def summary(
    found: pd.DataFrame, claimed: float | None = None, *, services: str | list[str] = ()
) -> str:
    """Word what :func:`.changes.nearest` found, in a few sentences.

    Parameters
    ----------
    found : DataFrame
        As :func:`.changes.nearest` returns it.
    claimed : float, optional
        Claimed change in per cent; left out where the claim gives none, or is of a wait in weeks.
    services : str or list of str, optional
        Short names: how many other boards' lists of theirs have such a fall is said as well.
    """
    if found.empty:
        return "No list of a provider or board stands for this area."
    close = found[found["role"] == changes.NEAREST]
    kinds = [changes.NAMES["share_over_18_weeks"] + ", ", " so far of those"]
    if claimed is not None:
        kinds.append(changes.NAMES["waiting"] + ", ")
    shown = close[close["definition"].str.contains("|".join(kinds))]
    shown = shown[~shown["definition"].str.contains("throughout")]
    definitions = shown["definition"].str.removesuffix(", as published")
    figures = [f"{name}: {rows}" for name, rows in zip(definitions, shown["rows"], strict=True)]
    window = close["window"].iloc[0] if len(close) else ""
    text = [f"Nearest, {window}: {'; '.join(figures)}."] if len(close) else []
    is_change = found["rows"].str.contains("→").all()
    every = (
        f"Of {len(found):,} changes between two months, the first above nought, counted in every "
        "way the tables allow, "
    )
    if is_change and claimed is None:
        falls, rises = (found["official"] < 0).sum(), (found["official"] > 0).sum()
        text.append(f"{every}{falls:,} are falls and {rises:,} rises.")
    elif is_change:
        reached = found["official"] <= claimed if claimed < 0 else found["official"] >= claimed
        text.append(
            f"{every}{reached.sum():,} are {'falls' if claimed < 0 else 'rises'} of "
            f"{abs(claimed):g} per cent or more; of the {len(close)} over the longest window since "
            f"the claim's start, {reached[close.index].sum()}."
        )
        if claimed < 0:
            named = [services] if isinstance(services, str) else services
            text += [elsewhere(name, claimed) for name in named]
    return " ".join(text)


def elsewhere(service: str, claimed: float) -> str:
    """Say how many boards' lists fell as much in some window: what such a fall is worth.

    Parameters
    ----------
    service : str
        Short name.
    claimed : float
        Per cent, below zero.
    """
    falls = changes.largest_falls(lists.service_line(service))
    return (
        f"Some fall of {abs(claimed):g} % or more is found in the lists for {service} of "
        f"{(falls <= claimed).sum()} of {len(falls)} boards."
    )
