"""Direct random target projection."""

from __future__ import annotations

from codegen import feedback, goals
from codegen.composer import Composer
from codegen.forms import in_passing
from codegen.layers import dense
from codegen.program import Item, Program, Stage
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Tensor
from codegen.updates import update


def _target(c: Composer) -> Tensor:
    """-t, so that what comes down of it is the delta."""
    return c.signal("t", (c.network.n_out,))


def _turn(c: Composer, n: int) -> tuple[Item, ...]:
    says = f"d_{n} = -(B_{n} target) * phi'(a_{n})"
    down = feedback.project(c, n, _target(c), says=says)
    return (down, *dense.slope(c, n, c.delta(n), feedback.bounded(c)), *update(c, n))


def _program(c: Composer) -> Program:
    told = Stage("look", (goals.target(c, _target(c), -1.0),))
    return in_passing(c, _turn, first=(told,) if c.depth > 1 else ())


RULE = Declaration(
    name="drtp",
    title="direct random target projection",
    source="Frenkel, Lefebvre, Bol 2021, Frontiers in Neuroscience 15:629892",
    equation="d_L = e; d_l = -(B_l t) * phi'(a_l), t one-hot: hidden layers hear the label, "
    "not the error, and learn on the way forward",
    parameters=feedback.PARAMETERS,
    rates=by_activation(others=Rate(0.03, 0.02)),
    program=_program,
    gates=frozenset({"rows"}),
)
