"""Whether this process computes as IEEE 754 says, as the contract wants it.

A shared object that was linked with -ffast-math makes the whole process that loads it
flush subnormal numbers to zero; fesetround changes how every sum is rounded. numpy
then computes other bits, and a device that is disturbed alike would agree with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from codegen.errors import ReferenceUnsound

FLUSHED = (
    "a library that was linked with -ffast-math sets FTZ and DAZ when it is loaded: "
    "look at LD_PRELOAD, and at what is imported before hil"
)


FORMATS = ((np.float32, np.uint32, 23), (np.float64, np.uint64, 52))
"""Type, its bits, and how many of them are the fraction."""


def require_sound() -> None:
    """Raise `ReferenceUnsound` where binary32 or binary64 arithmetic is not what the
    reference is written for."""
    for kind, bits, fraction in FORMATS:
        if not _rounds_to_even(kind, fraction):
            raise ReferenceUnsound(
                "sums are not rounded to nearest in this process, so that the numpy "
                "reference would be wrong",
                "a library has called fesetround: look at LD_PRELOAD, and at what is "
                "imported before hil",
            )
        if not _keeps_subnormals(kind, bits, fraction):
            raise ReferenceUnsound(
                "subnormal numbers become zero in this process, so that the numpy "
                "reference would be wrong",
                FLUSHED,
            )


def _rounds_to_even(kind: Any, fraction: int) -> bool:
    """Midpoints between two numbers on both sides of zero, which each of the other
    modes takes elsewhere."""
    half = 0.5 ** (fraction + 1)
    one, more = np.array([1, 1, -1], kind), np.array([half, 3 * half, -half], kind)
    return bool(np.array_equal(one + more, np.array([1, 1 + 4 * half, -1], kind)))


def _keeps_subnormals(kind: Any, bits: Any, fraction: int) -> bool:
    """A result that is subnormal, and an operand. Their bits are compared: numbers
    would be flushed by the comparison too."""
    smallest, subnormal = (np.array([1 << n], bits) for n in (fraction, fraction - 1))
    with np.errstate(all="ignore"):
        result = (smallest.view(kind) * kind(0.5)).view(bits)
        operand = (subnormal.view(kind) * kind(2)).view(bits)
    return bool(result[0] == subnormal[0] and operand[0] == smallest[0])
