"""ELU."""

from __future__ import annotations

import math

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.functions import of_floats, of_reals
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    if operator.outputs[0].type == "f32":
        return of_floats(c, operator, "elu")
    return of_reals(c, operator, lambda v: math.expm1(v) if v < 0 else v)
