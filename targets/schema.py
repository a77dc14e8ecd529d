"""The schema of a target's TOML file, from the dataclasses that it fills.

Keys, types, what may be left out and which tables a kind of machine needs are said here
as `targets.loader` and `targets.descriptor` check them. What several figures say together
(a stack that fits its RAM) they alone check.
"""

from __future__ import annotations

import typing
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal

from targets.descriptor import CORES, NEEDS, Target
from targets.loader import JSON_TYPES, plain, required


def of_target() -> dict[str, Any]:
    """JSON Schema of a target's file, as a table of it is described."""
    machines = [_machine(machine, tables) for machine, tables in NEEDS.items()]
    return {**_table(Target), "allOf": [*machines, *map(_core, CORES)]}


def _table(kind: type) -> dict[str, Any]:
    """A table that fills a dataclass, which the file calls for by its fields."""
    hints, there = typing.get_type_hints(kind), fields(kind)
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "required": [field.name for field in there if required(field)],
        "properties": {f.name: {**_value(hints[f.name]), **_default(f)} for f in there},
        "additionalProperties": False,
    }


def _value(kind: Any) -> dict[str, Any]:
    """What fills a field of this type."""
    kind = plain(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _table(kind)
    if typing.get_origin(kind) is Literal:
        return {"enum": list(typing.get_args(kind))}
    if typing.get_origin(kind) is tuple:
        return {"type": "array", "items": _value(typing.get_args(kind)[0])}
    return {"type": JSON_TYPES[kind]}


def _default(field: Field[Any]) -> dict[str, Any]:
    """What a file that leaves the field out means, where that is a value."""
    given = field.default
    return {} if given is MISSING or given is None else {"default": given}


def _machine(machine: str, tables: tuple[str, ...]) -> dict[str, Any]:
    """The tables that this kind of machine needs."""
    return {
        "if": {"properties": {"machine": {"const": machine}}},
        "then": {"required": list(tables)},
    }


def _core(prefix: str) -> dict[str, Any]:
    """The table of a core whose instruction sets begin with `prefix`, where QEMU is the
    whole machine, and only there."""
    table = CORES[prefix]
    return {
        "if": {
            "properties": {
                "machine": {"const": "qemu"},
                "isa": {"type": "string", "pattern": f"^{prefix}"},
            }
        },
        "then": {"required": [table]},
        "else": {"properties": {table: False}},
    }
