"""Claims as they are recorded: who said what, when, where it was printed, and how it is tested.

A file of claims (``data/claims/<area>.yml``) holds the claims made about one area, restated in our
own words. It is read against the forms below and those of the kinds of test.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd
from pydantic import Field, model_validator

from send_analysis import areas, reads, tables
from send_analysis.areas import Area
from send_analysis.errors import MissingDataError, ParameterError, nearest
from send_analysis.evidence.official import TESTS, UNTESTED
from send_analysis.forms import AreaName, Form, Text, checked, read_yaml

ROUND_TOLERANCE = 3.0  # points either way for a multiple of 5: it was rounded for a speech
EXACT_TOLERANCE = 0.5  # points either way for any other percentage
WITHOUT_FIGURE = {"rise", "fall"}
_MONTH = r"\d{4}-(0[1-9]|1[0-2])"


class Source(Form):
    """Who made a claim, and where it was printed."""

    who: Text
    printed: Text
    address: Text | None = None


class Claim(Form):
    """One claim, restated."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", examples=["growth-national"])
    statement: Text
    source: Text
    said: str = Field(pattern=rf"^{_MONTH}(/{_MONTH})?$", examples=["2024-05 or 2024-03/2024-05"])
    claimed: float | None = None
    unit: str = ""
    compare: Literal["equal", "above", "at least", "below", "rise", "fall"] = "equal"
    tolerance: float | None = Field(None, ge=0, le=1_000_000)
    tolerance_reason: Text | None = None
    same_as: str | None = None
    test: dict[str, Any]

    @model_validator(mode="after")
    def _figure_to_compare(self) -> Claim:
        kind = self.test.get("kind")
        if self.compare in WITHOUT_FIGURE and self.claimed is not None:
            raise ValueError(
                f"claimed: must be left out where compare is {self.compare}, not {self.claimed:g}"
            )
        if self.compare not in WITHOUT_FIGURE and self.claimed is None and kind != "none":
            raise ValueError("key 'claimed' is missing; a number is needed to test it")
        return self


class Claims(Form):
    """What a file of claims holds."""

    area: AreaName
    sources: dict[str, Source | Text]
    claims: list[dict[str, Any]] = Field(min_length=1)


@reads.found
def claims_file(area: Area) -> Path:
    """Return the path that an area's claims have, whether or not the file is there yet."""
    return tables.parameters("claims") / f"{areas.slug(area.name)}.yml"


@reads.found
def claims(area: Area, *, file: Path | None = None) -> list[dict[str, Any]]:
    """Read and check the claims made about an area.

    Parameters
    ----------
    area : Area or str
    file : Path, optional
        Another file of claims about the same area.

    Returns
    -------
    list of dict
        One a claim: ``id, statement, who, printed, address, said, claimed, unit, compare,
        tolerance, tolerance_reason, same_as, test``; what a claim has not is left out.

    Raises
    ------
    MissingDataError
        If there is no file for the area.
    ParameterError
        If the file is about another area, or a claim lacks a key, has an unknown one, or has an
        impossible value.
    """
    path = Path(file) if file is not None else claims_file(area)
    if file is None and not path.exists():
        raise MissingDataError(
            f"No claims are recorded for {area.name}. Write them in {path}, "
            "after the example of data/claims/bury.yml."
        )
    changed = path.stat().st_mtime_ns if path.exists() else 0
    with reads.aside():  # what a claim says is held to the tables' own words
        return [dict(claim) for claim in _read(path, area, changed)]


@tables.remembered(most=20)
def _read(path: Path, area: Area, _changed: int) -> list[dict[str, Any]]:
    """Read a file of claims, once as long as it does not change."""
    content = checked(Claims, read_yaml(path), path.name)
    if content.area != area:
        raise ParameterError(
            f"{path.name}, area: these claims are about {content.area.name}; must be {area.name}, "
            "whose claims were asked for."
        )
    read = [_checked(claim, content.sources, path.name) for claim in content.claims]
    _check_references(read, path.name)
    return read


def _checked(claim: dict, sources: dict, file: str) -> dict[str, Any]:
    """Check one claim and its test, and fill in source and tolerance."""
    where = f"claim {claim.get('id', '(without id)')!r}"
    out = checked(Claim, claim, file, where).model_dump(exclude_none=True)
    if out["source"] not in sources:
        near = nearest(out["source"], sources)
        hint = f" Did you mean {near[0]!r}?" if near else f" Sources: {', '.join(sources)}."
        raise ParameterError(
            f"{file}, {where}.source: {out['source']!r} is not among the sources.{hint}"
        )
    kind = out["test"].get("kind")
    if kind not in TESTS:
        near = nearest(str(kind), TESTS)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ParameterError(
            f"{file}, {where}.test.kind: must be {', '.join(list(TESTS)[:-1])} or "
            f"{list(TESTS)[-1]}, not {kind!r}.{hint}"
        )
    test = checked(TESTS[kind].form, out["test"], file, f"{where}.test")
    source = sources[out.pop("source")]
    told = {"who": "", "printed": source} if isinstance(source, str) else source.model_dump()
    out |= {"address": "", **{key: value for key, value in told.items() if value is not None}}
    out["test"] = test.model_dump(exclude_none=True)
    if "claimed" in out and out["compare"] == "equal" and kind not in UNTESTED:
        reason = out.get("tolerance_reason", "given with the claim")
        given = (out["tolerance"], reason) if "tolerance" in out else tolerance(**_figure(out))
        out["tolerance"], out["tolerance_reason"] = given
    return out


def _figure(claim: dict) -> dict:
    """What the tolerance of a claim follows from."""
    return {"claimed": claim["claimed"], "unit": claim["unit"]}


class Tolerance(NamedTuple):
    """How far off a figure may be."""

    within: float
    reason: str


def tolerance(claimed: float, unit: str) -> Tolerance:
    """Return how far off a figure may be, and why.

    Parameters
    ----------
    claimed : float
    unit : str
        ``per cent`` and what it is of, or what is counted.

    Returns
    -------
    Tolerance
        For a percentage 3 points if it is a multiple of 5, else half a point. For a count half of
        its last rounded digit; a count to the unit has none.
    """
    if unit.startswith("per cent"):
        if claimed % 5 == 0:
            return Tolerance(ROUND_TOLERANCE, "a multiple of 5 is a round figure")
        return Tolerance(EXACT_TOLERANCE, "not a round figure")
    digits = Decimal(repr(claimed)).normalize()
    step = float(Decimal(1).scaleb(digits.as_tuple().exponent)) if claimed else 1.0
    if step == 1:
        return Tolerance(0.0, "to the unit")
    return Tolerance(step / 2, f"rounded to {step:,g}")


def _check_references(read: list[dict], file: str) -> None:
    """Refuse an id that stands twice, and a claim that restates none, or one that restates."""
    ids = [claim["id"] for claim in read]
    for claim in read:
        where = f"{file}, claim {claim['id']!r}"
        if ids.count(claim["id"]) > 1:
            raise ParameterError(f"{where}: the id is used twice")
        first = [other for other in read if other["id"] == claim.get("same_as")]
        if "same_as" in claim and (not first or "same_as" in first[0] or first[0] is claim):
            near = nearest(claim["same_as"], ids) or ids
            raise ParameterError(
                f"{where}.same_as: must be the id of a claim that restates no other, not "
                f"{claim['same_as']!r}; nearest: {', '.join(near[:3])}"
            )


def months(said: str) -> tuple[str, str]:
    """Return the first and the last month in which a claim can have been made."""
    first, _, last = said.partition("/")
    return first, last or first


def spoken(said: str) -> str:
    """Write when a claim was made as people do: "May 2024", "between March and May 2024"."""
    first, last = (pd.Timestamp(month) for month in months(said))
    if first == last:
        return f"{first:%B %Y}"
    if re.fullmatch(r"(\d{4})-01/\1-12", said):
        return f"{first:%Y}"
    year = "" if first.year == last.year else f" {first:%Y}"
    return f"between {first:%B}{year} and {last:%B %Y}"


@reads.found
def of_waits(area: Area) -> dict[str, float]:
    """Return the claimed changes of waits, by short name of the service.

    Returns
    -------
    dict
        Per cent; empty where no claims are recorded.
    """
    if not claims_file(area).is_file():
        return {}
    return {
        claim["test"]["service"]: claim["claimed"]
        for claim in claims(area)
        if claim["test"]["kind"] == "nhs_wait" and "since" in claim["test"] and "claimed" in claim
    }
