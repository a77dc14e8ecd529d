"""Forward gradient, weights perturbed.

For K directions v of all weights and biases: the loss's derivative along v, jvp =
e . u_L, comes with the forward pass itself (u: `dense.derivative`, t_l =
phi'(a_l) u_l). Then W -= eta * mean over k of jvp_k v_k, b likewise (Baydin et
al. 2022, arXiv 2202.08587, algorithm 1).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    e, slopes = machine.trace["e"], []
    if machine.negligible(e):
        return
    count, depth = int(machine.parameters["k"]), machine.depth
    for k in range(count):
        tangent: T | None = None
        for layer in range(1, depth):
            moved = machine.derivative(layer, direction(machine, k, layer), tangent)
            tangent = machine.tangent(layer, moved)
        top = machine.derivative(depth, direction(machine, k, depth), tangent)
        slopes.append(machine.arithmetic.dot(e, top))
        jvp = machine.jvp("jvp", slopes)
    c = machine.arithmetic.against(eta, machine.arithmetic.shared(jvp, count))
    for layer in range(1, depth + 1):
        move(machine, layer, c)


def direction(machine: Machine[T], k: int, layer: int) -> T:
    """v [n_in + 1, n_out] of a layer in direction k of this step, the biases' row
    last."""
    n_in, n_out = machine.spec.network.shape(layer)
    return machine.drawn(k, layer, n_in + 1, n_out)


def move(machine: Machine[T], layer: int, c: T) -> None:
    """A layer's weights and biases along each direction k, by c_k: one fma each."""
    w, b = machine.state[f"W{layer}"], machine.state[f"b{layer}"]
    for k in range(c.size):
        v = direction(machine, k, layer)
        w = machine.arithmetic.moved(w, c[k], v[:-1])
        b = machine.arithmetic.moved(b, c[k], v[-1])
    machine.changed[layer] = w.size
    machine.settle(f"W{layer}", w)
    machine.settle(f"b{layer}", b)
