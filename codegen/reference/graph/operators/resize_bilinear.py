"""RESIZE_BILINEAR: a pixel between four of the image's. Integers: places are counted in
1024ths of a pixel, and the sum is divided once, halves away from zero. float32: in the
order of four products."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array

ONE = 1 << 10


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, size = given
    assert x is not None and size is not None
    places = _floats if x.dtype == np.float32 else _integers
    up, down, dy = places(operator, x.shape[1], int(size[0]))
    left, right, dx = places(operator, x.shape[2], int(size[1]))
    dy, dx = dy[:, None, None], dx[:, None]
    one = x.dtype.type(1) if x.dtype == np.float32 else np.int64(ONE)
    values = x if x.dtype == np.float32 else x.astype(np.int64)
    total = sum(
        values[:, rows][:, :, columns] * of_row * of_column
        for rows, columns, of_row, of_column in (
            (up, left, one - dy, one - dx),
            (down, left, dy, one - dx),
            (up, right, one - dy, dx),
            (down, right, dy, dx),
        )
    )
    if x.dtype == np.float32:
        return np.asarray(total, np.float32)
    half = np.int64(1 << 19)
    return (np.sign(total) * ((np.abs(total) + half) >> 20)).astype(x.dtype)


def _integers(operator: Operator, there: int, asked: int) -> tuple[Array, Array, Array]:
    """Of each row or column asked for: the one before, the one behind, and how far it is
    from the first."""
    aligned = bool(operator.options["align"]) and asked > 1
    step = (ONE * (there - aligned) + (asked - aligned) // 2) // (asked - aligned)
    at = np.arange(asked, dtype=np.int64) * step
    if operator.options["half_pixel"]:
        at += step // 2 - ONE // 2
    before = np.maximum(at // ONE, 0)
    behind = np.minimum(np.maximum(at + ONE - 1, 0) // ONE, there - 1)
    return before, behind, at - ONE * before


def _floats(operator: Operator, there: int, asked: int) -> tuple[Array, Array, Array]:
    """The same in binary32."""
    aligned = bool(operator.options["align"]) and asked > 1
    step = np.float32(there - aligned) / np.float32(asked - aligned)
    at = np.arange(asked).astype(np.float32)
    if operator.options["half_pixel"]:
        at = (at + np.float32(0.5)) * step - np.float32(0.5)
    else:
        at = at * step
    before = np.clip(np.floor(at), 0, there - 1).astype(np.int64)
    behind = np.clip(np.ceil(at), 0, there - 1).astype(np.int64)
    return before, behind, at - before.astype(np.float32)
