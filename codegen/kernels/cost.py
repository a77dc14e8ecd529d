"""What a kernel variant is estimated to cost: the plan chooses by it.

Two figures: instructions, by counting what the loops of the templates execute,
and cycles of a simple in-order vector machine, which decides between counts
that are about equal. Both are estimates of a call; `hil bench step` counts.
The machine: a datapath of half a register (DLEN = VLEN / 2), so that a vector
instruction takes 2 LMUL cycles whatever vl is; one element a cycle where
memory is not walked in order; one cycle for everything else.
docs/tuning.md derives the formulas; the models of kernels that do more than walk along
one vector stand in `float_cost` and `fixed_cost`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

NEAR = 0.03
"""Counts of instructions that differ by less are about equal."""
WORD = 32
"""Bits of an element: the "VLEN" of a machine without vectors."""


@dataclass(frozen=True)
class Shape:
    """What a call works on: `n_in` rows of `n_out`, a share `density` of the
    rows not zero. A kernel of one vector has n_in = 1."""

    n_in: int
    n_out: int
    density: float = 1.0

    @property
    def rows(self) -> float:
        """Rows that are not skipped."""
        return self.n_in * self.density


@dataclass(frozen=True)
class Machine:
    """VLEN in bits, and the register grouping a variant uses."""

    vlen: int
    lmul: int
    groups: int = 1

    @property
    def lanes(self) -> int:
        """32-bit elements of a group."""
        return self.vlen * self.lmul // WORD

    def strips(self, n: int) -> int:
        """Groups that n elements fill."""
        return ceil(n / self.lanes)


@dataclass(frozen=True)
class Cost:
    """Estimated instructions and cycles. Of the instructions, `vector` are vector ones
    that walk in order; those that do not move `strided` elements."""

    instructions: float
    cycles: float
    vector: float = 0
    strided: float = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.instructions + other.instructions,
            self.cycles + other.cycles,
            self.vector + other.vector,
            self.strided + other.strided,
        )


Model = Callable[[Shape, Machine], Cost]


def counted(
    machine: Machine, vector: float, scalar: float, elements: float = 0
) -> Cost:
    """`vector` instructions that walk in order, `scalar` ones, and `elements`
    of `elements / lanes` instructions that do not."""
    strided = elements / machine.lanes
    return Cost(
        vector + scalar + strided,
        vector * max(1, 2 * machine.lmul) + scalar + elements,
        vector,
        elements,
    )


def total(costs: Iterable[Cost]) -> Cost:
    """Their sum."""
    return sum(costs, Cost(0, 0))


def mean(costs: Sequence[Cost]) -> Cost:
    """Their mean."""
    whole, n = total(costs), len(costs)
    return Cost(
        whole.instructions / n, whole.cycles / n, whole.vector / n, whole.strided / n
    )


Choice = TypeVar("Choice")


def about_fewest(costs: Mapping[Choice, Cost]) -> list[Choice]:
    """Those whose instructions are about the fewest."""
    least = min(found.instructions for found in costs.values())
    return [c for c, f in costs.items() if f.instructions <= least * (1 + NEAR)]


def cheapest(costs: Mapping[Choice, Cost]) -> Choice:
    """The first with the fewest cycles among those whose instructions are
    about the fewest."""
    return min(about_fewest(costs), key=lambda choice: costs[choice].cycles)


def fastest(costs: Mapping[Choice, Cost]) -> Choice:
    """The first with the fewest cycles, of equals that with the fewest instructions."""
    return min(costs, key=lambda one: (costs[one].cycles, costs[one].instructions))


def nothing(shape: Shape, machine: Machine) -> Cost:
    """No estimate: for a kernel of which there is nothing to choose."""
    return Cost(0, 0)


def stream(vector: float) -> Model:
    """A pass over one vector with `vector` instructions a group. A loop asks for
    vl, and steps pointers and a count; a vector of one group needs no loop."""

    def model(shape: Shape, machine: Machine) -> Cost:
        strips = machine.strips(shape.n_in * shape.n_out)
        return counted(machine, strips * vector, strips * 6 if strips > 1 else 2)

    return model


def divided(vector: float) -> Model:
    """A pass over one vector, one of whose instructions divides: 40 cycles a register."""

    def model(shape: Shape, machine: Machine) -> Cost:
        registers = machine.lmul * machine.strips(shape.n_in * shape.n_out)
        return stream(vector)(shape, machine) + Cost(0, 40 * registers)

    return model


def few(vector: float) -> Model:
    """Up to 16 outputs that fit a group, or else groups of LMUL 4, several times."""

    def model(shape: Shape, machine: Machine) -> Cost:
        if machine.lmul < 4 and shape.n_out > min(16, machine.lanes):
            return stream(2 * vector)(shape, Machine(machine.vlen, 4))
        return stream(vector)(shape, machine)

    return model
