"""Goals: what a step learns from, and how outputs are held against it.

A goal is a module here, named as in `codegen.spec.GOALS`. It says what comes with a
sample, on the line and in C, and gives the operations that make an error of outputs.
The reference has its own (`codegen.reference.goals`).
"""

from __future__ import annotations

from codegen import fronts
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.goals import label, sample, vector
from codegen.goals.base import LOSSES, Goal
from codegen.kernels.cost import Shape
from codegen.program import If, Item, Leave, Op, Set, Stage, op
from codegen.spec import Spec
from codegen.tensors import Tensor

_GOALS = {"label": label.GOAL, "vector": vector.GOAL, "sample": sample.GOAL}

__all__ = ["LOSSES", "Goal", "goal"]


def goal(spec: Spec) -> Goal:
    """The spec's."""
    return _GOALS[spec.goal]


def judged(
    c: Composer, p: Tensor, e: Tensor, loss: str, n: int = 0, purpose: str = ""
) -> tuple[Item, ...]:
    """From pre-activations in p to outputs there, error e within its limit and
    `loss`; what can be overflowed is looked at."""
    return goal(c.spec).judged(c, p, e, loss, n, purpose)


def target(c: Composer, t: Tensor, sign: float) -> Op:
    """t = `sign` times what the step learns from, as one number an output."""
    return goal(c.spec).target(c, t, sign)


def judge(c: Composer) -> Stage:
    """Outputs, loss and error of the network."""
    says = "outputs, loss, error e = p - t"
    if c.spec.goal == "label":
        says += ", which is finite when every p is"
    return Stage("judge", judged(c, c.outputs, c.error, "*loss"), says=says)


def _largest(c: Composer, e: Tensor) -> Op:
    return op("max_abs", Shape(1, c.network.n_out), v=e)


def _negligible(c: Composer) -> str:
    """The condition that an error, its largest element at {}, teaches nothing."""
    if c.numbers.integer:
        return f"{{}} < {c.level(c.spec.gate.error)}"
    return f"{{}} < {literal(c.spec.gate.error)}"


def leave_if_negligible(c: Composer) -> tuple[Item, ...]:
    """The error gate: the step may end here, but what a front carries on goes on."""
    gate = c.spec.gate
    if not gate.error:
        return ()
    untold = (Set("net->signal", "0"),) if gate.budget is not None else ()
    return (
        If(
            _negligible(c), (*untold, *fronts.after(c), Leave()),
            op=_largest(c, c.error), usual=False, why="the error gate",
        ),
    )  # fmt: skip


def unless_negligible(
    c: Composer, e: Tensor, body: tuple[Item, ...]
) -> tuple[Item, ...]:
    """The same for a rule that learns in passing: `body` learns from this error."""
    if not c.spec.gate.error:
        return body
    return (
        If(
            f"!({_negligible(c)})", body, op=_largest(c, e), usual=True,
            why="the error gate",
        ),
    )  # fmt: skip
