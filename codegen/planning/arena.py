"""The arena: scratch tensors share bytes when they are never alive together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from codegen.program import Life
from codegen.tensors import Tensor

Timeline: TypeAlias = Mapping[Tensor, Life]
"""When each scratch tensor of one function is alive."""


@dataclass(frozen=True)
class Arena:
    """Where each scratch tensor lies (in words), and how many there are."""

    offsets: Mapping[str, int]
    words: int


def arrange(*timelines: Timeline) -> Arena:
    """Give each tensor the lowest offset that is free during its whole life in every
    timeline, the largest first. Same input, same arena."""
    ordered = list(dict.fromkeys(t for timeline in timelines for t in timeline))
    placed: dict[Tensor, int] = {}
    for tensor in sorted(ordered, key=lambda t: -t.words):
        taken = [
            (start, start + other.words)
            for other, start in placed.items()
            if _meet(tensor, other, timelines)
        ]
        placed[tensor] = _free(tensor, sorted(taken))
    return Arena(
        {t.name: placed[t] for t in ordered},
        max((start + t.words for t, start in placed.items()), default=0),
    )


def _free(tensor: Tensor, taken: Sequence[tuple[int, int]]) -> int:
    """The lowest offset at which a tensor overlaps nothing that is taken."""
    offset = 0
    for start, end in taken:
        if start < offset + tensor.words and offset < end:
            offset = end + -end % tensor.align
    return offset


def _meet(one: Tensor, other: Tensor, timelines: Sequence[Timeline]) -> bool:
    return any(
        one in timeline and other in timeline and timeline[one].meets(timeline[other])
        for timeline in timelines
    )


def survivors(timeline: Timeline, arena: Arena) -> frozenset[Tensor]:
    """The tensors that no other has overwritten by the end of the last moment."""
    return frozenset(
        one for one in timeline if not _overwritten(one, timeline, arena)
    )  # fmt: skip


def _overwritten(one: Tensor, timeline: Timeline, arena: Arena) -> bool:
    start = arena.offsets[one.name]
    return any(
        life.born > timeline[one].dies
        and arena.offsets[other.name] < start + one.words
        and start < arena.offsets[other.name] + other.words
        for other, life in timeline.items()
    )
