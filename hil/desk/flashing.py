"""Getting an image onto a board, and knowing that it is there.

What programs it is the unit's loader (`hil.desk.loaders`). Before it runs the unit must
have said that it is of the image's target; after it the flash is a success only
when the new image itself has answered. "OK" from a programmer is neither.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from hil.desk.attach import patiently
from hil.device.device import Device
from hil.device.exchange import say_hello
from hil.device.greeting import Greeting
from hil.device.link.channel import Channel
from hil.device.link.modem import ASSERTED, Levels
from hil.device.link.window import Window
from hil.device.units import Unit
from hil.errors import (
    FirmwareMismatch,
    FlashError,
    LineClosed,
    LinkError,
    NoAnswer,
    NoProgram,
    UsageError,
)
from hil.lesson.building import Answers
from hil.lesson.lesson import Wanted


@dataclass(frozen=True)
class Flashed:
    """What was there before (None: nobody answered), and whether it was changed."""

    before: Greeting | None
    changed: bool


def with_command(unit: Unit, command: str) -> Unit:
    """The unit with this command as its loader, in which {image} and {port} stand
    for both. Raises `UsageError`."""
    try:
        shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--with is {command!r}: {error}") from None
    if "{image}" not in command:
        raise UsageError(
            f"--with is {command!r}: expected a command with {{image}} in it",
            "such as --with 'openocd -f board.cfg -c \"program {image} reset exit\"'",
        )
    return replace(unit, loader="command", command=command)


def who_is_there(url: str, limit: float, levels: Levels = ASSERTED) -> Greeting | None:
    """Who answers on a port within `limit` seconds; None when nobody does. Raises
    every `LinkError` of opening it."""
    with Channel(url, levels=levels) as channel:
        window = Window(channel, lambda _: None)
        try:
            return Greeting.of(say_hello(window, limit).payload)
        except (NoAnswer, ValueError):
            return None  # nobody, or somebody with other firmware


def make_sure(unit: Unit, lesson: Wanted, built: Answers) -> None:
    """A unit that has a loader runs the image afterwards. Raises as `flash` does."""
    if unit.loader is not None:
        flash(unit, lesson, built, blank=False)


def flash(unit: Unit, lesson: Wanted, built: Answers, *, blank: bool) -> Flashed:
    """Put an image onto a unit, which must be ours (`hil.desk.locks`), unless it
    runs it already. `blank`: a unit that does not answer may be changed.

    Raises `FirmwareMismatch` for a unit of another target, which stays as it is,
    and when another image answers afterwards; `FlashError` when the loader fails, or
    nobody answers; and `UsageError`.
    """
    from hil.desk.loaders import loader_for

    loader = loader_for(unit, lesson.target)
    image, limits = built.image, lesson.target.limits
    try:
        before = who_is_there(unit.url, limits.hello, unit.levels)
        _require_same_target(unit, before, lesson, blank)
    except NoProgram:
        before = None  # nothing is there that another image could take the place of
    except LineClosed as error:
        if not blank:
            hint = "`hil flash --blank` puts the image in the place of what is there"
            error.hints = (*error.hints, hint)
            raise
        before = None  # what is there has ended before it answered
    if before is not None and before.digest == image.digest[:32]:
        return Flashed(before, False)
    loader.program(image.path)
    _require_answer(unit, lesson, built)
    return Flashed(before, True)


def _require_answer(unit: Unit, lesson: Wanted, built: Answers) -> None:
    """Raise `FirmwareMismatch` when another image answers, `FlashError` when none."""
    image, limits = built.image, lesson.target.limits
    said = f"loader {unit.loader!r} says that unit {unit.name!r} is flashed, but"
    try:
        with patiently(
            lambda: Channel(unit.url, levels=unit.levels), limits.boot
        ) as channel:
            device = Device(channel, built.plan, limits, image.path)
            device.hello(image.digest, lesson.vlen, limits.boot + limits.hello)
    except FirmwareMismatch as error:
        raise FirmwareMismatch(
            f"{said} not the new image answers: {error}", *error.hints
        ) from error
    except LinkError as error:
        raise FlashError(
            f"{said} the new image has not answered: {error}", *error.hints
        ) from error


def _require_same_target(
    unit: Unit, before: Greeting | None, lesson: Wanted, blank: bool
) -> None:
    wanted = lesson.target.name
    if before is None and not blank:
        raise FirmwareMismatch(
            f"unit {unit.name!r} does not say what it is, so it was not flashed",
            "`hil flash --blank` flashes a board that has no firmware of this kind yet",
            "is it powered, and on this port? `hil monitor` shows what it says",
        )
    if before is not None and before.target != wanted:
        raise FirmwareMismatch(
            f"unit {unit.name!r} says that it is target {before.target!r}, but the "
            f"image is for {wanted!r}: it was not flashed",
            f"choose it with --target {before.target}, or connect the other one",
        )
