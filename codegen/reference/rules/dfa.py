"""Direct feedback alignment: the output error, through fixed random matrices.

d_L = e; d_l = (e B_l) * phi'(a_l), B_l [n_out, n_l] (Nokland 2016,
arXiv 1609.01596, eq. 7).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np

from codegen.reference import feedback
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
    n_out = machine.spec.network.n_out
    rows = [n_out] * (machine.depth - 1)
    return _side_by_side(n_out, *feedback.drawn_from(machine, rows))


@lru_cache(maxsize=8)
def _side_by_side(
    n_out: int, shapes: feedback.Shapes, seed: int, scale: np.float32 | None
) -> Feedback:
    none = np.empty((n_out, 0), dtype=np.float32)  # a network without hidden layers
    ends = accumulate((width for _, width in shapes), initial=0)
    found = feedback.matrices(shapes, seed, scale)
    return np.concatenate([none, *found], axis=1), tuple(ends)
