"""Debuggers that know a target's instructions."""

from __future__ import annotations

import shutil
from pathlib import Path

from codegen.building.arm import CORES
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


def to_cluster(target: Target, image: Path) -> tuple[str, ...]:
    """Orders to a debugger that has connected to QEMU by extended-remote, without a
    file: to the cluster of the core that works, with the image. None where that is
    the first cluster, to which every debugger connects, and where it may have a file.

    WHY an inferior of its own: the first one is of another kind of core, and refuses
    the file of this one ("bfd requires flen 8, but target has flen 0").
    """
    cluster = 1 if target.qemu is None else target.qemu.cluster
    if cluster == 1:
        return ()
    return (
        f'add-inferior -exec "{image}"',
        "inferior 2",
        f"attach {cluster}",
        "detach inferiors 1",
    )
