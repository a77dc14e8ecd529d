"""Direct random target projection: the label, through fixed random matrices.

d_L = e; d_l = -(t B_l) * phi'(a_l), t one-hot, and each layer is updated as soon
as it has been computed (Frenkel, Lefebvre and Bol 2021, Front. Neurosci. 15,
eq. 4).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result
from codegen.reference.rules.dfa import matrices


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step; raises `NonFinite`, and then layers below have changed."""
    learner.begin(x)
    t = np.zeros(learner.spec.network.n_out, np.float32)
    t[label] = -1
    matrix, ends = matrices(learner)
    for layer in range(1, learner.depth):
        learner.hidden(layer)
        columns = matrix[:, ends[layer - 1] : ends[layer]]
        learner.delta(layer, learner.project(columns, t))
        learner.update_layer(layer, eta)
    result = learner.judge(learner.top(), label)
    learner.update_layer(learner.depth, eta)
    return result
