"""Constants of the contract's arithmetic (docs/arithmetic.md).

The numpy reference and the C templates read the same numbers from here and
nothing else in common. Every float is exactly a binary32 value and written as
the hexadecimal literal that C11 reads as well.

The two polynomials are minimax fits of relative error (linear programming on
1201 Chebyshev nodes), rounded to binary32 one coefficient after another from
the lowest, the higher ones fitted again each time. Their degrees are the
lowest that keep exp and log within about one ulp; `python -m
codegen.reference.accuracy` measures what they achieve.
"""

from __future__ import annotations

from typing import Final

_hex = float.fromhex

# exp, tanh, sigmoid: x = n ln 2 + r with n an integer, |r| <= 0.3466

LOG2E: Final = _hex("0x1.715476p+0")
"""1 / ln 2."""

LN2_HI: Final = _hex("0x1.62e430p-1")
"""ln 2 rounded to binary32; `fma(n, -LN2_HI, x)` is exact."""

LN2_LO: Final = _hex("-0x1.05c610p-29")
"""ln 2 - LN2_HI, rounded."""

MAGIC: Final = _hex("0x1.8p+23")
"""1.5 * 2^23: adding it rounds to an integer, kept in the low bits."""

EXP_MIN: Final = -87.0
"""Lowest argument of exp that is not clamped; the result stays normal."""

EXP_MAX: Final = 88.0
"""Highest argument of exp that is not clamped; the result stays finite."""

TANH_MAX: Final = 9.125
"""From here on tanh is 1 (it rounds to 1 from 9.0109)."""

EXPM1_POLY: Final = (
    _hex("0x1.fffffep-2"),
    _hex("0x1.5554b4p-3"),
    _hex("0x1.5556f8p-5"),
    _hex("0x1.12252ep-7"),
    _hex("0x1.6b95d4p-10"),
)
"""q in expm1(r) = r + r^2 q(r), coefficients of r^0, r^1, ...; |r| <= ln(2)/2."""

# log: x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2)

SQRT_HALF_BITS: Final = 0x3F3504F3
"""Bits of the binary32 next to sqrt(1/2): where log's exponent k changes."""

LOG_POLY: Final = (
    _hex("0x1.5556d8p-2"),
    _hex("-0x1.000380p-2"),
    _hex("0x1.98d826p-3"),
    _hex("-0x1.5382a0p-3"),
    _hex("0x1.3172d4p-3"),
    _hex("-0x1.242ff6p-3"),
    _hex("0x1.645fcep-4"),
)
"""q in log(1 + f) = f - f^2/2 + f^3 q(f), coefficients of f^0, f^1, ..."""

# the counter-based generator and the state digest, uint32

MIX_1: Final = 0x7FEB352D
"""First multiplier of `mix` (lowbias32, Chris Wellons)."""

MIX_2: Final = 0x846CA68B
"""Second multiplier of `mix`."""

GOLDEN: Final = 0x9E3779B9
"""2^32 / golden ratio: separates streams, and positions in the digest."""

# reductions

LANES: Final = 16
"""Partial sums of a reduction; up to this many terms are summed in sequence."""
