"""The counter-based generator: any number of any stream at any time.

Stateless: a number is a function of (seed, stream, index). uint32 throughout,
wrapping; docs/arithmetic.md has the rules, `codegen.streams` the streams.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codegen import streams
from codegen.constants import GOLDEN, MIX_1, MIX_2
from codegen.reference.arithmetic import F32

U32 = NDArray[np.uint32]

_MASK = 0xFFFFFFFF
_MIX_1 = np.uint32(MIX_1)
_MIX_2 = np.uint32(MIX_2)
_15, _16 = np.uint32(15), np.uint32(16)
_SIGN_BITS = 32
_BIT_NUMBERS: U32 = np.arange(_SIGN_BITS, dtype=np.uint32)


def mix(x: U32) -> U32:
    """A bijection of the 32-bit numbers that looks random (lowbias32)."""
    mixed = x ^ (x >> _16)
    mixed *= _MIX_1
    mixed ^= mixed >> _15
    mixed *= _MIX_2
    mixed ^= mixed >> _16
    return mixed


def u32(seed: int, stream: int, first: int, count: int) -> U32:
    """Elements first .. first + count - 1 of a stream, [count]."""
    mixed_seed = int(mix(np.array([seed], dtype=np.uint32))[0])
    base = (first + mixed_seed + GOLDEN * (stream + 1)) & _MASK
    return mix(np.arange(count, dtype=np.uint32) + np.uint32(base))


def uniform(seed: int, stream: int, limit: np.float32, count: int) -> F32:
    """Elements 0 .. count - 1 in [-limit, limit): fl((2u - 1) * limit), [count].

    u = (word >> 8) * 2^-24, so 2u - 1 is exact and the product is rounded once.
    """
    words = u32(seed, stream, 0, count) >> 8
    doubled = words.astype(np.float32) * np.float32(2.0**-23)
    return (doubled - np.float32(1)) * limit


def sign_words(count: int) -> int:
    """Words that hold `count` signs."""
    return -(-count // _SIGN_BITS)


def signs(seed: int, stream: int, first_word: int, count: int) -> F32:
    """`count` signs, +1 or -1: sign k is bit k & 31 of word k >> 5, 1 is minus.

    Words are counted from `first_word` of the stream.
    """
    words = u32(seed, stream, first_word, sign_words(count))
    bits = (words[:, None] >> _BIT_NUMBERS) & np.uint32(1)
    return np.float32(1) - np.float32(2) * bits.ravel()[:count].astype(np.float32)


def feedback_uniform(seed: int, layer: int, n_error: int, width: int) -> F32:
    """Feedback of hidden layer `layer`, [n_error, width].

    Uniform within fl32(sqrt(3 / n_error)), so that every component of the
    projected error has unit variance.
    """
    limit = np.float32(np.sqrt(3.0 / n_error))
    drawn = uniform(seed, streams.feedback(layer), limit, n_error * width)
    return drawn.reshape(n_error, width)


def feedback_signs(
    seed: int, first_word: int, scale: np.float32, n_error: int, width: int
) -> F32:
    """Feedback of +-scale, one sign bit an element, [n_error, width].

    The layers share a stream; this one's words begin at `first_word`.
    """
    drawn = signs(seed, streams.SIGN_FEEDBACK, first_word, n_error * width)
    return (drawn * scale).reshape(n_error, width)
