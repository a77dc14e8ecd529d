"""The declaration of a goal, and the operations that several goals share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.layers.dense import finite
from codegen.program import Item, Op, op
from codegen.spec import Spec
from codegen.tensors import Tensor

LOSSES = {
    "sigmoid": "sigmoid_bce",
    "softmax": "softmax_ce",
    "identity": "identity_mse",
}
"""Kernel of the outputs, their loss and error, by the network's output."""


class Judged(Protocol):
    """Operations from pre-activations to outputs, error and loss."""

    def __call__(
        self, c: Composer, p: Tensor, e: Tensor, loss: str, n: int, purpose: str
    ) -> tuple[Item, ...]: ...


@dataclass(frozen=True)
class Goal:
    """What comes with a sample: `bytes(spec)` of it on the line, and in C the parameter
    of net_step that is `declared` so and `means` this; both texts are empty where a
    step learns from the sample itself. `target(c, t, sign)` makes one number an output
    of it; `outputs(c)` turns pre-activations into outputs, without a target."""

    name: str
    bytes: Callable[[Spec], int]
    declared: str
    means: str
    judged: Judged
    target: Callable[[Composer, Tensor, float], Op]
    outputs: Callable[[Composer], Op]


def tempered(c: Composer, e: Tensor) -> tuple[Item, ...]:
    """Clip the error to its limit, where there is one."""
    limit = c.spec.clip.error
    if limit is None:
        return ()
    across = Shape(1, c.network.n_out)
    return (op("clip", across, v=e, limit=float(limit), n=e.size),)


def against(
    c: Composer, t: Tensor, p: Tensor, e: Tensor, loss: str, n: int, purpose: str,
    looked: bool = False,
) -> tuple[Item, ...]:  # fmt: skip
    """Compare the outputs with a vector t. t may hold any numbers, so the error is
    checked for what is not finite, too. With `looked` t is checked before that, and a t
    that is not finite is blamed on e."""
    sound = (replace(finite(t, n, "goal"), faults=e),) if looked else ()
    told = loss if loss.startswith("*") else ""  # a read-out's loss is not read
    made = op(
        f"{LOSSES[c.network.output]}_vector", Shape(1, c.network.n_out), n,
        a=p, t=t, p=p, e=e, purpose=purpose, into=told,
    )  # fmt: skip
    return (
        finite(p, n, "goal"), *sound, made, *tempered(c, e), finite(e, n, "goal")
    )  # fmt: skip


def outputs_alone(c: Composer) -> Op:
    """Outputs in place of their pre-activations."""
    p = c.outputs
    return op(
        f"{LOSSES[c.network.output]}_vector", Shape(1, p.size), a=p, t=None, p=p, e=None,
        into="const float no_loss", needs="number", faults=p,
    )  # fmt: skip


def scaled(t: Tensor, source: Tensor, sign: float) -> Op:
    """t = sign * source, for a sign of 1 or -1."""
    return op("convert", Shape(1, t.size), v=source, scale=sign, x=t)
