"""Goals: what a step learns from."""

from __future__ import annotations

from codegen.cformat import literal
from codegen.composer import Composer
from codegen.cost import Shape
from codegen.program import If, Item, Leave, Op, Set, Stage, Symbol, op
from codegen.tensors import Tensor

LOSSES = {
    "sigmoid": "f32_sigmoid_bce",
    "softmax": "f32_softmax_ce",
    "identity": "f32_identity_mse",
}
"""Kernel of the outputs, their loss and error, by the network's output."""


def judged(
    c: Composer, p: Tensor, e: Tensor, loss: str, n: int = 0, part: str = ""
) -> Op:
    """From pre-activations in p to outputs there, error e and `loss`."""
    across = Shape(1, c.network.n_out)
    return op(
        LOSSES[c.network.output],
        across,
        n,
        a=p,
        label=Symbol("label"),
        p=p,
        e=e,
        purpose=part,
        into=loss,
        needs="number",
        faults=p,
    )


def target(c: Composer, t: Tensor, value: float) -> Op:
    """t = `value` at the label, 0 elsewhere."""
    return op("f32_target", Shape(1, t.size), t=t, label=Symbol("label"), value=value)


def tempered(c: Composer, e: Tensor) -> tuple[Item, ...]:
    """An error within its limit, where it has one."""
    limit = c.spec.clip.error
    if limit is None:
        return ()
    across = Shape(1, c.network.n_out)
    return (op("f32_clip", across, v=e, limit=float(limit), n=e.size),)


def judge(c: Composer) -> Stage:
    """Outputs, loss and error of the network."""
    says = "outputs, loss, error e = p - t, which is finite when every p is"
    found = judged(c, c.outputs, c.error, "*loss")
    return Stage("judge", (found, *tempered(c, c.error)), says=says)


def _largest(c: Composer, e: Tensor) -> Op:
    return op("f32_max_abs", Shape(1, c.network.n_out), v=e)


def _negligible(c: Composer) -> str:
    """The condition that an error, its largest element at {}, teaches nothing."""
    return f"{{}} < {literal(c.spec.gate.error)}"


def leave_if_negligible(c: Composer) -> tuple[Item, ...]:
    """The error gate: the step may end here."""
    gate = c.spec.gate
    if not gate.error:
        return ()
    untold = (Set("net->signal", "0"),) if gate.budget is not None else ()
    return (
        If(
            _negligible(c), (*untold, Leave()),
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
