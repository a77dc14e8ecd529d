"""What synapses of one bit, 32 to a word, would cost beside the kernels that there are: the
figures of docs/spiking.md.

`pytest -s tests/kernels/test_bit_synapses.py` prints them: instructions, exact under icount,
of 128 cells of which 43 spike. Sparse are the synapses of a liquid, 12 sources a cell, of
which some are there more than once; dense is a network of one bit a synapse, which no rule
has.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from codegen import kernels
from tests.kernels.test_vector_kernels import (
    IMAGE,
    QEMU_SECONDS,
    RV32,
    RV64,
    Machine,
    compiled,
    linked,
)

ZBB = replace(RV64, scalar=f"{RV64.scalar}+zbb", cpus=("rv64,zbb=true",))
PAGE = Path(__file__).parents[2] / "docs" / "spiking.md"
MACHINES: dict[str, tuple[Machine, bool]] = {
    "rv32imac": (replace(RV32, cpus=("rv32",)), False),
    "rv64gc": (replace(RV64, cpus=("rv64",)), False),
    "rv64gc_zbb": (ZBB, False),
    "rv64gcv, VLEN 256": (replace(RV64, cpus=(RV64.cpus[1],)), True),
}
"""Machines, and whether the kernels are those of vectors."""


def counted(
    qemu: str, machine: Machine, vector: bool, rendered: Path, folder: Path
) -> dict[str, int]:
    """What the image tells, by its lines."""
    rows = [kernels.variant(k, vector) for k in ("i16_gathered", "i16_integrate")]
    named = (f"-DSPARSE={rows[0].symbol}", f"-DWIDE={rows[1].symbol}")
    own = (IMAGE / name for name in ("start.S", "virt.c", "synapses.c"))
    files = (*own, *(rendered / row.file for row in rows))
    image = linked(
        compiled(machine, files, rendered, folder, *named), folder / "bits.elf"
    )
    command = [
        qemu, "-M", "virt", "-m", "32", "-bios", "none", "-kernel", str(image), "-cpu",
        machine.cpus[0], "-icount", "shift=0", "-display", "none", "-serial", "stdio",
    ]  # fmt: skip
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=QEMU_SECONDS
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    lines = (line.rpartition(" ") for line in done.stdout.splitlines())
    return {form: int(count) for form, _, count in lines}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if machine is ZBB else pytest.mark.full)
        for name, (machine, _) in MACHINES.items()
    ],
)
def test_bits_cost_what_the_page_says(
    qemu64: str, qemu32: str, rendered: Path, tmp_path: Path, name: str
) -> None:
    machine, vector = MACHINES[name]
    qemu = qemu32 if "32" in machine.target else qemu64
    found = counted(qemu, machine, vector, rendered, tmp_path)
    assert (found.pop("spikes"), found.pop("planes")) == (43, 2)
    row = " | ".join((f"| {name}", *(f"{count:,}" for count in found.values()))) + " |"
    print(row)
    assert row in PAGE.read_text("utf-8")
