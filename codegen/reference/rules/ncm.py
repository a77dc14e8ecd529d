"""Nearest class mean: n_y += 1, mu_y += (x - mu_y) / n_y, b_y = -|mu_y|^2 / 2.

W holds the means, [n_in, classes]. A class without samples has b = -1e30, and costs
what guessing costs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.layers import dense
from codegen.reference.machine import Machine
from codegen.reference.operations import Limits, T
from codegen.spec import Network

UNSEEN = np.float32(-1e30)
_MOST = np.float32(2.0**24)
_LARGEST = np.float32(3e38)


def learning(network: Network) -> range:
    """No layer learns by its delta."""
    return range(0)


def initial(
    network: Network, draw: dense.Draw, parameters: Mapping[str, str | float]
) -> dict[str, F32]:
    """No class has a sample."""
    n, (n_in, n_out) = network.depth, network.shape(network.depth)
    return {
        f"W{n}": np.zeros((n_in, n_out), np.float32),
        f"b{n}": np.full(n_out, UNSEEN),
        "counts": np.zeros(n_out, np.float32),
    }


def held(network: Network, parameters: Mapping[str, str | float]) -> dict[str, Limits]:
    """Offsets of classes, and how often they came."""
    zero = np.float32(0)
    return {f"b{network.depth}": (UNSEEN, zero), "counts": (zero, _MOST)}


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    price(machine, t)
    if not machine.negligible(machine.trace["e"]):
        average(machine, t)


def price(machine: Machine[T], t: T) -> None:
    """The loss of a class that has no mean yet."""
    if machine.arithmetic.unseen(machine.state["counts"], t):
        machine.loss = np.float32(math.log(machine.spec.network.n_out))


def limit_of(machine: Machine[T]) -> np.float32:
    """What means stay within."""
    clip = machine.spec.clip.weights
    return _LARGEST if clip is None else np.float32(clip)


def average(machine: Machine[T], t: T) -> None:
    """The label's mean moves to the sample."""
    n, limit = machine.depth, limit_of(machine)
    state, given = machine.state, machine.input_of(n)
    w, b, seen = machine.arithmetic.averaged(
        state[f"W{n}"], state[f"b{n}"], state["counts"], given, t, limit, UNSEEN
    )
    machine.settle(f"W{n}", w)
    for name, value in ((f"b{n}", b), ("counts", seen)):
        machine.arithmetic.witness(value, name, "class mean")
        state[name] = value
    machine.changed[n] = given.size
