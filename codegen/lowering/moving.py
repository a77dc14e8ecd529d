"""Numbers that only move: from places to places, along axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codegen.errors import ModelError
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call
from codegen.program import Op
from codegen.tensors import Tensor

AXES = 5
"""Axes that the kernel has."""


@dataclass(frozen=True)
class Walk:
    """Along each axis how many places there are, and by how many numbers a step goes on
    where it reads and where it writes; where both begin."""

    n: tuple[int, ...]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    reads_first: int = 0
    writes_first: int = 0

    def merged(self) -> tuple[tuple[int, int, int], ...]:
        """(n, reads, writes) of axes, of which those are one that are walked as one."""
        found: list[tuple[int, int, int]] = []
        for n, reads, writes in zip(self.n, self.reads, self.writes, strict=True):
            outer = found[-1] if found else None
            if n == 1:
                continue
            if outer and outer[1:] == (n * reads, n * writes):
                found[-1] = (outer[0] * n, reads, writes)
            else:
                found.append((n, reads, writes))
        return tuple(found)


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """By how many numbers a step along each axis goes on."""
    found, step = [], 1
    for n in reversed(shape):
        found.append(step)
        step *= n
    return tuple(reversed(found))


def moved(
    c: GraphComposer, operator: Operator, x: Tensor, y: Tensor, walk: Walk
) -> tuple[Op, ...]:
    """One call. Raises `ModelError` for more axes than the kernel has."""
    axes = walk.merged()
    if len(axes) > AXES:
        raise ModelError(
            f"{operator}, which gives {operator.outputs[0]}: numbers move along "
            f"{len(axes)} axes: a device takes up to {AXES}"
        )
    n, reads, writes = zip(*((1, 0, 0),) * (AXES - len(axes)), *axes, strict=True)
    by = c.record(
        operator, "hil_move_t", **{"n": n, "from": reads},
        to=writes, from_first=walk.reads_first, to_first=walk.writes_first,
    )  # fmt: skip
    return call("move", operator, x=x, by=by, y=y)


def spread(shape: Sequence[int], whole: Sequence[int]) -> Iterator[int]:
    """Steps of a tensor that is repeated to a whole shape: none along what it repeats."""
    filled = (*(1,) * (len(whole) - len(shape)), *shape)
    for n, step in zip(filled, strides(filled), strict=True):
        yield 0 if n == 1 else step
