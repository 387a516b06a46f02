"""Files that people write: YAML read strictly, and held against a pydantic model.

What a file may hold is a :class:`Form`. Nothing is guessed: a number in quotes is text, an unknown
key is a mistake, a key that stands twice has no right value. :func:`checked` says what is wrong in
one line: file, key, value, what is allowed, and the nearest key there is.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from send_analysis import areas
from send_analysis.errors import MissingDataError, ParameterError, either, nearest

MOST_LISTED = 12  # keys that a message about an unknown one names
SHOWN = 60  # characters of a wrong value that a message quotes
_NOT_BLANK = r"\S"


# What many keys hold.
# An area by its name or a code: found, and dumped as the Area that was found.
AreaName = Annotated[str, AfterValidator(areas.find), PlainSerializer(lambda area: area, Any)]
Text = Annotated[str, Field(pattern=_NOT_BLANK)]
Share = Annotated[float, Field(ge=0, le=1)]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2023-01"])]


class Form(BaseModel):
    """What a mapping in a file may hold: unknown keys, empty ones and text for numbers are refused.

    A key whose name Python reserves gets an alias: ``since: int = Field(alias="from")``. A pattern
    comes with an example, which the message shows: ``Field(pattern=…, examples=["2028-09"])``.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing_empty(cls, content: Any) -> Any:
        """Refuse a key without a value: nobody can tell what it was meant to be."""
        if isinstance(content, Mapping):
            for key, value in content.items():
                if value is None:
                    raise ValueError(f"key {key!r} is empty; give it a value or leave it out")
        return content


class _Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice is a mistake, and merges (<<) nest as they should."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:  # as written: a key may replace a merged one
            if _name(key) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key.value!r} stands twice; keep one", problem_mark=key.start_mark
                )
            seen.add(_name(key))
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put merged keys in: the mapping's own count, then the first merged.

        PyYAML 6.0.4 gives the innermost where merges nest.
        """
        merged, own = {}, {}
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                own[_name(key)] = (key, value)
                continue
            for other in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(other, yaml.MappingNode):
                    raise yaml.MarkedYAMLError(
                        problem="<<: must name keys and values", problem_mark=key.start_mark
                    )
                self.flatten_mapping(other)
                for pair in other.value:
                    merged.setdefault(_name(pair[0]), pair)
        node.value = list((merged | own).values())


def _name(key: yaml.Node) -> tuple[str, str]:
    """What makes two keys the same: the text 1 and the number 1 are not."""
    return key.tag, str(key.value)


def read_yaml(path: str | Path) -> dict[Any, Any]:
    """Read a YAML file that holds keys and values.

    Raises
    ------
    MissingDataError
        If there is no such file.
    ParameterError
        If it is a folder, is not YAML, has a key twice, or holds anything but keys and values; the
        message has the line where there is one.
    """
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8-sig"), Loader=_Loader)
    except FileNotFoundError:
        raise MissingDataError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise ParameterError(f"{path}: is a folder; name a file.") from None
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read: {error.strerror}.") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ParameterError(f"{path}: {line}{_one_line(error.problem)}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ParameterError(f"{path}: not YAML; {_one_line(error)}.") from None
    if not isinstance(content, Mapping):
        raise ParameterError(f"{path}: must hold keys and values, not {_quoted(content)}.")
    return dict(content)


def checked(model: Any, content: Any, file: str | Path, where: str = "") -> Any:
    """Hold the content of a file against its model.

    Parameters
    ----------
    model : type
        A :class:`Form`, or any type that pydantic knows (``dict[str, Change]``). Give the form of
        the kind that stands there instead of a union of forms: its messages are clearer.
    content : object
        What :func:`read_yaml` returned, or a part of it.
    file : str or Path
        The file, as the message should name it.
    where : str, optional
        Keys that lead to `content`, or a name for it: ``"claims[3]"``.

    Returns
    -------
    object
        The model's instance.

    Raises
    ------
    ParameterError
        One line about the first fault; an unknown key comes first, because a key misspelt is
        missing as well.
    """
    try:
        return _adapter(model).validate_python(content)
    except ValidationError as error:
        faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        message = _worded(faults[0], content, _adapter(model).json_schema(), where)
    raise ParameterError(f"{file}{message}")


@functools.cache
def _adapter(model: Any) -> TypeAdapter:
    """Return the validator of a model, built once."""
    return TypeAdapter(model)


def _worded(fault: Mapping, content: Any, schema: dict, where: str) -> str:
    """Where a fault is, what stands there, and what may."""
    kind, place = fault["type"], fault["loc"]
    if place and place[-1] == "[key]":
        kind, place = "invalid_key", place[:-1]
    about_a_key = kind in {"missing", "extra_forbidden", "invalid_key"}
    path, value = _path(place[:-1] if about_a_key else place, content)
    found = _at(schema, path)
    if kind == "missing":
        text = f"key {place[-1]!r} is missing; add it."
    elif kind == "extra_forbidden":
        text = _unknown_key(place[-1], found)
    elif kind == "value_error":
        text = _one_line(fault["ctx"]["error"]) + "."
    elif kind == "invalid_key":
        text = f"key {place[-1]!r} must be text; write it in quotes."
    else:
        allowed = either(dict.fromkeys(_allowed(node) for node in found)) or fault["msg"]
        words = [str(word) for node in found for word in _words(node)]
        text = f"must be {allowed}, not {_quoted(value)}.{_meant(str(value), words)}"
    keys = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    place_words = (where + keys).removeprefix(".")
    return f", {place_words}: {text}" if place_words else f": {text}"


def _path(place: Iterable, content: Any) -> tuple[list, Any]:
    """Keys of the content among the parts of a fault's place (it names branches of unions too)."""
    path: list = []
    for part in place:
        listed = isinstance(content, list) and isinstance(part, int) and part < len(content)
        if listed or (isinstance(content, Mapping) and part in content):
            path.append(part)
            content = content[part]
    return path, content


def _branches(node: dict, schema: dict) -> list[dict]:
    """The forms that a node of a JSON schema allows, references followed."""
    if "$ref" in node:
        return _branches(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]], schema)
    options = node.get("anyOf") or node.get("oneOf")
    if options:
        inner = [branch for option in options for branch in _branches(option, schema)]
        shared = {"examples": node["examples"]} if "examples" in node else {}
        return [branch | shared for branch in inner]
    return [node]


def _at(schema: dict, path: list) -> list[dict]:
    """What a JSON schema allows at a path."""
    found = _branches(schema, schema)
    for part in path:
        inner = []
        for node in found:
            child = node.get("items") if isinstance(part, int) else None
            child = child or node.get("properties", {}).get(part)
            child = child or node.get("additionalProperties")
            if isinstance(child, dict):
                inner += _branches(child, schema)
        found = inner
    return [node for node in found if node.get("type") != "null"]


def _unknown_key(key: Any, found: list[dict]) -> str:
    """A key that no form here has, and the nearest that one has."""
    known = list(dict.fromkeys(name for node in found for name in node.get("properties", {})))
    some = known if len(known) <= MOST_LISTED else [*known[:3], f"{len(known) - 3} others"]
    hint = _meant(str(key), known) or f" Keys: {either(some)}."
    return f"key {key!r} is unknown.{hint}"


def _allowed(node: dict) -> str:
    """Say what one form of a JSON schema allows."""
    kind = node.get("type")
    if _words(node):
        return either(map(str, _words(node)))
    if kind in {"integer", "number"}:
        return ("a whole number" if kind == "integer" else "a number") + _limits(node)
    if kind == "string":
        examples = node.get("examples")
        shape = "a date such as 2024-05-31" if node.get("format") == "date" else "text"
        if node.get("pattern") == _NOT_BLANK:
            shape += " that is not blank"
        return f"{shape} such as {examples[0]}" if examples else shape
    if kind == "array" and "examples" in node:
        return f"a list such as {node['examples'][0]}"
    if kind == "array":
        return "a list with at least one item" if node.get("minItems") else "a list"
    return {"boolean": "true or false", "object": "keys and values"}.get(kind, "")


def _words(node: dict) -> list:
    """Words that a form of a JSON schema chooses among; empty where it does not."""
    return [node["const"]] if "const" in node else node.get("enum", [])


def _limits(node: dict) -> str:
    """Say between which limits a number may lie."""
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:.12g} to {high:.12g}"
    words = {"of at least": low, "of at most": high, "above": above, "below": below}
    given = [f" {word} {limit:.12g}" for word, limit in words.items() if limit is not None]
    return " and".join(given)


def _meant(text: str, known: Iterable[str]) -> str:
    """Offer the nearest name, where one is near."""
    near = nearest(text, known)
    return f" Did you mean {near[0]!r}?" if near else ""


def _quoted(value: Any) -> str:
    """Quote a value in a message, cut where it is long."""
    text = _one_line(repr(value))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _one_line(text: object) -> str:
    """Put a message on one line, without a full stop."""
    return " ".join(str(text).split()).removesuffix(".")
