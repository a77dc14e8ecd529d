"""HARD_SWISH: x min(max(x + 3, 0), 6) / 6.

Integers have 16 bits on the way: x 2^7 is taken by the output's scale, and as (x + 3) / 6
with 15 bits behind the point; their product is cut off, then divided.
"""

from __future__ import annotations

from dataclasses import dataclass

from codegen.errors import ModelError
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call, scale
from codegen.lowering.fixed_point import BITS, Factor, binary32
from codegen.lowering.operators.relu import table
from codegen.program import Op

TYPES = ("i8", "f32")
UP = 7
MOST = (1 << 15) - 1


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = operator.inputs[0], operator.outputs[0]
    if y.type == "f32":
        given = {"x": c.activation(x), "y": c.activation(y)}
        return call("hard_swish", operator, n=y.elements, **given)
    fine = binary32(scale(x) / (1 << UP))
    output = _Short.of(binary32(fine / scale(y)))
    gate = _Short.of(binary32(fine / (3 / 32768)))
    if output.e < 0:
        raise ModelError(
            f"{operator}, which gives {y}: its scale is less than that of the input "
            f"divided by {1 << UP}: a device takes larger ones"
        )

    def each(value: int) -> int:
        product = _opened(value << UP, gate) * output.high(value << UP)
        cut = min(abs(product) >> 15, MOST)
        return _halved(cut if product >= 0 else -cut, output.e)

    return table(c, operator, each)


@dataclass(frozen=True)
class _Short:
    """A factor m / 2^15 * 2^-e."""

    m: int
    e: int

    @classmethod
    def of(cls, real: float) -> _Short:
        found, half = Factor.of(real), BITS - 15
        return cls(min((found.m + (1 << (half - 1))) >> half, MOST), found.e)

    def high(self, value: int) -> int:
        """The high half of the doubled product, to nearest, halves away from zero."""
        product = value * self.m
        magnitude = (abs(product) + (1 << 14)) >> 15
        return magnitude if product >= 0 else -((abs(product) + (1 << 14) - 1) >> 15)


def _opened(raised: int, gate: _Short) -> int:
    """(x + 3) / 6 within 0 .. 1, with 15 bits behind the point."""
    if gate.e < 0:
        opened = _saturated(gate.high(_saturated(raised << (-gate.e - 1))) * 2)
    else:
        opened = _halved(gate.high(raised), gate.e)
    return (opened + (1 << 15)) >> 1


def _saturated(value: int) -> int:
    return max(-MOST - 1, min(value, MOST))


def _halved(value: int, bits: int) -> int:
    """value / 2^bits, to nearest, halves away from zero."""
    magnitude = (abs(value) + ((1 << bits) >> 1)) >> bits
    return magnitude if value >= 0 else -magnitude
