"""Feedback alignment, layer by layer."""

from __future__ import annotations

from codegen import feedback
from codegen.composer import Composer
from codegen.feedback import from_above
from codegen.forms import at_the_end
from codegen.layers import dense
from codegen.program import Item
from codegen.rules import Declaration, Rate, by_activation


def _credit(c: Composer, n: int) -> tuple[Item, ...]:
    above = c.delta(n + 1)
    says = f"d_{n} = (B_{n + 1} {above.name}) * phi'(a_{n})"
    down = feedback.project(c, n, above, from_above, says)
    return (down, *dense.slope(c, n, c.delta(n)))


RULE = Declaration(
    name="fa",
    title="feedback alignment, layer by layer",
    source="Lillicrap, Cownden, Tweed, Akerman 2016, arXiv 1411.0247",
    equation="d_L = e; d_l = (B_{l+1} d_{l+1}) * phi'(a_l), B_{l+1} fixed and random, of "
    "W_{l+1}'s shape",
    parameters=feedback.PARAMETERS,
    rates=by_activation(others=Rate(0.03, 0.02), relu=Rate(0.01, 0.003)),
    program=lambda c: at_the_end(c, _credit),
)
