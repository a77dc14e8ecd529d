"""Momentum: velocities V of the weights and vb of the biases, which gradients nudge.

V = mu V + x d^T, W -= eta V; vb = mu vb + d, b -= eta vb (Polyak 1964, in the form of
Sutskever, Martens, Dahl and Hinton 2013, without look-ahead).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.operations import T
from codegen.spec import Network

if TYPE_CHECKING:
    from codegen.reference.machine import Machine


def initial(network: Network, layers: Iterable[int]) -> dict[str, F32]:
    """Every velocity of these layers is 0 at first."""
    found = {}
    for layer in layers:
        found[f"V{layer}"] = np.zeros(network.shape(layer), np.float32)
        found[f"vb{layer}"] = np.zeros(network.shape(layer)[1:], np.float32)
    return found


def update(machine: Machine[T], layer: int, eta: np.float32) -> None:
    """V = fma(mu, V, fl(x_i d_j)), W = fma(-eta, V, W); vb = fma(mu, vb, d), b =
    fma(-eta, vb, b). Every weight moves, that of an input of zero too."""
    x, d = machine.input_of(layer), machine.delta_of(layer)
    gradient = machine.arithmetic.product(x, d)
    _moved(machine, f"W{layer}", f"V{layer}", gradient, eta)
    _moved(machine, f"b{layer}", f"vb{layer}", d, eta)
    machine.changed[layer] = x.size * d.size


def _moved(
    machine: Machine[T], name: str, velocity: str, gradient: T, eta: np.float32
) -> None:
    arithmetic, mu = machine.arithmetic, np.float32(machine.spec.update.momentum)
    v = arithmetic.decayed(machine.state[velocity], mu, gradient)
    arithmetic.witness(v, velocity, "velocity")
    machine.state[velocity] = v
    rate = arithmetic.constant(-eta)
    machine.settle(name, arithmetic.moved(machine.state[name], rate, v))
