"""BATCH_TO_SPACE_ND: image (i, j) of a block becomes the rows and columns that are so far
apart from row i and column j; then what stands around is cut off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, block, less = given
    assert x is not None and block is not None and less is not None
    sizes = [int(n) for n in block]
    images = np.split(x, int(np.prod(sizes)))
    sides = x.shape[1 : 1 + len(sizes)]
    whole = np.zeros(
        (len(images[0]), *np.multiply(sides, sizes), *x.shape[1 + len(sizes) :]),
        x.dtype,
    )
    for image, at in zip(images, np.ndindex(*sizes), strict=True):
        places = (slice(i, None, n) for i, n in zip(at, sizes, strict=True))
        taken = (slice(None), *places)
        whole[taken] = image
    kept = (slice(int(a), whole.shape[k] - int(b)) for k, (a, b) in enumerate(less, 1))
    left = (slice(None), *kept)
    return np.ascontiguousarray(whole[left])
