"""A single dense layer's update, by the machine that learns with it."""

from __future__ import annotations

import numpy as np

from codegen.reference.float32 import FLOAT32
from codegen.reference.machine import Machine
from codegen.spec import Network, RuleChoice, Spec


def rank_one(
    w: np.ndarray, b: np.ndarray, x: np.ndarray, d: np.ndarray, eta: np.float32
) -> None:
    """W [n_in, n_out] and b [n_out] in place after one update from x and d."""
    machine = Machine(Spec(Network(w.shape), RuleChoice("bp")), FLOAT32)
    machine.state, machine.trace = {"W1": w, "b1": b}, {"x": x, "e": d}
    with np.errstate(all="ignore"):
        machine.update(eta)
