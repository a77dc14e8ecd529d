"""Random directions of forward gradients, drawn anew wherever they are needed.

A direction has a seed of its own, number step * K + k of the stream DIRECTIONS;
its elements are numbers of that seed's streams, one stream a layer
(docs/arithmetic.md). Nothing is stored.
"""

from __future__ import annotations

import numpy as np

from codegen import constants, streams
from codegen.reference import random
from codegen.reference.arithmetic import F32, fma
from codegen.reference.functions import log

_ONE, _HALF_RANGE = np.float32(1), np.float32(2.0**-23)
_SQRT2 = np.float32(constants.SQRT2)


def direction(seed: int, number: int) -> int:
    """Seed of direction `number` (step * K + k, modulo 2^32) of a network."""
    drawn = random.u32(seed, streams.DIRECTIONS, number & 0xFFFFFFFF, 1)
    return int(drawn[0])


def rademacher(seed: int, layer: int, rows: int, n: int) -> F32:
    """+1 or -1, [rows, n]. Each row begins with a new word of the layer's stream;
    element j is -1 where bit j & 31 of the row's word j >> 5 is set."""
    words = random.sign_words(n)
    drawn = random.signs(seed, streams.perturbation(layer), 0, 32 * rows * words)
    return np.ascontiguousarray(drawn.reshape(rows, 32 * words)[:, :n])


def gaussian(seed: int, layer: int, rows: int, n: int) -> F32:
    """Normal numbers, [rows, n], element i of word i of the layer's stream."""
    words = random.u32(seed, streams.perturbation(layer), 0, rows * n)
    return normal(words).reshape(rows, n)


def normal(words: random.U32) -> F32:
    """sqrt(2) erfinv(u) with u = (2k + 1) 2^-23 - 1, k the upper 23 bits: a normal
    number of each random word (Giles 2011, table 1; see codegen.constants)."""
    odd = ((words >> np.uint32(9)) << np.uint32(1) | np.uint32(1)).astype(np.float32)
    u = fma(odd, _HALF_RANGE, -_ONE)
    w = -log(fma(-u, u, _ONE))
    tail = w >= np.float32(constants.ERFINV_SPLIT)
    near = w - np.float32(constants.ERFINV_CENTRE)
    far = np.sqrt(w) - np.float32(constants.ERFINV_TAIL)
    central = _polynomial(constants.ERFINV_CENTRAL_POLY, near)
    q = np.where(tail, _polynomial(constants.ERFINV_TAIL_POLY, far), central)
    return (q * u) * _SQRT2


def _polynomial(coefficients: tuple[float, ...], x: F32) -> F32:
    """By Horner's rule, each step one fma; the lowest power's coefficient first."""
    value = np.full(x.shape, np.float32(coefficients[-1]), np.float32)
    for coefficient in reversed(coefficients[:-1]):
        value = fma(value, x, np.float32(coefficient))
    return value


DISTRIBUTIONS = {"rademacher": rademacher, "gaussian": gaussian}
"""By the names of the rules' parameter `perturbation`."""
