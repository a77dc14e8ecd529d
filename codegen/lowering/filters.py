"""Weights less their zero point, where it is not 0: those of 8 bits without a sign have one.

A kernel is given what lies in the file and the zero point, or numbers of 9 bits.
"""

from __future__ import annotations

from collections.abc import Mapping

from codegen.formats import I8, I16, Format
from codegen.graph.description import Operator
from codegen.lowering.composer import numbers, quantised

LARGEST = 255
"""Magnitude of a weight of 9 bits."""


def shift(operator: Operator) -> int:
    """The zero point."""
    return quantised(operator.inputs[1]).zeros[0]


def usual(operator: Operator) -> bool:
    """Whether products are of 8 bits by 8."""
    x = operator.inputs[0]
    return x is not None and x.type == "i8" and not shift(operator)


def named(operator: Operator, kernel: str) -> str:
    """The kernel that takes it."""
    return f"shifted_{kernel}" if shift(operator) else kernel


def given(operator: Operator) -> Mapping[str, int]:
    """What that is given besides."""
    return {"w_zero": shift(operator)} if shift(operator) else {}


def weights(operator: Operator) -> tuple[float, ...]:
    """The weights less it, in the file's order."""
    w, zero = operator.inputs[1], shift(operator)
    assert w is not None
    return tuple(one - zero for one in numbers(w)) if zero else numbers(w)


def format_of(operator: Operator) -> Format:
    """What holds these."""
    return I16 if shift(operator) else I8
