"""GeneRec by the midpoint method: what a layer sends is the mean of its two phases."""

from __future__ import annotations

from codegen import phases
from codegen.composer import Composer
from codegen.forms import at_the_end
from codegen.kernels.cost import Shape
from codegen.program import Item, Program, op
from codegen.rules import Declaration, Rate, by_activation


def _credit(c: Composer, n: int) -> tuple[Item, ...]:
    """The delta first: then the minus state is no longer needed."""
    h = c.result(n)
    halfway = op(
        "leak", Shape(1, h.size), n, s=h, t=phases.plus(c, n), rate=0.5,
        says=f"h{n} halfway between the phases, the input that layer {n + 1} learns from",
    )  # fmt: skip
    return (*phases.credit(c, n), halfway)


def _program(c: Composer) -> Program:
    return at_the_end(
        c,
        _credit,
        first=phases.outcome(c),
        looked=phases.look(c, phases.phases(c.parameters)),
    )


RULE = Declaration(
    name="midpoint",
    title="generalised recirculation by the midpoint method",
    source="O'Reilly 1996, Neural Computation 8(5)",
    equation="d_l = s-_l - s+_l; the input of a layer is the mean of its two states",
    parameters=phases.PARAMETERS,
    phases=phases.phases,
    rates=by_activation(others=Rate(0.3, 0.1)),
    program=_program,
    activations=("sigmoid",),
    outputs=("identity",),
    floating="its units settle by steps that activations of 8 bits round away",
)
