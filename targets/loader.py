"""Reads target descriptors, strictly.

WHY strict: a misspelt key that is ignored is a board configured differently
from what its file says. So an unknown key, a missing key and a value of
another type are each one sentence that names the file, the table and the key.
"""

from __future__ import annotations

import difflib
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from targets.descriptor import Target
from targets.errors import DescriptorError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent

TYPE_NAMES = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
}
JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
"""What JSON Schema calls them."""


def names() -> list[str]:
    """Names of the targets there are, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Target:
    """The target of this name.

    Raises `DescriptorError` when there is none, or its file is wrong.
    """
    known = names()
    if name not in known:
        raise DescriptorError(
            f"unknown target {name!r}{_meant(name, known)}",
            f"the targets are: {', '.join(known)}",
        )
    return load_file(FOLDER / f"{name}.toml")


def require_fma(target: Target) -> None:
    """Raise `DescriptorError` for a target that float32 is refused on."""
    if target.fma:
        return
    able = ", ".join(name for name in names() if load(name).fma)
    raise DescriptorError(
        f"target {target.name!r} has no hardware binary32 fused multiply-add, so float32 "
        "is refused there",
        "--format i16 and --format i8 learn in integers there",
        f"float32 is learned on: {able}",
        "`hil build --link-only` makes the image that answers HELLO, ECHO and PING there; "
        "`hil bench link` and `hil memory` measure it",
    )


def load_file(path: Path) -> Target:
    """The target that a descriptor file describes; its name is the file's.

    Raises `DescriptorError` when the file is not a correct descriptor.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        target: Target = _build(Target, table, "")
    except OSError as error:
        raise DescriptorError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DescriptorError(f"{where} is not TOML: {error}") from error
    except DescriptorError as error:
        raise DescriptorError(f"{where}: {error}", *error.hints) from error
    if target.name != path.stem:
        raise DescriptorError(
            f"{where}: name {target.name!r} is not the file's name {path.stem!r}"
        )
    return target


def _meant(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=2, cutoff=0.8)
    close = close or difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f", did you mean {' or '.join(map(repr, close))}?"
    return f": expected one of {', '.join(known)}"


def _build(cls: type[Any], table: Mapping[str, object], name: str) -> Any:
    """An instance of dataclass `cls` from a TOML table of this name ("": top)."""
    place = f"in table [{name}]" if name else "at the top"
    schema = {field.name: field for field in fields(cls)}
    for key in table:
        if key not in schema:
            raise DescriptorError(f"unknown key {key!r} {place}{_meant(key, schema)}")
    hints = typing.get_type_hints(cls)
    values = {}
    for key, field in schema.items():
        if key in table:
            values[key] = _value(hints[key], table[key], key, place)
        elif required(field):
            raise DescriptorError(f"key {key!r} {place} is missing")
    return cls(**values)


def required(field: Field[Any]) -> bool:
    """Whether a descriptor must have this key: it has no default."""
    return field.default is MISSING and field.default_factory is MISSING


def plain(kind: Any) -> Any:
    """The type without `| None`: TOML has no null."""
    return typing.get_args(kind)[0] if isinstance(kind, types.UnionType) else kind


def _value(kind: Any, value: object, key: str, place: str) -> object:
    """`value`, checked against the type of its field and converted to it."""
    kind = plain(kind)
    if typing.get_origin(kind) is Literal:  # which of them, the dataclass checks
        kind = type(typing.get_args(kind)[0])
    if is_dataclass(kind) and isinstance(kind, type):
        if isinstance(value, dict):
            return _build(kind, value, key)
        expected = "a table"
    elif typing.get_origin(kind) is tuple:
        item = typing.get_args(kind)[0]
        if isinstance(value, list) and all(_is(item, each) for each in value):
            return tuple(value)
        expected = f"a list, each of it {TYPE_NAMES[item]}"
    else:
        if _is(kind, value):
            return kind(value)
        expected = TYPE_NAMES[kind]
    raise DescriptorError(f"key {key!r} {place} is {value!r}: expected {expected}")


def _is(kind: type, value: object) -> bool:
    """Whether a TOML value has this type; an integer is a number as well."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
