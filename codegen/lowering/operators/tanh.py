"""TANH."""

from __future__ import annotations

import math

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.functions import in_place, of_reals
from codegen.lowering.sampled import by_steps
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call; of float32 one in place, behind a copy."""
    if operator.outputs[0].type == "f32":
        return in_place(c, operator, "tanh")
    if operator.outputs[0].type == "i16":
        return by_steps(c, operator, "tanh_table")
    return of_reals(c, operator, lambda v: math.tanh(v))
