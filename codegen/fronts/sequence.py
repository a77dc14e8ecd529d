"""What reservoirs share: how a sequence is played to cells, tick after tick, and where
what they did is summed up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from codegen import streams
from codegen.composer import Composer
from codegen.formats import U8
from codegen.program import Item, Part, Repeat
from codegen.reservoir import Reservoir
from codegen.tensors import Tensor, Values

Kind = TypeVar("Kind", bound=Reservoir)


def declared(c: Composer, kind: type[Kind]) -> Kind:
    """What the spec says of the reservoir."""
    found = c.spec.inputs.front
    assert isinstance(found, kind)
    return found


def heard(c: Composer, front: Reservoir) -> Tensor:
    """Which cells each cell hears, [sources, cells]."""
    shape = (front.sources, front.cells)

    def make() -> Iterable[float]:
        from codegen import drawn  # numpy, which the help of a verb does without

        words = drawn.words(front.seed, streams.SOURCES, shape[0] * shape[1])
        return [float(word) for word in (words % front.cells).tolist()]

    return c.tensor("source", shape, "const", format=U8, initial=Values(make))


def row(c: Composer, front: Reservoir) -> Part:
    """The row of the sample that is played."""
    rows = replace(c.sample, shape=(front.rows, front.axes))
    each = front.seen // front.segments
    place = f"segment * {each} + row"
    return Part(rows, place if front.every == 1 else f"({place}) * {front.every}")


def played(front: Reservoir, shown: tuple[Item, ...], tick: tuple[Item, ...]) -> Repeat:
    """Every row is `shown`, and held for its ticks."""
    ticks = (Repeat("tick", front.hold, tick),) if front.hold > 1 else tick
    rows = Repeat("row", front.seen // front.segments, (*shown, *ticks))
    return Repeat(
        "segment", front.segments, (rows,), "the sequence is played to the cells"
    )
