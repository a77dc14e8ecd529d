"""Forward gradient of local losses: each layer perturbs its own pre-activations.

For K directions u: jvp = e_l . ((phi'(a_l) u) R_l); d_l = mean of jvp u, dead relu
units left out (Ren, Kornblith, Liao and Hinton 2022, arXiv 2210.03310).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result
from codegen.reference.rules import local
from codegen.reference.rules.fg_activity import directions, mean_along

initial = local.initial


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step; raises `NonFinite`, and then layers below have changed."""
    learner.begin(x)
    for layer in range(1, learner.depth):
        e = local.local_error(learner, layer, label)
        if learner.negligible(e):
            continue
        along = directions(learner, layer)
        slopes = []
        for u in along:
            t = learner.note(f"t{layer}", learner.slope(layer, u))
            moved = learner.project(learner.state[f"R{layer}"], t)
            slopes.append(learner.dot(e, moved))
            jvp = learner.numbers(f"jvp{layer}", slopes)
        mean_along(learner, layer, along, jvp)
        learner.update_layer(layer, eta)
        learner.learn_readout(layer, e, eta)
    return local.judged(learner, label, eta)
