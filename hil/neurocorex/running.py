"""A stream of NeuroCoreX's bytes through a device, its answer held against the twin's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.planning.lif import CELLS, require_cells
from codegen.reference import neurocorex as twin
from codegen.reference.neurocorex import Answer
from hil.desk.attach import attach, greet
from hil.desk.flashing import make_sure
from hil.desk.link_only import LinkOnly
from hil.device.device import Device
from hil.device.greeting import Greeting
from hil.errors import DataError, Divergence, HilError, SpecError
from hil.experiment import Experiment
from hil.neurocorex import image
from hil.neurocorex.image import LifBuilt

SEED = 0
"""Nothing is drawn."""
LONGEST = 1_000_000
"""Steps of a stream at most."""


@dataclass(frozen=True)
class Run:
    """What the device told and what the twin answers; `instructions` that the device
    retired for it, 0 where its core does not count them."""

    greeting: Greeting
    told: bytes
    answer: Answer
    instructions: int

    @property
    def equal(self) -> bool:
        """Whether both have the same bits."""
        return self.told == self.answer.bytes


def simulate(data: bytes, cells: int = CELLS) -> Answer:
    """What the numpy twin of a network, just reset, answers `data` by. Raises
    `SpecError` for a number of cells that cannot be, `DataError`, naming the byte, for
    bytes that are not NeuroCoreX's."""
    require_cells(cells)
    try:
        known = [one for one in twin.commands(data, cells) if one.opcode == 3]
    except SpecError as error:
        raise DataError(str(error), "the bytes are those of docs/spiking.md") from error
    steps = sum(int(one.payload[:-3:3].sum()) + len(one.payload) // 3 for one in known)
    if steps > LONGEST:
        raise DataError(
            f"the events take up to {steps:,} steps: expected {LONGEST:,} at most"
        )
    return twin.answered(data, cells)


def expected(data: bytes, cells: int = CELLS) -> Answer:
    """The same, of bytes that a device is held to. Raises `DataError` also for bytes that
    nothing answers: a device that does nothing at all would pass."""
    answer = simulate(data, cells)
    if not answer.bytes:
        raise DataError(
            "nothing answers these bytes, so nothing could be compared: expected a run of "
            "at least one step, or weights that are read back"
        )
    return answer


def run(data: bytes, cells: int = CELLS, **keys: Any) -> Run:
    """`data` through a device that was just reset; `keys` say which, as those of
    `hil.run`: target, unit, toolchain, ... Raises what building, starting and greeting
    it raise, every `LinkError`, and `DataError`; `Run.equal` is the verdict."""
    placed = image.prepare(Experiment(**keys))
    answer = expected(data, cells)
    return carried_out(placed, image.build(placed, cells), data, answer)


def carried_out(placed: LinkOnly, built: LifBuilt, data: bytes, answer: Answer) -> Run:
    """The same with an image that is built, and the twin's answer."""
    limits = placed.target.limits
    with attach(
        placed, built.image.path, ready=lambda unit: make_sure(unit, placed, built)
    ) as attached:
        device = Device(attached.channel, built.plan, limits, built.image.path)
        greeting = greet(device, placed, built)
        device.init(SEED)
        told, instructions = b"", 0
        for part in device.stream(data):
            told += part
            if placed.experiment.icount:
                instructions += device.ping().instructions
            if len(told) > len(answer.bytes):
                break  # it may never end
        try:
            device.leave()
            attached.require_end(limits.stop)
        except HilError:
            if placed.experiment.faults is None:
                raise
    return Run(greeting, told, answer, instructions)


def made_plain(placed: LinkOnly, built: LifBuilt) -> str:
    """Have a device's line be a plain UART, on which their bytes are answered without
    frames until a reset; the line. Raises as `carried_out` does."""
    with attach(
        placed, built.image.path, ready=lambda unit: make_sure(unit, placed, built)
    ) as attached:
        limits = placed.target.limits
        device = Device(attached.channel, built.plan, limits, built.image.path)
        greet(device, placed, built)
        device.init(SEED)
        device.plain()
        return attached.channel.url


def difference(run: Run) -> Divergence | None:
    """The error of the first byte that differs, if one does: what it tells of."""
    expected = run.answer.bytes
    if run.told == expected:
        return None
    if len(run.told) != len(expected):
        return Divergence(
            f"device and numpy differ: the device told {len(run.told):,} bytes, numpy "
            f"{len(expected):,}"
        )
    at = next(
        k for k, (a, b) in enumerate(zip(run.told, expected, strict=True)) if a != b
    )
    return Divergence(
        f"device and numpy differ first in {_place(run.answer, at)}: the device has "
        f"{run.told[at]:#04x}, numpy {expected[at]:#04x}",
        f"{sum(a != b for a, b in zip(run.told, expected, strict=True)):,} bytes differ",
    )


def _place(answer: Answer, at: int) -> str:
    """What a byte of the answer tells of."""
    seen = {"run": 0, "read": 0}
    for part in answer.parts:
        kind, size = _extent(part)
        if at < size:
            cells = part.shape[1]
            if kind == "read":
                return f"weights {seen[kind]}, to cell {at // cells}, from {at % cells}"
            if at == 0:
                return f"run {seen[kind]}, the byte that begins it"
            step, byte = divmod(at - 1, cells // 8)
            return f"run {seen[kind]}, step {step}, cells {8 * byte} to {8 * byte + 7}"
        at -= size
        seen[kind] += 1
    raise AssertionError("the answer is shorter")


def _extent(part: NDArray[Any]) -> tuple[str, int]:
    """Of which kind it is, and its bytes."""
    if part.dtype == np.int8:
        return "read", part.size
    return "run", 1 + part.size // 8 if len(part) else 0
