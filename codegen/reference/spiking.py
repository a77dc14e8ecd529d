"""Networks that spike, from the equations.

In every tick, l from 1 to L: u_l <- leak (u_l - theta s_l) + b_l + s_(l-1) W_l, the spikes
of layer l those of the tick before (a soft reset within the leak), those below of this
one; s_0 = x, or of the encoding bernoulli 1 with probability x, else 0; then s_l = 1 where u_l >= theta, else 0. Outputs do not spike:
u_L <- u_L + b_L + s_(L-1) W_L. The answer is the mean of u_L over the ticks
(docs/arithmetic.md, section 6).
"""

from __future__ import annotations

from typing import Generic

import numpy as np

from codegen.reference import homeostasis
from codegen.reference.layers import dense
from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.traces import Trace


class Cells(Generic[T]):
    """A machine's cells, at rest at first: the potentials `u` of layers 1..L, and of each
    tick what goes up, `s`: x, and the spikes of hidden layers."""

    def __init__(self, machine: Machine[T], x: T) -> None:
        self.machine, self.trace, self.x = machine, Trace(machine), x
        self.past = 0  # ticks
        self.ticks = int(machine.parameters["ticks"])
        self.leak = np.float32(machine.parameters["leak"])
        self.theta = np.float32(machine.parameters["theta"])
        self.u = {layer: self.none(layer) for layer in range(1, machine.depth + 1)}
        self.s = {0: x} | {layer: self.none(layer) for layer in range(1, machine.depth)}
        self.total = self.none(machine.depth)
        self.regulated = homeostasis.on(machine.parameters)
        self.count = {layer: self.none(layer) for layer in range(1, machine.depth)}

    def none(self, layer: int) -> T:
        """+0, as many as that layer has cells."""
        width = self.machine.spec.network.layers[layer]
        return self.machine.arithmetic.constant(np.zeros(width, np.float32))

    def tick(self) -> None:
        """One tick of every layer; raises `NonFinite`."""
        machine, depth = self.machine, self.machine.depth
        if machine.parameters["encoding"] == "bernoulli":
            self._draw()
        self.past += 1
        for layer in range(1, depth):
            self._hidden(layer)
        arithmetic, u = machine.arithmetic, self.u[depth]
        left = arithmetic.summed(machine.state[f"b{depth}"], np.float32(1), u)
        self.u[depth] = u = self._driven(depth, left)
        machine.name(f"u{depth}", u, "integrated")
        self.total = arithmetic.summed(u, np.float32(1), self.total)
        self.trace.add(f"trace{depth}", u)

    def above(self, layer: int) -> T:
        """u, less what homeostasis has raised a hidden layer's thresholds by."""
        if not self.regulated:
            return self.u[layer]
        machine = self.machine
        rise = machine.state[f"theta{layer}"]
        found = machine.arithmetic.difference(self.u[layer], rise)
        machine.name(f"v{layer}", found, "difference")
        return found

    def regulate(self) -> None:
        """The sample is over."""
        for layer in self.count if self.regulated else ():
            homeostasis.of_cells(self.machine, layer, self.count[layer], self.ticks)

    def answer(self) -> T:
        """The outputs' mean potential."""
        share = np.float32(1 / self.ticks)
        mean = self.machine.arithmetic.scaled(share, self.total)
        self.machine.trace["p"] = mean
        self.machine.arithmetic.witness(mean, "mean", "over all ticks", "p")
        return mean

    def _draw(self) -> None:
        """The inputs' spikes of this tick; every step has words of its own."""
        machine = self.machine
        first = (machine.step_number * self.ticks + self.past) * self.x.size
        self.s[0] = machine.arithmetic.bernoulli(self.x, machine.seed, first)
        machine.name("s0", self.s[0], "bernoulli")

    def _hidden(self, layer: int) -> None:
        machine, arithmetic = self.machine, self.machine.arithmetic
        kept = arithmetic.summed(self.u[layer], -self.theta, self.s[layer])
        left = arithmetic.summed(machine.state[f"b{layer}"], self.leak, kept)
        u = machine.note(f"u{layer}", self._driven(layer, left), "membrane")
        self.u[layer] = u
        self.s[layer] = spikes = arithmetic.spiked(self.above(layer), self.theta)
        self.count[layer] = arithmetic.summed(spikes, np.float32(1), self.count[layer])
        machine.name(f"h{layer}", spikes, "spike")
        self.trace.add(f"trace{layer}", self.s[layer])

    def _driven(self, layer: int, left: T) -> T:
        w = self.machine.state[f"W{layer}"]
        return dense.forward(self.machine.arithmetic, w, left, self.s[layer - 1])
