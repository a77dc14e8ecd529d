"""How learning steps reach a device: the frame that comes next.

A sample that lies in the image is named by its place, one that the device keeps by
its slot, any other travels. The steps of one frame share a learning rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.protocol import StepFlag
from hil.device.device import NO_FLAGS, Device, travel
from hil.lesson.lesson import Lesson
from hil.lesson.rehearsal import Turn

NOWHERE = np.empty(0, np.uint32)
"""No place in the resident set."""


@dataclass(frozen=True, eq=False)
class Portion:
    """Steps `first` .. `end` - 1, for one frame. `places` are those of their
    samples in the resident set; empty when the samples travel. `turns` are theirs
    where the device keeps samples: one that comes, or some that are rehearsed."""

    first: int
    end: int
    places: np.ndarray
    turns: tuple[Turn, ...] = ()


def portion(
    lesson: Lesson, first: int, end: int, device: Device | None = None
) -> Portion:
    """The longest that begins with step `first` and ends before step `end`: for a
    `device`, as long as its line lets through."""
    end = lesson.unbroken(first, end)
    if lesson.resident:
        assert lesson.experiment.thin is not None
        most = min(lesson.experiment.thin, end - first)
        places = lesson.resident_places(first, most)
        if places.size:
            # one reply tells of all its steps: done again after a cut, they are the same
            if device is not None and not lesson.recoverable:
                places = places[: device.places_a_frame(places)]
            return Portion(first, first + len(places), places)
    eta, last = lesson.eta(first), first + 1
    most = lesson.samples_a_frame
    if device is not None and not _steady(lesson):
        travels = not lesson.turn(first).rehearsed
        nbytes = lesson.sample(first)[0].nbytes if travels else 0
        most = device.samples_a_frame(nbytes, most)
    end = min(end, first + most)
    while last < end and lesson.eta(last) == eta and _joins(lesson, last):
        last += 1
    turns = (lesson.turn(step) for step in range(first, last))
    return Portion(first, last, NOWHERE, tuple(turns) if lesson.rehearsal else ())


def _steady(lesson: Lesson) -> bool:
    """Whether frames keep their length on any line. A frame's digests are taken after
    all of its steps or none, so where steps are done again after a cut they must be in
    the same frames, unless each has its digest. And --faults draws cuts and unplugged
    adapters for each frame: more frames would bring more of them than steps."""
    faults = lesson.experiment.line_faults
    lost = faults is not None and (faults.cut > 0 or faults.unplug > 0)
    return lost or (lesson.recoverable and lesson.digest_every > 1)


def alone(lesson: Lesson, step: int) -> Portion:
    """A step that is done again by itself. What the device kept may be gone by
    then, so a rehearsed sample travels."""
    if lesson.rehearsal:
        return Portion(step, step + 1, NOWHERE)
    return portion(lesson, step, step + 1)


def _joins(lesson: Lesson, step: int) -> bool:
    """Whether a step may be in the frame of the step before it, whose sample is not
    resident. What is kept is kept from a frame of its own."""
    if lesson.rehearsal:
        return lesson.turn(step).rehearsed and lesson.turn(step - 1).rehearsed
    return not lesson.resident or not lesson.resident_places(step, 1).size


def post(
    device: Device, lesson: Lesson, steps: Portion, flags: StepFlag = NO_FLAGS
) -> None:
    """Put the frame of these steps on the line, with the digests that the lesson
    compares and what `flags` ask for."""
    eta, numbers = lesson.eta(steps.first), range(steps.first, steps.end)
    if steps.places.size:
        if lesson.digest_after(numbers[-1]):
            flags |= StepFlag.DIGEST
        every = lesson.digest_every if numbers[-1] < lesson.prefix else 0
        device.post_resident(steps.first, eta, steps.places, flags, every)
        return
    if any(lesson.digest_after(step) for step in numbers):
        flags |= StepFlag.DIGEST
    if steps.turns and steps.turns[0].rehearsed:
        slots = [turn.slot for turn in steps.turns if turn.slot is not None]
        device.post_rehearsal(steps.first, eta, slots, flags)
        return
    keep = steps.turns[0].slot if steps.turns else None
    tail = travel(*lesson.samples(numbers))
    device.post_together(steps.first, eta, len(numbers), tail, flags, keep)
