"""Direct feedback alignment: the output error, through fixed random matrices.

d_L = e; d_l = (e B_l) * phi'(a_l), B_l [n_out, n_l] (Nokland 2016,
arXiv 1609.01596, eq. 7).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from codegen.reference import dense, random
from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step; raises `NonFinite`."""
    result = learner.judge(learner.forward(x), label)
    e = learner.trace["e"]
    matrices = _matrices(learner)
    for layer in range(learner.spec.network.depth - 1, 0, -1):
        learner.delta(layer, dense.feedback(matrices[layer - 1], e))
    learner.update(eta)
    return result


def _matrices(learner: Learner) -> tuple[F32, ...]:
    """B_1 .. B_(L-1) of this learner, [n_out, n_l] each."""
    layers, parameters = learner.spec.network.layers, learner.rule.parameters
    if parameters["feedback"] == "signs":
        return _signs(layers, learner.seed, np.float32(parameters["feedback_scale"]))
    return _uniform(layers, learner.spec.seed)


@lru_cache(maxsize=8)
def _signs(layers: tuple[int, ...], seed: int, scale: np.float32) -> tuple[F32, ...]:
    """Every layer begins with a new word of the one stream."""
    *hidden, n_out = layers[1:]
    matrices, word = [], 0
    for width in hidden:
        matrices.append(random.feedback_signs(seed, word, scale, n_out, width))
        word += random.sign_words(n_out * width)
    return tuple(matrices)


@lru_cache(maxsize=8)
def _uniform(layers: tuple[int, ...], seed: int) -> tuple[F32, ...]:
    *hidden, n_out = layers[1:]
    return tuple(
        random.feedback_uniform(seed, layer, n_out, width)
        for layer, width in enumerate(hidden, start=1)
    )
