"""Local authorities: names as people type them, regions, neighbours, unbroken footprints."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pandas as pd
from pandas.api.types import is_list_like

from send_analysis import reads, tables
from send_analysis.errors import MissingDataError, UnknownNameError, either, nearest


class Area(str):
    """An area: its ONS code, or the codes of authorities counted together, joined by ``+``.

    It is found once, where a name is typed (:func:`find`, :func:`.reads.result`), and handed on.
    Wherever a code is compared, grouped by or kept, it is that text.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Area {self}: {' and '.join(_names().get(one, '?') for one in self.members)}>"

    @property
    def members(self) -> list[str]:
        """Codes of the authorities counted together; its own where it is one area."""
        return self.split("+")

    @property
    def name(self) -> str:
        """Its name; of authorities counted together, their names joined by "and"."""
        return name(self)

    @property
    def level(self) -> str:
        """One of england, region, sub-region and local authority."""
        return _by_code()[self.members[0]]["level"]

    @property
    def region(self) -> Area:
        """Region that a local authority lies in; `MissingDataError` if it is none."""
        found = _by_code()[self.members[0]]["region_code"]
        if not found:
            raise MissingDataError(f"{self.name} is not within a region; give a local authority.")
        return Area(found)

    @property
    def neighbours(self) -> list[Area]:
        """Ten statistical neighbours, closest first (May 2025); `MissingDataError` if it has none.

        Regions, England and authorities that have been abolished have none.
        """
        found = tables.load("neighbours", area_code=self).sort_values("rank")["neighbour_code"]
        if found.empty:
            raise MissingDataError(
                f"{self.name} has no statistical neighbours in the May 2025 tool: it is a region, "
                "England, or an authority that has been abolished."
            )
        return [Area(code) for code in found]

    @property
    def footprint(self) -> Area:
        """Authorities, counted together, whose series is unbroken since 2010."""
        known = _by_code().get(self)
        return Area(known["footprint"]) if known and known["footprint"] else self

    @property
    def first_year(self) -> int:
        """First January in which it has figures of its own."""
        return max(_by_code()[member]["first_year"] for member in self.members)

    @property
    def history(self) -> str:
        """A sentence on how far its own series goes back, and on which footprint it is unbroken.

        Empty where nothing has changed since 2010, and for a footprint itself.
        """
        if self.footprint == self:
            return ""
        row = _by_code()[self]
        return (
            f"{self.name} has figures of its own from {row['first_year']} to {row['last_year']} "
            "only: boundaries changed. The series is unbroken since 2010 on the footprint of "
            f"{self.footprint.name}."
        )


ENGLAND = Area("E92000001")
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


def find(text: str) -> Area:
    """Find the area that a name or code means.

    Parameters
    ----------
    text : str
        A name as people type it ("bury", "St. Helens", "Kingston upon Hull"), a three-digit code
        ("351", a spreadsheet's 351.0) or an ONS code, current or former ("E08000002"). Regions and
        England count; authorities counted together are joined by ``+``. An area found before is
        returned as it is.

    Returns
    -------
    Area
        Its ONS code, with what is known of it.

    Raises
    ------
    UnknownNameError
        If no area, or more than one, answers to it; the message names the nearest.

    Examples
    --------
    >>> find("st helens")
    <Area E08000013: St. Helens>
    """
    if isinstance(text, Area):
        return text
    return Area("+".join(_code(part) for part in str(text).split("+")))


def _found(given: Any) -> Any:
    """Find what was given for an area, if one was."""
    return None if given is None else find(given)


def _each_found(given: Any) -> Any:
    """Find what was given for several areas: a list of them, or one."""
    if given is None:
        return None
    return [find(each) for each in (given if is_list_like(given) else [given])]


# By these annotations functions say that they may be asked of areas by name.
reads.FINDERS |= {"Area": find, "Area | None": _found}
reads.FINDERS |= {"Sequence[Area]": _each_found, "Sequence[Area] | None": _each_found}


def _code(text: str) -> str:
    """Return the ONS code that a name or code means."""
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
            f"{either([names[code] for code in _COUNTIES[folded] if code in names])}."
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
            f"{text!r} could be {either(likely)}: give the full name or the code."
        )
    if len(likely) == 1 and fold(likely[0]).startswith(folded):
        return next(iter(within))
    near = likely or sorted({names[by_name[name]] for name in nearest(folded, by_name)})
    hint = f"Did you mean {either(near)}?" if near else "Use a name, or a code such as 351."
    raise UnknownNameError(f"Unknown area {text!r}. {hint}")


def also(code: str) -> list[str]:
    """Return what else people call an area: "hull", "rbkc"."""
    return [alias for alias, known in _ALIASES.items() if known == code]


def slug(text: str) -> str:
    """Turn a name into lower-case letters, digits and hyphens, for a path or an anchor.

    Returns
    -------
    str
        E.g. ``"st-helens"`` for "St. Helens".
    """
    letters = unicodedata.normalize("NFKD", text.casefold().replace("'", ""))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def name(code: str) -> str:
    """Return the name that goes with a code of the tables, as in a column of them."""
    names = _names()
    return " and ".join(names[member] for member in code.split("+"))


@tables.remembered
def _names() -> dict[str, str]:
    """Name of every area by its code."""
    known = tables.load("areas")
    return dict(zip(known["area_code"], known["area"], strict=True))


@tables.remembered
def _by_code() -> dict[str, dict[str, Any]]:
    """What the table says of every area, by its code."""
    return tables.load("areas").set_index("area_code").to_dict("index")


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


@tables.remembered
def current() -> list[Area]:
    """Return the local authorities that exist in the latest year, by code."""
    known = tables.load("areas")
    local = known[known["level"] == "local authority"]
    return sorted(map(Area, local.loc[local["last_year"] == local["last_year"].max(), "area_code"]))


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
