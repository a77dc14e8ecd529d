"""Check that every scratch tensor that an item's C names is one that the item says it
uses.

Lifetimes, and so places in the arena, follow from what items say. A tensor that only
the C named would lose its place to another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from codegen.errors import BuildError
from codegen.program import (
    Carried,
    If,
    Item,
    Op,
    Part,
    Program,
    Repeat,
    Set,
    Stage,
    Symbol,
)
from codegen.tensors import Tensor

Text: TypeAlias = tuple[str, tuple[Tensor, ...]]
"""C, and the tensors that its item says it uses."""


def mentions(text: str, name: str) -> bool:
    """Whether C `text` names `name`, and not a member of that name."""
    return re.search(rf"(?<![\w.>]){re.escape(name)}\b", text) is not None


def require_said(program: Program) -> None:
    """Raise `BuildError` for an item whose C names a scratch tensor that the item does
    not say it uses."""
    known = program.tensors("scratch")
    items = (*program.look, *program.before, *program.step, *program.flush)
    for text, uses in dict.fromkeys(_texts(items)):
        for tensor in known:
            if tensor not in uses and mentions(text, tensor.name):
                raise BuildError(
                    f"{text!r} names tensor {tensor.name!r}: expected it among the uses of "
                    "its item, for nothing else keeps its place in the arena"
                )


def _texts(items: Iterable[Item]) -> Iterator[Text]:
    for item in items:
        match item:
            case Op():
                yield from _of_operation(item)
            case Set():
                yield f"{item.target} = {item.value}", item.uses
            case Repeat():
                yield str(item.count), ()
                yield from _texts(item.body)
            case If():
                yield item.condition, item.uses
                if item.op is not None:
                    yield from _of_operation(item.op)
                yield from _texts((*item.then, *item.otherwise))
            case Stage():
                yield from _texts(item.body)


def _of_operation(one: Op) -> Iterator[Text]:
    uses = tuple(tensor for tensor, _ in one.tensors())
    for given in (*(given for _, given in one.operands), one.into):
        match given:
            case str():
                yield given, uses
            case Symbol():
                yield given.text, uses
            case Part():
                yield str(given.index), uses
            case Carried():
                yield given.variable, uses
