"""Numbers that lie in an image, drawn by the counter-based generator.

The device's side of docs/arithmetic.md, section 7, for what no kernel draws: stored
feedback, reservoirs. It shares no code with the reference's generator, so that an error of one
side cannot agree with itself.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from codegen.constants import GOLDEN, MIX_1, MIX_2

Words = NDArray[np.uint64]
"""32-bit words, held in 64 bits so that no product overflows."""
_WORD = np.uint64(0xFFFFFFFF)
_15, _16 = np.uint64(15), np.uint64(16)


def mixed(x: Words) -> Words:
    """`mix` of each word."""
    x = x ^ x >> _16
    x = x * np.uint64(MIX_1) & _WORD
    x = x ^ x >> _15
    x = x * np.uint64(MIX_2) & _WORD
    return x ^ x >> _16


def words(seed: int, stream: int, count: int) -> Words:
    """Elements 0 .. count - 1 of a stream."""
    start = int(mixed(np.array([seed], np.uint64))[0]) + GOLDEN * (stream + 1)
    return mixed(np.arange(start, start + count, dtype=np.uint64) & _WORD)


def uniform(seed: int, stream: int, limit: float, count: int) -> list[float]:
    """Elements 0 .. count - 1 of a stream, uniform in [-limit, limit): binary32
    numbers, as is `limit` once it is rounded."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", limit))
    # 2u - 1 and its product with a binary32 number are exact in binary64
    exact = ((words(seed, stream, count) >> np.uint64(8)) * 2.0**-23 - 1.0) * rounded
    found: list[float] = exact.astype(np.float32).tolist()
    return found
