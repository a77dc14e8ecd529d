"""Convolutions and dense layers on a core of 64 bits: weights of eight outputs are a word,
which a kernel takes apart (hil_eights__scalar.h.j2, hil_eights16__scalar.h.j2)."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.formats import I64
from codegen.graph.description import Operator
from codegen.lowering import kinds, sixteen
from codegen.lowering.composer import GraphComposer, call, numbers
from codegen.lowering.windows import Windows, record
from codegen.program import Op

EIGHT = 8
"""Outputs of a word. Those that are missing from the last one have weights of 0."""
FEWEST, SHORTEST = 5, 8
"""Outputs, and inputs of each, for which words cost no more than each by itself."""
MOVED = 128
"""What makes a weight a byte without a sign."""


def pays(c: GraphComposer, operator: Operator, outputs: int, inputs: int) -> bool:
    """Whether the machine has such words, enough stands in them, and a kernel takes them."""
    if sixteen.narrow(operator):
        return False
    return c.xlen == 64 and outputs >= FEWEST and inputs >= SHORTEST


def convolution(
    c: GraphComposer, operator: Operator, at: Windows, scratch: bool
) -> tuple[Op, ...]:
    """One call; of a dense layer rows are windows of one place."""
    count = -(-at.y_c // EIGHT) * at.k_h * at.k_w * at.x_c
    w = c.computed(operator, "w", I64, count, lambda: _words(operator, at.y_c))
    return call(
        kinds.named(operator, "conv_2d_eights"), operator,
        at=record(c, operator, at),
        scratch=c.scratch(operator) if scratch else None,
        **kinds.of_rows(c, operator, at.y_c, w),
    )  # fmt: skip


def _words(operator: Operator, outputs: int) -> Iterator[int]:
    """Of each eight outputs, for one input after another."""
    w = operator.inputs[1]
    assert w is not None
    values, run = numbers(w), w.elements // outputs
    for first in range(0, outputs, EIGHT):
        rows = range(first, min(first + EIGHT, outputs))
        for i in range(run):
            eight = [int(values[row * run + i]) + MOVED for row in rows]
            eight += [MOVED] * (EIGHT - len(eight))
            yield int.from_bytes(bytes(eight), "little", signed=True)
