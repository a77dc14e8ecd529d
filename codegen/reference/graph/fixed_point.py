"""Fixed point as TensorFlow Lite's reference kernels compute it (gemmlowp).

A raw number of `bits` bits with m integer bits stands for raw / 2^(bits - 1 - m).
Arrays are int64 that hold such numbers; where C would wrap, `wrapped` wraps. A
rescaling rounds twice: when the high half of a product is taken, and when that is
divided by a power of two ("double rounding").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDEST = 14
"""Factors of sums of 48 bits are less than 2^14."""
I64 = NDArray[np.int64]
Array = NDArray[Any]
LARGEST = 2.0**30
"""Factors are smaller: with more, sums would be shifted out of their 32 bits."""


def wrapped(x: I64, bits: int = 32) -> I64:
    """The low bits, with their sign."""
    half = 1 << (bits - 1)
    return ((x + half) & ((half << 1) - 1)) - half


def saturated(x: I64, bits: int = 32) -> I64:
    """The nearest number of so many bits."""
    half = 1 << (bits - 1)
    return np.clip(x, -half, half - 1)


def high(a: I64, b: I64 | int, bits: int = 32) -> I64:
    """The high half of the doubled product, rounded to nearest, halves away from zero
    (gemmlowp's SaturatingRoundingDoublingHighMul)."""
    product, half = a * b, 1 << (bits - 2)
    nudged = product + np.where(product >= 0, half, 1 - half)
    # C divides towards zero
    quotient = np.where(nudged >= 0, nudged >> (bits - 1), -(-nudged >> (bits - 1)))
    return saturated(quotient, bits)


def divided(x: I64, exponent: I64 | int) -> I64:
    """x / 2^exponent, rounded to nearest, halves away from zero."""
    exponent = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def multiplier(real: float) -> tuple[int, int]:
    """(m, shift) with real = m / 2^31 * 2^shift nearly, m of 31 bits. Raises
    `OverflowError` for a factor of 2^30 or more, or that is not finite."""
    if not abs(real) < LARGEST:
        raise OverflowError(
            f"a factor of {real:.3g} between scales: supported is less than 2^30"
        )
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    found = math.floor(fraction * (1 << 31) + 0.5)
    if found == 1 << 31:
        found, shift = found >> 1, shift + 1
    return (0, 0) if shift < -31 else (found, shift)


@dataclass(frozen=True)
class Scale:
    """Factors as integers: of all numbers, or of each channel (the last axis)."""

    m: I64
    shift: I64

    @classmethod
    def of(cls, *reals: float) -> Scale:
        """One factor, or one for each channel."""
        found = np.array([multiplier(real) for real in reals], np.int64).T
        return cls(found[0], found[1])

    def __call__(self, x: I64) -> I64:
        """x times the factor, of accumulators of 32 bits (`double rounding`)."""
        left, right = np.maximum(self.shift, 0), np.maximum(-self.shift, 0)
        return divided(high(wrapped(x << left), self.m), right)

    def wide(self, x: I64) -> I64:
        """x times the factor, of accumulators of 48 bits: m keeps 16, rounded once. Raises
        `OverflowError` for a factor that would shift it up."""
        if self.shift.max() > WIDEST:
            raise OverflowError(
                f"a factor of up to 2^{self.shift.max()} between scales of 16 bits: "
                f"supported is less than 2^{WIDEST}"
            )
        short = np.where(self.m < 0x7FFF0000, (self.m + (1 << 15)) >> 16, 0x7FFF)
        down = 15 - self.shift
        return wrapped((x * short + (np.int64(1) << (down - 1))) >> down)


@dataclass(frozen=True)
class Fixed:
    """Numbers with so many integer bits, in 16 or 32 bits."""

    raw: I64
    integer: int
    bits: int = 32

    def _made(self, raw: I64, integer: int) -> Fixed:
        return Fixed(raw, integer, self.bits)

    def constant(self, raw: int, integer: int = 0) -> Fixed:
        """A constant, told as a raw number of 32 bits."""
        if self.bits == 16:
            raw = int(divided(np.array(raw, np.int64), 16))
        return self._made(np.array(min(raw, self.largest), np.int64), integer)

    @property
    def largest(self) -> int:
        """The largest raw number."""
        return (1 << (self.bits - 1)) - 1

    def one(self, integer: int) -> Fixed:
        """1, or what is nearest to it."""
        raw = self.largest if integer == 0 else 1 << (self.bits - 1 - integer)
        return self._made(np.array(raw, np.int64), integer)

    def __add__(self, other: Fixed) -> Fixed:
        return self._made(wrapped(self.raw + other.raw, self.bits), self.integer)

    def __sub__(self, other: Fixed) -> Fixed:
        return self._made(wrapped(self.raw - other.raw, self.bits), self.integer)

    def __mul__(self, other: Fixed) -> Fixed:
        """The integer bits add up."""
        raw = high(self.raw, other.raw, self.bits)
        return self._made(raw, self.integer + other.integer)

    def shifted(self, exponent: int) -> Fixed:
        """Times 2^exponent, saturated or rounded."""
        if exponent < 0:
            return self._made(divided(self.raw, -exponent), self.integer)
        return self._made(saturated(self.raw << exponent, self.bits), self.integer)

    def rescaled(self, integer: int) -> Fixed:
        """The same number with other integer bits."""
        return self._made(self.shifted(self.integer - integer).raw, integer)

    def read_as(self, integer: int) -> Fixed:
        """The same raw number with other integer bits: an exact product with a power
        of two."""
        return self._made(self.raw, integer)


def _exp_of_a_quarter(a: Fixed) -> Fixed:
    """exp(a), -1/4 <= a < 0: Taylor's series around -1/8, of fourth order."""
    x = a + a.constant(1 << 28)
    square = x * x
    cube, fourth = square * x, square * square
    third = a.constant(715827883)
    tail = (((fourth.shifted(-2) + cube) * third) + square).shifted(-1)
    start = a.constant(1895147668)
    found = start.raw + (start * (x + tail)).raw
    return a._made(saturated(found, a.bits), 0)


HALVES = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2^k), k from -2 on, with no integer bit."""


def exp(a: Fixed) -> Fixed:
    """exp(a) of a <= 0, without integer bits."""
    fraction = a.bits - 1 - a.integer
    quarter = np.int64(1) << (fraction - 2)
    rest = (a.raw & (quarter - 1)) - quarter
    found = _exp_of_a_quarter(a._made(rest, a.integer).rescaled(0))
    left = rest - a.raw
    for k, factor in enumerate(HALVES, -2):
        if a.integer > k:
            there = (left & (np.int64(1) << (fraction + k))) != 0
            product = found * found.constant(factor)
            found = a._made(np.where(there, product.raw, found.raw), 0)
    if a.integer > 5:
        far = a.raw < -(np.int64(1) << (36 - a.integer - (32 - a.bits)))
        found = a._made(np.where(far, 0, found.raw), 0)
    return a._made(np.where(a.raw == 0, a.largest, found.raw), 0)


def _reciprocal(a: Fixed) -> Fixed:
    """2 / (1 + a), 0 <= a < 1, with two integer bits: Newton and Raphson, thrice."""
    total = a.raw + a.largest
    half = a._made((total + np.where(total >= 0, 1, -1)) // 2, 0)
    x = a.constant(1515870810, 2) + half * a.constant(-1010580540, 2)
    for _ in range(3):
        left = a.one(2) - half * x
        x = x + (x * left).rescaled(2)
    return x


def one_over_one_plus(a: Fixed) -> Fixed:
    """1 / (1 + a), 0 <= a < 1."""
    return _reciprocal(a).read_as(1).rescaled(0)


def logistic(a: Fixed) -> I64:
    """Raw 1 / (1 + exp(-a)), without integer bits."""
    size = a._made(wrapped(np.where(a.raw > 0, a.raw, -a.raw), a.bits), a.integer)
    above = one_over_one_plus(exp(a._made(wrapped(-size.raw, a.bits), a.integer)))
    below = a.one(0) - above
    half = 1 << (a.bits - 2)
    return np.where(a.raw == 0, half, np.where(a.raw > 0, above.raw, below.raw))


def tanh(a: Fixed) -> I64:
    """Raw tanh(a), without integer bits."""
    below = a._made(np.where(a.raw < 0, a.raw, wrapped(-a.raw, a.bits)), a.integer)
    powered = exp(below.read_as(a.integer + 1))
    x = _reciprocal(powered)
    found = (x - a.one(2)).rescaled(0).raw
    signed = np.where(a.raw < 0, wrapped(-found, a.bits), found)
    return np.where(a.raw == 0, 0, signed)


HALF_ROOT_2 = 1518500250
"""sqrt(1/2), without integer bits."""


def inverse_root(x: I64) -> Scale:
    """1 / sqrt(x), x >= 0, of 1 and less 1; by Newton and Raphson, five times."""
    found, right = x.copy(), np.full(x.shape, 11, np.int64)
    for _ in range(2):  # a quarter of what needs more than 29 bits
        far = found >= 1 << 29
        found, right = np.where(far, found >> 2, found), right + far
    zeros = 31 - np.floor(np.log2(np.maximum(found, 1))).astype(np.int64)
    pairs = (zeros - 1) // 2 - 1
    a = Fixed(found << (2 * pairs) >> 1, 3)
    half, three_halves = a.shifted(-1), a._made(np.array(3 << 27, np.int64), 3)
    root = a._made(np.full(x.shape, 1 << 28, np.int64), 3)
    for _ in range(5):
        cube = (root * root * root).rescaled(3)
        root = (three_halves * root - half * cube).rescaled(3)
    m = (root * root.constant(HALF_ROOT_2)).raw
    right = right - pairs
    m, right = m << np.maximum(-right, 0), np.maximum(right, 0)
    few = x <= 1
    return Scale(np.where(few, (1 << 31) - 1, m), np.where(few, 0, -right))
