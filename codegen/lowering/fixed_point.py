"""Factors as integers, by the rules of TensorFlow Lite's quantisation specification.

A factor is m / 2^31 * 2^-e: m has 31 bits, and e is what the kernels shift right by, or
left where it is negative. A number of binary32 is a Python float that binary32 holds.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

BITS = 31
MOST_UP = 30
"""Bits that kernels shift left by, at most."""


def binary32(value: float) -> float:
    """The nearest number of binary32."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def nearest(value: float) -> int:
    """The nearest whole number, halves away from zero."""
    whole = math.trunc(value)
    return whole + (0 if abs(value - whole) < 0.5 else int(math.copysign(1, value)))


@dataclass(frozen=True)
class Factor:
    """A factor that kernels take."""

    m: int
    e: int

    @classmethod
    def of(cls, real: float) -> Factor:
        """What is nearest to a real factor of at least 0. Raises `OverflowError` for one
        that kernels would shift too far, or that is not finite."""
        if not math.isfinite(real):
            raise _too_large(real)
        fraction, exponent = math.frexp(real)
        m = math.floor(fraction * (1 << BITS) + 0.5)
        if m == 1 << BITS:
            m, exponent = m // 2, exponent + 1
        if exponent > MOST_UP:
            raise _too_large(real)
        return cls(0, 0) if m == 0 or exponent < -BITS else cls(m, -exponent)

    def __call__(self, total: int) -> int:
        """A sum times the factor, as the kernels compute it."""
        raised = _signed(total << max(-self.e, 0))
        product = (raised * self.m + (1 << (BITS - 1))) >> BITS
        down = max(self.e, 0)
        magnitude = (abs(product) + ((1 << down) >> 1)) >> down
        return magnitude if product >= 0 else -magnitude


def _too_large(real: float) -> OverflowError:
    return OverflowError(
        f"a factor of {real:.3g} between scales: supported is less than 2^{MOST_UP}"
    )


def _signed(value: int) -> int:
    """The low 32 bits, with their sign."""
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


ROOT_BITS = 28
"""Bits behind the point of a root's inverse on the way."""
THREE_HALVES = 3 << (ROOT_BITS - 1)
HALF_ROOT_2 = 1518500250
"""sqrt(1/2) 2^31."""


def inverse_root(x: int) -> Factor:
    """1 / sqrt(x) of a whole number x >= 1, by five steps of Newton and Raphson."""
    if x == 1:
        return Factor((1 << BITS) - 1, 0)
    right = 11
    while x >= 1 << 29:
        x, right = x // 4, right + 1
    while x < 1 << 27:
        x, right = 4 * x, right - 1
    root, half = 1 << ROOT_BITS, _halved(x >> 1, 1)
    for _ in range(5):
        cube = _up(_high(_high(root, root), root), 6)
        root = _up(_signed(_high(THREE_HALVES, root) - _high(half, cube)), 3)
    m = _high(root, HALF_ROOT_2)
    return Factor(m << max(-right, 0), max(right, 0))


def _high(a: int, b: int) -> int:
    """The high half of the doubled product, halves up."""
    return (a * b + (1 << (BITS - 1))) >> BITS


def _halved(x: int, bits: int) -> int:
    """x / 2^bits of x >= 0, halves up."""
    return (x + (1 << (bits - 1))) >> bits


def _up(x: int, bits: int) -> int:
    """x 2^bits within 32 bits."""
    return max(-(1 << BITS), min(x << bits, (1 << BITS) - 1))
