"""Forward gradient, activities perturbed.

For K directions u of the hidden pre-activations: t_1 = phi'(a_1) u_1, t_l =
phi'(a_l) (u_l + t_(l-1) W_l), jvp = e . (t_(L-1) W_L), the output layer not being
perturbed; d_l = mean over k of jvp_k u_k,l, dead relu units left out; d_L = e
(Ren, Kornblith, Liao and Hinton 2022, arXiv 2210.03310, eq. 3).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step; raises `NonFinite`."""
    result = learner.judge(learner.forward(x), label)
    e, depth = learner.trace["e"], learner.depth
    if learner.negligible(e):
        return result
    if depth > 1:
        along = {layer: directions(learner, layer) for layer in range(1, depth)}
        slopes = []
        for k in range(len(along[1])):
            t = learner.note("t1", learner.slope(1, along[1][k]))
            for layer in range(2, depth):
                moved = learner.affine(layer, along[layer][k], t)
                t = learner.note(f"t{layer}", learner.slope(layer, moved))
            top = learner.project(learner.state[f"W{depth}"], t)
            slopes.append(learner.dot(e, top))
            jvp = learner.numbers("jvp", slopes)
        for layer in range(depth - 1, 0, -1):
            mean_along(learner, layer, along[layer], jvp)
    learner.update(eta)
    return result


def directions(learner: Learner, layer: int) -> list[F32]:
    """u_k [n_l] of this step's K directions."""
    count, width = int(learner.rule.parameters["k"]), learner.spec.network.layers[layer]
    return [learner.drawn(k, layer, 1, width)[0] for k in range(count)]


def mean_along(learner: Learner, layer: int, along: list[F32], jvp: F32) -> F32:
    """d_l, the mean over k of jvp_k u_k, entered in the trace; 0 where a relu is."""
    delta = learner.mean_along(along, jvp)
    if learner.spec.network.activation == "relu":
        return learner.delta(layer, delta)
    return learner.note(f"d{layer}", delta)
