"""Only the output layer learns, from its error, on what random layers make of x."""

from __future__ import annotations

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step; raises `NonFinite`."""
    result = learner.judge(learner.forward(x), label)
    if not learner.negligible(learner.trace["e"]):
        learner.update_layer(learner.depth, eta)
    return result
