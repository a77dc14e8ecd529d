"""A division by a constant without dividing: to the bit, or not at all.

v / s is fma(v, hi, fl(v lo)) with hi = fl(1 / s) and lo = fl(1 / s - hi), for nearly
every s: a unit that divides takes ten times the cycles of one that multiplies. Whether
it is so for all that a sample can hold is tried here, before anything is generated.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from codegen.formats import F32, Format

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Factors:
    """v / s = fma(v, hi, fl(v lo)), and fl(v hi) where lo is 0."""

    hi: float
    lo: float


@lru_cache(maxsize=64)
def factors(scale: float, format: Format) -> Factors | None:
    """What every element of a format may be multiplied by instead of divided by
    `scale`, once it is rounded to binary32; None where some quotient would differ."""
    (s,) = struct.unpack("<f", struct.pack("<f", scale))
    with np.errstate(over="ignore"):
        hi = float(np.float32(1.0 / s))
        lo = float(np.float32((1.0 - hi * s) / s)) if math.isfinite(hi) else hi
    found = Factors(hi, lo)
    return found if math.isfinite(lo) and exact(found, s, format) else None


def exact(by: Factors, s: float, format: Format) -> bool:
    """Whether no quotient by the binary32 s differs.

    A float is multiplied where the reciprocal is exact, for then product and quotient
    are one number before they are rounded. Integers are tried, all of them.
    """
    if by.lo == 0 and all(math.frexp(one)[0] == 0.5 for one in (by.hi, s)):
        return by.hi * s == 1
    if format is F32:
        return False
    limits = np.iinfo(format.dtype)
    return _equal(np.arange(limits.min, limits.max + 1, dtype=np.float64), s, by)


def _equal(v: Numbers, s: float, by: Factors) -> bool:
    """v hi is exact in binary64; the sum is rounded to odd there, so that rounding it
    to binary32 is as good as rounding it once."""
    v32 = v.astype(np.float32)
    product, small = v * by.hi, (v32 * np.float32(by.lo)).astype(np.float64)
    total = product + small
    back = total - product
    lost = (product - (total - back)) + (small - back)
    even = total.view(np.int64) & 1 == 0
    away = np.nextafter(total, np.copysign(np.inf, lost))
    odd = np.where((lost != 0) & even, away, total)
    return bool((odd.astype(np.float32) == v32 / np.float32(s)).all())
