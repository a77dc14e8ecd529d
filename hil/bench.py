"""`hil bench link`: what frames cost, and what lockstep costs.

Two comparisons, each within one run on one machine: ECHO through the whole
stack against a raw echo through the same port, and lockstep against the slowest
of its three parts alone: link, device, reference. The rates are host time of an
emulator, so only their ratios mean something.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib import resources

from codegen import toolchain
from codegen.buildplan import BuildPlan
from codegen.image import Image
from codegen.protocol import STEP
from codegen.reference import Learner
from hil.attach import attach, greet
from hil.building import Built, build, plan_for
from hil.device import Device
from hil.divergence import Snapshot
from hil.errors import Divergence, LinkError
from hil.lesson import Lesson
from hil.link.channel import Channel
from hil.link.frame import encode
from hil.lockstep import Learned, Lockstep

GOAL = 0.8
ECHO_BYTES = 2_000_000
"""Payload bytes that each of the two echoes carries."""
KNOCK, LAST_KNOCK = b"k", b"!"
KNOCK_EVERY = 0.05
WARM_UP = 0.02
"""Share of the bytes that goes through before the clock starts."""


@dataclass(frozen=True)
class LinkBench:
    """Rates; `echo` and `raw` in payload bytes per second there and back, the
    others in learning steps per second."""

    raw: float
    echo: float
    link: float
    device: float
    reference: float
    lockstep: float

    @property
    def echo_share(self) -> float:
        """Of what the line carries, how much is left through the stack."""
        return self.echo / self.raw

    @property
    def lockstep_share(self) -> float:
        """Lockstep against the slowest of its parts."""
        return self.lockstep / min(self.link, self.device, self.reference)

    def to_json(self) -> dict[str, float]:
        """Every figure by name."""
        shares = {"echo_share": self.echo_share, "lockstep_share": self.lockstep_share}
        return {**asdict(self), **shares}


def bench_link(lesson: Lesson) -> LinkBench:
    """Measure on the target of `lesson`, with its network and its steps.

    Raises `Divergence` when lockstep finds one, and what building and the link
    raise.
    """
    planned = plan_for(lesson)
    built = build(planned, lesson.experiment.toolchain)
    window, longest = planned.line.window, planned.line.max_payload
    raw = _raw_rate(lesson, built, window, longest)
    with attach(
        lesson.target, built.image.path, lesson.experiment, lesson.vlen, None
    ) as attached:
        device = Device(attached.channel, planned, lesson.target.limits)
        greet(device, lesson, built)
        echo = _echo_rate(device, longest, ECHO_BYTES // longest) * longest
        frames = -(-lesson.steps // lesson.experiment.samples_per_frame)
        link = _echo_rate(device, _step_bytes(lesson), frames) * lesson.steps / frames
        alone = _lockstep_rate(device, lesson, None)
        reference = _reference_rate(lesson)
        lockstep = _lockstep_rate(device, lesson, Learner(lesson.spec))
        device.leave()
    return LinkBench(raw, echo, link, alone, reference, lockstep)


def _raw_image(built: Built, compiler: str | None) -> Image:
    """The image with `raw_echo.c` in place of runtime and network."""
    source = resources.files("hil").joinpath("data", "raw_echo.c").read_text("utf-8")
    kept = {
        name: text
        for name, text in built.files.files.items()
        if "/ports/" in name or "/include/" in name or name.startswith("image/")
        or name.endswith("hil_memory.c")
    }  # fmt: skip
    files = dict(sorted({**kept, "firmware/src/main.c": source}.items()))
    compiled = tuple(name for name in files if name.endswith((".c", ".S")))
    plan = BuildPlan("raw-echo", files, (), compiled, built.files.linker_script)
    return toolchain.build(plan, toolchain.find(built.plan.target, compiler))


def _raw_rate(lesson: Lesson, built: Built, window: int, longest: int) -> float:
    """Bytes per second through the port alone, with as many bytes in flight as
    the framed echo has."""
    image = _raw_image(built, lesson.experiment.toolchain)
    block = encode(0xFF, 0, 0, 0, bytes(longest))
    with attach(
        lesson.target, image.path, lesson.experiment, lesson.vlen, None
    ) as attached:
        limit = lesson.target.limits.boot
        echo = _RawEcho(attached.channel, block, window, limit)
        echo.wait_for_boot()
        echo.carry(int(ECHO_BYTES * WARM_UP))
        started = time.perf_counter()
        echo.carry(ECHO_BYTES)
        return ECHO_BYTES / (time.perf_counter() - started)


class _RawEcho:
    """Keeps `window` blocks in flight on a line that gives every byte back."""

    def __init__(self, channel: Channel, block: bytes, window: int, limit: float) -> None:
        self._channel = channel
        self._block = block
        self._room = window * len(block)
        self._limit = limit

    def wait_for_boot(self) -> None:
        """Knock until it answers (what comes before its UART is up is lost),
        then drain the answers to all other knocks."""
        end = time.monotonic() + self._limit
        heard = b""
        while not heard:
            if time.monotonic() > end:
                raise LinkError(f"the raw echo did not start within {self._limit:g} s")
            self._channel.send(KNOCK)
            self._channel.flush(self._limit)
            heard = self._channel.pump(KNOCK_EVERY)
        self._channel.send(LAST_KNOCK)
        while LAST_KNOCK not in heard:
            heard = self._heard()

    def carry(self, size: int) -> None:
        """Send at least `size` bytes and take all of them back."""
        sent = back = 0
        while back < max(sent, size):
            while sent < size and sent - back + len(self._block) <= self._room:
                self._channel.send(self._block)
                sent += len(self._block)
            back += len(self._heard())

    def _heard(self) -> bytes:
        end = time.monotonic() + self._limit
        while time.monotonic() < end:
            data = self._channel.pump(end - time.monotonic())
            if data:
                return data
        raise LinkError(f"the raw echo fell silent for {self._limit:g} s")


def _echo_rate(device: Device, size: int, frames: int) -> float:
    """ECHO frames per second, of payloads of `size` bytes."""
    payload = bytes(i % 251 for i in range(size))

    def carry(count: int) -> Iterator[bytes]:
        return device.echo(payload for _ in range(count))

    for back in carry(max(1, int(frames * WARM_UP))):
        if back != payload:
            raise LinkError("ECHO gave other bytes back than it got")
    started = time.perf_counter()
    done = sum(1 for _ in carry(frames))
    return done / (time.perf_counter() - started)


def _step_bytes(lesson: Lesson) -> int:
    """Payload of a full STEP frame."""
    assert STEP.request is not None
    sample = 2 + lesson.spec.network.n_in * lesson.spec.inputs.size
    return STEP.request.size + lesson.experiment.samples_per_frame * sample


def _lockstep_rate(device: Device, lesson: Lesson, learner: Learner | None) -> float:
    """Steps per second with a reference, or of the device alone."""
    if learner is None:
        asked = replace(lesson.experiment, compare="none")
        lesson = replace(lesson, experiment=asked)
    device.init(lesson.spec.seed)
    initial = Snapshot(0, learner.snapshot() if learner else {})

    def tell(done: Learned) -> None:
        """Nobody is watching."""

    lockstep = Lockstep(device, lesson, learner, initial, tell)
    started = time.perf_counter()
    lockstep.run()
    if lockstep.difference is not None:
        raise Divergence(f"device and reference differ at {lockstep.difference}")
    return lesson.steps / (time.perf_counter() - started)


def _reference_rate(lesson: Lesson) -> float:
    """Steps per second of numpy alone, the digest of each step included."""
    learner = Learner(lesson.spec)
    started = time.perf_counter()
    for step in range(lesson.steps):
        sample, label = lesson.sample(step)
        learner.step(sample, label, lesson.eta(step))
        if lesson.digest_every:
            learner.digest()
    return lesson.steps / (time.perf_counter() - started)
