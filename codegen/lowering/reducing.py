"""Operators that make one number of those along some axes. What lies along axes that do
not follow one another is brought together first, in bytes that the operator has."""

from __future__ import annotations

from math import prod

from codegen.graph.checks import constants, dims
from codegen.graph.description import BITS, Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op, Operand


def reduced(
    c: GraphComposer, operator: Operator
) -> tuple[tuple[Op, ...], dict[str, Operand]]:
    """The call that brings numbers together, if there must be one, and what a kernel is
    given: x, y, and how many numbers lie before the axes, along them, and behind."""
    shape, axes = dims(operator), _axes(operator)
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    if not _apart(operator):
        first, end = axes[0], axes[-1] + 1
        sizes = prod(shape[:first]), prod(shape[first:end]), prod(shape[end:])
        return (), {"x": x, "y": y, **_named(sizes)}
    kept = [k for k in range(len(shape)) if k not in axes]
    order, steps = (*kept, *axes), strides(shape)
    n = tuple(shape[k] for k in order)
    walk, to = (
        Walk(n, tuple(steps[k] for k in order), strides(n)),
        c.scratch(operator, x.format),
    )
    sizes = prod(shape[k] for k in kept), prod(shape[k] for k in axes), 1
    return moved(c, operator, x, to, walk), {"x": to, "y": y, **_named(sizes)}


def scratch(operator: Operator) -> int:
    """Bytes of what is brought together."""
    x = operator.inputs[0]
    return prod(dims(operator)) * BITS[x.type] // 8 if x and _apart(operator) else 0


def _named(sizes: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("outer", "count", "inner"), sizes, strict=True))


def _axes(operator: Operator) -> list[int]:
    said, count = constants(operator.inputs[1]) or (), len(dims(operator))
    return sorted({axis % count for axis in said})


def _apart(operator: Operator) -> bool:
    """Whether other axes, of more than one place, stand between."""
    axes, shape = _axes(operator), dims(operator)
    between = range(axes[0], axes[-1] + 1)
    return any(shape[k] != 1 for k in between if k not in axes)
