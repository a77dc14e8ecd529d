"""Contrastive Hebbian learning: away from what the units do together in the minus phase,
towards what they do in the plus phase."""

from __future__ import annotations

from codegen import phases
from codegen.composer import Composer
from codegen.forms import at_the_end
from codegen.program import Program, Stage
from codegen.rules import Declaration, Rate, by_activation
from codegen.updates.rank_one import biases, contrast


def _contrast(c: Composer, n: int) -> Stage:
    """Layer n of 2..L. (Layer 1's input is the same in both phases, so that its update is
    the difference's.)"""
    minus = c.input(n), c.result(n)
    plus = phases.plus(c, n - 1), phases.plus(c, n)
    says = f"W{n} away from the minus phase, towards the plus phase"
    learned = (*contrast(c, n, minus, plus), *biases(c, n, c.delta(n)))
    return Stage("update", learned, n, says)


def _program(c: Composer) -> Program:
    above = tuple(_contrast(c, n) for n in range(2, c.depth + 1))
    return at_the_end(
        c, phases.credit, first=phases.outcome(c), layers=(1,), looked=phases.look(c, phases.phases(c.parameters)), then=above
    )  # fmt: skip


RULE = Declaration(
    name="chl",
    title="contrastive Hebbian learning",
    source="Movellan 1991; O'Reilly 1996, Neural Computation 8(5)",
    equation="W_l += eta (s+_(l-1) s+_l - s-_(l-1) s-_l), b_l += eta (s+_l - s-_l)",
    parameters=phases.PARAMETERS,
    phases=phases.phases,
    rates=by_activation(others=Rate(0.6, 0.1)),
    program=_program,
    gates=frozenset({"error"}),
    activations=("sigmoid",),
    outputs=("identity",),
    floating="its units settle by steps that activations of 8 bits round away",
)
