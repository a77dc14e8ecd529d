"""Finding where device and reference part.

Outputs, loss and digest say that they differ, not where. So the device is set
back to the last state on which both agreed, and the steps since are done again
one by one; at the first that differs its tensors are read back and compared in
the order in which a step computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.protocol import StepFlag
from codegen.reference import Learner, NonFinite
from codegen.spec import Spec
from hil.data import arrays
from hil.device.device import NO_FLAGS, Device
from hil.device.replies import StepResult
from hil.errors import DeviceFault, LinkError
from hil.learning import feed
from hil.learning.compare import (
    Difference,
    Expected,
    compare,
    difference,
    digest_difference,
)
from hil.lesson.lesson import Lesson

FILE = "divergence.npz"


@dataclass(frozen=True)
class Snapshot:
    """A state of the reference that the device was found to share: what step
    `step` starts from."""

    step: int
    state: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Found:
    """A difference, and both tensors it was found in (None for a number that
    is no tensor, such as the loss)."""

    difference: Difference
    device: np.ndarray | None = None
    reference: np.ndarray | None = None

    def save(self, folder: Path) -> Path | None:
        """Write both tensors into `folder`; None when there are none. Raises
        `StorageError`."""
        if self.device is None or self.reference is None:
            return None
        found = {
            "tensor": self.difference.tensor,
            "step": self.difference.step,
            "device": self.device,
            "reference": self.reference,
        }
        return arrays.write(folder / FILE, found)


class Finder:
    """Repeats steps on a device and on a reference of its own."""

    def __init__(self, device: Device, lesson: Lesson) -> None:
        self._device = device
        self._lesson = lesson
        self._learner = Learner(lesson.spec)

    def restore(self, snapshot: Snapshot) -> Found | None:
        """Put both into the snapshot's state; what differs already then."""
        self._device.settle()
        learner, seed = self._learner, self._lesson.spec.seed
        learner.load(dict(snapshot.state), snapshot.step)
        digest = write_state(self._device, seed, snapshot)
        seen = digest_difference(snapshot.step, digest, learner.digest(), "init")
        if seen is None:
            return None
        return compare_state(self._device, learner, snapshot.step, "init") or Found(
            seen
        )

    @property
    def learner(self) -> Learner:
        """The reference, as the last step that was repeated has left it."""
        return self._learner

    def once_more(self, snapshot: Snapshot) -> Found | None:
        """Do the snapshot's step again on both sides; what differs, down to any
        intermediate that can be read."""
        return (
            self.restore(snapshot)
            or self._repeat(snapshot.step, StepFlag.DIGEST)
            or _first_in(self._learner.trace, self._device, snapshot.step, "step")
        )

    def find(self, snapshot: Snapshot, seen: Difference) -> Found:
        """The first difference at or before `seen`.

        The state's digest after every step places it best. But a digest also
        flushes what a fused step has left pending, and then the next step is not
        fused: what shows only there is looked for with the lesson's own digests.
        """
        found = self._search(snapshot, seen, StepFlag.DIGEST)
        if found is None and self._device.plan.pending:
            found = self._search(snapshot, seen, NO_FLAGS)
        note = "it did not show again when the steps were repeated one by one"
        turn = self._lesson.turn(seen.step)
        if turn.rehearsed:
            note += f", its sample sent and not taken from slot {turn.slot}"
        return found or Found(seen.noted(f"{seen.note}; {note}" if seen.note else note))

    def _search(
        self, snapshot: Snapshot, seen: Difference, flags: StepFlag
    ) -> Found | None:
        found = self.restore(snapshot)
        # a state, which a checkpoint holds, is that before its step
        end = seen.step + (seen.when in ("step", "again"))
        for step in range(snapshot.step, end):
            if found is not None:
                return found
            found = self._repeat(step, flags)
        return found

    def _repeat(self, step: int, flags: StepFlag) -> Found | None:
        sample, given = self._lesson.sample(step)
        eta = self._lesson.eta(step)
        told, expected, note = None, None, ""
        try:
            told = one_step(self._device, self._lesson, step, flags)
        except DeviceFault as error:
            self._device.settle()  # the step's own reply is still to come
            note = str(error)
        try:
            signal = told.signal if told is not None else 0
            result = self._learner.step(sample, given, eta, signal)
            asked = flags & StepFlag.DIGEST or self._lesson.digest_after(step)
            digest = self._learner.digest() if asked else None
            expected = Expected(step, result, digest, self._lesson.label(step))
        except NonFinite as error:
            if told is None:
                return None
            note = f"the reference met a non-finite {error.tensor}"
        if told is not None and expected is not None:
            seen = compare(told, [expected])
            if seen is None:
                return None
            return self._first(step) or Found(seen)
        return self._first(step, note) or Found(Difference(step, "fault", note=note))

    def _first(self, step: int, note: str = "") -> Found | None:
        """Read the tensors back, intermediates first, up to one that differs."""
        values = {**self._learner.trace, **self._learner.state}
        return _first_in(values, self._device, step, "step", note)


def _first_in(
    values: Mapping[str, np.ndarray],
    device: Device,
    step: int,
    when: str,
    note: str = "",
) -> Found | None:
    for name, told, reference in both(values, device):
        seen = difference(step, name, told, reference, when, note)
        if seen is not None:
            return Found(seen, told, reference.copy())
    return None


def both(
    values: Mapping[str, np.ndarray], device: Device
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(name, the device's, the reference's) of each of the reference's tensors
    that can be read back."""
    known = {t.name for t in device.plan.tensors if not t.passed}
    for name, reference in values.items():
        if name in known:  # an input may have been listed, never dense
            yield name, device.read(device.plan.tensor(name)), reference


def compare_state(
    device: Device, learner: Learner, step: int, when: str
) -> Found | None:
    """Read every weight back; the first difference among them."""
    return _first_in(learner.state, device, step, when)


def one_step(
    device: Device,
    lesson: Lesson,
    step: int,
    flags: StepFlag = StepFlag.DIGEST,
    meanwhile: Callable[[], None] = lambda: None,
) -> StepResult:
    """One step alone, its digest taken; its sample comes from where it came, unless
    that was the device's own memory. When it is on its way, `meanwhile` is called."""
    feed.post(device, lesson, feed.alone(lesson, step), flags)
    meanwhile()
    while True:
        for result in device.take_steps(device.limits.step):
            return result


def write_state(device: Device, seed: int, snapshot: Snapshot) -> int:
    """Give the device the snapshot's state and step; returns its digest."""
    device.init(seed, snapshot.step)
    for name, values in snapshot.state.items():
        device.write(device.plan.tensor(name), values)
    return device.init(seed, snapshot.step, keep=True)


def digest_at(device: Device, step: int) -> int:
    """The digest of the device's state, whose next step must be `step`. Raises
    `LinkError`."""
    told, digest = device.digest()
    if told != step:
        raise LinkError(
            f"the device says its next step is {told}, but {step} were learned"
        )
    return digest


def read_state(device: Device, digest: int) -> dict[str, np.ndarray]:
    """The device's state, which must be of the `digest` that it has told. Raises
    `LinkError`."""
    state = {t.name: device.read(t) for t in device.plan.state}
    require_digest(device.plan.spec, state, digest)
    return state


def require_digest(spec: Spec, state: Mapping[str, np.ndarray], digest: int) -> None:
    """Raise `LinkError` unless the digest that a device tells is that of a state that
    it has told, or was given."""
    learner = Learner(spec)
    learner.load(dict(state))
    if learner.digest() != digest:
        raise LinkError(
            f"the device says that its state has digest {digest:08x}, but the state that "
            f"came over the line has {learner.digest():08x}"
        )
