"""Functions of 16 bits, between whose sampled values TensorFlow Lite interpolates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codegen.reference.graph.fixed_point import I64
from codegen.reference.graph.node import Array, away

STEPS = 512
"""Steps of a function's range, each of 128 numbers."""
LEAST, MOST = -32768, 32767


def sampled(low: float, high: float, function: Callable[[Array], Array]) -> I64:
    """513 values of `function` from `low` to `high`, as numbers of 1 / 32768 nearly. A
    value is moved by half of what interpolation misses in the middle of its step."""
    lowest, step = np.float32(low), np.float32((high - low) / STEPS)
    inverse = np.float32(65536) / (np.float32(2 / 65535) * np.float32(65535))
    steps = np.arange(STEPS + 1).astype(np.float32)

    def scaled(at: Array) -> Array:
        return np.asarray(function(at) * inverse, np.float32)

    starts = scaled(lowest + steps * step)
    middle = away(scaled(lowest + steps[:-1] * step + np.float32(step / 2)))
    between = away((starts[1:] + away(starts[:-1])) / np.float32(2))
    moved = away(starts[:-1]) - away((between - middle) / np.float32(2))
    last = away(scaled(np.array([high], np.float32)))
    found = np.concatenate([moved, last])
    return np.clip(found, LEAST, MOST).astype(np.int64)


def looked_up(table: I64, x: I64) -> I64:
    """The function of numbers of 16 bits: the value before, and its share of the step."""
    at, rest = 256 + (x >> 7), x & 127
    return table[at] + (((table[at + 1] - table[at]) * rest + 64) >> 7)


def sigmoid(x: I64, scale: float, bits: int) -> tuple[I64, I64]:
    """The logistic function of x in steps of 1 / 24, without its sign: a number of 16 bits,
    and `bits` more by which it is between two of its values. Behind it x in steps, those
    having so many bits too."""
    factor, down = _factor(scale)
    steps = (x * factor + ((1 << down) >> 1)) >> down
    size, table = np.abs(steps), _logistic()
    at, rest = np.minimum(size >> bits, 254), size & ((1 << bits) - 1)
    between = (table[at] << bits) + rest * (table[at + 1] - table[at])
    most = (0x7FFF << 10) if bits == 9 else (0xFFFF << 8)
    return np.where(size >> bits >= 255, most, between), steps


def _logistic() -> I64:
    """256 values of 16 bits, moved by half of what interpolation misses between them;
    the last is the largest that there is."""

    def of(step: Array) -> Array:
        return np.asarray(65536 / (1 + np.exp(-step / 24)))

    at = np.arange(256.0)
    missed = (of(at) + of(at + 1)) / 2 - of(at + 0.5)
    found = np.floor(of(at) - missed / 2 + 0.5).astype(np.int64)
    found[-1] = 0xFFFF
    return found


def _factor(scale: float) -> tuple[int, int]:
    """From x to 512ths of a step, and how far that is shifted down."""
    if scale in (2.0**-12, 2.0**-11):
        return 3 << int(scale == 2.0**-11), 0
    real, down = scale * 4096 * 3, 0
    while real <= 32767 / 2 and down <= 30:
        real, down = real * 2, down + 1
    return int(real), down
