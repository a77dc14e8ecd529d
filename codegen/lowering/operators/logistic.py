"""LOGISTIC."""

from __future__ import annotations

import math

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.functions import in_place, of_reals
from codegen.lowering.sampled import by_steps
from codegen.program import Op

TYPES = ("i8", "i16", "f32")
FAR = 700.0
"""From -700 down the value is 0 as binary32; further off exp has no binary64."""


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call; of float32 one in place, behind a copy."""
    if operator.outputs[0].type == "f32":
        return in_place(c, operator, "sigmoid")
    if operator.outputs[0].type == "i16":
        return by_steps(c, operator, "logistic_table")
    return of_reals(c, operator, lambda v: 1 / (1 + math.exp(min(-v, FAR))))
