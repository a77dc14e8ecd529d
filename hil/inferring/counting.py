"""What an inference costs, in instructions, on a machine whose core counts them and on one
whose core does not."""

from __future__ import annotations

import re
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from codegen.building import image as images
from codegen.building import toolchain
from codegen.machine_code import debuginfo
from codegen.machine_code.debuginfo import DebugInfo
from emulation.tally import Tally
from hil.desk.attach import Emulated
from hil.errors import CompilerMissing, EmulatorError
from hil.inferring.image import Model, ModelBuilt
from hil.inferring.running import Run, carried_out, computing
from hil.models.cases import Cases

INFER, AFTER = "net_infer", "hil_port_instructions"
"""What is counted, and what the firmware calls when it is done."""
BESIDE_THE_LIBRARY = "firmware/src/hil_memory.c"
"""What the library calls besides itself."""
SOURCE = "generated/net.c"
SHORTEST = 2
"""Bytes of an instruction, at least."""


@dataclass(frozen=True)
class Counted:
    """Cases that went through a device, and the instructions of the first: all, and by the
    number of the model's operator, where that was asked for."""

    run: Run
    instructions: int
    operators: Mapping[int, int] = field(default_factory=dict)


def counted(
    model: Model, built: ModelBuilt, cases: Cases, layers: bool = False
) -> Counted:
    """Every case through the device, and the instructions of the first; `layers`: also of
    each operator. For these, and on a core without a counter, the same code runs with
    debug information, and QEMU counts. Raises `EmulatorError`, `CompilerMissing`, and what
    `carried_out` raises."""
    qemu = model.target.qemu
    if qemu is None or not qemu.counts:
        return _tallied(model, built, cases, layers)
    done = carried_out(model, built, cases)
    parts = _tallied(model, built, cases, True).operators if layers else {}
    return Counted(done, done.cases[0].instructions, parts)


def _tallied(model: Model, built: ModelBuilt, cases: Cases, layers: bool) -> Counted:
    again = with_places(model, built)
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        tally = tally_of(again, Path(folder), layers)
        with computing(model, again, emulated=Emulated(tally)) as device:
            done = Run(device.greeting, tuple(device.case(one) for one in cases))
        return Counted(done, tally.counts()[0], dict(enumerate(tally.split()[0])))


def with_places(model: Model, built: ModelBuilt) -> ModelBuilt:
    """The same image with debug information. Raises `EmulatorError` where that changes
    its code."""
    compiler = toolchain.find(built.plan.target, model.experiment.toolchain)
    again = toolchain.build(built.files, compiler, extra=debuginfo.FLAGS)
    if images.code(built.image.path) != images.code(again.path):
        raise EmulatorError(
            f"image {again.path.name} has other code with debug information than "
            "without: expected the same, so its count tells nothing"
        )
    return replace(built, image=again)


def tally_of(built: ModelBuilt, folder: Path, layers: bool = False) -> Tally:
    """What counts the inferences of an image with debug information, and with `layers`
    each operator of them."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise CompilerMissing(
            "cc is missing: expected a C compiler for this computer",
            "make system-packages installs one",
        )
    info = DebugInfo(built.image.path)
    begin, end = info.function(INFER).first, info.function(AFTER).first
    parts = tuple(_parts(built, info)) if layers else ()
    return Tally(folder, compiler, begin, end, library(info), parts)


def _parts(built: ModelBuilt, info: DebugInfo) -> Iterator[tuple[int, int, int]]:
    """(first, one past the last, number) of the code of `net_infer` that belongs to an
    operator: by the line of net.c that it comes from, or that a kernel was inlined at."""
    starts = begins(built)
    lines = [*starts]
    function = info.function(INFER)

    def operator(address: int) -> int | None:
        around = info.inlined(address)
        line = around[0].line if around else info.line(address)
        place = bisect_right(lines, line) - 1
        return starts[lines[place]] if place >= 0 else None

    addresses = range(function.first, function.end, SHORTEST)
    for number, same in groupby(addresses, operator):
        if number is not None:
            run = [*same]
            yield run[0], run[-1] + SHORTEST, number


def begins(built: ModelBuilt) -> dict[int, int]:
    """The line of net.c at which each operator begins, and its number: a comment above its
    first call names it."""
    found: dict[int, int] = {}
    within = False
    for line, text in enumerate(built.files.files[SOURCE].splitlines(), 1):
        within = within or f" {INFER}(" in text
        named = re.match(r"    /\* (\d+): ", text)
        if within and named:
            found[line] = int(named[1])
    return found


def library(info: DebugInfo) -> tuple[tuple[int, int], ...]:
    """Addresses of the library and of what it calls: interrupts are elsewhere."""
    return tuple(
        span
        for unit, spans in info.units.items()
        if unit.startswith("generated/") or unit == BESIDE_THE_LIBRARY
        for span in spans
    )
