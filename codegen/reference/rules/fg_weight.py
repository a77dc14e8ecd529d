"""Forward gradient, weights perturbed.

For K directions v of all weights and biases: the loss's derivative along v, jvp =
e . u_L, comes with the forward pass itself (u: `perturbation.slope`, t_l =
phi'(a_l) u_l). Then W -= eta * mean over k of jvp_k v_k, b likewise (Baydin et
al. 2022, arXiv 2202.08587, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step; raises `NonFinite`."""
    count = int(learner.rule.parameters["k"])
    result = learner.judge(learner.forward(x), label)
    e = learner.trace["e"]
    if learner.negligible(e):
        return result
    slopes = []
    for k in range(count):
        t: F32 | None = None
        for layer, v in directions(learner, k):
            t = learner.derivative(layer, v, t)
            if layer < learner.depth:
                t = learner.note(f"t{layer}", learner.slope(layer, t))
        assert t is not None
        slopes.append(learner.dot(e, t))
        jvp = learner.numbers("jvp", slopes)
    for k in range(count):
        c = -(eta * (jvp[k] / np.float32(count)))
        for layer, v in directions(learner, k):
            learner.move(layer, c, v)
    for layer in range(1, learner.depth + 1):
        learner.finish(layer)
    return result


def directions(learner: Learner, k: int) -> Iterator[tuple[int, F32]]:
    """(layer, v [n_in + 1, n_out], the biases' row last) of direction k of this
    step, layer by layer."""
    for layer in range(1, learner.depth + 1):
        n_in, n_out = learner.spec.network.shape(layer)
        yield layer, learner.drawn(k, layer, n_in + 1, n_out)
