"""LOGISTIC."""

from __future__ import annotations

import math

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.functions import of_reals
from codegen.program import Op

TYPES = ("i8",)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return of_reals(c, operator, lambda v: 1 / (1 + math.exp(-v)))
