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

BIASED: Final = MAGIC + 127
"""The same with the bias of an exponent: the low bits of n + BIASED are those of 2^n."""

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

# the controllers of thresholds (docs/gates.md)

GAIN: Final = _hex("0x1.99999ap-5")
"""0.05: by how much the controller of an active fraction moves a threshold, of
the deviation."""

BUDGET_GAIN: Final = _hex("0x1.99999ap-2")
"""0.4: the same for a budget, whose deviations are smaller."""

TAU_MIN: Final = _hex("0x1.12e0bep-30")
"""1e-9, the lowest threshold."""

TAU_MAX: Final = 1000.0
"""The highest threshold."""

# the counter-based generator and the state digest, uint32

MIX_1: Final = 0x7FEB352D
"""First multiplier of `mix` (lowbias32, Chris Wellons)."""

MIX_2: Final = 0x846CA68B
"""Second multiplier of `mix`."""

GOLDEN: Final = 0x9E3779B9
"""2^32 / golden ratio: separates streams, and positions in the digest."""

# normal numbers of uniform ones: z = sqrt(2) erfinv(u) with w = -log(1 - u^2)
# (Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2011, table 1)

ERFINV_SPLIT: Final = 5.0
"""w from which on the tail's polynomial serves."""

ERFINV_CENTRE: Final = 2.5
"""The central polynomial is one in w - 2.5."""

ERFINV_TAIL: Final = 3.0
"""The tail's is one in sqrt(w) - 3."""

ERFINV_CENTRAL_POLY: Final = tuple(
    _hex(c)
    for c in (
        "0x1.805c5ep+0",
        "0x1.f91ec6p-3",
        "-0x1.11c9dep-8",
        "-0x1.48a81p-10",
        "0x1.ca65b6p-13",
        "-0x1.26b582p-18",
        "-0x1.d8e6aep-19",
        "0x1.70966cp-22",
        "0x1.e2cb1p-26",
    )
)
"""Of the centre, coefficients of the lowest power first."""

ERFINV_TAIL_POLY: Final = tuple(
    _hex(c)
    for c in (
        "0x1.6a9efcp+1",
        "0x1.006db6p+0",
        "0x1.354afcp-7",
        "-0x1.f38baep-8",
        "0x1.7824f6p-8",
        "-0x1.e17bcep-9",
        "0x1.61b8e4p-10",
        "0x1.a76ad6p-14",
        "-0x1.a3e136p-13",
    )
)
"""Of the tails, coefficients of the lowest power first."""

SQRT2: Final = _hex("0x1.6a09e6p+0")
"""sqrt(2), rounded."""

# windows

WINDOW_ROWS: Final = 512
"""Most rows of a window: sums of squares then fit 48 bits, two exact binary32."""

# reductions

LANES: Final = 16
"""Partial sums of a reduction; up to this many terms are summed in sequence."""
