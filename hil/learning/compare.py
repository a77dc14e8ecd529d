"""Device against reference, bit for bit.

Outputs and loss of every step; the state digest as often as the experiment
says. Nothing here knows a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from codegen.reference import Result
from codegen.reference.digest import Digest
from hil.device.replies import StepResult


@dataclass(frozen=True)
class Expected:
    """What the reference says of one step, on a sample of this `label`, None where it
    learns otherwise: a digest where one was asked for, of the device too."""

    step: int
    result: Result
    digest: int | None
    label: int | None

    @property
    def right(self) -> bool:
        """Whether it was predicted, the first of equal outputs being the prediction;
        what has no label is never right."""
        return int(self.result.p.argmax()) == self.label


@dataclass(frozen=True)
class Difference:
    """The first place where device and reference differ.

    `index` has as many numbers as the tensor has dimensions; `ulp` is how many
    binary32 numbers lie between the two values, None where one is NaN. `tensor`
    may also be "loss", "digest", "fold" (what a resident frame's steps tell, all
    together), "right" (how many of them were predicted), "result" (what was told
    twice), or "fault" when one of the two stopped and the other did not; the bits are
    None where there are none. `when` is "init", "step", "test" or "final",
    "commit" or "resume" of a checkpoint's state, or "again" of a step done twice.
    """

    step: int
    tensor: str
    index: tuple[int, ...] = ()
    device_bits: int | None = None
    reference_bits: int | None = None
    when: str = "step"
    note: str = ""

    @property
    def ulp(self) -> int | None:
        """Distance in units in the last place; None where there is none."""
        if self._opaque or None in (self.device_bits, self.reference_bits):
            return None
        assert self.device_bits is not None and self.reference_bits is not None
        return ulp_distance(self.device_bits, self.reference_bits)

    def noted(self, note: str) -> Difference:
        """The same with a note."""
        return replace(self, note=note)

    def to_json(self) -> dict[str, Any]:
        """The form it has in run.json."""
        return {
            "step": self.step,
            "tensor": self.tensor,
            "index": list(self.index),
            "device": self._shown(self.device_bits),
            "reference": self._shown(self.reference_bits),
            "ulp": self.ulp,
            "device_bits": _hex(self.device_bits),
            "reference_bits": _hex(self.reference_bits),
            "when": self.when,
            "note": self.note,
        }

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.index))
        text = f"step {self.step} ({self.when}), {self.tensor}" + (
            numbers and f"[{numbers}]"
        )
        if self.device_bits is not None:
            text += (
                f": device {self._shown(self.device_bits)} ({_hex(self.device_bits)}), "
                f"reference {self._shown(self.reference_bits)} "
                f"({_hex(self.reference_bits)})"
            )
        if self.ulp is not None:
            text += f", {self.ulp} ulp apart"
        return text + (self.note and f"; {self.note}")

    @property
    def _opaque(self) -> bool:
        """Whether the bits are no number."""
        return self.tensor in ("digest", "fold")

    def _shown(self, bits: int | None) -> float | str | None:
        """A number where JSON has one, else its name."""
        if bits is None or self._opaque:
            return _hex(bits)
        value = _float(bits)
        return value if math.isfinite(value) else str(value)


def _hex(bits: int | None) -> str | None:
    return None if bits is None else f"{bits:08x}"


def _float(bits: int) -> float:
    """The number, which is never flushed to zero, whatever the processor was told."""
    if bits & 0x7F800000:
        return float(np.uint32(bits).view(np.float32))
    size = math.ldexp(bits & 0x007FFFFF, -149)
    return -size if bits & 0x80000000 else size


def ulp_distance(a: int, b: int) -> int | None:
    """How many steps from one binary32 number to the next lie between the two
    of these bits (+0 and -0 are one apart); None when one of them is NaN."""
    if math.isnan(_float(a)) or math.isnan(_float(b)):
        return None
    return abs(_rank(a) - _rank(b))


def _rank(bits: int) -> int:
    return bits if bits < 0x80000000 else -1 - (bits & 0x7FFFFFFF)


def words(values: np.ndarray | np.float32) -> np.ndarray:
    """The bits of float32 values, flat, as uint32."""
    return np.ascontiguousarray(values, np.float32).ravel().view(np.uint32)


def difference(
    step: int,
    tensor: str,
    device: np.ndarray | np.float32,
    reference: np.ndarray | np.float32,
    when: str = "step",
    note: str = "",
) -> Difference | None:
    """The first element in which two tensors of one shape differ, in any bit;
    None when they are equal."""
    ours, theirs = words(reference), words(device)
    unequal = np.flatnonzero(ours != theirs)
    if not unequal.size:
        return None
    first = int(unequal[0])
    index = np.unravel_index(first, np.shape(reference)) if np.ndim(reference) else ()
    return Difference(
        step,
        tensor,
        tuple(int(i) for i in index),
        int(theirs[first]),
        int(ours[first]),
        when,
        note,
    )


@dataclass(frozen=True)
class Row:
    """A tensor on both sides: its elements, how many differ, and the first."""

    tensor: str
    elements: int
    differing: int = 0
    first: Difference | None = None

    def to_json(self) -> dict[str, Any]:
        """Its form in the document."""
        first = self.first and self.first.to_json()
        return {
            "tensor": self.tensor,
            "elements": self.elements,
            "differing": self.differing,
            "first": first,
        }


def row_of(
    name: str,
    device: np.ndarray | np.float32,
    reference: np.ndarray | np.float32,
    step: int,
    when: str = "step",
) -> Row:
    """Both sides of a tensor, counted."""
    ours, theirs = words(reference), words(device)
    differing = int(np.count_nonzero(ours != theirs))
    return Row(
        name, ours.size, differing, difference(step, name, device, reference, when)
    )


def digest_difference(
    step: int, device: int, reference: int, when: str = "step", tensor: str = "digest"
) -> Difference | None:
    """The same for two state digests, or two folds."""
    if device == reference:
        return None
    return Difference(step, tensor, (), device, reference, when)


def same(one: StepResult, other: StepResult) -> bool:
    """Whether a device told twice the same of a step, to the bit."""
    return (
        one.loss.tobytes() + one.outputs.tobytes()
        == other.loss.tobytes() + other.outputs.tobytes()
        and (one.digest, one.steps, one.fold, one.right, one.signal)
        == (other.digest, other.steps, other.fold, other.right, other.signal)
    )


def fold(told: Sequence[Expected]) -> int:
    """The digest of what a device tells of these steps: of each the words of
    its loss, its state digest (0 where none is taken) and its outputs."""
    rows = np.empty((len(told), 2 + told[0].result.p.size), np.uint32)
    for row, expected in zip(rows, told, strict=True):
        row[0] = words(expected.result.loss)[0]
        row[1] = expected.digest or 0
        row[2:] = words(expected.result.p)
    return Digest(rows.size)([rows.view(np.float32)])


def compare(device: StepResult, expected: Sequence[Expected]) -> Difference | None:
    """A difference in what a device tells of these steps: outputs, loss and
    digest of the last, and of all where it tells no more their fold and how many were
    predicted right. What it was asked for and has not told is a difference too."""
    last = expected[-1]
    step = last.step
    found = difference(step, "p", device.outputs, last.result.p)
    if found is None:
        found = difference(step, "loss", device.loss, last.result.loss)
    if found is None and last.digest is not None:
        found = _told(step, "digest", device.digest, last.digest)
    if found is None and (device.fold is not None or len(expected) > 1):
        found = _told(step, "fold", device.fold, fold(expected))
        right = sum(each.right for each in expected)
        if found is None and device.right != right:
            note = (
                f"the device says that {device.right} were predicted right, not {right}"
            )
            found = Difference(step, "right", note=note)
    return found


def _told(
    step: int, tensor: str, device: int | None, reference: int
) -> Difference | None:
    """A digest, or a fold, that the device was asked for."""
    if device is None:
        note = "the device was asked for it, and has not told it"
        return Difference(step, tensor, reference_bits=reference, note=note)
    return digest_difference(step, device, reference, tensor=tensor)
