"""Streaming linear discriminant analysis, with the sample's distance d from its class's mean:

S += (n_y / (n_y + 1) d d^T - S) / (t + 1), mu_y += d / (n_y + 1), w_c = Lambda mu_c and
b_c = -mu_c . w_c / 2, Lambda the inverse of S that is shrunk towards its mean variance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.layers import dense
from codegen.reference.machine import Machine
from codegen.reference.operations import Limits, T
from codegen.reference.rules import ncm
from codegen.reference.rules.ncm import learning
from codegen.spec import Network

__all__ = ["held", "initial", "learning", "step"]

Parameters = Mapping[str, str | float]
_MOST = np.float32(2.0**24)


def initial(
    network: Network, draw: dense.Draw, parameters: Parameters
) -> dict[str, F32]:
    """No class has a sample."""
    n_in, n_out = network.shape(network.depth)
    found = ncm.initial(network, draw, parameters)
    counts = found.pop("counts")
    return {
        **found,
        "total": np.zeros(1, np.float32),
        "counts": counts,
        "cov": np.zeros(n_in * (n_in + 1) // 2, np.float32),
        "means": np.zeros((n_in, n_out), np.float32),
    }


def held(network: Network, parameters: Parameters) -> dict[str, Limits]:
    """Offsets of classes, and how many samples came."""
    return {**ncm.held(network, parameters), "total": (np.float32(0), _MOST)}


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    ncm.price(machine, t)
    if not machine.negligible(machine.trace["e"]):
        _learn(machine, t)


def _learn(machine: Machine[T], t: T) -> None:
    n, limit = machine.depth, ncm.limit_of(machine)
    state, arithmetic, given = machine.state, machine.arithmetic, machine.input_of(n)
    state["total"], spread = arithmetic.scattered(
        state["cov"],
        state["means"],
        state["counts"],
        state["total"],
        given,
        t,
        limit,
    )
    means, _, seen = arithmetic.averaged(
        state["means"], state[f"b{n}"], state["counts"], given, t, limit, ncm.UNSEEN
    )
    machine.settle("cov", spread)
    machine.settle("means", means)
    w, b = arithmetic.discriminant(
        state["cov"], state["means"], seen,
        np.float32(machine.parameters["shrinkage"]), limit, ncm.UNSEEN,
    )  # fmt: skip
    machine.settle(f"W{n}", w)
    for name, value in ((f"b{n}", b), ("counts", seen), ("total", state["total"])):
        arithmetic.witness(value, name, "discriminant")
        state[name] = value
    machine.changed[n] = w.size
