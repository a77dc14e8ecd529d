"""Feedback alignment: backpropagation through fixed random matrices.

d_L = e; d_l = (B_(l+1) d_(l+1)) * phi'(a_l), B_(l+1) of W_(l+1)'s shape, here output
by output, [n_(l+1), n_l] (Lillicrap, Cownden, Tweed and Akerman 2016, arXiv 1411.0247,
eq. 3).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from codegen.reference import random
from codegen.reference.arithmetic import F32
from codegen.reference.machine import Machine
from codegen.reference.operations import T


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    d = machine.trace["e"]
    if machine.negligible(d):
        return
    layers, parameters = machine.spec.network.layers, machine.parameters
    if parameters["feedback"] == "signs":
        scale = np.float32(parameters["feedback_scale"])
        matrices = _signs(layers, machine.seed, scale)
    else:
        matrices = _uniform(layers, machine.spec.seed)
    for layer in range(machine.depth - 1, 0, -1):
        matrix = machine.arithmetic.constant(matrices[layer - 1])
        d = machine.delta(layer, machine.project(matrix, d))
    machine.update(eta)


@lru_cache(maxsize=8)
def _signs(layers: tuple[int, ...], seed: int, scale: np.float32) -> list[F32]:
    """B_2 .. B_L. Every layer begins with a new word of the one stream."""
    matrices, word = [], 0
    for width, above in pairwise(layers[1:]):
        matrices.append(random.feedback_signs(seed, word, scale, above, width))
        word += random.sign_words(above * width)
    return matrices


@lru_cache(maxsize=8)
def _uniform(layers: tuple[int, ...], seed: int) -> list[F32]:
    """B_2 .. B_L."""
    pairs = enumerate(pairwise(layers[1:]), start=1)
    return [
        random.feedback_uniform(seed, n, above, width) for n, (width, above) in pairs
    ]
