"""GELU: of integers a table, whose function has binary32 on the way."""

from __future__ import annotations

import math

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.fixed_point import binary32
from codegen.lowering.functions import of_floats, of_reals
from codegen.program import Op

TYPES = ("i8", "f32")
ROOT_HALF = binary32(math.sqrt(0.5))
ROOT_OF_2_BY_PI = binary32(math.sqrt(2 / math.pi))
CUBIC = binary32(0.044715)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    nearly = bool(operator.options["approximate"])
    if operator.outputs[0].type == "f32":
        return of_floats(c, operator, "gelu_by_tanh" if nearly else "gelu")
    return of_reals(c, operator, _by_tanh if nearly else _exactly)


def _exactly(x: float) -> float:
    return 0.5 * x * binary32(math.erfc(binary32(-ROOT_HALF * x)))


def _by_tanh(x: float) -> float:
    cube = binary32(binary32(binary32(CUBIC * x) * x) * x)
    inner = binary32(ROOT_OF_2_BY_PI * binary32(x + cube))
    return 0.5 * x * binary32(1 + binary32(math.tanh(inner)))
