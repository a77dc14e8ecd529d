"""Backpropagation: the exact gradient, for comparison.

d_L = e; d_l = (W_(l+1) d_(l+1)) * phi'(a_l), with the weights before the step
(Rumelhart, Hinton and Williams 1986).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step of stochastic gradient descent; raises `NonFinite`."""
    result = learner.judge(learner.forward(x), label)
    d = learner.trace["e"]
    if learner.negligible(d):
        return result
    for layer in range(learner.depth - 1, 0, -1):
        u = learner.backward(f"W{layer + 1}", d)
        d = learner.delta(layer, u)
    learner.update(eta)
    return result
