"""Generalised recirculation: what every unit learns from is how its state changed when
the outcome was shown."""

from __future__ import annotations

from codegen import phases
from codegen.composer import Composer
from codegen.forms import at_the_end
from codegen.program import Program
from codegen.rules import Declaration, Rate, by_activation


def _program(c: Composer) -> Program:
    return at_the_end(
        c,
        phases.credit,
        first=phases.outcome(c),
        looked=phases.look(c, phases.phases(c.parameters)),
    )


RULE = Declaration(
    name="generec",
    title="generalised recirculation: minus phase, plus phase, and their difference",
    source="O'Reilly 1996, Neural Computation 8(5)",
    equation="d_l = s-_l - s+_l; the input of a layer is its minus state",
    parameters=phases.PARAMETERS,
    phases=phases.phases,
    rates=by_activation(others=Rate(0.6, 0.1)),
    program=_program,
    activations=("sigmoid",),
    outputs=("identity",),
    floating="its units settle by steps that activations of 8 bits round away",
)
