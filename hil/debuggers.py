"""Debuggers that know a target's instructions."""

from __future__ import annotations

import shutil

from codegen.arm import CORES
from targets import Target

ANY = "gdb-multiarch"
"""Knows them all, and is the one to recommend."""
RISCV = ("riscv64-unknown-elf-gdb", "riscv64-elf-gdb", "riscv32-unknown-elf-gdb")
ARM = ("arm-none-eabi-gdb",)


def names(target: Target) -> tuple[str, ...]:
    """What such a debugger may be called, the one to recommend first."""
    return (ANY, *(ARM if target.isa in CORES else RISCV))


def find(target: Target) -> str | None:
    """The first that is installed."""
    return next((name for name in names(target) if shutil.which(name)), None)
