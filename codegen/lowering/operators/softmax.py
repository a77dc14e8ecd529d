"""SOFTMAX over the last axis."""

from __future__ import annotations

import math

from codegen.errors import ModelError
from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering import sampled
from codegen.lowering.composer import GraphComposer, call, scale
from codegen.lowering.fixed_point import BITS, Factor
from codegen.program import Op

DIFFERENCE = 5
"""Integer bits of the differences to the largest."""
LONGEST = 4096
"""Numbers whose powers add up within 32 bits."""

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all rows."""
    x, y, n = operator.inputs[0], operator.outputs[0], dims(operator)[-1]
    beta = float(operator.options["beta"])  # type: ignore[arg-type]
    if y.type == "f32":
        given = {"x": c.activation(x), "y": c.activation(y)}
        return call("softmax", operator, beta=beta, count=y.elements // n, n=n, **given)
    if x is not None and x.type == "i16":
        return sampled.softmax(c, operator, beta * scale(x))
    real = beta * scale(x) * (1 << (BITS - DIFFERENCE))
    factor = Factor.of(min(real, (1 << BITS) - 1.0))
    if factor.e > 0 or n > LONGEST:
        raise ModelError(
            f"{operator}, which gives {y}: rows of {n:,}, and a factor of {real:.3g}: a "
            f"device takes up to {LONGEST:,}, and a factor of at least 1"
        )
    reach = ((1 << DIFFERENCE) - 1) * 2.0 ** (BITS - DIFFERENCE + factor.e)
    by = c.record(
        operator,
        "hil_softmax_t",
        m=factor.m,
        e=-factor.e,
        reach=min(math.floor(reach), 255),
    )
    kind = "softmax_finer" if y.type == "i16" else "softmax"
    return call(
        kind, operator, x=c.activation(x), by=by, y=c.activation(y),
        count=y.elements // n, n=n,
    )  # fmt: skip
