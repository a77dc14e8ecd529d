"""The rank-1 update: W -= eta x d^T, b -= eta d, of one sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from codegen.reference.operations import T

if TYPE_CHECKING:
    from codegen.reference.machine import Machine


def update(machine: Machine[T], layer: int, eta: np.float32) -> None:
    """W[i] = fma(-(eta x_i), d, W[i]), b = fma(-eta, d, b).

    eta x_i is rounded once. Rows whose input is zero are not touched.
    """
    arithmetic, state = machine.arithmetic, machine.state
    x, d = machine.input_of(layer), machine.delta_of(layer)
    s = arithmetic.against(eta, x)
    arithmetic.witness(s, f"s{layer}", "-(eta x)")
    machine.changed[layer] = moved(machine, f"W{layer}", x, s, d) * d.size
    rate = arithmetic.constant(-eta)
    machine.settle(f"b{layer}", arithmetic.moved(state[f"b{layer}"], rate, d))


def moved(machine: Machine[T], name: str, x: T, s: T, d: T) -> int:
    """The state tensor `name` after s d^T; returns how many rows that wrote."""
    after, rows = machine.arithmetic.outer(machine.state[name], x, s, d)
    machine.settle(name, after)
    return rows
