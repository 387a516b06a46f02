"""Local authorities: names as people type them, regions, neighbours, unbroken footprints."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from send_analysis import tables
from send_analysis.errors import MissingDataError, UnknownNameError, nearest

ENGLAND = "E92000001"
CITY_OF_LONDON = "E09000001"

# Names that people use for authorities the publisher calls otherwise.
_ALIASES = {
    "hull": "E06000010",
    "bcp": "E06000058",
    "bournemouth christchurch poole": "E06000058",
    "durham": "E06000047",
    "herefordshire": "E06000019",
    "bristol": "E06000023",
    "telford": "E06000020",
    "east riding": "E06000011",
    "westmorland furness": "E06000064",
    "rbkc": "E09000020",
    "lbhf": "E09000013",
    "scilly": "E06000053",
    "bath": "E06000022",
    "city of westminster": "E09000033",
    "brighton": "E06000043",
    "windsor": "E06000040",
    "bedford borough": "E06000055",
    "yorkshire and the humber": "E12000003",
    "yorkshire and humber": "E12000003",
}
# Counties that are several authorities now, and metropolitan counties (Local Government Acts 1972
# and 1992, structural changes orders): nobody can say which of them is meant.
_COUNTIES = {
    "avon": ["E06000022", "E06000023", "E06000024", "E06000025"],
    "bedfordshire": ["E06000032", "E06000055", "E06000056"],
    "berkshire": ["E06000036", "E06000037", "E06000038", "E06000039", "E06000040", "E06000041"],
    "cleveland": ["E06000001", "E06000002", "E06000003", "E06000004"],
    "humberside": ["E06000010", "E06000011", "E06000012", "E06000013"],
    "greater manchester": [f"E080000{number:02d}" for number in range(1, 11)],
    "merseyside": ["E08000011", "E08000012", "E08000013", "E08000014", "E08000015"],
    "south yorkshire": ["E08000017", "E08000018", "E08000038", "E08000039"],
    "tyne wear": ["E08000021", "E08000022", "E08000023", "E08000024", "E08000037"],
    "west yorkshire": ["E08000032", "E08000033", "E08000034", "E08000035", "E08000036"],
}
# Words that tell nothing apart; "council" and "borough" are in what people type, not in names.
_FILLERS = re.compile(
    r"\b(the|and|of|upon|city|county|royal|london borough|metropolitan|borough|district|council"
    r"|mbc)\b"
)

# Of these, the words that only an authority has in its name.
_AUTHORITY = re.compile(r"\b(city|county|borough|district|council|mbc)\b")


def fold(text: str) -> str:
    """Reduce a name to what tells it apart: case, punctuation and filler words gone."""
    words = re.sub(r"[^a-z0-9 ]", " ", text.casefold().replace("st.", "st ").replace("&", " and "))
    return " ".join(_FILLERS.sub(" ", words).split())


def _is_city_of_london(text: str) -> bool:
    """Say whether a text means the City, which is London to :func:`fold`."""
    return fold(text) == "london" and re.search(r"\bcity\b", text.casefold()) is not None


@tables.remembered
def _index() -> tuple[dict[str, str], dict[str, str]]:
    """Codes by every code, and by every name, as printed and folded; what exists today wins."""
    codes = tables.load("area_codes")
    known = tables.load("areas").sort_values(["last_year", "level"], kind="stable")
    by_code = dict(zip(codes["code"], codes["area_code"], strict=True))
    folded = dict(zip(known["area"].map(fold), known["area_code"], strict=True))
    printed = dict(zip(known["area"].str.casefold(), known["area_code"], strict=True))
    aliases = {fold(alias): code for alias, code in _ALIASES.items()}
    return by_code, folded | aliases | printed


def resolve(text: str) -> str:
    """Return the ONS code of an area from its name or any of its codes.

    Parameters
    ----------
    text : str
        A name as people type it ("bury", "St. Helens", "Kingston upon Hull"), a three-digit code
        ("351", a spreadsheet's 351.0) or an ONS code, current or former ("E08000002"). Regions and
        England count.

    Returns
    -------
    str
        ONS code of nine characters.

    Raises
    ------
    UnknownNameError
        If no area, or more than one, answers to it; the message names the nearest.

    Examples
    --------
    >>> resolve("st helens")
    'E08000013'
    """
    by_code, by_name = _index()
    text = re.sub(r"^(\d+)\.0$", r"\1", str(text).strip())  # a spreadsheet's 351.0
    if text.upper() in by_code:
        return by_code[text.upper()]
    folded = fold(text)
    if text.casefold() in by_name:
        return by_name[text.casefold()]
    if _is_city_of_london(text):
        return CITY_OF_LONDON
    names = _names()
    if folded in _COUNTIES:
        raise UnknownNameError(
            f"{text!r} is {len(_COUNTIES[folded])} authorities now: give "
            f"{_either([names[code] for code in _COUNTIES[folded] if code in names])}."
        )
    if folded in by_name:
        code = by_name[folded]
        # "London Council" names no region: a word was added that regions do not have.
        if code.startswith(("E08", "E09", "E06", "E10")) or not _AUTHORITY.search(text.casefold()):
            return code
        raise UnknownNameError(
            f"{names[code]} is not an authority, and {text!r} names one; give its full name, or a "
            "code such as 351."
        )
    pattern = re.compile(rf"\b{re.escape(folded)}\b") if folded else None
    within = {code: name for name, code in by_name.items() if pattern and pattern.search(name)}
    likely = sorted({names[code] for code in within})
    if len(likely) > 1:
        raise UnknownNameError(
            f"{text!r} could be {_either(likely)}: give the full name or the code."
        )
    if len(likely) == 1 and fold(likely[0]).startswith(folded):
        return next(iter(within))
    near = likely or sorted({names[by_name[name]] for name in nearest(folded, by_name)})
    hint = f"Did you mean {_either(near)}?" if near else "Use a name, or a code such as 351."
    raise UnknownNameError(f"Unknown area {text!r}. {hint}")


def _either(words: list[str]) -> str:
    """Join names with commas, and "or" before the last."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def resolve_unit(text: str) -> str:
    """Return the code of an area, or of authorities counted together.

    Parameters
    ----------
    text : str
        As :func:`resolve` takes it, or several joined by ``+`` as in the code of a footprint.

    Returns
    -------
    str
        Codes joined by ``+``.

    Raises
    ------
    UnknownNameError
        As :func:`resolve`.
    """
    return "+".join(resolve(part) for part in str(text).split("+"))


def name(area: str) -> str:
    """Return the name of an area; of a merged footprint, its members' names joined by "and".

    Parameters
    ----------
    area : str
        Name or code, as :func:`resolve_unit` takes it.

    Raises
    ------
    UnknownNameError
        As :func:`resolve`.
    """
    names = _names()
    return " and ".join(names[member] for member in resolve_unit(area).split("+"))


def slug(text: str) -> str:
    """Turn a name into lower-case letters, digits and hyphens, for a path or an anchor.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        E.g. ``"st-helens"`` for "St. Helens".
    """
    letters = unicodedata.normalize("NFKD", text.casefold().replace("'", ""))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


@tables.remembered
def _names() -> dict[str, str]:
    """Name of every area by its code."""
    known = tables.load("areas")
    return dict(zip(known["area_code"], known["area"], strict=True))


@tables.remembered
def _by_code() -> pd.DataFrame:
    """Return the areas, indexed by code."""
    return tables.load("areas").set_index("area_code")


def region(area: str) -> str:
    """Return the code of the region that a local authority lies in.

    Parameters
    ----------
    area : str
        Name or code, as :func:`resolve_unit` takes it.

    Raises
    ------
    MissingDataError
        If the area is a region or England.
    UnknownNameError
        As :func:`resolve`.
    """
    code = resolve_unit(area)
    found = _by_code()["region_code"][code.split("+")[0]]
    if not found:
        raise MissingDataError(f"{name(code)} is not within a region; give a local authority.")
    return found


def neighbours(area: str) -> list[str]:
    """Return the ten statistical neighbours of a local authority, closest first (May 2025).

    Parameters
    ----------
    area : str
        Name or code, as :func:`resolve_unit` takes it.

    Returns
    -------
    list of str
        ONS codes.

    Raises
    ------
    MissingDataError
        If the area has none: it is a region, England, or was abolished.
    UnknownNameError
        As :func:`resolve`.
    """
    code = resolve_unit(area)
    known = tables.load("neighbours")
    found = known.loc[known["area_code"] == code].sort_values("rank")["neighbour_code"].tolist()
    if not found:
        raise MissingDataError(
            f"{name(code)} has no statistical neighbours in the May 2025 tool: it is a region, "
            "England, or an authority that has been abolished."
        )
    return found


def newest(published: pd.Series) -> pd.Series:
    """Return the codes that the tables use for areas which had others before.

    Parameters
    ----------
    published : Series of str
        ONS codes, current or former; one that the tables do not know stays as it is.

    Returns
    -------
    Series of str
    """
    known = tables.load("area_codes")
    return published.replace(dict(zip(known["code"], known["area_code"], strict=True)))


def current() -> list[str]:
    """Return the codes of the local authorities that exist in the latest year, sorted."""
    known = tables.load("areas")
    local = known[known["level"] == "local authority"]
    return sorted(local.loc[local["last_year"] == local["last_year"].max(), "area_code"])


def level(area: str) -> str:
    """Return the level of an area: england, region, sub-region or local authority."""
    return _by_code()["level"][resolve_unit(area).split("+")[0]]


def footprint(area: str) -> str:
    """Return the code of the unit on which an area's series is unbroken since 2010."""
    code = resolve_unit(area)
    return _by_code()["footprint"].get(code) or code


def first_year(area: str) -> int:
    """Return the first January in which an area has figures of its own."""
    members = resolve_unit(area).split("+")
    return int(_by_code()["first_year"][members].max())


def history(area: str) -> str:
    """Say how far an authority's own series goes back and on which footprint it is unbroken.

    Returns
    -------
    str
        A sentence; empty where nothing has changed since 2010, and for a footprint itself.
    """
    code = resolve_unit(area)
    if "+" in code:
        return ""
    row = _by_code().loc[code]
    if row["footprint"] in {code, ""}:
        return ""
    span = (
        f"{name(code)} has figures of its own from {row['first_year']} to {row['last_year']} only"
    )
    return (
        f"{span}: boundaries changed. The series is unbroken since 2010 on the footprint of "
        f"{name(row['footprint'])}."
    )


def on_footprints(
    frame: pd.DataFrame, values: list[str], by: tuple[str, ...] = ("year",)
) -> pd.DataFrame:
    """Add authorities up to the 150 units whose series are unbroken since 2010.

    Parameters
    ----------
    frame : DataFrame
        ``area_code``, the columns of `by`, and the columns of `values`. Regions and England are
        left out.
    values : list of str
        Columns to add up; a unit's value is missing where a member's is.
    by : tuple of str, default ("year",)
        Columns that name a row together with the area.

    Returns
    -------
    DataFrame
        ``area_code`` (a unit's code: members' codes joined by ``+``), the columns of `by` and of
        `values`.
    """
    known = tables.load("areas")
    unit = known[known["level"] == "local authority"].set_index("area_code")["footprint"]
    rows = frame[frame["area_code"].isin(unit.index)]
    key = [rows["area_code"].map(unit), *(rows[column] for column in by)]
    grouped = rows[values].groupby(key)
    whole = rows[values].notna().groupby(key).all()
    return grouped.sum().where(whole).reset_index()
