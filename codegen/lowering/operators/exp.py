"""EXP."""

from __future__ import annotations

import math

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.functions import of_floats, of_reals
from codegen.program import Op

TYPES = ("i8", "f32")
FAR = 100.0
"""From 100 on the value has no binary32, and any output is full."""


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    if operator.outputs[0].type == "f32":
        return of_floats(c, operator, "power")
    return of_reals(c, operator, lambda v: math.exp(min(v, FAR)))
