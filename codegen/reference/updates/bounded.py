"""Weights within soft bounds, and the sigmoidal contrast of such weights.

soft: W += g (1 - W / range) where g = -eta x d^T is positive, else g (1 + W / range).
contrast: so moves a linear weight L within -1 and 1, from 0 on, and W = S 2 / (1 + ((1 - u) /
(1 + u))^6), S the first weight and u = sign(S) L. With u = 2 LWt - 1 that is: LWt += g (1 -
LWt) where g is positive, else g LWt, W = SWt 2 / (1 + ((1 - LWt) / LWt)^6), g turned where
SWt is negative (O'Reilly 2026, arXiv 2606.08720; emer/axon). Biases are soft in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.layers import dense
from codegen.reference.operations import Limits, T
from codegen.spec import Network

if TYPE_CHECKING:
    from codegen.reference.machine import Machine

Parameters = Mapping[str, str | float]


def held(network: Network, parameters: Parameters) -> dict[str, Limits]:
    """Limits of all that layers learn; none of plain weights."""
    if parameters["weights"] == "plain":
        return {}
    found, most = {}, np.float32(parameters["range"])
    for layer in range(1, network.depth + 1):
        found[f"b{layer}"] = -most, most
        if parameters["weights"] == "soft":
            found[f"W{layer}"] = -most, most
        else:
            first, one = np.float32(dense.limit(network, layer)), np.float32(1)
            twice = np.float32(2) * first
            found[f"W{layer}"] = -twice, twice
            found[f"L{layer}"], found[f"S{layer}"] = (-one, one), (-first, first)
    return found


def initial(
    network: Network, draw: dense.Draw, parameters: Parameters
) -> dict[str, F32]:
    """L and S, a pair a layer, of a contrast: S is what W is first."""
    found: dict[str, F32] = {}
    if parameters["weights"] != "contrast":
        return found
    for layer in range(1, network.depth + 1):
        found[f"L{layer}"] = np.zeros(network.shape(layer), np.float32)
        found[f"S{layer}"] = dense.initial(network, layer, draw)[0]
    return found


def update(machine: Machine[T], layer: int, eta: np.float32) -> None:
    """One layer's, from its input and delta in the trace, as the rule's `weights` and
    `range` say."""
    most = np.float32(machine.parameters["range"])
    x, d = machine.input_of(layer), machine.delta_of(layer)
    if machine.parameters["weights"] == "soft":
        after, rows = _moved(machine, f"W{layer}", x, d, eta, most)
    else:
        linear, rows = _moved(machine, f"L{layer}", x, d, eta, np.float32(1))
        _keep(machine, f"L{layer}", linear, limited=False)
        after = machine.arithmetic.contrasted(linear, machine.state[f"S{layer}"])
    _keep(machine, f"W{layer}", after)
    machine.changed[layer] = rows * d.size
    arithmetic, name = machine.arithmetic, f"b{layer}"
    one = arithmetic.constant(np.ones(1, np.float32))
    b = arithmetic.stacked([machine.state[name]])
    rate = arithmetic.constant(np.full(1, -eta))
    _keep(machine, name, arithmetic.bounded(b, one, rate, d, most)[0][0])


def _moved(
    machine: Machine[T], name: str, x: T, d: T, eta: np.float32, most: np.float32
) -> tuple[T, int]:
    """A state tensor moved softly by x d^T, and how many rows that wrote."""
    arithmetic = machine.arithmetic
    s = arithmetic.against(eta, x)
    return arithmetic.bounded(machine.state[name], x, s, d, most)


def _keep(machine: Machine[T], name: str, after: T, limited: bool = True) -> None:
    """A state tensor after its update: bounded as it is, and `limited` within the limit
    of weights where there is one."""
    if limited and machine.spec.clip.weights is not None:
        machine.settle(name, after)
        return
    machine.arithmetic.witness(after, name, "update, within its bounds")
    machine.state[name] = after
