"""What an inference costs, in instructions, on a machine whose core counts them and on one
whose core does not."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
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


def counted(model: Model, built: ModelBuilt, cases: Cases) -> tuple[Run, int]:
    """Every case through the device, and the instructions of the first. A core without a
    counter runs the same code with debug information, and QEMU counts. Raises
    `EmulatorError`, `CompilerMissing`, and what `carried_out` raises."""
    qemu = model.target.qemu
    if qemu is not None and qemu.counts:
        done = carried_out(model, built, cases)
        return done, done.cases[0].instructions
    again = with_places(model, built)
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        tally = tally_of(again, Path(folder))
        with computing(model, again, emulated=Emulated(tally)) as device:
            done = Run(device.greeting, tuple(device.case(one) for one in cases))
        return done, tally.counts()[0]


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


def tally_of(built: ModelBuilt, folder: Path) -> Tally:
    """What counts the inferences of an image with debug information."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise CompilerMissing(
            "cc is missing: expected a C compiler for this computer",
            "make system-packages installs one",
        )
    info = DebugInfo(built.image.path)
    begin, end = info.function(INFER).first, info.function(AFTER).first
    return Tally(folder, compiler, begin, end, library(info))


def library(info: DebugInfo) -> tuple[tuple[int, int], ...]:
    """Addresses of the library and of what it calls: interrupts are elsewhere."""
    return tuple(
        span
        for unit, spans in info.units.items()
        if unit.startswith("generated/") or unit == BESIDE_THE_LIBRARY
        for span in spans
    )
