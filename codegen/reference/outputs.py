"""The three output non-linearities, each with its loss.

In all three the error e = p - t is the exact gradient of the loss in the
pre-activations. The target t is 1 at the label and 0 elsewhere, or, but for softmax,
any vector (docs/arithmetic.md, section 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from codegen.reference.arithmetic import F32, dot16, sum16
from codegen.reference.functions import exp, log, relu, sigmoid_and_decay
from codegen.reference.operations import Judged

_ONE = np.float32(1)
_HALF = np.float32(0.5)


def _sigmoid(a: F32, t: F32) -> Judged[F32]:
    p, z = sigmoid_and_decay(a)
    missed = relu(a) - a * t
    return Judged(p, p - t, np.float32(sum16(missed + log(_ONE + z))))


def _exponentials(a: F32) -> tuple[F32, F32, F32]:
    """a below its maximum, the exponentials of that, and their sum [1]."""
    highest = a[0]
    for value in a[1:]:
        highest = value if value > highest else highest
    below = a - highest
    powers = exp(below)
    return below, powers, np.asarray([sum16(powers)])


def _softmax(a: F32, t: F32) -> Judged[F32]:
    below, powers, total = _exponentials(a)
    p = powers / total
    return Judged(p, p - t, log(total)[0] - below[t.argmax()])


def _identity(a: F32, t: F32) -> Judged[F32]:
    e = a - t
    return Judged(a, e, np.float32(_HALF * dot16(e, e)))


def _softmax_value(a: F32) -> F32:
    _, powers, total = _exponentials(a)
    return powers / total


@dataclass(frozen=True)
class Output:
    """`value(a)` is p alone; `judged(a, t)` adds error and loss."""

    value: Callable[[F32], F32]
    judged: Callable[[F32, F32], Judged[F32]]


OUTPUTS = {
    "sigmoid": Output(lambda a: sigmoid_and_decay(a)[0], _sigmoid),
    "softmax": Output(_softmax_value, _softmax),
    "identity": Output(lambda a: a, _identity),
}
"""By the names of `codegen.spec.OUTPUTS`."""
