"""Contrastive Hebbian learning.

W_l += eta (s+_(l-1) s+_l - s-_(l-1) s-_l), b_l += eta (s+_l - s-_l), s_0 = x in both phases
(Movellan 1991; O'Reilly 1996, eq. 4.4).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.phases import feedforward, look, promises, shown
from codegen.reference.updates import rank_one

__all__ = ["feedforward", "look", "promises", "step"]


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    if not shown(machine, x, t):
        return
    machine.update_layer(1, eta)
    trace = machine.trace
    for layer in range(2, machine.depth + 1):
        minus = machine.input_of(layer), trace.get(f"h{layer}", trace["p"])
        plus = trace[f"plus{layer - 1}"], trace[f"plus{layer}"]
        rank_one.contrasted(machine, layer, minus, plus, eta)
        rank_one.biases_moved(machine, layer, machine.delta_of(layer), eta)
