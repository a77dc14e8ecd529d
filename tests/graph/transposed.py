"""Models of one TRANSPOSE_CONV."""

from __future__ import annotations

import numpy as np

from .building import Given, model
from .odd import BIASES, WEIGHTS, activation, bias, weights


def transposed(kind: str, padding: int, stride: int, version: int = 3) -> bytes:
    """An image 4 x 5 x 3 with six filters 3 x 2; with a bias where there is padding."""
    x, w = (
        activation(kind, (2, 4, 5, 3)),
        weights((6, 3, 2, 3), 0, WEIGHTS.get(kind, "i8")),
    )
    same = (4 * stride, 5 * stride)
    high, wide = same if padding == 0 else (3 * stride + 3, 4 * stride + 2)
    shape = Given((4,), "i32", data=np.array([2, high, wide, 6], np.int32))
    b = bias(6, BIASES.get(kind, "i32"), w.scales, x)
    given = (shape, w, x, b) if padding == 0 else (shape, w, x)
    told = {"Padding": padding, "StrideH": stride, "StrideW": stride}
    y = activation(kind, (2, high, wide, 6), 0.3)
    return model("TRANSPOSE_CONV", version, given, y, "TransposeConvOptions", told)


TRANSPOSED = {
    f"transposed-{kind}-{padding}-{stride}": transposed(kind, padding, stride)
    for kind in ("i8", "u8", "f32")
    for padding in (0, 1)
    for stride in (1, 2, 4)
    if (padding, stride) != (1, 4)  # whose last rows no window reaches
}
"""Files of one operator, by how it goes."""
