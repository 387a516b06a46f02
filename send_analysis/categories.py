"""Ages, settings and weeks waited, as the tables group them."""

# The age bands in which the Department for Education published EHC plans to January 2022, and in
# which the table `ehc_plans` goes on.
AGE_BANDS = {
    "under 5": range(5),
    "5-10": range(5, 11),
    "11-15": range(11, 16),
    "16-19": range(16, 20),
    "20-25": range(20, 26),
}
# Settings that a planner of places tells apart, made of the publisher's placements.
SETTINGS = {
    "mainstream": ["LA maintained", "academy", "free school", "independent"],
    "resourced provision or SEN unit": [
        f"{kind} {unit}"
        for kind in ("LA maintained", "academy", "free school")
        for unit in ("resourced provision", "SEN unit")
    ],
}

# Weeks waited in NHS England's "Community health services waiting lists"; the last band is printed
# in two parts from December 2024, which the table `nhs_waits` has beside it.
WAIT_TOTAL = "total"
WAIT_BANDS = ("0-1", "1-2", "2-4", "4-12", "12-18", "18-52", "52+")


def setting_of(group: str, placement: str) -> str:
    """Return the setting of a placement.

    Parameters
    ----------
    group, placement : str
        As the table `placements` names them.

    Returns
    -------
    str
        ``all`` for all plans; empty for the publisher's other subtotals.
    """
    if placement == "all" and group not in {"all", "early years", "not recorded"}:
        return ""
    if group == "mainstream":
        return next(name for name, parts in SETTINGS.items() if placement in parts)
    if group == "special":
        state = placement in {"LA maintained", "academy or free school"}
        return "state special school" if state else "independent or non-maintained special school"
    return group
