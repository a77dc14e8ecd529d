"""Backpropagation: the exact gradient, for comparison.

d_L = e; d_l = (W_(l+1) d_(l+1)) * phi'(a_l), with the weights before the step
(Rumelhart, Hinton and Williams 1986).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step of stochastic gradient descent; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    d = machine.trace["e"]
    if machine.negligible(d):
        return
    for layer in range(machine.depth - 1, 0, -1):
        u = machine.backward(f"W{layer + 1}", d)
        d = machine.delta(layer, u)
    machine.update(eta)
