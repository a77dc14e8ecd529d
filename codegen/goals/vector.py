"""A vector: one number an output, as for regression."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.goals.base import Goal, against, outputs_alone, scaled
from codegen.program import Item, Op
from codegen.tensors import Tensor


def _given(c: Composer) -> Tensor:
    return c.tensor("target", (c.network.n_out,), "input")


def _judged(
    c: Composer, p: Tensor, e: Tensor, loss: str, n: int, purpose: str
) -> tuple[Item, ...]:
    return against(c, _given(c), p, e, loss, n, purpose, looked=True)


def _target(c: Composer, t: Tensor, sign: float) -> Op:
    return scaled(t, _given(c), sign)


GOAL = Goal(
    name="vector",
    bytes=lambda spec: 4 * spec.network.n_out,
    declared="const float target[NET_OUTPUTS]",
    means="target: what the outputs should be",
    judged=_judged,
    target=_target,
    outputs=outputs_alone,
)
