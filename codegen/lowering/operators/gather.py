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
    said = constants(operator.inputs[1]) or ()
    return gathered(c, operator, (x, y), "at", dims(operator), place(operator), said)


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
    return call(
        "gather", operator, x=x, at=c.constant(operator, name, I32, places), y=y,
        outer=prod(shape[:axis]), size=shape[axis], count=len(places),
        inner=prod(shape[axis + 1 :]),
    )  # fmt: skip
