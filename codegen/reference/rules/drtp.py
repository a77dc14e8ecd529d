"""Direct random target projection: the target, through fixed random matrices.

d_L = e; d_l = -(t B_l) * phi'(a_l), t one-hot for a label, and each layer is updated as soon
as it has been computed (Frenkel, Lefebvre and Bol 2021, Front. Neurosci. 15,
eq. 4).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.rules.dfa import matrices


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`, and then layers below have changed."""
    machine.begin(x)
    arithmetic, (matrix, ends) = machine.arithmetic, matrices(machine)
    against = arithmetic.negated(t)
    for layer in range(1, machine.depth):
        machine.hidden(layer)
        columns = arithmetic.constant(matrix[:, ends[layer - 1] : ends[layer]])
        machine.delta(layer, machine.project(columns, against))
        machine.update_layer(layer, eta)
    machine.judge(machine.top(), t)
    machine.update_layer(machine.depth, eta)
