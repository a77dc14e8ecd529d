"""Forward gradient of local losses: each layer perturbs its own pre-activations.

For K directions u: jvp = e_l . ((phi'(a_l) u) R_l); d_l = mean of jvp u, dead relu
units left out (Ren, Kornblith, Liao and Hinton 2022, arXiv 2210.03310).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.rules import local
from codegen.reference.rules.fg_activity import directions, mean_along

initial = local.initial


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`, and then layers below have changed."""
    machine.begin(x)
    for layer in range(1, machine.depth):
        e = local.local_error(machine, layer, t)
        if machine.negligible(e):
            continue
        along, slopes = directions(machine, layer), []
        for u in along:
            tangent = machine.tangent(layer, u)
            moved = machine.project(machine.state[f"R{layer}"], tangent)
            follows = machine.arithmetic.stored(moved)
            slopes.append(machine.arithmetic.dot(e, follows))
            jvp = machine.jvp(f"jvp{layer}", slopes)
        mean_along(machine, layer, along, jvp)
        machine.update_layer(layer, eta)
        local.learn_readout(machine, layer, e, eta)
    local.finish(machine, t, eta)
