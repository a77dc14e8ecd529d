"""Convolutions on vectors: whether lanes are pixels or outputs, and which pixels."""

from __future__ import annotations

from functools import cache
from math import inf
from typing import TypeAlias

from codegen import kernels
from codegen.graph.description import Operator
from codegen.kernels.cost import NEAR, Shape
from codegen.lowering import sixteen
from codegen.lowering.planes import Planes, planes
from codegen.lowering.strips import Strips, strips
from codegen.lowering.windows import Windows

Pixels: TypeAlias = Planes | Strips
"""Of some rows, or that follow one another."""


@cache
def chosen(at: Windows, vlen: int, size: int = 1) -> Pixels | None:
    """Pixels for registers of `vlen` bits, where they cost less than outputs as lanes: of
    what costs about the least, what keeps the fewest bytes."""
    found: tuple[Pixels, ...] = (*planes(at, size), *strips(at, vlen, size))
    costs = {one: one.instructions(vlen) for one in found}
    least = min(costs.values(), default=inf)
    if least >= of_columns(at.pixels, vlen):
        return None
    near = (one for one, cost in costs.items() if cost <= least * (1 + NEAR))
    return min(near, key=lambda one: one.bytes)


def of_operator(operator: Operator, at: Windows, vlen: int) -> Pixels | None:
    """The same of an operator; narrow sums of 16 bits have outputs as lanes."""
    if sixteen.narrow(operator):
        return None
    return chosen(at, vlen, sixteen.size(operator))


def of_columns(at: Windows, vlen: int) -> float:
    """An estimate of instructions with outputs as lanes."""
    shape = Shape(at.y_w, at.y_c)
    places = kernels.best("i8_conv_2d_columns", (vlen,), shape).cost(shape, vlen)
    rows = at.images * at.y_h
    blocks = sum(divmod(at.y_w, 3))
    around = 60 + blocks * (30 * at.k_h + 50) + 20 * at.y_w
    return rows * (around + at.k_h * at.k_w * at.x_c * places.instructions)
