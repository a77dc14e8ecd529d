"""Networks that settle: the cycles of sigmoid units, from the equations.

s_l <- s_l + dt (sigma(W_l^T s_(l-1) + b_l + f W_(l+1) s_(l+1)) - s_l), layer by layer from
the input on, in place: a layer sees the layer below as it is now, and the one above as it
was. s_0 = x is clamped (O'Reilly 1996; docs/arithmetic.md, section 6).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.traces import Trace


class Settling(Generic[T]):
    """A machine's units, settling with its rule's `dt` and `strength`.

    `states` are those of layers 1..L, by layer. `name` says what they are called, in the
    trace and where one is to blame for a value that is not finite.
    """

    def __init__(self, machine: Machine[T], x: T, start: float) -> None:
        """Every unit at `start`."""
        self.machine = machine
        layers = machine.spec.network.layers
        self.rate = np.float32(machine.parameters["dt"])
        self.strength = np.float32(machine.parameters["strength"])
        self.base = machine.affine(1, machine.state["b1"], x)
        self.trace = Trace(machine)
        self.states: dict[int, T] = {
            layer: machine.arithmetic.constant(np.full(width, start, np.float32))
            for layer, width in enumerate(layers[1:], start=1)
        }

    def cycle(self, phase: str, moving: int) -> None:
        """One cycle of layers 1..`moving`; raises `NonFinite`."""
        for layer in range(1, moving + 1):
            self.states[layer] = self._moved(phase, layer)
        for layer, s in self.states.items():
            self.trace.add(f"trace{layer}", s)

    def _moved(self, phase: str, layer: int) -> T:
        machine, s = self.machine, self.states[layer]
        drive = self.drive(layer)
        blamed = name(machine, phase, layer)
        machine.arithmetic.witness(
            drive, f"drive{layer}", "forward and feedback", blamed
        )
        goal = machine.arithmetic.value("sigmoid", drive)
        return machine.arithmetic.leaked(s, self.rate, goal)

    def drive(self, layer: int) -> T:
        """v = b + s W from below, and f W s from above."""
        machine, depth = self.machine, self.machine.depth
        below = self.base
        if layer > 1:
            below = machine.affine(
                layer, machine.state[f"b{layer}"], self.states[layer - 1]
            )
        if layer == depth:
            return below
        above = machine.backward(f"W{layer + 1}", self.states[layer + 1])
        return machine.arithmetic.summed(below, self.strength, above)

    def noted(self, phase: str, layers: Iterable[int]) -> None:
        """The states of these layers enter the trace."""
        for layer in layers:
            called = name(self.machine, phase, layer)
            self.machine.note(called, self.states[layer], "settling")


def name(machine: Machine[Any], phase: str, layer: int) -> str:
    """What a layer's state is called: h1, ..., p of the minus phase, else by the phase."""
    if phase == "minus":
        return "p" if layer == machine.depth else f"h{layer}"
    return f"{phase}{layer}"


def promised(
    was: Iterable[F32], now: Iterable[F32], phases: Iterable[tuple[F32, F32]]
) -> dict[str, list[float]]:
    """What `--health` tells of units that settle: `unsettled`, the most that a unit of
    each layer moves from `was` to `now`, one cycle later; `phases`, of each hidden layer
    the root mean square of the difference between two phases."""
    moved = [float(np.abs(b - a).max()) for a, b in zip(was, now, strict=True)]
    return {
        "unsettled": moved,
        "phases": [float(np.sqrt(np.mean((b - a) ** 2))) for a, b in phases],
    }
