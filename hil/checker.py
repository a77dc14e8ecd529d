"""A check of a value, and beside it what it takes, as JSON Schema.

Whoever checks a value of a file says here, in the same declaration, what fits: so an
editor that completes and checks such files (`hil schema`) asks for what hil asks for.
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
    """`check` says what it makes of a value; `schema` says which values fit. Of a
    number JSON Schema cannot say that 20.0 is none of the whole ones."""

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
