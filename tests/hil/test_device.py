"""Device and Window against the real firmware, as a native process and in QEMU."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen import protocol
from codegen.protocol import StepFlag
from codegen.reference import Learner
from codegen.rendering import render
from emulation.faults import LONGEST_PIECE, Line
from hil.device.device import Device
from hil.device.exchange import State, StateError
from hil.device.link.channel import Channel
from hil.device.link.frame import Decoder, encode
from hil.device.link.pace import LONGEST_ROUND, Pace, Patience
from hil.device.link.window import Window
from hil.device.replies import StepResult
from hil.errors import (
    DeviceReset,
    FirmwareMismatch,
    LineClosed,
    LinkError,
    NoAnswer,
    PortMissing,
)
from hil.experiment import Experiment
from hil.learning.divergence import Snapshot, one_step, write_state
from hil.lesson.lesson import Lesson
from hil.measuring.lying_device import LyingLine

pytestmark = pytest.mark.hil(network=(64, 17, 10), steps=60, test=20)
EMULATED = pytest.mark.parametrize(
    "hil_target", ["host", "qemu-rv64gcv"], indirect=True
)
Start = Callable[[Experiment], Any]
LIMIT = 20.0
EVERYTHING = "drop=0.03,flip=0.0003,duplicate=0.03,reorder=0.03,delay=0.03,truncate=0.03,noise=0.03"


def greeted(board: Any, channel: Line) -> Device:
    device = Device(channel, board.built.plan, board.lesson.target.limits)
    device.hello(board.built.image.digest, 0, LIMIT)
    return device


def test_a_device_says_what_it_is(board: Start, small: Experiment) -> None:
    one = board(small)
    with Channel(one.url) as channel:
        device = Device(channel, one.built.plan, one.lesson.target.limits)
        told = device.hello(one.built.image.digest, 0, LIMIT)
        assert (told.target, told.isa, told.vlen) == ("host", "native", 0)
        assert (told.window, told.max_payload) == (4, one.built.plan.line.max_payload)
        assert told.step is None and told.committed_step is None
        assert one.built.image.digest.startswith(told.digest)


def test_methods_are_refused_in_the_wrong_state(
    board: Start, small: Experiment
) -> None:
    one = board(small)
    with Channel(one.url) as channel:
        device = Device(channel, one.built.plan, one.lesson.target.limits)
        with pytest.raises(StateError, match="SILENT, expected GREETED"):
            device.init(1)
        with pytest.raises(StateError, match="the device has not been greeted"):
            assert device.greeting
        device.hello(one.built.image.digest, 0, LIMIT)
        with pytest.raises(StateError, match="GREETED, expected READY"):
            device.read(one.built.plan.tensors[0])
        device.leave()
        assert device.state is State.LEFT


@pytest.mark.parametrize(
    ("digest", "vlen", "sentence"),
    [("0" * 64, 0, "but the image just built is 00000000"), (None, 256, "VLEN is 0")],
)
def test_another_build_is_refused(
    board: Start, small: Experiment, digest: str | None, vlen: int, sentence: str
) -> None:
    one = board(small)
    with Channel(one.url) as channel:
        device = Device(channel, one.built.plan, one.lesson.target.limits)
        with pytest.raises(FirmwareMismatch, match=sentence) as caught:
            device.hello(digest or one.built.image.digest, vlen, LIMIT)
        assert caught.value.exit_code == 6 and caught.value.hints


@EMULATED
def test_weights_of_the_seed_are_the_references(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    learner = Learner(hil_lesson.spec)
    assert hil_device.init(hil_lesson.spec.seed) == learner.digest()
    for tensor in hil_device.plan.state:
        told = hil_device.read(tensor)
        assert (
            told.view(np.uint32) == learner.state[tensor.name].view(np.uint32)
        ).all()


@EMULATED
def test_written_weights_are_learned_from(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    lesson, learner = hil_lesson, Learner(hil_lesson.spec)
    snapshot = Snapshot(5, Learner(lesson.spec, 77).snapshot())
    learner.load(dict(snapshot.state), 5)
    assert write_state(hil_device, lesson.spec.seed, snapshot) == learner.digest()
    told = one_step(hil_device, lesson, 5)
    learner.step(*lesson.sample(5), lesson.eta(5))
    assert told.digest == learner.digest()
    assert hil_device.digest() == (6, learner.digest())


@EMULATED
def test_inference_in_many_frames_keeps_order(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    learner = Learner(hil_lesson.spec)
    x = hil_lesson.dataset.test_x[:50]
    hil_device.init(hil_lesson.spec.seed)
    told = hil_device.infer([sample.tobytes() for sample in x])
    expected = np.stack([learner.infer(sample) for sample in x])
    assert (told.view(np.uint32) == expected.view(np.uint32)).all()
    assert hil_device.infer([]).shape == (0, 10)


@EMULATED
def test_a_step_that_is_not_next_is_refused_with_the_devices_step(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    hil_device.init(1)
    with pytest.raises(LinkError, match="expects step 0"):
        one_step(hil_device, hil_lesson, 3)


@EMULATED
def test_a_full_window_gives_no_more_credit(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    hil_device.init(1)
    data = hil_lesson.sample(0)[0].tobytes()
    for step in range(hil_device.greeting.window):
        hil_device.post_steps(step, np.float32(0.1), [(0, data)])
    assert hil_device.credit == 0
    eta = np.float32(0.1)
    for post in (
        lambda: hil_device.post_steps(9, eta, [(0, data)]),
        lambda: hil_device.post_rehearsal(9, eta, [0]),
        lambda: hil_device.post_resident(9, eta, np.arange(1)),
        lambda: hil_device.post_commit(9),
    ):
        with pytest.raises(StateError, match="no credit"):
            post()
    with pytest.raises(StateError, match="replies to earlier requests have not been"):
        hil_device.ping()
    hil_device.settle()
    assert hil_device.credit == hil_device.greeting.window


@EMULATED
def test_telemetry_is_taken_and_numbered(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    hil_device.init(1)
    for step in range(3):
        sample, label = hil_lesson.sample(step)
        hil_device.post_steps(
            step, np.float32(0.1), [(label, sample.tobytes())], StepFlag.TELEMETRY
        )
        while not hil_device.take_steps(LIMIT):
            pass
    hil_device.digest()
    told = [(entry.number, entry.step) for entry in hil_device.telemetry.latest]
    assert told == [(0, 1), (1, 2), (2, 3)]
    assert hil_device.counts.lost_telemetry == 0


def test_a_silent_line_is_no_answer_within_the_limit(
    board: Start, small: Experiment
) -> None:
    one = board(small)
    with (
        socket.create_server(("127.0.0.1", 0)) as nobody,
        Channel(f"socket://127.0.0.1:{nobody.getsockname()[1]}") as channel,
    ):
        device = Device(channel, one.built.plan, one.lesson.target.limits)
        with pytest.raises(NoAnswer, match="no answer to HELLO") as caught:
            device.hello(one.built.image.digest, 0, 0.3)
        assert any("hil doctor" in hint for hint in caught.value.hints)


def test_a_device_of_another_session_is_noticed(
    board: Start, small: Experiment
) -> None:
    one = board(small)
    with Channel(one.url) as channel:
        first = greeted(one, channel)
        first.init(1)
        second = greeted(one, channel)
        second.init(1)
        with pytest.raises(DeviceReset, match="was reset in mid-session"):
            first.digest()


class Losing(LyingLine):
    """A line that loses the first STEP."""

    def __init__(self, inner: Line) -> None:
        super().__init__(inner, ())
        self._lost = False

    def send(self, data: bytes) -> None:
        (frame,) = Decoder().feed(data)
        if frame.kind == protocol.STEP.kind and not self._lost:
            self._lost = True
        else:
            super().send(data)


class Slow(LyingLine):
    """A line whose reader, once LEAVE is on it, is away until the machine has ended."""

    def __init__(self, inner: Line, machine: Any) -> None:
        super().__init__(inner, ())
        self._machine, self._leaving = machine, False

    def send(self, data: bytes) -> None:
        self._leaving |= Decoder().feed(data)[0].kind == protocol.LEAVE.kind
        super().send(data)

    def pump(self, limit: float) -> bytes:
        data = super().pump(limit)
        if self._leaving and self._machine.alive():
            assert self._machine.wait(LIMIT) == 0
        return data


def test_what_a_machine_said_before_it_ended_is_heard_before_it_is_missed(
    board: Start, small: Experiment
) -> None:
    one = board(small)
    with Channel(one.url, alive=one.machine.alive) as channel:
        line = Slow(channel, one.machine)
        device = greeted(one, line)
        device.again = 0.0
        device.leave()
        assert device.state is State.LEFT
        with pytest.raises(LineClosed, match="has ended"):
            line.require_alive()


def test_answers_of_an_earlier_session_are_not_taken_for_learning(
    board: Start, small: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firmware that keeps its replies over HELLO and INIT, and a frame that is lost."""
    wrong = shutil.copytree(render.FIRMWARE, tmp_path / "firmware")
    replies = wrong / "src" / "network" / "hil_replies.c"
    text, forgets = replies.read_text(), "hil_learner.kept[i].count = 0;"
    assert text.count(forgets) == 1
    replies.write_text(text.replace(forgets, "hil_learner.kept[i].count += 0;"))
    monkeypatch.setattr(render, "FIRMWARE", wrong)
    one = board(small)
    with Channel(one.url) as channel:
        for line in (channel, Losing(channel)):
            device = greeted(one, line)
            device.init(1)
            learned(device, one.lesson, 4)
        assert device.counts.replayed == 3
        data = one.lesson.sample(4)[0].tobytes()
        device.post_steps(4, np.float32(0.1), [(0, data)])
        with pytest.raises(LinkError, match="expects step 1, but step 4 ") as caught:
            device.take_steps(LIMIT)
        assert "an earlier session" in caught.value.hints[0]


def learned(device: Device, lesson: Lesson, steps: int) -> None:
    """Learn steps 0, 1, ..., which are sent together."""
    found: list[StepResult] = []
    for step in range(steps):
        data = lesson.sample(step)[0].tobytes()
        device.post_steps(step, np.float32(0.1), [(0, data)])
    while len(found) < steps:
        found += device.take_steps(LIMIT)


def test_a_line_nobody_listens_on_is_missing(board: Start, small: Experiment) -> None:
    one = board(small)
    one.machine.stop()
    with pytest.raises(PortMissing):
        Channel(one.url)


@pytest.mark.parametrize("seed", range(4))
def test_every_step_is_learned_once_over_a_faulty_line(
    board: Start, faulty: Callable[..., Any], seed: int
) -> None:
    one = board(Experiment(network=(64, 17, 10), steps=200))
    lesson, learner = one.lesson, Learner(one.lesson.spec)
    with Channel(one.url) as channel:
        line = faulty(channel, f"{EVERYTHING},seed={seed}")
        device = greeted(one, line)
        device.init(lesson.spec.seed)
        results, sent = [], 0
        while len(results) < 200:
            while device.credit and sent < 200:
                sample, label = lesson.sample(sent)
                data = [(label, sample.tobytes())]
                device.post_steps(sent, np.float32(0.03), data, StepFlag.DIGEST)
                sent += 1
            results += device.take_steps(LIMIT)
        for step, told in enumerate(results):
            learner.step(*lesson.sample(step), np.float32(0.03))
            assert (told.step, told.digest) == (step, learner.digest())
        assert device.digest() == (200, learner.digest())
        assert device.counts.resent > 0 and device.counts.damaged > 0


def test_a_sample_that_is_its_own_target_travels_alone(board: Start) -> None:
    asked = Experiment(network=(64, 19, 64), goal="sample", steps=4, lr=0.01)
    one = board(asked)
    lesson, learner, eta = one.lesson, Learner(one.lesson.spec), np.float32(0.01)
    with Channel(one.url) as channel:
        device = greeted(one, channel)
        device.init(lesson.spec.seed)
        for step in range(4):
            sample, _ = lesson.sample(step)
            data = [(None, sample.tobytes())]
            device.post_steps(step, eta, data, StepFlag.DIGEST)
            (told,) = device.take_steps(LIMIT)
            learner.step(*lesson.sample(step), eta)
            assert told.digest == learner.digest()


@pytest.mark.parametrize("lossy", [False, True])
def test_a_round_is_bounded_however_many_were_silent_or_hasty(lossy: bool) -> None:
    pace, patience = Pace(), Patience(0.5, 600.0)
    for told in (pace.silent, pace.hasty):
        for _ in range(5000):
            told()
            assert pace.wait({protocol.STEP.kind}, patience, lossy) <= LONGEST_ROUND


def test_a_peer_that_sends_useless_frames_for_ever_is_given_up(
    board: Start, small: Experiment
) -> None:
    """Whole frames of the right session: telemetry, and replies to nothing that was
    asked."""
    one = board(small)
    limits = dataclasses.replace(one.lesson.target.limits, reply=0.3, watchdog=0.1)
    told = encode(protocol.DIGEST.kind | protocol.REPLY, 0, 0x7000, 1, bytes(8))
    told += encode(protocol.TELEMETRY.kind, 0, 0, 1, bytes(40))
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with Channel(url) as channel:
            peer = server.accept()[0]

            def flood() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        peer.sendall(told * 50)

            thread = threading.Thread(target=flood)
            thread.start()
            window = Window(channel, lambda _: None)
            window.boot = 1
            window.post(protocol.DIGEST)
            with pytest.raises(NoAnswer, match="no answer to DIGEST"):
                while True:
                    assert window.poll(60.0, Patience(0.1, limits.reply)) == []
        thread.join()
        peer.close()


def test_what_a_faulty_line_brings_without_a_delimiter_is_not_kept_for_ever(
    faulty: Callable[..., Any],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with Channel(url) as channel:
            peer, line, came = server.accept()[0], faulty(channel, "drop=0"), 0
            peer.setblocking(False)
            while not came:
                with contextlib.suppress(BlockingIOError):
                    peer.send(b"x" * 4096)
                came = len(line.pump(0.01))
            assert came == LONGEST_PIECE
            peer.close()
