"""Cases through a device, each held against the numpy twin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from codegen.graph.description import Graph
from codegen.reference.graph import begun
from hil.desk.attach import PLAIN, Attached, Emulated, attach, greet
from hil.desk.flashing import make_sure
from hil.device.device import Device
from hil.device.greeting import Greeting
from hil.errors import Divergence, HilError
from hil.inferring.image import Model, ModelBuilt
from hil.models import check
from hil.models.cases import Cases
from targets.storage import Growing

SEED = 0
"""An image that learns nothing draws nothing."""


@dataclass(frozen=True)
class Inferred:
    """One case: what the device told, what the twin gives, and the instructions that the
    device retired for it, 0 where the core does not count them."""

    outputs: tuple[np.ndarray, ...]
    expected: tuple[np.ndarray, ...]
    instructions: int

    @property
    def equal(self) -> bool:
        """Whether both have the same bits, of NaNs any."""
        pairs = zip(self.outputs, self.expected, strict=True)
        return all(_raw(mine) == _raw(other) for mine, other in pairs)

    @property
    def differs(self) -> tuple[int, int]:
        """The first output that has other bits, and which of its elements."""
        place, (mine, other) = next(
            (place, pair)
            for place, pair in enumerate(zip(self.outputs, self.expected, strict=True))
            if _raw(pair[0]) != _raw(pair[1])
        )
        each = mine.dtype.itemsize
        rows = zip(_bytes(mine, each), _bytes(other, each), strict=True)
        return place, next(k for k, (a, b) in enumerate(rows) if a != b)


@dataclass(frozen=True)
class Run:
    """All cases, and who computed them."""

    greeting: Greeting
    cases: tuple[Inferred, ...]

    def outputs(self, graph: Graph) -> dict[str, np.ndarray]:
        """What the device told, by the names of a file: out0, out1, ..."""
        return {
            f"out{place}": np.stack([one.outputs[place] for one in self.cases])
            for place in range(len(graph.outputs))
        }


@dataclass(frozen=True)
class Computing:
    """A device with a model's image, which has been greeted."""

    model: Model
    built: ModelBuilt
    device: Device
    attached: Attached
    greeting: Greeting

    def begin_anew(self) -> None:
        """Make what the model keeps from one inference to the next what it was at first."""
        for tensor in self.built.plan.states:
            self.device.write(tensor, np.zeros(tensor.shape, tensor.format.dtype))

    def case(
        self, inputs: Sequence[np.ndarray], kept: Mapping[int, np.ndarray] | None = None
    ) -> Inferred:
        """One case through the device and the twin. What the model keeps begins anew, or
        goes on in `kept`, the twin's, which is written."""
        if kept is None:
            self.begin_anew()
        for tensor, values in zip(self.built.plan.inputs, inputs, strict=True):
            self.device.write(tensor, values)
        self.device.compute()
        told = [self.device.read(tensor) for tensor in self.built.plan.outputs]
        return Inferred(
            tuple(_shaped(self.model.graph, told)),
            tuple(check.outputs(self.model.graph, inputs, kept)),
            self.device.ping().instructions,
        )


@contextmanager
def computing(
    model: Model,
    built: ModelBuilt,
    log: Growing | None = None,
    emulated: Emulated = PLAIN,
) -> Iterator[Computing]:
    """A device that computes the model, and is taken leave of in the end. A unit that has
    a loader is flashed first; every byte that the device sends goes into `log`. Raises what
    flashing, starting and greeting it raise, and every `LinkError`."""
    path = built.image.path
    with attach(
        model,
        path,
        log,
        emulated=emulated,
        ready=lambda unit: make_sure(unit, model, built),
    ) as attached:
        device = Device(attached.channel, built.plan, model.target.limits, path)
        greeting = greet(device, model, built)
        device.init(SEED)
        yield Computing(model, built, device, attached, greeting)
        _leave(model, device, attached)


def carried_out(
    model: Model, built: ModelBuilt, cases: Cases, stream: bool = False
) -> Run:
    """Every case through a device; of a `stream` what the model keeps goes on from case to
    case. Raises as `computing`."""
    kept = begun(model.graph) if stream else None
    with computing(model, built) as device:
        device.begin_anew()
        return Run(device.greeting, tuple(device.case(one, kept) for one in cases))


def _leave(model: Model, device: Device, attached: Attached) -> None:
    """Say goodbye. All cases are through, and on a line that lies LEAVE's reply may be
    lost for good."""
    try:
        device.leave()
        attached.require_end(model.target.limits.stop)
    except HilError:
        if model.experiment.faults is None:
            raise


def _shaped(graph: Graph, told: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """In the shapes of the model's outputs."""
    for tensor, values in zip(graph.outputs, told, strict=True):
        yield values.reshape(tensor.shape)


def difference(run: Run) -> Divergence | None:
    """The error of the first case that differs, if one does: where, and both values."""
    for number, case in enumerate(run.cases):
        if not case.equal:
            return _told(number, case, sum(not one.equal for one in run.cases))
    return None


def _told(number: int, case: Inferred, count: int) -> Divergence:
    place, index = case.differs
    mine, other = case.outputs[place], case.expected[place]
    return Divergence(
        f"device and numpy differ first in case {number}, output {place}, element {index}: "
        f"the device has {mine.ravel()[index]}, numpy {other.ravel()[index]}",
        f"{count:,} cases differ",
    )


def _bytes(values: np.ndarray, each: int) -> list[bytes]:
    raw = _raw(values)
    return [raw[at : at + each] for at in range(0, len(raw), each)]


def _raw(values: np.ndarray) -> bytes:
    """The bits, with one NaN for all: each core chooses the sign of those it makes."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
    return values.tobytes()
