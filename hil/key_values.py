"""What each key of an experiment takes, from TOML, from a flag's text or from Python.

A parser checks a value and returns what the field of `hil.experiment.Experiment` holds.
It raises `ValueError` with what was expected, and has the JSON Schema of what it takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codegen.delays import Delays
from codegen.homeostat import OF_SAMPLES, OF_TICKS
from codegen.reservoir import KINDS as RESERVOIRS
from codegen.reservoir import Liquid
from codegen.reservoir import options as reservoir_options
from emulation.faults import KINDS, Faults
from hil.checker import Checker, either, takes

Parser = Checker[Any]
UNITS = {"": 1, "b": 1, "kib": 1024, "mib": 1024**2, "kb": 1000, "mb": 1000**2}
"""Bytes of a unit, by its name in small letters."""


@takes(type="string", minLength=1)
def text(value: Any) -> str:
    """A string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return value


@dataclass(frozen=True, eq=False)
class InMemory:
    """Data that the caller holds: what `hil.data.taken.dataset_of` takes, by name."""

    arrays: Mapping[str, Any]

    def __str__(self) -> str:
        return "arrays"


ARRAYS = ("x", "y", "x_test", "y_test")
"""Names of arrays, in the order in which a tuple has them."""
SCALES = ("scale", "offset", "divisor")
"""Names of numbers and arrays that scale them."""
IN_MEMORY = {
    "type": "object",
    "required": list(ARRAYS[:2]),
    "properties": {name: {} for name in (*ARRAYS, *SCALES)},
    "additionalProperties": False,
}


@takes(**either(text.schema, IN_MEMORY))
def data(value: Any) -> str | InMemory:
    """A name, a path, or arrays: (x, y), (x, y, x_test, y_test), or a table of them by
    name, in which `scale` may stand too, or `offset` and `divisor`."""
    if isinstance(value, (str, InMemory)) and value:
        return value
    if isinstance(value, tuple) and len(value) in (2, 4):
        return InMemory(dict(zip(ARRAYS, value, strict=False)))
    if isinstance(value, dict) and {"x", "y"} <= set(value) <= {*ARRAYS, *SCALES}:
        return InMemory(value)
    raise ValueError(
        "a name, a path, or arrays: (x, y), (x, y, x_test, y_test), or a dict of them, "
        "in which scale may stand too"
    )


@takes(type="boolean")
def boolean(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def choice(*known: str) -> Parser:
    """One of these words."""

    @takes(enum=list(known))
    def parse(value: Any) -> str:
        if value not in known:
            raise ValueError("one of " + ", ".join(known))
        return str(value)

    return parse


def whole(least: int, most: int = 2**32 - 1) -> Parser:
    """An integer from `least` to `most`."""

    @takes(type="integer", minimum=least, maximum=most)
    def parse(value: Any) -> int:
        whole_number = isinstance(value, int) and not isinstance(value, bool)
        if not whole_number or not least <= value <= most:
            raise ValueError(f"an integer from {least} to {most}")
        return int(value)

    return parse


def _is_number(value: Any) -> bool:
    """Whether it is an integer or a float; Python takes a truth value for an integer."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


LEAST, MOST = 1e-37, 3e38
"""A positive number of binary32 lies between these, with some room."""


@takes(type="number", exclusiveMinimum=LEAST, exclusiveMaximum=MOST)
def positive(value: Any) -> float:
    """A positive number that binary32 can hold."""
    if not _is_number(value):
        raise ValueError("a positive number")
    if not LEAST < value < MOST:
        raise ValueError("a positive number within the range of binary32")
    return float(value)


@takes(type="number", minimum=0.05, maximum=1)
def share(value: Any) -> float:
    """A share of a whole, 0.05 to 1."""
    if not _is_number(value) or not 0.05 <= value <= 1:
        raise ValueError("a number from 0.05 to 1")
    return float(value)


@takes(type="number", exclusiveMinimum=0, exclusiveMaximum=1)
def below_one(value: Any) -> float:
    """A number above 0 and below 1."""
    if not _is_number(value) or not 0 < value < 1:
        raise ValueError("a number above 0 and below 1")
    return float(value)


WIDTHS = r"\d+(-\d+)+|(-\d+)+"


@takes(
    **either(
        {"type": "string", "pattern": f"^({WIDTHS})$"},
        {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    )
)
def widths(value: Any) -> tuple[int, ...]:
    """Widths of layers, "64-128-10" or [64, 128, 10]; "-128-10", or 0 in place of the
    first, leaves the input's to the data."""
    expected = ValueError('widths such as "64-128-64-10" or [64, 128, 64, 10]')
    if isinstance(value, str):
        if not re.fullmatch(WIDTHS, value):
            raise expected
        return tuple(int(part or 0) for part in value.split("-"))
    if not isinstance(value, (list, tuple)) or not value:
        raise expected
    if not all(isinstance(w, int) and not isinstance(w, bool) for w in value):
        raise expected
    return tuple(value)


CELLS = r"\d{1,5}(,\d{1,5})*"


@takes(
    **either(
        {"type": "string", "pattern": f"^({CELLS})$"},
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
    )
)
def cells(value: Any) -> tuple[int, ...]:
    """Numbers of cells from 0, "0,3,17" or [0, 3, 17]; one said twice counts once."""
    expected = ValueError('cells such as "0,3,17" or [0, 3, 17]')
    if isinstance(value, str):
        if not re.fullmatch(CELLS, value):
            raise expected
        value = [int(part) for part in value.split(",")]
    if not isinstance(value, (list, tuple)) or not value:
        raise expected
    if not all(
        isinstance(c, int) and not isinstance(c, bool) and c >= 0 for c in value
    ):
        raise expected
    return tuple(dict.fromkeys(value))


@takes(**either({"enum": ["every", "none"]}, {"type": "integer", "minimum": 1}))
def every(value: Any) -> str | int:
    """ "every" step, every N-th step, or "none"."""
    if value in ("every", "none"):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError('"every", "none", or a number of steps')


@takes(**either({"const": "all"}, {"type": "integer", "minimum": 0}))
def samples(value: Any) -> str | int:
    """ "all", or a number of samples."""
    if value == "all":
        return "all"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError('"all" or a number of samples')


def _any_case(word: str) -> str:
    """A pattern of the word in small letters, capitals or both."""
    return "".join(f"[{c}{c.upper()}]" for c in word)


SIZE = rf"\s*(0*[1-9]\d*)\s*({'|'.join(_any_case(unit) for unit in UNITS)})\s*"


@takes(
    **either(
        {"type": "integer", "minimum": 1}, {"type": "string", "pattern": f"^{SIZE}$"}
    )
)
def size(value: Any) -> int:
    """Bytes, 32768 or "32 KiB"."""
    expected = ValueError('a size such as "32 KiB"')
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise expected
    match = re.fullmatch(SIZE, str(value))
    if not match:
        raise expected
    return int(match[1]) * UNITS[match[2].lower()]


PLAIN = {"type": ["string", "number", "boolean"]}


@takes(type="object", additionalProperties=PLAIN)
def table(value: Any) -> dict[str, Any]:
    """A table of names and plain values."""
    if not isinstance(value, dict):
        raise ValueError("a table")
    if not all(isinstance(v, (str, int, float, bool)) for v in value.values()):
        raise ValueError("a table of plain values")
    return dict(value)


FAULT = rf"\s*({'|'.join((*KINDS, 'seed'))})=[^,]+"


@takes(type="string", pattern=f"^{FAULT}(,{FAULT})*$")
def faults(value: Any) -> str:
    """Faults of the line, in the words of `emulation.faults.Faults.parse`."""
    Faults.parse(text(value))
    return str(value)


MODEL = ".tflite"
"""What the name of a model's file ends with."""
FRONTS: dict[str, dict[str, object]] = {
    **{
        name: {
            "rows": 0,
            **reservoir_options(kind),
            **(OF_SAMPLES if kind is Liquid else {}),
        }
        for name, kind in RESERVOIRS.items()
    },
    Delays.name: {"cells": Delays.cells, **OF_TICKS},
}
"""A front -> its options, and their defaults."""
FRONT = rf"({'|'.join(FRONTS)})(,[a-z]+=[^,=]+)*|.+\.tflite"


@takes(type="string", pattern=f"^({FRONT})$")
def front(value: Any) -> str:
    """What computes features of a sample: "echo", "liquid,segments=1,cells=64", or the
    path of a model."""
    if not text(value).endswith(MODEL):
        options_of(value)
    return str(value)


def options_of(given: str) -> tuple[str, dict[str, Any]]:
    """The kind of a front and its options. Raises `ValueError` with what was expected."""
    kind, *pairs = given.replace(" ", "").split(",")
    if kind not in FRONTS:
        raise ValueError(
            f"{' or '.join(FRONTS)}, and perhaps NAME=VALUE,...; or a {MODEL} file"
        )
    known: dict[str, object] = FRONTS[kind]
    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in known:
            raise ValueError(f"of {kind} " + ", ".join(f"{one}=..." for one in known))
        found[name] = _like(known[name], name, value)
    return kind, found


def _like(default: object, name: str, value: str) -> Any:
    """A text as a value of the default's type."""
    made = number_or_word(value)
    if isinstance(default, float) and isinstance(made, int):
        return float(made)
    if type(made) is not type(default):
        kind = {int: "whole number", float: "number"}.get(type(default), "word")
        raise ValueError(f"{name}= with a {kind} such as {default}")
    return made


def number_or_word(given: str) -> Any:
    """ "3" -> 3, "0.5" -> 0.5, anything else as it is."""
    for kind in (int, float):
        try:
            return kind(given)
        except ValueError:
            continue
    return given
