"""Only the output layer learns, from its error, on what random layers make of x."""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.spec import Network


def learning(network: Network) -> range:
    """The output layer."""
    return range(network.depth, network.depth + 1)


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    if not machine.negligible(machine.trace["e"]):
        machine.update_layer(machine.depth, eta)
