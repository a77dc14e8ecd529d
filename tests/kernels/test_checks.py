"""The checks of image/ as a program of this computer: do they bite, and are the
scalar kernels free of undefined behaviour?"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from codegen import kernels
from codegen.kernels.imported import IMPORTED
from tests.kernels.units import scalars, units

IMAGE = Path(__file__).parent / "image"
FLAGS = ("-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-g")


def compile_and_run(
    folder: Path, rows: str, compiler: str, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """The checks with these rows.h; `arguments` give the kernels."""
    (folder / "rows.h").write_text(rows)
    program = folder / "checks"
    sources = [IMAGE / name for name in ("checks.c", "hosted.c", "wrong.c")]
    command = [compiler, *FLAGS, "-I", folder, *sources, *arguments]
    subprocess.run([*command, "-o", program, "-lm"], check=True)
    return subprocess.run([program], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("scalar_library", ["portable"], indirect=True)
@pytest.mark.parametrize(
    "wrong", ["wrong_index", "wrong_last_lane", "wrong_rounding", "wrong_end"]
)
def test_a_wrong_kernel_is_found(
    tmp_path: Path, rendered: Path, scalar_library: Path, host_cc: str, wrong: str
) -> None:
    prototype = kernels.KERNELS["f32_dense_forward"].prototype(wrong)
    rows = f"{prototype}\nROW(f32_dense_forward, {wrong})\n"
    others = ("-Wno-unused-function", "-Wno-unused-variable")  # of the other checks
    done = compile_and_run(
        tmp_path, rows, host_cc, *others, "-I", rendered, scalar_library,
        f"-Wl,-rpath,{scalar_library.parent}",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.startswith(f"{wrong}: rows ")


def test_scalar_kernels_have_no_undefined_behaviour(
    tmp_path: Path, rendered: Path, host_cc: str
) -> None:
    sanitize = "-fsanitize=address,undefined"
    probe = [host_cc, sanitize, "-x", "c", "-", "-o", str(tmp_path / "probe")]
    if subprocess.run(probe, input=b"int main(void) { return 0; }").returncode != 0:
        reason = f"{host_cc} has no sanitizers: install libasan and libubsan"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    # those of imported models are computed under the same watch (tests/graph/test_device.py)
    scalar = (
        row
        for row in kernels.TABLE
        if row.arch == "scalar" and row.kernel not in IMPORTED
    )
    rows = "".join(f"ROW({row.kernel.name}, {row.symbol})\n" for row in scalar)
    done = compile_and_run(
        tmp_path, rows, host_cc, sanitize, "-fno-sanitize-recover=all", "-DHIL_DEBUG",
        "-I", rendered, *units(scalars(rendered), tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("same ")
