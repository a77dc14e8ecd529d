"""Which machine a target is."""

from __future__ import annotations

from pathlib import Path

from emulation.machine import Machine
from emulation.native import NativeMachine
from emulation.qemu import QemuMachine
from emulation.tally import Tally
from emulation.trace import Watch
from targets import DescriptorError, Target


def machine_for(
    target: Target,
    image: Path,
    *,
    vlen: int | None = None,
    icount: bool = False,
    console: str = "socket",
    watch: Watch | Tally | None = None,
    flash: Path | None = None,
    gdb: bool = False,
) -> Machine:
    """A machine of this target with this image, still off.

    `vlen` in bits, None for the target's own; `icount` for exact instruction
    counts; `console` "socket" or "pty"; `watch` for a machine that can tell
    what it executes; `flash` is the file that stands for its flash; `gdb` for one
    that a debugger can be connected to. Raises `DescriptorError` for what the target
    has not.
    """
    length = target.vlen(vlen)
    if not target.emulated:
        if icount or watch:
            raise DescriptorError(
                f"target {target.name!r} counts no instructions: "
                "only one that QEMU emulates as a whole does"
            )
        if gdb:
            raise DescriptorError(
                f"target {target.name!r} has no stub for a debugger: "
                "only one that QEMU emulates as a whole has"
            )
        return NativeMachine(target, image, console, flash, _runner(target, length))
    return QemuMachine(target, image, length, icount, console, watch, flash, gdb)


def _runner(target: Target, vlen: int) -> tuple[str, ...]:
    """What a process is started by: nothing, or QEMU's user mode."""
    if target.qemu is None:
        return ()
    return (target.qemu.binary, "-cpu", target.qemu.cpu.format(vlen=vlen))
