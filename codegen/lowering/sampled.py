"""Functions of 16 bits, by tables between whose numbers kernels draw lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from codegen.errors import ModelError
from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call, scale
from codegen.lowering.fixed_point import Factor, binary32, nearest
from codegen.program import Op

PLACES = 12288
"""Of 1: a logistic function has 24 steps, each of 512."""
FAR = 10.0
"""So far below the largest, numbers count as nothing in a softmax."""
LONGEST = 32768
"""Numbers of a softmax whose powers add up within 30 bits."""
STEPS = 512
RAISED = 32768


def by_steps(c: GraphComposer, operator: Operator, function: str) -> tuple[Op, ...]:
    """One call that reads the logistic function."""
    m, e = _steps(scale(operator.inputs[0]))
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    table, n = c.table("logistic", _logistic), operator.outputs[0].elements
    return call(function, operator, x=x, table=table, m=m, e=e, y=y, n=n)


def _steps(real: float) -> tuple[int, int]:
    """A factor of 15 bits, cut off, to 512ths of a step; scales that are the power of two of
    3 or 4 integer bits have an exact one."""
    if real * 4096 in (1, 2):
        return 3 * int(real * 4096), 0
    m, e = real * PLACES, 0
    while m <= 32767 / 2 and e <= 30:
        m, e = 2 * m, e + 1
    return int(m), e


def _logistic() -> Iterator[float]:
    """256 values less 2^15, each moved by half of what a line misses behind it."""

    def at(step: float) -> float:
        return 65536 / (1 + math.exp(-step / 24))

    for step in range(255):
        missed = (at(step) + at(step + 1)) / 2 - at(step + 0.5)
        yield math.floor(at(step) - missed / 2 + 0.5) - RAISED
    yield 65535 - RAISED


def softmax(c: GraphComposer, operator: Operator, real: float) -> tuple[Op, ...]:
    """One call of all rows. Raises `ModelError` for rows that are too long."""
    y, n = operator.outputs[0], dims(operator)[-1]
    factor = Factor.of(real / (FAR / 65535))
    if n > LONGEST:
        raise ModelError(
            f"{operator}, which gives {y}: rows of {n:,}: a device takes up to {LONGEST:,}"
        )
    return call(
        "softmax", operator, x=c.activation(operator.inputs[0]),
        powers=c.table("powers", lambda: _sampled(-FAR, 0, math.exp)),
        inverses=c.table("inverses", lambda: _sampled(0, 1, lambda v: 1 / (1 + v))),
        m=factor.m, e=factor.e, y=c.activation(y), count=y.elements // n, n=n,
    )  # fmt: skip


def _sampled(
    low: float, high: float, function: Callable[[float], float]
) -> Iterator[float]:
    """513 numbers of 1 / 32768 nearly, all in binary32, each moved by half of what a line
    misses behind it."""
    step = binary32((high - low) / STEPS)
    inverse = binary32(65536 / binary32(binary32(2 / 65535) * 65535))

    def at(place: float) -> float:
        return binary32(binary32(function(place)) * inverse)

    for k in range(STEPS):
        place = binary32(low + binary32(k * step))
        first = nearest(at(place))
        after = at(binary32(low + binary32((k + 1) * step)))
        line = nearest(binary32(binary32(after + first) / 2))
        missed = line - nearest(at(binary32(place + step / 2)))
        yield _within(first - nearest(missed / 2))
    yield _within(nearest(at(high)))


def _within(value: int) -> int:
    return max(-RAISED, min(value, RAISED - 1))
