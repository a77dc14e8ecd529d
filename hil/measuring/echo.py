"""ECHO through the whole stack against a raw echo through the same port."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from codegen.building import toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.image import Image
from hil.desk import link_only
from hil.desk.attach import attach, greet
from hil.desk.flashing import make_sure
from hil.desk.link_only import LinkOnly
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.errors import LinkError
from hil.lesson.building import Answers
from hil.lesson.lesson import Wanted

RAW_ECHO = Path(__file__).with_name("raw_echo.c")
EVERY_BYTE = bytes(range(256))
"""Each value that a line must carry; the shortest frames there are hold them all."""
ROUNDS = 3
"""The echoes take turns, so that a busy machine slows both; the best counts."""
ROUND_SECONDS = 1.0
KNOCK, LAST_KNOCK = b"k", b"!"
KNOCK_EVERY = 0.05


@dataclass(frozen=True)
class EchoBench:
    """Payload bytes per second there and back; `raw` None on a unit, which is given
    no image but its own."""

    raw: float | None
    echo: float

    @property
    def share(self) -> float | None:
        """Of what the line carries, how much is left through the stack."""
        return None if self.raw is None else self.echo / self.raw


def bench_echo(wanted: LinkOnly) -> EchoBench:
    """Measure with an image without a network. A unit that has a loader is flashed
    with it, another one must run it already. Raises what building, flashing and the
    link raise."""
    built, unit = link_only.build(wanted), wanted.experiment.unit
    with ExitStack() as stack:
        channel = attached(stack, wanted, built)
        device = Device(channel, built.plan, wanted.target.limits, built.image.path)
        greet(device, wanted, built)
        require_transparent(device)
        if unit is None:
            found = EchoBench(*echo_rates(stack, device, wanted, built))
        else:
            found = EchoBench(None, best_echo_rate(device, built))
        device.leave()
    return found


def attached(
    stack: ExitStack, wanted: Wanted, built: Answers, image: Image | None = None
) -> Channel:
    """The line to a device that runs the image (of an emulator, another `image` of
    the same plan), until the stack closes."""
    asked = wanted.experiment.override({"faults": None})
    found = attach(
        LinkOnly(asked, wanted.target, wanted.vlen),
        (image or built.image).path,
        ready=lambda unit: make_sure(unit, wanted, built),
    )
    channel = stack.enter_context(found).channel
    assert isinstance(channel, Channel)
    return channel


def require_transparent(device: Device) -> None:
    """Raise `LinkError` unless an ECHO of every byte value comes back."""
    if list(device.echo([EVERY_BYTE])) != [EVERY_BYTE]:
        raise LinkError("ECHO gave other bytes back than it got")


def _payload(built: Answers) -> bytes:
    """The longest there is."""
    return bytes(i % 251 for i in range(built.plan.line.max_payload))


def echo_rates(
    stack: ExitStack, device: Device, wanted: Wanted, built: Answers
) -> tuple[float, float]:
    """(raw, through the stack): payload bytes per second, the best of rounds
    that take turns. For an emulator."""
    payload = _payload(built)
    image = _raw_image(built, wanted.experiment.toolchain)
    channel = attached(stack, wanted, built, image)
    limits, line = wanted.target.limits, built.plan.line
    echo = _RawEcho(channel, payload, line.window, limits.boot + limits.hello)
    echo.wait_for_boot()
    rounds = [(echo.rate(), echo_rate(device, payload)) for _ in range(ROUNDS)]
    return max(raw for raw, _ in rounds), max(framed for _, framed in rounds)


def _raw_image(built: Answers, compiler: str | None) -> Image:
    """The image with `raw_echo.c` in place of runtime and network."""
    source = RAW_ECHO.read_text("utf-8")
    kept = {
        name: text
        for name, text in built.files.files.items()
        if name.startswith(("image/", "firmware/cores/", "firmware/ports/"))
        or "/include/" in name or name.endswith("hil_memory.c")
    }  # fmt: skip
    files = dict(sorted({**kept, "firmware/src/main.c": source}.items()))
    compiled = tuple(name for name in files if name.endswith((".c", ".S")))
    plan = BuildPlan("raw-echo", files, (), compiled, built.files.linker_script)
    return toolchain.build(plan, toolchain.find(built.plan.target, compiler))


class _RawEcho:
    """Keeps `window` blocks in flight on a line that gives every byte back."""

    def __init__(
        self, channel: Channel, block: bytes, window: int, limit: float
    ) -> None:
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

    def rate(self) -> float:
        """Bytes per second there and back, over a round."""
        started = time.perf_counter()
        end = started + ROUND_SECONDS
        sent = back = 0
        while time.perf_counter() < end or back < sent:
            full = sent - back + len(self._block) > self._room
            if not full and time.perf_counter() < end:
                self._channel.send(self._block)
                sent += len(self._block)
            else:
                back += len(self._heard())
        return back / (time.perf_counter() - started)

    def _heard(self) -> bytes:
        end = time.monotonic() + self._limit
        while time.monotonic() < end:
            data = self._channel.pump(end - time.monotonic())
            if data:
                return data
        raise LinkError(f"the raw echo fell silent for {self._limit:g} s")


def best_echo_rate(device: Device, built: Answers) -> float:
    """Payload bytes per second of the longest ECHO, the best of some rounds."""
    payload = _payload(built)
    return max(echo_rate(device, payload) for _ in range(ROUNDS))


def echo_rate(device: Device, payload: bytes) -> float:
    """Payload bytes per second of ECHO, over a round."""
    started = time.perf_counter()
    end = started + ROUND_SECONDS
    payloads = iter(lambda: payload if time.perf_counter() < end else b"", b"")
    done = 0
    for back in device.echo(payloads):
        if back != payload:
            raise LinkError("ECHO gave other bytes back than it got")
        done += len(back)
    return done / (time.perf_counter() - started)
