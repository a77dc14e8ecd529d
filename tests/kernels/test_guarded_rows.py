"""Vector kernels that load several rows at once read none that is not there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import targets
from codegen import kernels
from codegen.building import toolchain

SOURCE = Path(__file__).parent / "guarded.c"
ROW = next(row for row in kernels.TABLE if row.form == "indexed")


@pytest.fixture(scope="module")
def program(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It, in user mode of a machine with vectors."""
    chain = toolchain.find(targets.load("linux-riscv64-rvv"))
    folder = tmp_path_factory.mktemp("guarded")
    more = ("-I", rendered, f"-DKERNEL={ROW.symbol}")
    objects = []
    for source in (SOURCE, rendered / ROW.file):
        objects.append(folder / f"{source.stem}.o")
        command = [
            *chain.compile,
            *chain.library,
            *more,
            "-c",
            source,
            "-o",
            objects[-1],
        ]
        subprocess.run(command, check=True)
    subprocess.run([*chain.link, *objects, "-o", folder / "program"], check=True)
    return folder / "program"


@pytest.mark.parametrize("vlen", [128, 1024])
def test_rows_are_read_where_they_lie_and_no_further(
    qemu_user: str, program: Path, vlen: int
) -> None:
    cpu = f"rv64,v=true,vext_spec=v1.0,vlen={vlen}"
    done = subprocess.run(
        [qemu_user, "-cpu", cpu, program], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "3280 shapes\n"), done.stderr
