"""Fixed random feedback: the matrices that bring something down to hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from codegen.reference import random
from codegen.reference.arithmetic import F32
from codegen.reference.machine import Machine

Shapes: TypeAlias = tuple[tuple[int, int], ...]
"""(rows, width) of the matrix of each hidden layer 1 .. L-1."""


def drawn_from(
    machine: Machine[Any], rows: Sequence[int]
) -> tuple[Shapes, int, np.float32 | None]:
    """What fixes a machine's matrices, which have so many rows: what `matrices` takes.

    Signs come from the machine's seed; uniform matrices lie in the image, so they come
    from the spec's seed.
    """
    shapes = tuple(zip(rows, machine.spec.network.layers[1:-1], strict=True))
    if machine.parameters["feedback"] == "signs":
        scale = np.float32(machine.parameters["feedback_scale"])
        return shapes, machine.seed, scale
    return shapes, machine.spec.seed, None


@lru_cache(maxsize=8)
def matrices(shapes: Shapes, seed: int, scale: np.float32 | None) -> tuple[F32, ...]:
    """B of each hidden layer, of signs where there is a `scale`: each layer's begin
    with a new word of the one stream."""
    if scale is None:
        return tuple(
            random.feedback_uniform(seed, layer, rows, width)
            for layer, (rows, width) in enumerate(shapes, start=1)
        )
    found, word = [], 0
    for rows, width in shapes:
        found.append(random.feedback_signs(seed, word, scale, rows, width))
        word += random.sign_words(rows * width)
    return tuple(found)
