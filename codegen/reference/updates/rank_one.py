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
    learned(machine, layer, machine.input_of(layer), machine.delta_of(layer), eta)


def learned(machine: Machine[T], layer: int, x: T, d: T, eta: np.float32) -> None:
    """The same of any input and delta."""
    arithmetic = machine.arithmetic
    s = arithmetic.against(eta, x)
    arithmetic.witness(s, f"s{layer}", "-(eta x)")
    machine.changed[layer] = moved(machine, f"W{layer}", x, s, d)
    biases_moved(machine, layer, d, eta)


def biases_moved(machine: Machine[T], layer: int, d: T, eta: np.float32) -> None:
    """b = fma(-eta, d, b)."""
    arithmetic, name = machine.arithmetic, f"b{layer}"
    rate = arithmetic.constant(-eta)
    machine.settle(name, arithmetic.moved(machine.state[name], rate, d))


def contrasted(
    machine: Machine[T],
    layer: int,
    less: tuple[T, T],
    more: tuple[T, T],
    eta: np.float32,
) -> None:
    """W[i] = fma(-(eta x_i), d, W[i]) of `less` = (x, d), then W[i] = fma(eta y_i, c, W[i])
    of `more` = (y, c), either left out where x_i, or y_i, is zero."""
    arithmetic, name = machine.arithmetic, f"W{layer}"
    (x, d), (y, c) = less, more
    after, written = arithmetic.outer(
        machine.state[name], x, arithmetic.against(eta, x), d
    )
    towards = arithmetic.negated(arithmetic.against(eta, y))
    after, others = arithmetic.outer(after, y, towards, c)
    machine.changed[layer] = max(written, others)
    machine.settle(name, after)


def moved(machine: Machine[T], name: str, x: T, s: T, d: T) -> int:
    """The state tensor `name` after s d^T; returns how many weights that wrote."""
    after, written = machine.arithmetic.outer(machine.state[name], x, s, d)
    machine.settle(name, after)
    return written
