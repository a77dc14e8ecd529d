"""Cells with delays, whose state goes on: x are their traces, and every step ends with a
tick of the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from codegen import homeostasis, streams
from codegen.composer import Composer
from codegen.delays import SHARE, SOURCES, THRESHOLD, Delays
from codegen.formats import I32, U8, U32
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Stage, op
from codegen.tensors import Tensor, Values


def _declared(c: Composer) -> Delays:
    found = c.spec.inputs.front
    assert isinstance(found, Delays)
    return found


def _trace(c: Composer) -> Tensor:
    return c.tensor("trace", (_declared(c).cells,), "dynamic", format=U8)


def convert(c: Composer) -> tuple[Item, ...]:
    """Look at the traces, which changes nothing (docs/arithmetic.md, section 4)."""
    across, x = Shape(1, _declared(c).cells), c.input(1)
    if c.numbers.integer:
        return (op("convert", across, 1, v=_trace(c), factor=1, shift=1, x=x),)
    return (op("scaled", across, 1, v=_trace(c), hi=2.0**-8, lo=0.0, x=x),)


def after(c: Composer) -> tuple[Item, ...]:
    """A tick, with the stimuli of this step."""
    front = _declared(c)
    cells = (front.cells,)
    slow = _slow(c, front)
    ticked = op(
        "regulated_delays" if slow else "delays", Shape(front.stimuli, front.cells),
        x=c.sample, source=_sources(c, front),
        delay=_delays(c, front), driven=_driven(c, front),
        shown=c.tensor("shown", (front.stimuli,), "dynamic", format=U8),
        v=c.tensor("potential", cells, "dynamic", format=I32),
        bias=c.tensor("tired", cells, "dynamic", format=I32),
        rest=c.tensor("rest", cells, "dynamic", format=U8),
        past=c.tensor("past", cells, "dynamic", format=U32), trace=_trace(c), **slow,
    )  # fmt: skip
    followed = (_followed(c, front, **slow),) if slow else ()
    return (Stage("update", (ticked, *followed), says="the cells go on"),)


def _slow(c: Composer, front: Delays) -> dict[str, Any]:
    """Who spikes in this tick, and what homeostasis has raised thresholds by."""
    if front.homeostat is None:
        return {}
    rise = homeostasis.whole_rises(c, "theta0", front.cells, THRESHOLD, "dynamic")
    return {"theta": rise, "fired": c.inner("fired", (front.cells,), I32)}


def _followed(c: Composer, front: Delays, theta: Tensor, fired: Tensor) -> Op:
    """Thresholds follow how often cells spike."""
    assert front.homeostat is not None
    rate = homeostasis.whole_rates(c, "rate0", front.cells, "dynamic")
    return homeostasis.whole_settled(
        front.homeostat.parameters, 0, fired, rate, theta, ticks=1, theta=THRESHOLD
    )


def _sources(c: Composer, front: Delays) -> Tensor:
    """Which cells each cell hears."""

    def make() -> Iterable[float]:
        words = _words(front, streams.SOURCES, SOURCES * front.cells)
        return [float(word % front.cells) for word in words]

    return _table(c, "source", front, SOURCES, make)


def _delays(c: Composer, front: Delays) -> Tensor:
    """Ticks less one until it hears them; 128 more of a cell that inhibits."""

    def make() -> Iterable[float]:
        count = SOURCES * front.cells
        ticks = _words(front, streams.DELAYS, count)
        cells = _sources(c, front).values()
        return [
            float(word % 16 + 128 * (int(cell) % 5 == 4))
            for word, cell in zip(ticks, cells, strict=True)
        ]

    return _table(c, "delay", front, SOURCES, make)


def _driven(c: Composer, front: Delays) -> Tensor:
    """How often each stimulus has drawn a cell."""

    def make() -> Iterable[float]:
        each = front.cells // SHARE
        found = [0.0] * (front.stimuli * front.cells)
        words = _words(front, streams.DRIVEN, front.stimuli * each)
        for place, word in enumerate(words):
            found[place // each * front.cells + word % front.cells] += 1
        return found

    return _table(c, "driven", front, front.stimuli, make)


def _words(front: Delays, stream: int, count: int) -> list[int]:
    from codegen import drawn  # numpy, which the help of a verb does without

    found: list[int] = drawn.words(front.seed, stream, count).tolist()
    return found


def _table(
    c: Composer,
    name: str,
    front: Delays,
    rows: int,
    make: Callable[[], Iterable[float]],
) -> Tensor:
    shape = (rows, front.cells)
    return c.tensor(name, shape, "const", format=U8, initial=Values(make))
