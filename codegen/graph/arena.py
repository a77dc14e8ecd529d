"""Where activations lie: one arena, in which tensors that are never needed at the same
time share their bytes.

A tensor lives from the operator that computes it (an input of the model: from the
beginning) to the last one that reads it (an output: to the end). The largest is
placed first, each at the lowest place that is free for all of its life (Pisarchyk and
Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, greedy by
size); then the same is tried in the order of time, forth, back, and outward from the largest,
and the arena is the smallest of these. An output may lie over an input that its operator is
the last to read, where it begins so early that it is never ahead of what is read: by a lead,
which the operator's kernel tells (codegen/lowering/overlap.py). What a RESHAPE, a SQUEEZE or an EXPAND_DIMS gives is what it is given, so both are one place.
A variable that lives from one inference to the next shares its bytes with nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from codegen.graph.description import Graph, Operator, Tensor

ALIGNMENT = 16
"""Bytes to which a tensor's place is aligned."""
COPIES = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
"""Operators whose output is their input, byte for byte."""
CARRY = frozenset({"SVDF"})
"""Operators whose variables live from one inference to the next."""


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
    """`places` by tensor; `alive[k]`: bytes of all that is there while operator k runs,
    an output not counted as part of an input."""

    bytes: int
    places: dict[int, int]
    alive: tuple[int, ...]


def scratch(operator: int) -> int:
    """The number that stands for operator k's scratch bytes: negative, so it is no
    tensor's."""
    return -1 - operator


Leads: TypeAlias = Mapping[int, Mapping[int, int]]
"""Operator's index -> index of an input -> lead: the output may be written over this
input if it begins at least so many bytes before it."""


def plan(
    graph: Graph, kept: Mapping[int, int] | None = None, leads: Leads | None = None
) -> Arena:
    """The places of a graph's activations and of operators' scratch bytes. `kept`: how
    many an operator needs while it runs, by its index; `leads`: as in `Leads`."""
    same = _same(graph)
    lives = _lives(graph, same)
    over = _over(graph, same, lives, leads or {})
    of_kernels = {k: bytes for k, bytes in (kept or {}).items() if bytes}
    lives += [Life(scratch(k), bytes, k, k) for k, bytes in of_kernels.items()]
    same |= {scratch(k): scratch(k) for k in of_kernels}
    tried = [_placed(order, over) for order in _orders(lives, bool(over))]
    placed = min(tried, key=_end)
    at = {life.tensor: place for life, place in placed}
    return Arena(
        _end(placed),
        {tensor: at[first] for tensor, first in same.items()},
        tuple(_alive(lives, operator.index) for operator in graph.operators),
    )


def _over(
    graph: Graph, same: Mapping[int, int], lives: Iterable[Life], leads: Leads
) -> dict[tuple[int, int], int]:
    """(output, input) -> the lead of the output over the input, where no other operator
    reads the input later."""
    known = {one.tensor: one for one in lives}
    found: dict[tuple[int, int], int] = {}
    for operator in graph.operators:
        for index, lead in leads.get(operator.index, {}).items():
            x, y = same[index], same[operator.outputs[0].index]
            if (known[x].last, known[y].first) == (operator.index, operator.index):
                found[y, x] = lead
    return found


def _orders(lives: list[Life], more: bool) -> Iterator[list[Life]]:
    """Orders in which tensors are placed."""
    yield sorted(lives, key=lambda one: (-one.bytes, one.first))
    if more:
        yield sorted(lives, key=lambda one: (one.first, -one.bytes))
        yield sorted(lives, key=lambda one: (-one.last, -one.bytes))
        largest = max(one.bytes for one in lives)
        for seed in (one for one in lives if 4 * one.bytes >= largest):
            for way in (1, -1):
                yield sorted(lives, key=lambda one: _far(one, seed, way))


def _far(one: Life, seed: Life, way: int) -> tuple[bool, int, int, int]:
    """How far in time a tensor is from another; of two, `way` says which is nearer. What
    operators keep for themselves fits where there is room in the end."""
    computed, read = abs(one.first - seed.first), abs(one.last - seed.first)
    return one.tensor < 0, computed, read, way * one.first


def _placed(
    order: list[Life], over: Mapping[tuple[int, int], int]
) -> list[tuple[Life, int]]:
    placed: list[tuple[Life, int]] = []
    for life in order:
        placed.append((life, _free(life, placed, over)))
    return placed


def _end(placed: list[tuple[Life, int]]) -> int:
    return max((place + life.bytes for life, place in placed), default=0)


def _alive(lives: list[Life], index: int) -> int:
    return sum(one.bytes for one in lives if one.first <= index <= one.last)


def _free(
    life: Life,
    placed: list[tuple[Life, int]],
    over: Mapping[tuple[int, int], int],
) -> int:
    """The lowest place at which nothing lies that is needed at the same time."""
    taken = [_taken(life, *one, over) for one in placed if life.meets(one[0])]
    places = (0, *sorted(-(-end // ALIGNMENT) * ALIGNMENT for _, end in taken))
    return next(
        at for at in places if not any(first < at < end for first, end in taken)
    )


def _taken(
    life: Life, other: Life, at: int, over: Mapping[tuple[int, int], int]
) -> tuple[int, int]:
    """Between which two places it must not begin, for another is `at` a place."""
    first, end = at - life.bytes, at + other.bytes
    if (life.tensor, other.tensor) in over:
        first = max(first, at - over[life.tensor, other.tensor])
    if (other.tensor, life.tensor) in over:
        end = min(end, at + over[other.tensor, life.tensor])
    return first, end


def _same(graph: Graph) -> dict[int, int]:
    """Tensors that lie in the arena, each with the one whose bytes it has."""
    given = (*graph.inputs, *carried(graph))
    found = {one.index: one.index for one in given if one.data is None}
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
    yield from ((0, one.index) for one in (*graph.inputs, *carried(graph)))
    for operator in graph.operators:
        yield from ((operator.index, one) for one in _touched(operator))
    last = (*graph.outputs, *carried(graph))
    yield from ((len(graph.operators), one.index) for one in last)


def _touched(operator: Operator) -> Iterator[int]:
    yield from (one.index for one in operator.inputs if one is not None)
    yield from (one.index for one in operator.outputs)


def carried(graph: Graph) -> tuple[Tensor, ...]:
    """Variables that live from one inference to the next."""
    found = {
        one.index: one
        for operator in graph.operators
        for one in operator.inputs
        if operator.kind in CARRY and one is not None and one.variable
    }
    return tuple(found.values())
