"""Direct feedback alignment: the output error, through fixed random matrices.

d_L = e; d_l = (e B_l) * phi'(a_l), B_l [n_out, n_l] (Nokland 2016,
arXiv 1609.01596, eq. 7).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np

from codegen.reference import random
from codegen.reference.arithmetic import F32
from codegen.reference.machine import Machine
from codegen.reference.operations import T

Feedback: TypeAlias = tuple[F32, tuple[int, ...]]
"""Matrices side by side, and where each ends."""


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    e = machine.trace["e"]
    if machine.negligible(e):
        return
    if machine.parameters["error"] == "ternary" and machine.depth > 1:
        threshold = np.float32(machine.parameters["threshold"])
        e = machine.note("q", machine.arithmetic.ternary(e, threshold), "ternary")
    matrix, ends = matrices(machine)
    u = machine.project(machine.arithmetic.constant(matrix), e)
    for layer in range(machine.depth - 1, 0, -1):
        machine.delta(layer, u[ends[layer - 1] : ends[layer]])
    machine.update(eta)


def matrices(machine: Machine[Any]) -> Feedback:
    """B_1 .. B_(L-1) of this machine side by side, [n_out, n_1 + n_2 + ...], so
    that one chain serves all; layer l's columns are ends[l - 1] .. ends[l] - 1."""
    layers, parameters = machine.spec.network.layers, machine.parameters
    if parameters["feedback"] == "signs":
        scale = np.float32(parameters["feedback_scale"])
        return _signs(layers, machine.seed, scale)
    return _uniform(layers, machine.spec.seed)


@lru_cache(maxsize=8)
def _signs(layers: tuple[int, ...], seed: int, scale: np.float32) -> Feedback:
    """Every layer begins with a new word of the one stream."""
    *hidden, n_out = layers[1:]
    matrices, word = [], 0
    for width in hidden:
        matrices.append(random.feedback_signs(seed, word, scale, n_out, width))
        word += random.sign_words(n_out * width)
    return _side_by_side(matrices, n_out)


@lru_cache(maxsize=8)
def _uniform(layers: tuple[int, ...], seed: int) -> Feedback:
    *hidden, n_out = layers[1:]
    matrices = [
        random.feedback_uniform(seed, layer, n_out, width)
        for layer, width in enumerate(hidden, start=1)
    ]
    return _side_by_side(matrices, n_out)


def _side_by_side(matrices: list[F32], n_out: int) -> Feedback:
    none = np.empty((n_out, 0), dtype=np.float32)  # a network without hidden layers
    ends = accumulate((matrix.shape[1] for matrix in matrices), initial=0)
    return np.concatenate([none, *matrices], axis=1), tuple(ends)
