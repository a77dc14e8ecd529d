"""What the twins of reservoirs share: rows of samples, and tables of cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen import streams
from codegen.reference import random
from codegen.reservoir import Pairs, Reservoir

I64 = NDArray[np.int64]


def sources(front: Reservoir) -> I64:
    """Which cells each cell hears, [sources, cells]."""
    words = random.u32(front.seed, streams.SOURCES, 0, front.sources * front.cells)
    return (words % front.cells).astype(np.int64).reshape(front.sources, front.cells)


def rows(front: Reservoir, sample: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """The rows that are seen of samples [..., elements], each [n, axes], and the segment
    that each is in."""
    seen = sample.reshape(-1, front.rows, front.axes)[:, :: front.every]
    for number in range(front.seen):
        yield number * front.segments // front.seen, seen[:, number]


def columns(pairs: Pairs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Offsets and divisors in binary32."""
    offsets, divisors = np.array(pairs, np.float32).T
    return offsets, divisors
