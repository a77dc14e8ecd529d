"""Every vector kernel gives the scalar kernel's bits, at every VLEN.

The checks of image/ are built into an image for QEMU's virt machine. Scalar
kernels are compiled without vectors, so that they stay scalar.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import ziglang

from codegen import kernels
from codegen.kernels.imported import IMPORTED
from tests.kernels.units import scalars, units

IMAGE = Path(__file__).parent / "image"
ZIG = Path(ziglang.__file__).parent / "zig"
QEMU_SECONDS = 60
AGNOSTIC = "rvv_ta_all_1s=true,rvv_ma_all_1s=true"
"""QEMU overwrites with ones what a kernel does not claim to keep."""

HALVES = ("-include", IMAGE / "halves.h")
"""A vsetvl that QEMU 7 has no switch for."""

CHECKED = {row.kernel.name for row in kernels.TABLE if row.kernel not in IMPORTED}
"""Kernels that image/ has a check of: tests/graph holds those of imported models against
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


def compiled(
    machine: Machine, sources: Iterable[Path], rendered: Path, folder: Path,
    *options: str | Path,
) -> list[Path]:  # fmt: skip
    """Objects of C files, made in `folder`; `rendered` has the kernels."""

    def made(source: Path) -> Path:
        cpu = machine.vector if "__rvv" in source.name else machine.scalar
        tool(
            ZIG, "cc", "-c", *FLAGS, "-target", machine.target, f"-mcpu={cpu}",
            f"-mabi={machine.abi}", *options, "-I", rendered, "-I", folder, source,
            "-o", folder / f"{source.stem}.o",
        )  # fmt: skip
        return folder / f"{source.stem}.o"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(made, sources))


def common(machine: Machine, rendered: Path, folder: Path) -> list[Path]:
    """Objects of the checks and of the scalar kernels."""
    rows = (f"ROW({row.kernel.name}, {row.symbol})\n" for row in machine.rows)
    (folder / "rows.h").write_text("".join(rows))
    checks = (IMAGE / name for name in ("start.S", "virt.c", "checks.c"))
    scalar = units(scalars(rendered), folder)
    return compiled(machine, (*checks, *scalar), rendered, folder)


def vectors(
    machine: Machine, kept: Callable[[kernels.Variant], bool], rendered: Path,
    folder: Path, *options: str | Path,
) -> list[Path]:  # fmt: skip
    """Objects of those vector kernels that are `kept`."""
    rows = (row for row in machine.rows if row.arch == "rvv" and kept(row))
    files = units((rendered / row.file for row in rows), folder)
    return compiled(machine, files, rendered, folder, *options)


def linked(objects: Iterable[Path], image: Path) -> Path:
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


def by_lane(row: kernels.Variant) -> bool:
    """Whether a row takes something of a group by the number of its lane."""
    return row.family in ("nonzero", "perturb", "jvp") or row.form == "indexed"


def test_rv64_at_every_vlen(qemu64: str, rendered: Path, tmp_path: Path) -> None:
    """Also where vsetvl takes fewer elements than a group has lanes, as it may."""
    rest = common(RV64, rendered, tmp_path)
    rest += vectors(RV64, lambda row: not by_lane(row), rendered, tmp_path)
    whole = vectors(RV64, by_lane, rendered, tmp_path)
    check(qemu64, RV64, linked((*rest, *whole), tmp_path / "checks.elf"))
    halves = vectors(RV64, by_lane, rendered, tmp_path, *HALVES)
    two = replace(RV64, cpus=RV64.cpus[:2])
    check(qemu64, two, linked((*rest, *halves), tmp_path / "halves.elf"))


@pytest.mark.full
def test_rv64_in_halves(qemu64: str, rendered: Path, tmp_path: Path) -> None:
    """Every kernel, where vsetvl takes halves."""
    objects = common(RV64, rendered, tmp_path)
    objects += vectors(RV64, lambda row: True, rendered, tmp_path, *HALVES)
    check(qemu64, RV64, linked(objects, tmp_path / "halves.elf"))


def test_rv32_without_double_precision(
    qemu32: str, rendered: Path, tmp_path: Path
) -> None:
    objects = common(RV32, rendered, tmp_path)
    objects += vectors(RV32, lambda row: True, rendered, tmp_path)
    check(qemu32, RV32, linked(objects, tmp_path / "checks.elf"))
