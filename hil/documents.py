"""TOML and JSON from files that nobody vouches for, and what they have to look like.

Whatever a file holds, reading it ends in a value or in a `UsageError` whose sentence
begins with the file's `origin`, as in "sweep 'lr.toml'".
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hil.checker import Checker, Schema, either, takes
from hil.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST = 1 << 26
"""Bytes of a document at most."""
LARGEST = 1 << 53
"""No whole number is larger: a float holds each of them."""
SCHEMAS = Path(__file__).parent / "schemas"
"""What `hil schema` prints of each kind of file, as files, for editors."""
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def read(path: Path, origin: str) -> str:
    """The UTF-8 text of a file. Raises `UsageError`."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{origin} cannot be read: it is no file")
        if path.stat().st_size > MOST:
            raise UsageError(
                f"{origin} has {path.stat().st_size:,} bytes: expected {MOST:,} at most"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(f"{origin} cannot be read: {reason}") from None
    if text.startswith(BOM):
        raise UsageError(
            f"{origin} begins with a byte order mark: expected plain UTF-8",
            "an editor wrote it: save the file as UTF-8 without BOM",
        )
    return text


def toml(text: str, origin: str) -> dict[str, Any]:
    """The table that a TOML text is. Raises `UsageError`."""
    return dict(_parsed(tomllib.loads, text, origin, "TOML"))


def schema_line(kind: str) -> str:
    """The first line of a TOML file of this kind that hil writes: it tells editors
    where the schema is that they complete and check it by (docs/commands.md)."""
    return f"#:schema {(SCHEMAS / f'{kind}.json').as_uri()}\n"


def from_json(text: str, origin: str) -> Any:
    """The value that a JSON text is, with None for NaN and Infinity, which are no
    numbers of JSON's. Raises `UsageError`."""
    return _parsed(_json, text, origin, "JSON")


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=lambda word: None)


def _parsed(parse: Callable[[str], Any], text: str, origin: str, form: str) -> Any:
    try:
        return parse(text)
    except RecursionError:
        raise UsageError(f"{origin} is no {form}: it is nested too deeply") from None
    except ValueError as error:
        why = " ".join(str(error).split())[:160]
        raise UsageError(f"{origin} is no {form}: {why}") from None


class Shape(Protocol):
    """What a value has to be: "" when it is that, else what was expected."""

    @property
    def schema(self) -> Schema:
        """The values that have it."""

    def __call__(self, value: Any) -> str:
        """What was expected, "" of a value that is it."""


@takes(type="string")
def text(value: Any) -> str:
    """A text."""
    return "" if isinstance(value, str) else "a text"


@takes(type="boolean")
def truth(value: Any) -> str:
    """A truth value."""
    return "" if isinstance(value, bool) else "true or false"


@takes(type="integer", minimum=0, maximum=LARGEST)
def whole(value: Any) -> str:
    """A whole number from 0."""
    fits = isinstance(value, int) and not isinstance(value, bool)
    return "" if fits and 0 <= value <= LARGEST else "a whole number from 0"


FARTHEST = float(LARGEST) ** 4
"""No number is farther from 0."""


@takes(type="number", minimum=-FARTHEST, maximum=FARTHEST)
def number(value: Any) -> str:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "a number"
    return "" if abs(value) <= FARTHEST else "a finite number"


DIGEST = "[0-9a-f]{8}"


@takes(type="string", pattern=f"^{DIGEST}$")
def digest(value: Any) -> str:
    """Eight hexadecimal digits."""
    fits = isinstance(value, str) and re.fullmatch(DIGEST, value)
    return "" if fits else "8 hexadecimal digits"


@takes()
def anything(value: Any) -> str:
    """A value of which nothing is expected."""
    return ""


def one_of(*known: str) -> Shape:
    """One of these words."""
    expected = "one of " + ", ".join(known)
    return Checker(lambda value: "" if value in known else expected, {"enum": known})


def maybe(shape: Shape) -> Shape:
    """This, or null."""
    return Checker(
        lambda value: "" if value is None else _or_null(shape(value)),
        either(shape.schema, {"type": "null"}),
    )


def _or_null(expected: str) -> str:
    return expected and f"{expected}, or null"


def each(shape: Shape) -> Shape:
    """A list, each of it this."""

    @takes(type="array", items=shape.schema)
    def fits(value: Any) -> str:
        if not isinstance(value, list):
            return "a list"
        wrong = next((why for one in value if (why := shape(one))), "")
        return wrong and f"a list, each of it {wrong}"

    return fits


@dataclass(frozen=True)
class Table:
    """A table with these keys; `optional` ones may be missing, and all others are
    `others`."""

    keys: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)
    others: Shape = anything

    @property
    def schema(self) -> Schema:
        """The tables that fit."""
        known = {**self.optional, **self.keys}
        return {
            "type": "object",
            "required": list(self.keys),
            "properties": {name: one.schema for name, one in known.items()},
            "additionalProperties": self.others.schema,
        }

    def __call__(self, value: Any) -> str:
        if not isinstance(value, dict):
            return "a table"
        for name in self.keys:
            if name not in value:
                return f"a table with {name!r}"
        known = {**self.optional, **self.keys}
        for name, one in value.items():
            if why := known.get(name, self.others)(one):
                return f"{name!r} in it to be {why}"
        return ""


def require(value: Any, shape: Shape, origin: str) -> None:
    """Raise `UsageError` unless `value` is of this shape."""
    if why := shape(value):
        raise UsageError(
            f"{origin} is not what this version of hil writes: expected {why}"
        )
