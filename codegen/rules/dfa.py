"""Direct feedback alignment."""

from __future__ import annotations

from codegen import feedback
from codegen.composer import Composer
from codegen.forms import at_the_end
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.parameters import Parameter
from codegen.program import Item, Program, Stage, op
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Tensor


def _heard(c: Composer) -> Tensor:
    """What hidden layers hear of the error."""
    if c.parameters["error"] == "exact" or c.depth == 1:
        return c.error
    return c.signal("q", (c.network.n_out,))


def _ternary(c: Composer) -> tuple[Item, ...]:
    q = _heard(c)
    if q == c.error:
        return ()
    threshold = c.level(float(c.parameters["threshold"]))
    made = op("ternary", Shape(1, q.size), c.depth, e=c.error, q=q, threshold=threshold)
    says = "what the hidden layers hear of the error: its sign, where it is large"
    return (Stage("judge", (made,), says=says),)


def _credit(c: Composer, n: int) -> tuple[Item, ...]:
    heard = _heard(c)
    says = f"d_{n} = (B_{n} {heard.name}) * phi'(a_{n})"
    down = feedback.project(c, n, heard, says=says, kept=True)
    return (down, *dense.slope(c, n, c.delta(n), feedback.bounded(c)))


def _program(c: Composer) -> Program:
    return at_the_end(c, _credit, first=_ternary(c))


RULE = Declaration(
    name="dfa",
    title="direct feedback alignment",
    source="Nokland 2016, arXiv 1609.01596",
    equation="d_L = e; d_l = (B_l e) * phi'(a_l), B_l fixed and random",
    parameters=(
        *feedback.PARAMETERS,
        Parameter(
            "error",
            "exact",
            "what hidden layers hear: e itself, or ternary: its sign where |e| is at "
            "least the threshold, else 0",
            ("exact", "ternary"),
        ),
        Parameter("threshold", 0.25, "of a ternary error"),
    ),
    rates=by_activation(others=Rate(0.03, 0.02), relu=Rate(0.01, 0.003)),
    program=_program,
)
