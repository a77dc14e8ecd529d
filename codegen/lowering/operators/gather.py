"""GATHER, and what RESIZE_NEAREST_NEIGHBOR has in common with it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from codegen.formats import I32
from codegen.graph.checks import constants, dims
from codegen.graph.description import Operator
from codegen.graph.operators.gather import place
from codegen.lowering.composer import GraphComposer, call
from codegen.program import Op
from codegen.tensors import Tensor

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    said, shape, axis = operator.inputs[1], dims(operator), place(operator)
    assert said is not None
    if said.data is None:
        places, count = c.activation(said), said.elements
        return _call(operator, (x, places, y), count, shape, axis)
    known = constants(said) or ()
    return gathered(c, operator, (x, y), "at", shape, axis, known)


def gathered(
    c: GraphComposer,
    operator: Operator,
    tensors: tuple[Tensor, Tensor],
    name: str,
    shape: Sequence[int],
    axis: int,
    places: Sequence[int],
) -> tuple[Op, ...]:
    """One call, which takes these places of an axis of a shape."""
    x, y = tensors
    at = c.constant(operator, name, I32, places)
    return _call(operator, (x, at, y), len(places), shape, axis)


def _call(
    operator: Operator,
    tensors: tuple[Tensor, Tensor, Tensor],
    count: int,
    shape: Sequence[int],
    axis: int,
) -> tuple[Op, ...]:
    """The same of so many places that a tensor holds."""
    x, at, y = tensors
    return call(
        "gather", operator, x=x, at=at, y=y, outer=prod(shape[:axis]), size=shape[axis],
        count=count, inner=prod(shape[axis + 1 :]),
    )  # fmt: skip
