"""Networks that settle: cycle after cycle every unit leaks towards what drives it, from
below and, by the same weights, from above.

The input is clamped, so that layer 1's drive from below is computed once. Where the
outputs are clamped, too, what they send down is. The order of a cycle is that of
docs/arithmetic.md, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from codegen import fronts, goals
from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.parameters import Parameter
from codegen.program import Item, Op, Repeat, Stage, StagePhase, op
from codegen.tensors import Tensor

DT = Parameter(
    "dt", 0.7, "share of its distance that a unit goes in a cycle", within=(1e-3, 1.0)
)
STRENGTH = Parameter(
    "strength",
    1.0,
    "of what comes from above, beside what comes from below",
    within=(0.0, 16.0),
)
"""Of networks that settle with sigmoid units."""

States: TypeAlias = Callable[[int], Tensor]
"""Where the state of layer 1..L lies."""


@dataclass(frozen=True)
class Settling:
    """Cycles of one phase: the layers' `states`, the share `rate` of its distance that a
    unit goes in a cycle, and whether the outputs are clamped."""

    states: States
    rate: float
    clamped: bool = False

    def moving(self, c: Composer) -> range:
        """The layers that settle, from the input on."""
        return range(1, c.depth + (not self.clamped))


def base(c: Composer) -> Tensor:
    """What drives layer 1 from below in every cycle."""
    return c.inner("base", c.network.shape(1)[1:])


def driven(c: Composer) -> tuple[Item, ...]:
    """From the sample to the drive that does not change."""
    says = "layer 1's drive from below, the same in every cycle"
    return (*fronts.front(c), Stage("look", dense.drive(c, 1, base(c)), 1, says))


def plus(c: Composer, n: int) -> Tensor:
    """Layer n's state in the plus phase; of the output layer, what it is clamped to."""
    return c.tensor(f"plus{n}", (c.network.layers[n],))


def filled(c: Composer, states: States, value: float) -> Stage:
    """Give every state its first value."""
    return Stage(
        "look",
        tuple(
            op("fill", _across(c, n), n, v=states(n), value=value)
            for n in range(1, c.depth + 1)
        ),
        says="where every unit begins",
    )


def copied(c: Composer, layers: Iterable[int], source: States, into: States) -> Stage:
    """Begin a phase where another has ended: copy the states of these layers."""
    copies = (op("copy", _across(c, n), n, v=source(n), x=into(n)) for n in layers)
    return Stage("credit", tuple(copies))


def clamp(c: Composer) -> Stage:
    """Clamp the outputs to the target."""
    given = goals.target(c, plus(c, c.depth), 1.0)
    return Stage("credit", (given,), c.depth, says="the outputs, clamped to the target")


def settled(
    c: Composer, settling: Settling, cycles: int, phase: StagePhase, says: str,
    then: Callable[[int], tuple[Item, ...]] = lambda n: (),
) -> tuple[Item, ...]:  # fmt: skip
    """`cycles` cycles of sigmoid units, in place: a layer sees the layer below as it is
    now, and the one above as it was. `then` follows a layer in its cycle."""
    first = from_above(c, settling, c.depth - 1) if settling.clamped else ()
    each = tuple(
        Stage(phase, (*_turn(c, settling, n), *then(n)), n) for n in settling.moving(c)
    )
    if settling.clamped:
        each += tuple(Stage(phase, found) for found in (then(c.depth),) if found)
    top = (
        (Stage(phase, first, says="what the clamped outputs send down"),)
        if first
        else ()
    )
    return (*top, *((Repeat("cycle", cycles, each, says),) if each else ()))


def from_above(c: Composer, settling: Settling, n: int) -> tuple[Op, ...]:
    """u = W_(n+1) s_(n+1): what comes down to hidden layer n."""
    if not 1 <= n < c.depth:
        return ()
    return (dense.backward(c, n, d=settling.states(n + 1), u=down(c, n)),)


def from_below(
    c: Composer, settling: Settling, n: int
) -> tuple[Tensor, tuple[Op, ...]]:
    """Layer n's drive from below, and what computes it in a cycle."""
    if n == 1:
        return base(c), ()
    drive = c.inner(f"drive{n}", c.network.shape(n)[1:])
    return drive, (dense.product(c, n, x=settling.states(n - 1), a=drive),)


def down(c: Composer, n: int) -> Tensor | None:
    """The tensor of what came down to layer n; None for the last layer."""
    return c.inner(f"down{n}", (c.network.layers[n],)) if n < c.depth else None


def _turn(c: Composer, settling: Settling, n: int) -> tuple[Item, ...]:
    """Layer n in a cycle."""
    s, (drive, below) = settling.states(n), from_below(c, settling, n)
    held = settling.clamped and n == c.depth - 1
    above = () if held else from_above(c, settling, n)
    moved = op(
        "leaky_sigmoid", _across(c, n), n, s=s, a=drive, u=down(c, n),
        feedback=float(c.parameters["strength"]), rate=settling.rate, needs="true", faults=s,
    )  # fmt: skip
    return (*below, *above, moved)


def difference(
    c: Composer, n: int, x: Tensor, y: Tensor, d: Tensor, scale: float = 1.0, says: str = ""
) -> Op:  # fmt: skip
    """d = scale (x - y), of layer n."""
    return op("difference", _across(c, n), n, x=x, y=y, scale=scale, d=d, says=says)


def _across(c: Composer, n: int) -> Shape:
    return Shape(1, c.network.layers[n])
