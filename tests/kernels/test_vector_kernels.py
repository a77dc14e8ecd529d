"""Every vector kernel gives the scalar kernel's bits, at every VLEN.

The checks of image/ are built into an image for QEMU's virt machine. Scalar
kernels are compiled without vectors, so that they stay scalar.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ziglang

from codegen import kernels
from codegen.kernels.imported import IMPORTED
from tests.kernels.units import units

IMAGE = Path(__file__).parent / "image"
ZIG = Path(ziglang.__file__).parent / "zig"
QEMU_SECONDS = 60
AGNOSTIC = "rvv_ta_all_1s=true,rvv_ma_all_1s=true"
"""QEMU overwrites with ones what a kernel does not claim to keep."""

CHECKED = {row.kernel.name for row in kernels.TABLE if row.kernel not in IMPORTED}
"""Kernels that checks.c has a check of: tests/graph holds those of imported models against
their twin."""

FLAGS = (
    "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off",
    "-ffreestanding", "-mcmodel=medany",
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """What is compiled, and which CPUs it must run on."""

    target: str
    abi: str
    scalar: str
    vector: str
    cpus: tuple[str, ...]
    rows: tuple[kernels.Variant, ...]


RV64 = Machine(
    "riscv64-freestanding-none",
    "lp64d",
    "generic_rv64+m+a+f+d+c+zicsr+zifencei",
    "generic_rv64+m+a+f+d+c+v+zicsr+zifencei",
    tuple(f"rv64,v=true,vext_spec=v1.0,vlen={n}" for n in (128, 256, 512, 1024)),
    tuple(
        row
        for row in kernels.TABLE
        if row.kernel.name in CHECKED
        and row.arch == kernels.variant(row.kernel.name, vector=True).arch
    ),
)
RV32 = Machine(
    "riscv32-freestanding-none",
    "ilp32f",
    "generic_rv32+m+a+f+c+zicsr+zifencei",
    "generic_rv32+m+a+f+c+zve32f+zicsr+zifencei",
    ("rv32,d=false,Zve32f=true,vlen=128",),
    tuple(kernels.variant(name, vector=True) for name in sorted(CHECKED)),
)


def tool(*command: str | Path) -> None:
    """Run a tool; what it says is the failure."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def build(machine: Machine, rendered: Path, folder: Path) -> Path:
    """The image, made in `folder`; `rendered` has the kernels."""
    rows = (f"ROW({row.kernel.name}, {row.symbol})\n" for row in machine.rows)
    (folder / "rows.h").write_text("".join(rows))

    def compiled(source: Path) -> Path:
        made = folder / f"{source.stem}.o"
        cpu = machine.vector if "__rvv" in source.name else machine.scalar
        options = ("-target", machine.target, f"-mcpu={cpu}", f"-mabi={machine.abi}")
        tool(
            ZIG, "cc", "-c", *FLAGS, *options,
            "-I", rendered, "-I", folder, source, "-o", made,
        )  # fmt: skip
        return made

    vector = (rendered / row.file for row in machine.rows if row.arch == "rvv")
    sources: Sequence[Path] = [
        *(IMAGE / name for name in ("start.S", "virt.c", "checks.c")),
        *units(vector, folder),
        *units(sorted(rendered.glob("*__scalar.c")), folder),
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compiled, sources))
    image = folder / "checks.elf"
    tool(ZIG, "ld.lld", "-T", IMAGE / "link.ld", "--no-relax", *objects, "-o", image)
    return image


def check(qemu: str, machine: Machine, image: Path) -> None:
    """Run the image on each CPU; it must end by itself, with 0."""
    for cpu in machine.cpus:
        command = [
            qemu, "-M", "virt", "-m", "32", "-bios", "none", "-kernel", str(image),
            "-cpu", f"{cpu},{AGNOSTIC}", "-display", "none", "-serial", "stdio",
        ]  # fmt: skip
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=QEMU_SECONDS,
        )
        assert done.returncode == 0, f"{cpu}: {done.stdout}{done.stderr}"
        assert done.stdout.startswith("same "), f"{cpu}: {done.stdout}"


def test_rv64_at_every_vlen(qemu64: str, rendered: Path, tmp_path: Path) -> None:
    check(qemu64, RV64, build(RV64, rendered, tmp_path))


def test_rv32_without_double_precision(
    qemu32: str, rendered: Path, tmp_path: Path
) -> None:
    check(qemu32, RV32, build(RV32, rendered, tmp_path))
