"""RESIZE_NEAREST_NEIGHBOR: where a pixel of the output lies in the image, in binary32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, size = given
    assert x is not None and size is not None
    rows = _places(operator, x.shape[1], int(size[0]))
    return x[:, rows][:, :, _places(operator, x.shape[2], int(size[1]))]


def _places(operator: Operator, there: int, asked: int) -> Array:
    """Of each row or column asked for, the one that is there."""
    align, half = operator.options["align"], operator.options["half_pixel"]
    aligned = align and asked > 1
    step = np.float32(there - 1 if aligned else there)
    step = np.float32(step / np.float32(asked - 1 if aligned else asked))
    at = (np.arange(asked).astype(np.float32) + np.float32(0.5 if half else 0)) * step
    near = np.floor(at + np.float32(0.5)) if align else np.floor(at)
    return np.clip(near, 0, there - 1).astype(np.int64)
