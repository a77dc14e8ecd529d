"""Feedback alignment: backpropagation through fixed random matrices.

d_L = e; d_l = (B_(l+1) d_(l+1)) * phi'(a_l), B_(l+1) of W_(l+1)'s shape, here output
by output, [n_(l+1), n_l] (Lillicrap, Cownden, Tweed and Akerman 2016, arXiv 1411.0247,
eq. 3).
"""

from __future__ import annotations

import numpy as np

from codegen.reference import feedback
from codegen.reference.machine import Machine
from codegen.reference.operations import T


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    d = machine.trace["e"]
    if machine.negligible(d):
        return
    rows = machine.spec.network.layers[2:]
    matrices = feedback.matrices(*feedback.drawn_from(machine, rows))
    for layer in range(machine.depth - 1, 0, -1):
        matrix = machine.arithmetic.constant(matrices[layer - 1])
        d = machine.delta(layer, machine.project(matrix, d))
    machine.update(eta)
