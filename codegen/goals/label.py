"""A class label: t is 1 at the label, 0 elsewhere."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.goals.base import LOSSES, Goal, tempered
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Symbol, op
from codegen.tables import LARGEST
from codegen.tensors import Tensor

LABEL = Symbol("label")


def _judged(
    c: Composer, p: Tensor, e: Tensor, loss: str, n: int, purpose: str
) -> tuple[Item, ...]:
    across = Shape(1, c.network.n_out)
    if c.numbers.integer:
        a, told = (c.sums(c.depth), p) if p == c.outputs else (p, None)
        into = loss if p == c.outputs else ""  # a read-out's loss is not read
        return (_of_sums(c, a, told, e, LABEL, n, purpose, into),)
    made = op(
        LOSSES[c.network.output], across, n, a=p, label=LABEL, p=p, e=e,
        purpose=purpose, into=loss, needs="number", faults=p,
    )  # fmt: skip
    return (made, *tempered(c, e))


def _of_sums(
    c: Composer, a: Tensor, p: Tensor | None, e: Tensor | None, label: Symbol | int,
    n: int = 0, purpose: str = "", into: str = "",
) -> Op:  # fmt: skip
    """Outputs, loss and error of integer sums."""
    return op(
        LOSSES[c.network.output], Shape(1, a.size), n, a=a, label=label,
        fraction=c.point_of(a), p=p, e=e, purpose=purpose, into=into,
    )  # fmt: skip


def _target(c: Composer, t: Tensor, sign: float) -> Op:
    one = int(sign) * LARGEST if c.numbers.integer else sign
    return op("target", Shape(1, t.size), t=t, label=LABEL, value=one)


def _outputs(c: Composer) -> Op:
    p = c.outputs
    if c.numbers.integer:
        return _of_sums(c, c.sums(c.depth), p, None, 0)
    return op(
        LOSSES[c.network.output], Shape(1, p.size), a=p, label=0, p=p, e=None,
        into="const float no_loss", needs="number", faults=p,
    )  # fmt: skip


GOAL = Goal(
    name="label",
    bytes=lambda spec: 2,
    declared="uint32_t label",
    means="label: index of the true class, below NET_OUTPUTS",
    judged=_judged,
    target=_target,
    outputs=_outputs,
)
