"""The rank-1 update behind a gate of rows, blocks or elements (docs/gates.md).

What passes is at least as large as the layer's threshold in the state tensor "tau",
which a controller of an active fraction moves at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from codegen.reference import gates
from codegen.reference.arithmetic import F32

if TYPE_CHECKING:
    from codegen.reference.machine import Machine


def update(machine: Machine[F32], layer: int, eta: np.float32) -> None:
    """`rank_one.update` of what passes; biases are never gated."""
    gate, state, tau = machine.spec.gate, machine.state, machine.state["tau"]
    w, b = state[f"W{layer}"], state[f"b{layer}"]
    x, d = machine.input_of(layer), machine.delta_of(layer)
    part, whole = gates.update(w, b, x, d, eta, tau[layer - 1], gate)
    if gate.active is not None:
        set_point = np.float32(gate.active)
        tau[layer - 1] = gates.controlled(tau[layer - 1], part, whole, set_point)
    machine.changed[layer] = part * (1 if gate.masked else d.size)
    machine.settle(f"W{layer}", w)
    machine.settle(f"b{layer}", b)
