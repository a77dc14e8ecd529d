"""SPACE_TO_BATCH_ND: image (i, j) of a block has every row and column that is so far apart
from row i and column j of the image with zeros around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, block, more = given
    assert x is not None and block is not None and more is not None
    sides = [(0, 0), *(tuple(one) for one in more), (0, 0)]
    zero = 0 if x.dtype == np.float32 else node.zero(operator.inputs[0])
    wider = np.pad(x, sides, constant_values=zero)
    every = []
    for at in np.ndindex(*(int(n) for n in block)):
        places = (slice(i, None, n) for i, n in zip(at, block, strict=True))
        taken = (slice(None), *places)
        every.append(wider[taken])
    return np.concatenate(every)
