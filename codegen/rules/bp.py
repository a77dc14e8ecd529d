"""Backpropagation, the baseline."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.forms import at_the_end
from codegen.layers import dense
from codegen.program import Item
from codegen.rules import Declaration, Rate, by_activation


def _credit(c: Composer, n: int) -> tuple[Item, ...]:
    above = "e" if n + 1 == c.depth else f"d_{n + 1}"
    says = f"d_{n} = (W_{n + 1} {above}) * phi'(a_{n}), weights before the update"
    return (dense.backward(c, n, says), *dense.slope(c, n, c.delta(n)))


RULE = Declaration(
    name="bp",
    title="backpropagation, the baseline",
    source="Rumelhart, Hinton, Williams 1986",
    equation="d_L = e; d_l = (W_{l+1} d_{l+1}) * phi'(a_l), weights before the update",
    parameters=(),
    rates=by_activation(others=Rate(0.03, 0.02), relu=Rate(0.03, 0.01)),
    program=lambda c: at_the_end(c, _credit),
)
