"""Operators of two tensors, of which one is repeated along axes of size 1.

Kernels repeat a tensor as a whole. One that is repeated along other axes is written out
first, into bytes that the operator has for itself.
"""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.graph.description import Tensor as Described
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, spread, strides
from codegen.program import Op, Operand
from codegen.tensors import Tensor


def pair(
    c: GraphComposer, operator: Operator
) -> tuple[tuple[Op, ...], dict[str, Operand]]:
    """The calls that write out what must be, and what a kernel of two is given: x, v
    and how many numbers either has."""
    calls: list[Op] = []
    given: dict[str, Operand] = {}
    place = 0
    for name, tensor in zip("xv", operator.inputs, strict=True):
        assert tensor is not None
        found = c.activation(tensor)
        if not _whole(tensor, operator):
            found, source = c.scratch(operator, found.format, place), found
            calls += _written_out(c, operator, tensor, source, found)
            place += operator.outputs[0].bytes
        count = tensor.elements if _whole(tensor, operator) else _elements(operator)
        given |= {name: found, f"n_{name}": count}
    return tuple(calls), given


def scratch(operator: Operator) -> int:
    """Bytes that are written out."""
    parts = [one for one in operator.inputs if one and not _whole(one, operator)]
    return len(parts) * operator.outputs[0].bytes


def _elements(operator: Operator) -> int:
    return operator.outputs[0].elements


def _written_out(
    c: GraphComposer, operator: Operator, tensor: Described, source: Tensor, to: Tensor
) -> tuple[Op, ...]:
    whole = operator.outputs[0].shape
    walk = Walk(whole, tuple(spread(tensor.shape, whole)), strides(whole))
    return moved(c, operator, source, to, walk)


def _whole(tensor: Described, operator: Operator) -> bool:
    """Whether it is the output's last axes, all that stand before being repeated."""
    whole, shape = operator.outputs[0].shape, tensor.shape
    bare = shape[next((k for k, n in enumerate(shape) if n != 1), len(shape)) :]
    return bare == whole[len(whole) - len(bare) :]
