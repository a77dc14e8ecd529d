"""Generalised recirculation by the midpoint method.

W_l += eta (s-_(l-1) + s+_(l-1)) / 2 (s+_l - s-_l), b_l += eta (s+_l - s-_l) (O'Reilly
1996, eq. 4.3). The mean is s- + (s+ - s-) / 2.
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.phases import feedforward, look, promises, shown

__all__ = ["feedforward", "look", "promises", "step"]

_HALF = np.float32(0.5)


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    if not shown(machine, x, t):
        return
    for layer in range(1, machine.depth):
        was, now = machine.trace[f"h{layer}"], machine.trace[f"plus{layer}"]
        machine.note(f"h{layer}", machine.arithmetic.leaked(was, _HALF, now), "mean")
    machine.update(eta)
