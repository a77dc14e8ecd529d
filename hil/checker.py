"""Checks of values, each with the JSON Schema of the values that it takes.

The check and its schema are one declaration, so an editor that completes and checks a
file (`hil schema`) asks for exactly what hil asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Schema = Mapping[str, Any]
"""A JSON Schema, draft 2020-12, or a part of one."""
T = TypeVar("T")


@dataclass(frozen=True)
class Checker(Generic[T]):
    """`check` turns a value into what the program uses; `schema` says which values it
    takes. They differ in one case: JSON Schema takes 20.0 for an integer, a check does
    not."""

    check: Callable[[Any], T]
    schema: Schema

    def __call__(self, value: Any) -> T:
        """What the check says."""
        return self.check(value)


def takes(**schema: Any) -> Callable[[Callable[[Any], T]], Checker[T]]:
    """Decorator: a check, and the schema of what it takes. A word that Python keeps for
    itself is written with a _ behind it."""
    return lambda check: Checker(
        check, {name.rstrip("_"): value for name, value in schema.items()}
    )


def either(*schemas: Schema) -> dict[str, Any]:
    """The schema of what one of these takes."""
    return {"anyOf": [dict(schema) for schema in schemas]}
