"""Where activations lie: one arena, in which tensors that are never needed at the same
time share their bytes.

A tensor lives from the operator that computes it (an input of the model: from the
beginning) to the last one that reads it (an output: to the end). The largest is
placed first, each at the lowest place that is free for all of its life (Pisarchyk and
Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, greedy by
size). What a RESHAPE, a SQUEEZE or an EXPAND_DIMS gives is what it is given, so both are one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from codegen.graph.description import Graph, Operator

ALIGNMENT = 16
"""Bytes to which a tensor's place is aligned."""
COPIES = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
"""Operators whose output is their input, byte for byte."""


@dataclass(frozen=True)
class Life:
    """Of a tensor that is computed or given: its bytes, and the operators between
    which it must be there, both included."""

    tensor: int
    bytes: int
    first: int
    last: int

    def meets(self, other: Life) -> bool:
        """Whether there is a time at which both are needed."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """`places` by tensor; `alive[k]`: bytes that are needed while operator k runs, which
    no plan can do with less than."""

    bytes: int
    places: dict[int, int]
    alive: tuple[int, ...]


def scratch(operator: int) -> int:
    """The number of what operator k keeps while it runs: no tensor's."""
    return -1 - operator


def plan(graph: Graph, kept: Mapping[int, int] | None = None) -> Arena:
    """The places of a graph's activations, and of the bytes that operators have `kept`
    for them while they run, by their indices."""
    same = _same(graph)
    lives = _lives(graph, same)
    of_kernels = {k: bytes for k, bytes in (kept or {}).items() if bytes}
    lives += [Life(scratch(k), bytes, k, k) for k, bytes in of_kernels.items()]
    same |= {scratch(k): scratch(k) for k in of_kernels}
    placed: list[tuple[Life, int]] = []
    for life in sorted(lives, key=lambda one: (-one.bytes, one.first)):
        placed.append((life, _free(life, placed)))
    at = {life.tensor: place for life, place in placed}
    return Arena(
        max((place + life.bytes for life, place in placed), default=0),
        {tensor: at[first] for tensor, first in same.items()},
        tuple(_alive(lives, operator.index) for operator in graph.operators),
    )


def _alive(lives: list[Life], index: int) -> int:
    return sum(one.bytes for one in lives if one.first <= index <= one.last)


def _free(life: Life, placed: list[tuple[Life, int]]) -> int:
    """The lowest place at which nothing lies that is needed at the same time."""
    place = 0
    for other, at in sorted(placed, key=lambda one: one[1]):
        if life.meets(other) and place + life.bytes > at:
            place = max(place, -(-(at + other.bytes) // ALIGNMENT) * ALIGNMENT)
    return place


def _same(graph: Graph) -> dict[int, int]:
    """Tensors that lie in the arena, each with the one whose bytes it has."""
    found = {one.index: one.index for one in graph.inputs if one.data is None}
    for operator in graph.operators:
        source = operator.given(0)
        copied = operator.kind in COPIES and source is not None
        for one in operator.outputs:
            at = found.get(source.index) if copied and source is not None else None
            found[one.index] = one.index if at is None else at
    return found


def _lives(graph: Graph, same: dict[int, int]) -> list[Life]:
    size = {one.index: one.bytes for one in graph.tensors}
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for index, tensor in uses(graph):
        if tensor in same:
            first.setdefault(same[tensor], index)
            last[same[tensor]] = index
    return [Life(one, size[one], first[one], last[one]) for one in first]


def uses(graph: Graph) -> Iterator[tuple[int, int]]:
    """Operators and tensors that they touch, in the order of time."""
    yield from ((0, one.index) for one in graph.inputs)
    for operator in graph.operators:
        yield from ((operator.index, one) for one in _touched(operator))
    yield from ((len(graph.operators), one.index) for one in graph.outputs)


def _touched(operator: Operator) -> Iterator[int]:
    yield from (one.index for one in operator.inputs if one is not None)
    yield from (one.index for one in operator.outputs)
