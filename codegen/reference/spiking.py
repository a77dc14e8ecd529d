"""Networks that spike, from the equations.

In every tick, l from 1 to L: u_l <- leak (u_l - theta s_l) + b_l + s_(l-1) W_l, the spikes
of layer l those of the tick before (a soft reset within the leak), those below of this
one; s_0 = x, or of the encoding bernoulli 1 with probability x, else 0, of latency 1 in tick
floor((1 - x) (T - 1)) alone where x > 0, or the row of a sample that is spikes in time; then s_l = 1 where u_l >= theta, else 0. Outputs do not spike:
u_L <- u_L + b_L + s_(L-1) W_L. The answer is the mean of u_L over the ticks
(docs/arithmetic.md, section 6).
"""

from __future__ import annotations

import math
from typing import Any, Generic

import numpy as np

from codegen import tables
from codegen.reference import homeostasis
from codegen.reference.integers import Fixed, fixed
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
        elif machine.parameters["encoding"] == "latency":
            self.s[0] = machine.arithmetic.latency(self.x, self.past, self.ticks)
            machine.name("s0", self.s[0], "latency")
        elif machine.spec.inputs.raster is not None:
            self.s[0] = machine.arithmetic.heard(self.x, self.past)
            machine.name("s0", self.s[0], "spikes")
        self.past += 1
        for layer in range(1, depth):
            self._hidden(layer)
        self.u[depth] = u = self._integrated(depth)
        machine.name(f"u{depth}", u, "integrated")
        self._add(u)
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

    @property
    def reached(self) -> Any:
        """What is `above` where a cell spikes."""
        return self.theta

    def remembered(self, layer: int, trace: T) -> T:
        """A trace of a layer's inputs, a tick later."""
        return self.machine.arithmetic.summed(self.s[layer - 1], self.leak, trace)

    def see(self, what: str, layer: int, value: T) -> None:
        """Keep a tick of hidden cells' potentials, "u", or traces, "a", where asked."""
        if layer > 0 and self.trace.membranes:
            self.trace.add(f"trace_{what}{layer}", value)

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
        self.u[layer] = machine.note(f"u{layer}", self._charged(layer), "membrane")
        self.s[layer] = spikes = arithmetic.spiked(self.above(layer), self.reached)
        if self.regulated:
            self._counted(layer, spikes)
        machine.name(f"h{layer}", spikes, "spike")
        self.trace.add(f"trace{layer}", self.s[layer])
        self.see("u", layer, self.u[layer])

    def _counted(self, layer: int, spikes: T) -> None:
        one, arithmetic = np.float32(1), self.machine.arithmetic
        self.count[layer] = arithmetic.summed(spikes, one, self.count[layer])

    def _charged(self, layer: int) -> T:
        """A hidden layer's potentials of this tick."""
        arithmetic, b = self.machine.arithmetic, self.machine.state[f"b{layer}"]
        kept = arithmetic.summed(self.u[layer], -self.theta, self.s[layer])
        return self._driven(layer, arithmetic.summed(b, self.leak, kept))

    def _integrated(self, layer: int) -> T:
        """The outputs'."""
        arithmetic, b = self.machine.arithmetic, self.machine.state[f"b{layer}"]
        left = arithmetic.summed(b, np.float32(1), self.u[layer])
        return self._driven(layer, left)

    def _add(self, u: T) -> None:
        self.total = self.machine.arithmetic.summed(u, np.float32(1), self.total)

    def _driven(self, layer: int, left: T) -> T:
        w = self.machine.state[f"W{layer}"]
        return dense.forward(self.machine.arithmetic, w, left, self.s[layer - 1])


class WholeCells(Cells[Any]):
    """The same in integers (docs/integers.md): what comes is summed first, a potential
    halves and saturates, traces are halves, and the total is the mean."""

    def __init__(self, machine: Machine[Any], x: Any) -> None:
        self.integers: Any = machine.arithmetic  # what they alone have
        self.first = float(machine.parameters["theta"])  # rounded once, to a potential
        super().__init__(machine, x)

    def none(self, layer: int) -> Any:
        """No potential; as a trace, nothing remembered."""
        width = self.machine.spec.network.layers[layer]
        return self.integers.silence(width)

    def remembered(self, layer: int, trace: Any) -> Any:
        """Half of both."""
        return self.integers.halves(trace, self.s[layer - 1])

    def above(self, layer: int) -> Any:
        """u, less a hidden layer's thresholds, where they move."""
        if not self.regulated:
            return self.u[layer]
        rise = self.machine.state[f"theta{layer}"]
        found = self.integers.lowered(self.u[layer], rise, self.first)
        self.machine.name(f"v{layer}", found, "difference")
        return found

    @property
    def reached(self) -> float:
        """Of those nothing is left to reach."""
        return 0.0 if self.regulated else self.first

    def regulate(self) -> None:
        """The sample is over."""
        state, parameters = self.machine.state, self.machine.parameters
        for layer in self.count if self.regulated else ():
            rate, rise = f"rate{layer}", f"theta{layer}"
            state[rate], state[rise] = self.integers.followed(
                parameters, self.count[layer], self.ticks, state[rate], state[rise]
            )

    def answer(self) -> Any:
        """The mean is there."""
        self.machine.trace["p"] = self.total
        return self.total

    def _counted(self, layer: int, spikes: Any) -> None:
        self.count[layer] = self.integers.counted(self.count[layer], spikes)

    def _charged(self, layer: int) -> Any:
        return self._moved(layer, self.s[layer], halves=True)

    def _integrated(self, layer: int) -> Any:
        return self._moved(layer, None, halves=False)

    def _moved(self, layer: int, s: Any, halves: bool) -> Any:
        machine, b = self.machine, self.machine.state[f"b{layer}"]
        came = machine.affine(layer, b, self.s[layer - 1])
        machine.name(f"came{layer}", came, "forward")
        return self.integers.charged(self.u[layer], s, self.first, came, halves)

    def _add(self, u: Any) -> None:
        self.total = self.integers.shares(self.total, u, self.ticks)


def whole_slow(like: Fixed, theta: float) -> tuple[Fixed, Fixed]:
    """What thresholds have risen by, and rates, at first: of cells whose biases are `like`
    those."""
    point, none = like.fraction + tables.POINT, np.zeros(like.shape, np.int32)
    most = 15 * math.floor(math.ldexp(theta, point) + 0.5)
    return fixed(none, "i4", point, most), fixed(none, "i4", 24, 1 << 24)


def cells(machine: Machine[T], x: T) -> Cells[T]:
    """Those of the machine's numbers."""
    return (WholeCells if machine.spec.numbers.integer else Cells)(machine, x)
