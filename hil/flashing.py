"""Getting an image onto a board, and knowing that it is there.

What programs it is the board's own tool (`--with`, a command). Before it runs the
unit must have said that it is of the image's target; after it the flash is a
success only when the new image itself has answered. "OK" from a programmer is
neither.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from dataclasses import dataclass

from hil import replies
from hil.attach import PAUSE
from hil.building import Built
from hil.device import Device, say_hello
from hil.errors import (
    FirmwareMismatch,
    FlashError,
    LinkError,
    NoAnswer,
    UsageError,
)
from hil.lesson import Lesson
from hil.link.channel import Channel
from hil.link.window import Window
from hil.replies import Greeting

PROGRAMMER_LIMIT = 300.0
"""Host seconds that programming may take."""
LAST_LINES = 5


@dataclass(frozen=True)
class Flashed:
    """What was there before (None: nobody answered), and whether it was changed."""

    before: Greeting | None
    changed: bool


def who_is_there(unit: str, limit: float) -> Greeting | None:
    """Who answers on a port within `limit` seconds; None when nobody does. Raises
    every `LinkError` of opening it."""
    with Channel(unit) as channel:
        window = Window(channel, lambda _: None)
        try:
            return replies.greeting(say_hello(window, limit).payload)
        except (NoAnswer, ValueError):
            return None  # nobody, or somebody with other firmware


def flash(lesson: Lesson, built: Built, command: str, *, blank: bool) -> Flashed:
    """Program the lesson's unit with an image by `command`, in which {image} and
    {port} stand for both. `blank`: a unit that does not answer may be changed.

    Raises `FirmwareMismatch` for a unit of another target, which stays as it is,
    `FlashError` when the programmer fails or another image answers afterwards, and
    `UsageError`.
    """
    unit, image, limits = lesson.experiment.unit, built.image, lesson.target.limits
    assert unit is not None
    words = _words(command, str(image.path), unit)
    before = who_is_there(unit, limits.hello)
    _require_same_target(before, lesson, blank)
    if before is not None and before.digest == image.digest[:32]:
        return Flashed(before, False)
    _program(words)
    try:
        with _opened(unit, limits.boot) as channel:
            device = Device(channel, built.plan, limits, image.path)
            device.hello(image.digest, lesson.vlen, limits.boot + limits.hello)
    except (FirmwareMismatch, LinkError) as error:
        raise FlashError(
            f"the programmer says that unit {unit!r} is flashed, but the new image has "
            f"not answered: {error}",
            *error.hints,
        ) from error
    return Flashed(before, True)


def _opened(unit: str, limit: float) -> Channel:
    """The port, which an adapter that is part of the board takes a while to be again."""
    end = time.monotonic() + limit
    while True:
        try:
            return Channel(unit)
        except LinkError:
            if time.monotonic() >= end:
                raise
            time.sleep(PAUSE)


def _words(command: str, image: str, unit: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--with is {command!r}: {error}") from None
    if not any("{image}" in word for word in words):
        raise UsageError(
            f"--with is {command!r}: expected a command with {{image}} in it",
            "such as --with 'openocd -f board.cfg -c \"program {image} reset exit\"'",
        )
    return [w.replace("{image}", image).replace("{port}", unit) for w in words]


def _require_same_target(before: Greeting | None, lesson: Lesson, blank: bool) -> None:
    unit, wanted = lesson.experiment.unit, lesson.target.name
    if before is None and not blank:
        raise FirmwareMismatch(
            f"unit {unit!r} does not say what it is, so it was not flashed",
            "--blank flashes a board that has no firmware of this kind yet",
            "is it powered, and on this port? `hil monitor` shows what it says",
        )
    if before is not None and before.target != wanted:
        raise FirmwareMismatch(
            f"unit {unit!r} says that it is target {before.target!r}, but the image is "
            f"for {wanted!r}: it was not flashed",
            f"choose it with --target {before.target}, or connect the other one",
        )


def _program(words: list[str]) -> None:
    """Run the programmer. Raises `FlashError`."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROGRAMMER_LIMIT,
        )
    except OSError as error:
        raise FlashError(
            f"programmer {words[0]!r} does not start: {error.strerror}"
        ) from error
    except subprocess.TimeoutExpired:
        raise FlashError(
            f"programmer {words[0]!r} did not end within {PROGRAMMER_LIMIT:g} s"
        ) from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-LAST_LINES:]
        raise FlashError(
            f"programmer {words[0]!r} failed with exit code {done.returncode}",
            *(f"it said: {line}" for line in said),
        )
