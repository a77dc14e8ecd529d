"""Forward gradient, activities perturbed.

For K directions u of the hidden pre-activations: t_1 = phi'(a_1) u_1, t_l =
phi'(a_l) (u_l + t_(l-1) W_l), jvp = e . (t_(L-1) W_L), the output layer not being
perturbed; d_l = mean over k of jvp_k u_k,l, dead relu units left out; d_L = e
(Ren, Kornblith, Liao and Hinton 2022, arXiv 2210.03310, eq. 3).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    machine.judge(machine.forward(x), t)
    e, depth = machine.trace["e"], machine.depth
    if machine.negligible(e):
        return
    if depth > 1:
        along = {layer: directions(machine, layer) for layer in range(1, depth)}
        slopes = []
        for k in range(len(along[1])):
            tangent = machine.tangent(1, along[1][k])
            for layer in range(2, depth):
                moved = machine.affine(layer, along[layer][k], tangent)
                tangent = machine.tangent(layer, moved)
            follows = machine.project(machine.state[f"W{depth}"], tangent)
            top = machine.arithmetic.stored(follows)
            slopes.append(machine.arithmetic.dot(e, top))
            jvp = machine.jvp("jvp", slopes)
        for layer in range(depth - 1, 0, -1):
            mean_along(machine, layer, along[layer], jvp)
    machine.update(eta)


def directions(machine: Machine[T], layer: int) -> list[T]:
    """u_k [n_l] of this step's K directions."""
    count, width = int(machine.parameters["k"]), machine.spec.network.layers[layer]
    return [machine.drawn(k, layer, 1, width)[0] for k in range(count)]


def mean_along(machine: Machine[T], layer: int, along: list[T], jvp: T) -> None:
    """d_l, the mean over k of jvp_k u_k, by the square of a direction's elements; 0 where
    a relu is. It enters the trace.

    From +0 on, d_l = fma(fl(jvp_k / K), u_k, d_l).
    """
    arithmetic = machine.arithmetic
    each = arithmetic.shared(jvp, len(along) * arithmetic.square())
    summed = arithmetic.chain(None, (each, arithmetic.stacked(along)))
    delta = arithmetic.stored(summed)
    if machine.spec.network.activation == "relu":
        machine.delta(layer, delta)
    else:
        machine.note(f"d{layer}", delta, "delta")
