"""hil replay: do one step of a recorded run again, and compare all of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from hil import output
from hil.flags import add_machine, keys_of
from targets.signals import held

if TYPE_CHECKING:
    from hil.desk.debugging import Debugging
    from hil.learning.compare import Difference, Row
    from hil.learning.replay import Recorded, Replayed
    from hil.lesson.building import Built
    from hil.lesson.lesson import Lesson

HELP = "repeat one step of a recorded run, alone or under gdb, and compare every tensor"
OVERRIDES = ("target", "unit", "vlen", "console", "toolchain")
"""Keys that leave the run's arithmetic as it was."""
DIFFERENT = 1
"""Exit code of a step that differs."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil replay`."""
    parser.add_argument("folder", metavar="RUN", help="folder of the run")
    parser.add_argument(
        "--step", type=int, metavar="N",
        help="the step to repeat (default: the one that differed, else the last)",
    )  # fmt: skip
    parser.add_argument(
        "--gdb", action="store_true",
        help="stop before the step, with a debugger's stub on a local port, and say "
        "how to connect gdb (QEMU only)",
    )  # fmt: skip
    add_machine(parser, OVERRIDES, "each replaces what the run had")


def run(given: argparse.Namespace) -> int:
    """The verb: 0 when device and reference do the same."""
    with held():  # an import that is torn apart may lose the signal
        from pathlib import Path

        from hil.errors import UsageError
        from hil.learning import replay

    out = output.of(given)
    run = replay.recorded(Path(given.folder))
    step = run.step if given.step is None else given.step
    steps = int(run.document["steps"])
    if not 0 <= step < steps:
        raise UsageError(f"--step is {step}: expected 0 to {steps - 1}")
    lesson = replay.lesson_of(run, keys_of(given))
    if given.gdb:
        _require_stub(lesson)
    built, origin = replay.image_of(run, lesson)
    out.line(f"run      {run.folder}, {run.document['result']}, {steps} steps")
    out.line(f"image    {origin}, build {built.image.digest[:8]}")
    done = _done(out, run, lesson, built, step, given.gdb)
    _show(out, done)
    out.document(_document(run, lesson, built, done))
    return 0 if done.equal else DIFFERENT


def _require_stub(lesson: Lesson) -> None:
    from hil.errors import UsageError

    if lesson.experiment.unit is not None:
        raise UsageError(
            f"--gdb stops an emulator, and unit {lesson.experiment.unit!r} is none",
            "connect its debug probe, break at net_step, and replay without --gdb; or "
            "name an emulated target with --target",
        )
    if not lesson.target.emulated:
        raise UsageError(
            f"--gdb needs a machine in QEMU, and target {lesson.target.name!r} runs as a "
            "process",
            "name an emulated target with --target",
        )


def _done(
    out: output.Output,
    run: Recorded,
    lesson: Lesson,
    built: Built,
    step: int,
    gdb: bool,
) -> Replayed:
    """Boot, compute up to the step, do it."""
    from dataclasses import replace

    from hil.desk import debugging
    from hil.desk.attach import Emulated, attach, greet
    from hil.device.device import Device
    from hil.learning import replay

    first = replay.lead_in(lesson, built.plan, step)
    learner = replay.reference_before(run, lesson, first)
    out.line(f"before   step {first}, digest {learner.digest():08x}")
    asked, path = lesson.experiment, built.image.path
    symbols = replay.with_symbols(run, built, lesson) if gdb else path
    limits, person = lesson.target.limits, debugging.PERSON_LIMIT
    if gdb:
        limits = replace(limits, step=person, reply=person)
    with attach(lesson, path, emulated=Emulated(gdb=gdb)) as attached:
        device = Device(attached.channel, built.plan, limits)
        told = greet(device, lesson, built)
        out.line(f"hello    {told.target} {told.isa}, build {told.digest[:8]}")
        out.line(f"step     {_told(lesson, step)}")
        if gdb:
            debugger = debugging.Debugging(attached, symbols, run.folder.resolve())

            def ready() -> None:
                debugger.pause()
                _invite(out, debugger)

            with debugger.in_charge():
                done = replay.replay(
                    device, lesson, learner, step, ready, debugger.wait
                )
        else:
            done = replay.replay(device, lesson, learner, step)
        if asked.unit is None:
            device.leave()
        return done


def _invite(out: output.Output, debugger: Debugging) -> None:
    from hil.device import debuggers

    out.line("stopped  before the step, which is on its way; in another terminal:")
    out.line(f"  {debugger.command}")
    machine = debugger.attached.machine
    if machine is not None and debuggers.find(machine.target) is None:
        out.line(f"  hint: no such gdb here: apt-get install {debuggers.ANY}")
    out.line("waiting  for gdb to let it go on to its end; Ctrl-C ends it")


def _told(lesson: Lesson, step: int) -> str:
    place = lesson.index(step)
    turn = lesson.turn(step)
    epoch = turn.position // len(lesson.dataset.train_x)
    again = ", rehearsed" if turn.rehearsed else ""
    return (
        f"{step}: sample {place} (epoch {epoch}{again}), label {lesson.label(step)}, "
        f"eta {float(lesson.eta(step)):.9g}"
    )


def _show(out: output.Output, done: Replayed) -> None:
    out.line()
    out.line(
        f"  {'tensor':10}{'elements':>9}{'differ':>8}  {'first':12}{'device':26}"
        f"{'reference':26}{'ulp':>6}"
    )
    for row in done.rows:
        out.line(_line(row))
    out.line()
    if done.note:
        out.line(f"note     {done.note}")
    if done.equal:
        count = sum(row.elements for row in done.rows)
        out.line(f"EQUAL: step {done.step}, {count:,} values, every bit of them")
    else:
        out.line(f"DIFFERENT: {done.first or f'step {done.step}'}")


def _line(row: Row) -> str:
    text = f"  {row.tensor:10}{row.elements:9,}"
    if row.first is None:
        return text + f"{'equal':>8}"
    place = "[" + ", ".join(map(str, row.first.index)) + "]" if row.first.index else ""
    device, reference = _values(row.first)
    ulp = "-" if row.first.ulp is None else f"{row.first.ulp:,}"
    return (
        text
        + (f"{row.differing:8,}  {place:12}{device:26}{reference:26}{ulp:>6}").rstrip()
    )


def _values(seen: Difference) -> tuple[str, str]:
    told = seen.to_json()
    return tuple(  # type: ignore[return-value]
        f"{told[f'{side}_bits']} {_number(told[side])}".rstrip()
        for side in ("device", "reference")
    )


def _number(value: Any) -> str:
    return f"({value:.9g})" if isinstance(value, float) else ""


def _document(
    run: Recorded, lesson: Lesson, built: Built, done: Replayed
) -> dict[str, Any]:
    """The JSON document (docs/replay.md)."""
    from hil.records.record import from_device

    return {
        "result": "pass" if done.equal else "fail",
        "exit_code": 0 if done.equal else DIFFERENT,
        "folder": str(run.folder),
        "target": lesson.target.name,
        "vlen": lesson.vlen,
        "build_digest": built.image.digest,
        "step": done.step,
        "sample": lesson.index(done.step),
        "label": lesson.label(done.step),
        "eta": float(lesson.eta(done.step)),
        "note": done.note,
        "tensors": [row.to_json() for row in done.rows],
        "provenance": {
            "tensors": "counted",
            "tensors.first.device": from_device(lesson.board),
            "tensors.first.reference": "reference",
        },
    }
