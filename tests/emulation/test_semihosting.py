"""An image gets nothing of the host by semihosting, but the way out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import emulation
import targets
from codegen.building import toolchain

SOURCE = Path(__file__).with_name("hostile.c")
SCRIPT = """SECTIONS {{
    . = {code:#x};
    .text : {{ *(.first) *(.text*) *(.rodata*) }}
    stack = {stack:#x};
    /DISCARD/ : {{ *(.ARM.*) *(.comment) *(.eh_frame*) *(.riscv.*) }}
}}
"""
TARGETS = ("mps2-an386", "sifive-e", "sifive-u")
"""One of each QEMU that has semihosting."""


def built(target: targets.Target, folder: Path, **paths: Path) -> Path:
    """The hostile image, which knows these paths of the host."""
    assert target.memory is not None
    memory, zig = target.memory, toolchain.find(target)
    code = memory.origin if memory.rom is None else memory.rom_origin
    script = folder / "hostile.ld"
    stack = memory.origin + min(memory.ram, 0x4000)
    script.write_text(SCRIPT.format(code=code, stack=stack))
    given = [f'-D{name}="{path}"' for name, path in paths.items()]
    flags = [flag for flag in zig.runtime if flag != "-Werror"]
    compiling = [*zig.compile, *flags, *given, "-c", str(SOURCE), "-o", "hostile.o"]
    linker = zig.link[: next(i for i, f in enumerate(zig.link) if f.startswith("--"))]
    linking = [
        *linker,
        "-T",
        str(script),
        "--entry=hostile",
        "hostile.o",
        "-o",
        "hostile.elf",
    ]
    for command in (compiling, linking):
        subprocess.run(command, cwd=folder, check=True)
    return folder / "hostile.elf"


@pytest.mark.usefixtures("qemu64", "qemu32")
@pytest.mark.parametrize("name", TARGETS)
def test_a_hostile_image_ends_and_has_reached_no_file(
    temp: Path, tmp_path: Path, name: str
) -> None:
    """It opens and writes a file, runs a command, removes one and renames one."""
    target, there = targets.load(name), tmp_path / "host"
    there.mkdir()
    (there / "victim").write_text("v")
    (there / "other").write_text("o")
    image = built(
        target, tmp_path, MADE=there / "made", RUN=there / "run",
        VICTIM=there / "victim", OTHER=there / "other",
    )  # fmt: skip
    with emulation.machine_for(target, image) as machine:
        machine.power_on()
        machine.run()
        assert machine.wait(target.limits.reply) == 42, machine.log()
    assert sorted(path.name for path in there.iterdir()) == ["other", "victim"]
