"""Forward gradient, weights perturbed.

For K directions v of all weights and biases: the loss's derivative along v, jvp =
e . u_L, comes with the forward pass itself (u: `perturbation.slope`, t_l =
phi'(a_l) u_l). Then W -= eta * mean over k of jvp_k v_k, b likewise (Baydin et
al. 2022, arXiv 2202.08587, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from codegen.reference.arithmetic import F32, dot16, fma
from codegen.reference.learner import Learner, Result
from codegen.reference.perturbation import DISTRIBUTIONS, direction, slope


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step; raises `NonFinite`."""
    count = int(learner.rule.parameters["k"])
    slopes = np.empty(count, np.float32)
    a = learner.forward(x)
    result = learner.judge(a, label)
    e = learner.trace["e"]
    if learner.negligible(e):
        return result
    for k in range(count):
        t: F32 | None = None
        for layer, v in directions(learner, k):
            u = slope(learner.state[f"W{layer}"], v, learner.input_of(layer), t)
            t = u
            if layer < learner.depth:
                t = learner.note(f"t{layer}", learner.slope(layer, u))
        assert t is not None
        slopes[k] = dot16(e, t)
        learner.note("jvp", slopes[: k + 1])
    for k in range(count):
        c = -(eta * (slopes[k] / np.float32(count)))
        for layer, v in directions(learner, k):
            w, b = learner.state[f"W{layer}"], learner.state[f"b{layer}"]
            w[...] = fma(c, v[:-1], w)
            b[...] = fma(c, v[-1], b)
    for layer in range(1, learner.depth + 1):
        w, b = learner.state[f"W{layer}"], learner.state[f"b{layer}"]
        learner.changed[layer] = w.size
        learner.clip(w, b)
    return result


def directions(learner: Learner, k: int) -> Iterator[tuple[int, F32]]:
    """(layer, v [n_in + 1, n_out], the biases' row last) of direction k of this
    step, layer by layer."""
    parameters = learner.rule.parameters
    draw = DISTRIBUTIONS[str(parameters["perturbation"])]
    seed = direction(learner.seed, learner.step_number * int(parameters["k"]) + k)
    for layer in range(1, learner.depth + 1):
        n_in, n_out = learner.spec.network.shape(layer)
        yield layer, draw(seed, layer, n_in + 1, n_out)
