"""A liquid of cells that spike: how often each did in parts of a sequence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from codegen import homeostasis, streams
from codegen.composer import Composer
from codegen.formats import I8, I16, I32
from codegen.fronts import sequence
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Part, Stage, op
from codegen.reservoir import LEVEL_UNIT, THRESHOLD, Liquid, Pairs
from codegen.tensors import Tensor, Values

_MOST_FACTOR = 1 << 13
_MOST_OFFSET = 1 << 29
_AT_REST = ("potential", I32), ("bias", I32), ("spikes", I16)


def convert(c: Composer) -> tuple[Item, ...]:
    """Play the sequence, and standardise the counts (docs/arithmetic.md, section 4)."""
    front = sequence.declared(c, Liquid)
    cells = (c.inner(name, (front.cells,), format) for name, format in _AT_REST)
    counted = [t for t in _slow(c, front).values() if t.role == "scratch"]
    rest = tuple(
        op("fill", Shape(1, t.size), v=t, value=0, purpose=t.name)
        for t in (*cells, _counts(c, front), *counted)
    )
    played = sequence.played(front, _shown(c, front), _tick(c, front))
    return (*rest, played, _standardised(c, front))


def after(c: Composer) -> tuple[Item, ...]:
    """Thresholds follow how often cells have spiked in this sample."""
    front = sequence.declared(c, Liquid)
    assert front.homeostat is not None
    slow = _slow(c, front)
    rate = homeostasis.whole_rates(c, "rate0", front.cells, "dynamic")
    moved = homeostasis.whole_settled(
        front.homeostat.parameters, 1, slow["fired"], rate, slow["theta"],
        ticks=front.ticks, theta=THRESHOLD,
    )  # fmt: skip
    return (Stage("update", (moved,), says="thresholds of the liquid's cells"),)


def _slow(c: Composer, front: Liquid) -> dict[str, Any]:
    """Each cell's spikes of the sample so far, and what homeostasis has raised its
    threshold by."""
    if front.homeostat is None:
        return {}
    rise = homeostasis.whole_rises(c, "theta0", front.cells, THRESHOLD, "dynamic")
    return {"theta": rise, "fired": c.inner("fired", (front.cells,), I32)}


def _standardised(c: Composer, front: Liquid) -> Op:
    counts, across = _counts(c, front), Shape(1, front.features)
    if c.numbers.integer:
        return _levelled(c, "standards", front.standards, counts, c.input(1), across)
    made = Values(lambda: front.constants(front.standards))
    standards = c.tensor("standards", (2, front.features), "const", initial=made)
    return op(
        "rescale", across, 1, v=counts, offset=Part(standards, 0),
        divisor=Part(standards, 1), x=c.input(1), purpose="standards",
    )  # fmt: skip


def _shown(c: Composer, front: Liquid) -> tuple[Op, ...]:
    """A row, and what it drives the cells with for as long as it is held."""
    u = c.inner("u", (front.axes,), I8)
    across = Shape(1, front.axes)
    scaled = _levelled(c, "scaling", front.scaling, sequence.row(c, front), u, across)
    nothing = c.tensor(
        "nothing", (1, front.cells), "const", format=I16,
        initial=Values(lambda: [0.0] * front.cells),
    )  # fmt: skip
    driven = op(
        "dense_forward", Shape(front.axes, front.cells), 1, w=_driven(c, front),
        b=nothing, x=u, a=_drive(c, front), purpose="drive",
    )  # fmt: skip
    return scaled, driven


def _tick(c: Composer, front: Liquid) -> tuple[Op, ...]:
    """Every cell once, from the spikes of the tick before."""
    spikes = c.inner("spikes", (front.cells,), I16)
    current = c.inner("current", (front.cells,), I32)
    heard = op(
        "gathered", Shape(front.sources, front.cells), 1, s=spikes,
        source=sequence.heard(c, front), b=_drive(c, front), a=current, purpose="recur",
    )  # fmt: skip
    return heard, _moved(c, front, current, spikes)


def _moved(c: Composer, front: Liquid, current: Tensor, spikes: Tensor) -> Op:
    """What the cells make of what they hear."""
    slow = _slow(c, front)
    return op(
        "regulated_liquid" if slow else "liquid", Shape(1, front.cells), 1,
        v=c.inner("potential", (front.cells,), I32),
        bias=c.inner("bias", (front.cells,), I32), a=current, leak=front.leak,
        excite=front.excite, inhibit=front.inhibit, s=spikes,
        count=Part(_counts(c, front), "segment"), purpose="cells", **slow,
    )  # fmt: skip


def _counts(c: Composer, front: Liquid) -> Tensor:
    return c.inner("spiked", (front.segments, front.cells), I16)


def _drive(c: Composer, front: Liquid) -> Tensor:
    return c.inner("drive", (front.cells,), I32)


def _levelled(
    c: Composer, name: str, pairs: Pairs, v: Tensor | Part, x: Tensor, across: Shape
) -> Op:
    """x = (v - offset) LEVEL_UNIT / divisor, by integers alone."""
    shift = _shift(pairs)

    def make() -> Iterable[float]:
        units = [math.ldexp(LEVEL_UNIT / divisor, shift) for _, divisor in pairs]
        offsets = (o * unit for (o, _), unit in zip(pairs, units, strict=True))
        return [float(math.floor(value + 0.5)) for value in (*offsets, *units)]

    both = c.tensor(name, (2, len(pairs)), "const", format=I32, initial=Values(make))
    return op(
        "level", across, 1, v=v, offset=Part(both, 0), factor=Part(both, 1), shift=shift,
        x=x, purpose=name,
    )  # fmt: skip


def _shift(pairs: Pairs) -> int:
    """Bits below the point of the factors: as many as 32 bits of the product leave."""
    for shift in range(30, 1, -1):
        units = [math.ldexp(LEVEL_UNIT / divisor, shift) for _, divisor in pairs]
        offsets = [abs(o) * unit for (o, _), unit in zip(pairs, units, strict=True)]
        if max(units) < _MOST_FACTOR and max(offsets) < _MOST_OFFSET:
            return shift
    return 1


def _driven(c: Composer, front: Liquid) -> Tensor:
    """Win [axes, cells]: each of a cell's inputs is an axis and perhaps a sign."""

    def make() -> Iterable[float]:
        from codegen import drawn  # numpy, which the help of a verb does without

        found = [0.0] * (front.axes * front.cells)
        words = drawn.words(front.seed, streams.DRIVEN, front.inputs * front.cells)
        for place, word in enumerate(words.tolist()):
            axis, cell = (word >> 1) % front.axes, place % front.cells
            minus = front.signs and word & 1
            found[axis * front.cells + cell] += -front.gain if minus else front.gain
        return found

    shape = (front.axes, front.cells)
    return c.tensor("driven", shape, "const", format=I16, initial=Values(make))
