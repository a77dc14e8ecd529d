"""The sample itself, as the network sees it: an autoencoder learns to give it back."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.goals.base import Goal, against, outputs_alone, scaled
from codegen.program import Item, Op
from codegen.tensors import Tensor


def _judged(
    c: Composer, p: Tensor, e: Tensor, loss: str, n: int, purpose: str
) -> tuple[Item, ...]:
    return against(c, c.input(1), p, e, loss, n, purpose)


def _target(c: Composer, t: Tensor, sign: float) -> Op:
    return scaled(t, c.input(1), sign)


GOAL = Goal(
    name="sample",
    bytes=lambda spec: 0,
    declared="",
    means="",
    judged=_judged,
    target=_target,
    outputs=outputs_alone,
)
