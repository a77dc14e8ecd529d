"""Two phases: a network answers, is shown the outcome, and learns from the difference.

In the minus phase the input is clamped, and the network settles to its answer. In the
plus phase the outputs are clamped, too, to the target, and it settles on from there
(O'Reilly 1996). Rules differ in what they make of the two states of every unit.
"""

from __future__ import annotations

from collections.abc import Sequence

from codegen import settling
from codegen.composer import Composer
from codegen.parameters import Parameter, Parameters
from codegen.program import Item
from codegen.settling import DT, STRENGTH, Settling, plus
from codegen.traces import TRACE, Phase, Trace

START = 0.5
"""Where every unit begins."""

PARAMETERS = (
    Parameter("minus", 8, "cycles of the minus phase, and of an inference", most=1024),
    Parameter("plus", 3, "cycles of the plus phase", most=1024),
    DT,
    STRENGTH,
    TRACE,
)


def phases(parameters: Parameters) -> tuple[Phase, ...]:
    """Minus, then plus."""
    minus, plus = (int(parameters[name]) for name in ("minus", "plus"))
    return Phase("minus", minus), Phase("plus", plus, told=True)


def look(c: Composer, of: Sequence[Phase]) -> tuple[Item, ...]:
    """The minus phase, the first of a step's: from the sample to the outputs that have
    settled."""
    minus, trace = Settling(c.result, float(c.parameters["dt"])), Trace(of)
    says = "the minus phase: the network settles to its answer"
    return (
        *settling.driven(c), settling.filled(c, c.result, START),
        *settling.settled(
            c, minus, of[0].cycles, "look", says, lambda n: trace.row(c, n, c.result(n))
        ),
    )  # fmt: skip


def outcome(c: Composer) -> tuple[Item, ...]:
    """The plus phase."""
    of, states = phases(c.parameters), lambda n: plus(c, n)
    shown, trace = (
        Settling(states, float(c.parameters["dt"]), clamped=True),
        Trace(of, 1),
    )
    says = "the plus phase: it settles on, its outputs clamped"
    return (
        settling.clamp(c), settling.copied(c, c.hidden, c.result, states),
        *settling.settled(
            c, shown, of[1].cycles, "credit", says, lambda n: trace.row(c, n, states(n))
        ),
    )  # fmt: skip


def credit(c: Composer, n: int) -> tuple[Item, ...]:
    """d_n = s-_n - s+_n."""
    return (
        settling.difference(
            c, n, c.result(n), plus(c, n), c.delta(n), says=f"d_{n} = minus - plus"
        ),
    )
