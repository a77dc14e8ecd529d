"""Frames that are too long for what the line has become: new ones are shorter, those
in flight are asked for in parts, and every step is still learned once.

The device here is a model of the rules of docs/protocol.md, so that a run takes no
time: what the line does to each frame is hypothesis's choice, and the clock is ours. The file has more than 400 lines, because
this device and these lines serve all of its tests.
"""

from __future__ import annotations

import dataclasses
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.protocol import OUT_OF_STEP, REPLY, STEP, Status, StepFlag
from codegen.reference import Learner
from emulation.faults import PassThrough
from hil import run
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.device.link.frame import Decoder, Frame, encode
from hil.device.link.noise import Noise, frame_bytes
from hil.device.link.pace import Patience
from hil.device.link.window import Window
from hil.errors import LineClosed, NoAnswer
from hil.experiment import Experiment
from hil.learning.lifeline import IDLE_RECOVERIES
from hil.learning.progress import Progress
from hil.learning.session import Session
from hil.lesson.preparing import prepare
from tests.hil.conftest import Board

WINDOW, SAMPLES, WIDTH = 4, 4, 30
LATE = {"late": 3, "very late": 8}
"""Frames that pass before one that is late."""
PATIENCE = Patience(0.5, 1000.0)
SHORT = 90
"""Bytes that still get through: a frame of one sample, and none of two."""


@dataclass
class Model:
    """A device as the protocol says it is. `learned` has every sample in the order in
    which it was learned from; a result is its step and its sample's first bytes."""

    learned: list[bytes] = field(default_factory=list)
    kept: deque[tuple[tuple[int, int], bytes]] = field(
        default_factory=lambda: deque(maxlen=WINDOW)
    )

    def answer(self, asked: Frame) -> bytes:
        assert STEP.request is not None and STEP.reply is not None
        values, tail = STEP.request.unpack(asked.payload)
        step, count = int(values["step"]), int(values["count"])  # type: ignore[call-overload]
        if step == len(self.learned):
            parts = [tail[i : i + WIDTH] for i in range(0, len(tail), WIDTH)]
            self.learned += parts
            rows = b"".join(part[:8] for part in parts)
            payload = STEP.reply.pack(step, values["flags"], count, 0, tail=rows)
            self.kept.append(((step, count), payload))
            return encode(STEP.kind | REPLY, 0, asked.seq, asked.boot, payload)
        for key, payload in self.kept:
            if key == (step, count):
                status = Status.REPLAYED
                return encode(STEP.kind | REPLY, status, asked.seq, asked.boot, payload)
        refusal = OUT_OF_STEP.pack(len(self.learned))
        return encode(
            STEP.kind | REPLY, Status.OUT_OF_STEP, asked.seq, asked.boot, refusal
        )


@dataclass
class Air:
    """The line: each frame, either way, meets the fate that is next, and passes once
    there are no more. Of `noisy` lines the fates of long frames are worse."""

    model: Model
    fates: Iterator[str]
    noisy: bool
    now: float = 0.0
    url: str = "air://"
    received: int = 0

    def __post_init__(self) -> None:
        self._inbox = bytearray()
        self._later: list[tuple[int, Callable[[bytes], None], bytes]] = []

    def send(self, data: bytes) -> None:
        self._carry(self._to_device, data)

    def _to_device(self, data: bytes) -> None:
        for asked in Decoder().feed(data):
            self._carry(self._inbox.extend, self.model.answer(asked))

    def _carry(self, to: Callable[[bytes], None], data: bytes) -> None:
        fate = next(self.fates, "pass" if len(data) <= SHORT or not self.noisy else "")
        if fate in LATE:
            self._later.append((LATE[fate], to, data))
        elif fate in ("pass", "twice") and (len(data) <= SHORT or not self.noisy):
            to(data)
            if fate == "twice":
                to(data)
        elif fate == "squeezed":
            to(data)
        due = [entry for entry in self._later if not entry[0]]
        self._later = [(n - 1, *rest) for n, *rest in self._later if n]  # type: ignore[misc]
        for _, late, what in due:
            late(what)

    def pump(self, limit: float) -> bytes:
        data, self._inbox = bytes(self._inbox), bytearray()
        self.now += 0.001 if data else max(limit, 0.001)
        self.received += len(data)
        return data

    def require_alive(self) -> None:
        pass

    def monotonic(self) -> float:
        """The only clock there is."""
        return self.now


def sample(step: int) -> bytes:
    return step.to_bytes(4, "little") + bytes(WIDTH - 4)


def learned(
    air: Air, monkeypatch: pytest.MonkeyPatch, steps: int, most: int = SAMPLES
) -> list[bytes]:
    """What the host is told of so many steps, which it sends in frames of `most`
    samples, or as many as the line is known to take. It was quiet until now."""
    monkeypatch.setattr("hil.device.link.window.time", air)
    window, told, sent = Window(air, lambda _: None), [], 0  # type: ignore[arg-type]
    window.noise.arrived(10_000)
    while len(told) < steps:
        while len(window) < WINDOW and sent < steps:
            fit = window.noise.items(STEP, WIDTH + 8, most)
            count = min(fit, steps - sent)
            tail = b"".join(sample(sent + i) for i in range(count))
            window.post(STEP, sent, StepFlag.DIGEST, count, 0, 0.1, tail=tail, told=8)
            sent += count
        for frame in window.poll(0.5, PATIENCE):
            assert STEP.reply is not None
            values, rows = STEP.reply.unpack(frame.payload)
            assert values["step"] == len(told) and values["flags"] == StepFlag.DIGEST
            told += [rows[i : i + 8] for i in range(0, len(rows), 8)]
    return told


FATES = st.sampled_from(
    [*["pass"] * 6, "drop", "late", "very late", "twice", "squeezed"]
)


@settings(max_examples=100)
@given(fates=st.lists(FATES, min_size=20, max_size=120), noisy=st.booleans())
def test_every_step_is_learned_once_whatever_becomes_of_long_frames(
    fates: list[str], noisy: bool
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        then = chain(["pass"] * 100, repeat("squeezed")) if noisy else ()
        air = Air(Model(), chain(fates, then), noisy)
        told = learned(air, patched, 40)
    expected = [sample(step) for step in range(40)]
    assert air.model.learned == expected
    assert told == [each[:8] for each in expected]


def test_long_frames_in_flight_do_not_stay_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    air = Air(Model(), iter(()), noisy=True)
    assert len(learned(air, monkeypatch, 40)) == 40
    assert air.now < 60


def test_what_was_done_as_a_whole_is_answered_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The device has done all four long frames, but no reply gets through; then the
    parts are refused, and the long frame is sent until its kept reply comes."""
    to_device, lost = "squeezed", "drop"
    fates = [to_device, lost] * 4 + [""] * 60 + [to_device, to_device] * 200
    air = Air(Model(), iter(fates), noisy=True)
    told = learned(air, monkeypatch, 40)
    assert told == [sample(step)[:8] for step in range(40)]
    assert len(air.model.learned) == 40


@pytest.mark.parametrize("late", LATE)
def test_a_long_frame_that_comes_late_is_refused_without_harm(
    monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """Its first transmission, or its last before it is asked for in parts."""
    for place in range(16):
        fates = [*["pass"] * place, late, *["pass"] * 200]
        air = Air(Model(), iter(fates), noisy=True)
        assert learned(air, monkeypatch, 40) == [sample(s)[:8] for s in range(40)]
        assert air.model.learned == [sample(step) for step in range(40)]


class Narrow(PassThrough):
    """A channel on which every longer frame, either way, has a byte that is another."""

    def __init__(self, inner: Channel, longest: int) -> None:
        super().__init__(inner)
        self.longest = longest
        self._rest = b""
        self.harmed = 0

    def _passed(self, frame: bytes) -> bytes:
        if len(frame) <= self.longest:
            return frame
        self.harmed += 1
        return frame[:9] + bytes([frame[9] ^ 0xFF or 1]) + frame[10:]

    def send(self, data: bytes) -> None:
        self._inner.send(self._passed(data))

    def pump(self, limit: float) -> bytes:
        *whole, self._rest = (self._rest + self._inner.pump(limit)).split(b"\0")
        return b"".join(self._passed(b"\0" + part + b"\0") for part in whole if part)


def test_a_device_behind_a_narrow_line_is_taught_read_and_examined(
    board: Callable[[Experiment], Board],
) -> None:
    one = board(Experiment(network=(64, 17, 10), steps=60))
    lesson, learner = one.lesson, Learner(one.lesson.spec)
    with Channel(one.url) as channel:
        line = Narrow(channel, 130)
        device = Device(line, one.built.plan, lesson.target.limits)  # type: ignore[arg-type]
        device.hello(one.built.image.digest, 0, 10.0)
        device.init(lesson.spec.seed)
        tensor = device.plan.state[2]  # as long as some frames
        weights = device.read(tensor)
        assert (weights == learner.state[tensor.name]).all()
        device.write(tensor, weights)
        device.init(lesson.spec.seed, keep=True)
        flags, told = StepFlag.DIGEST | StepFlag.TELEMETRY, []
        for step in range(0, 16, 4):  # as if the line had been quiet until now
            taught = (lesson.sample(step + i) for i in range(4))
            samples = [(label, sample.tobytes()) for sample, label in taught]
            device.post_steps(step, lesson.eta(step), samples, flags)
        while len(told) < 16:
            told += device.take_steps(10.0)
        for step, result in enumerate(told):
            learner.step(*lesson.sample(step), lesson.eta(step))
            assert (result.step, result.digest) == (step, learner.digest())
        assert not device.telemetry.latest  # it would tell of a part
        x = lesson.dataset.test_x[:20]
        expected = np.stack([learner.infer(sample) for sample in x])
        outputs = device.infer([sample.tobytes() for sample in x])
        assert (outputs.view(np.uint32) == expected.view(np.uint32)).all()
        assert line.harmed


def test_an_exam_is_divided_on_a_line_that_has_become_narrow(
    board: Callable[[Experiment], Board],
) -> None:
    one = board(Experiment(network=(64, 17, 10), steps=60))
    lesson, learner = one.lesson, Learner(one.lesson.spec)
    with Channel(one.url) as channel:
        line = Narrow(channel, 1 << 16)
        device = Device(line, one.built.plan, lesson.target.limits)  # type: ignore[arg-type]
        device.hello(one.built.image.digest, 0, 10.0)
        device.init(lesson.spec.seed)
        line.longest = 130
        x = lesson.dataset.test_x[:8]
        expected = np.stack([learner.infer(sample) for sample in x])
        outputs = device.infer([sample.tobytes() for sample in x])
        assert (outputs.view(np.uint32) == expected.view(np.uint32)).all()
        assert line.harmed


class Fraying(Narrow):
    """One that, as soon as a request of so many bytes is on it, takes only short ones,
    and that is unplugged whenever a single step was answered then, `often` times."""

    def __init__(self, inner: Channel, long: int, often: int) -> None:
        super().__init__(inner, 1 << 16)
        self.unplugged = 0
        self._long, self._often = long, often
        self._decoder = Decoder()
        self._loose = False

    def send(self, data: bytes) -> None:
        if len(data) >= self._long and not self.unplugged:
            self.longest = 130
        super().send(data)

    def pump(self, limit: float) -> bytes:
        if self._loose:
            raise LineClosed("the line is unplugged")
        data = self._inner.pump(limit)
        assert STEP.reply is not None
        done = (STEP.kind | REPLY, Status.OK), (STEP.kind | REPLY, Status.REPLAYED)
        told = [f for f in self._decoder.feed(data) if f[:2] in done]
        counts = [STEP.reply.unpack(frame.payload)[0]["count"] for frame in told]
        self._loose = 1 in counts and self.longest == 130
        return data

    def reopen(self, url: str) -> None:
        self._inner.reopen(url)
        self._loose = False
        self.unplugged += 1
        if self.unplugged == self._often:
            self.longest = 1 << 16


def test_a_device_is_not_given_up_while_parts_of_its_frame_are_answered(
    host_cc: str, folder: Path
) -> None:
    """The line is lost after every one, more often than a run goes on from without a
    step between."""
    often = IDLE_RECOVERIES + 2
    asked = Experiment(
        target="host", network="64-3-10", steps=80, commit=80, test=4,
        samples_per_frame=often + 2,
    )  # fmt: skip
    lines: list[Fraying] = []

    def through(line: Any) -> Any:
        lines.append(Fraying(line, (often + 2) * 64, often))
        return lines[-1]

    session = Session(prepare(asked), folder, Progress(), through=through)
    session.run()
    assert session.failure is None
    assert lines[0].unplugged == often == session.record.link["replugged"]


class Timed(Narrow):
    """One with a clock, on which no more passes than was to be waited: it stands still
    while this process does."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def pump(self, limit: float) -> bytes:
        began = time.monotonic()
        data = super().pump(limit)
        self.now += min(time.monotonic() - began, limit)
        return data


def test_a_line_on_which_a_sample_is_too_long_is_said_to_be_noisy(
    board: Callable[[Experiment], Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = board(Experiment(network=(64, 17, 10), steps=60))
    limits = dataclasses.replace(one.lesson.target.limits, step=1.0, watchdog=0.5)
    with Channel(one.url) as channel:
        line = Timed(channel, 1000)
        monkeypatch.setattr("hil.device.link.window.time", line)
        device = Device(line, one.built.plan, limits)  # type: ignore[arg-type]
        device.hello(one.built.image.digest, 0, 10.0)
        device.init(1)
        line.longest = 90
        sample, label = one.lesson.sample(0)
        device.post_steps(0, np.float32(0.1), [(label, sample.tobytes())])
        with pytest.raises(
            NoAnswer, match=r"no answer to STEP.*sent \d+ times"
        ) as error:
            device.take_steps(5.0)
    assert any("damages about one byte in" in hint for hint in error.value.hints)
    assert any("--resident" in hint for hint in error.value.hints)


@pytest.mark.parametrize("seed", [31, 37])
def test_a_noisy_line_learns_what_a_clean_one_does(
    host_cc: str, folder: Path, seed: int
) -> None:
    """With INFERs as long as ever this run gave up after a minute."""
    asked = Experiment(
        target="host", network="64-33-10", steps=60, test=20, seed=2, compare="none"
    )
    faults = f"drop=0.05,flip=0.002,duplicate=0.05,reorder=0.02,seed={seed}"
    noisy = run(asked.override({"faults": faults}), out=folder)
    assert noisy.digest == run(asked, out=folder).digest
    assert noisy.link["damaged"] and noisy.steps == 60


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 1e-2])
def test_frames_are_as_long_as_lets_most_through_and_grow_when_the_line_is_clean(
    rate: float,
) -> None:
    noise, dice, most, each = Noise(), random.Random(1), 1000, 20
    fixed = frame_bytes(STEP)
    assert noise.items(STEP, each, most) == 1  # nothing is known of the line
    noise.arrived(1 << 20)
    assert noise.items(STEP, each, most) == most
    for _ in range(3000):
        size = fixed + each * noise.items(STEP, each, most)
        whole = dice.random() < math.exp(-rate * size)
        (noise.arrived if whole else noise.lost)(size)
    assert rate / 2 < noise.rate < 2 * rate

    def carried(count: int) -> float:
        size = fixed + each * count
        return count * each / size * math.exp(-rate * size)

    best = max(range(1, most + 1), key=carried)
    assert carried(noise.items(STEP, each, most)) > 0.8 * carried(best)
    noise.lost(size)
    noise.found()  # its answer came late
    for _ in range(30):
        noise.arrived(1 << 15)
    assert noise.items(STEP, each, most) == most
