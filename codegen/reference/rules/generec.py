"""Generalised recirculation.

W_l += eta s-_(l-1) (s+_l - s-_l), b_l += eta (s+_l - s-_l), s_0 = x (O'Reilly 1996, eq. 2.13).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.phases import feedforward, look, promises, shown

__all__ = ["feedforward", "look", "promises", "step"]


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    if shown(machine, x, t):
        machine.update(eta)
