"""Local losses: a read-out a layer, whose error is the layer's alone.

e_l = output(h_l R_l) - t; d_l = (R_l e_l) * phi'(a_l), with the read-out before
its own update R_l -= eta h_l^T e_l, which has no bias. Each layer is updated as
soon as it has been computed (Nokland and Eidnes 2019, arXiv 1901.06656).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from codegen import streams
from codegen.reference.layers import dense
from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.updates import rank_one
from codegen.spec import Network


def initial(
    network: Network, draw: dense.Draw, parameters: Mapping[str, str | float]
) -> dict[str, Any]:
    """R_l [n_l, outputs], uniform within Glorot's limit."""
    found = {}
    for layer in range(1, network.depth):
        shape = (network.layers[layer], network.n_out)
        limit = math.sqrt(6.0 / sum(shape))
        found[f"R{layer}"] = draw(streams.readout(layer), limit, shape)
    return found


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`, and then layers below have changed."""
    machine.begin(x)
    for layer in range(1, machine.depth):
        e = local_error(machine, layer, t)
        if machine.negligible(e):
            continue
        machine.delta(layer, machine.backward(f"R{layer}", e))
        machine.update_layer(layer, eta)
        learn_readout(machine, layer, e, eta)
    finish(machine, t, eta)


def local_error(machine: Machine[T], layer: int, t: T) -> T:
    """The error of a hidden layer's read-out, and the layer itself before."""
    h = machine.hidden(layer)
    a = machine.project(machine.state[f"R{layer}"], h)
    return machine.judge_readout(layer, a, t)


def learn_readout(machine: Machine[T], layer: int, e: T, eta: np.float32) -> None:
    """A read-out's own rank-1 update, without biases."""
    h = machine.trace[f"h{layer}"]
    rank_one.moved(machine, f"R{layer}", h, machine.arithmetic.against(eta, h), e)


def finish(machine: Machine[T], t: T, eta: np.float32) -> None:
    """The output layer, whose read-out it is itself."""
    machine.judge(machine.top(), t)
    if not machine.negligible(machine.trace["e"]):
        machine.update_layer(machine.depth, eta)
