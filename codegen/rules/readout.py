"""A trained read-out on random hidden layers, a baseline."""

from __future__ import annotations

from codegen.forms import at_the_end
from codegen.rules import Declaration, Rate, by_activation

RULE = Declaration(
    name="readout",
    title="only the output layer learns, a baseline",
    source="Huang, Zhu, Siew 2006 (extreme learning machine)",
    equation="d_L = e; hidden layers stay as they were drawn",
    parameters=(),
    rates=by_activation(others=Rate(0.03, 0.02)),
    program=lambda c: at_the_end(c, layers=(c.depth,)),
    gates=frozenset({"error"}),
)
