"""Models of unsigned 8-bit numbers, as TensorFlow Lite wrote them before 2019. Inside,
v is kept as v - 128 with a zero point that is 128 less; only the model's inputs and
outputs stay unsigned.

An operator whose rounding depends on a number's sign or type is marked by the option
`UNSIGNED`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from codegen.formats import U8
from codegen.graph.description import Graph, Operator, Quantisation, Tensor
from codegen.kernels.cost import Shape
from codegen.program import Op, op
from codegen.tensors import Tensor as Placed

UNSIGNED = "unsigned"
HALF = 128
_TURNED = bytes(value ^ HALF for value in range(256))


def signed(graph: Graph) -> Graph:
    """The graph with every tensor of u8 made one of i8."""
    return replace(
        graph,
        tensors=tuple(map(_signed, graph.tensors)),
        operators=tuple(map(_operator, graph.operators)),
        inputs=tuple(map(_signed, graph.inputs)),
        outputs=tuple(map(_signed, graph.outputs)),
    )


def _operator(operator: Operator) -> Operator:
    touched = (*operator.inputs, *operator.outputs)
    if not any(one is not None and one.type == "u8" for one in touched):
        return operator
    return replace(
        operator,
        inputs=tuple(one and _signed(one) for one in operator.inputs),
        outputs=tuple(map(_signed, operator.outputs)),
        options={**operator.options, UNSIGNED: True},
    )


def _signed(tensor: Tensor) -> Tensor:
    if tensor.type != "u8":
        return tensor
    said, data = tensor.quantisation, tensor.data
    return replace(
        tensor,
        type="i8",
        quantisation=said and _moved(said),
        data=data and memoryview(bytes(data).translate(_TURNED)),
    )


def _moved(said: Quantisation) -> Quantisation:
    return replace(said, zeros=tuple(zero - HALF for zero in said.zeros))


def unsigned(operator: Operator) -> bool:
    """Whether the file has numbers without a sign there."""
    return UNSIGNED in operator.options


def outside(given: Sequence[Tensor], made: Sequence[Placed]) -> tuple[Placed, ...]:
    """What comes from outside, or goes there, as it lies there."""
    return tuple(
        replace(here, format=U8) if one.type == "u8" else here
        for one, here in zip(given, made, strict=True)
    )


def turned(given: Sequence[Tensor], made: Sequence[Placed]) -> Iterator[Op]:
    """One call for each of these that has no sign, to or from where it has none."""
    places = {
        here.offset: (one, here)
        for one, here in zip(given, made, strict=True)
        if one.type == "u8"
    }
    for one, here in places.values():
        says = f"{here.name} is u8 outside"
        yield op("turned", Shape(1, one.elements), says=says, v=here, n=one.elements)
