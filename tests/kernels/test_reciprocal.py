"""tanh's quotient without a division is the division's, to the bit.

`reciprocal.c` tries numerators in a model of RVV's vfrec7; the kernel itself is held
against the scalar one in QEMU (test_vector_kernels.py).
"""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "reciprocal.c"


@pytest.mark.parametrize(
    "step", [9973, pytest.param(1, marks=pytest.mark.full, id="all")]
)
def test_no_quotient_differs_from_the_division(
    host_cc: str, tmp_path: Path, step: int
) -> None:
    fused = ("-mfma",) if step == 1 and platform.machine() == "x86_64" else ()
    program = tmp_path / "reciprocal"
    flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")
    command = [host_cc, *flags, *fused, SOURCE, "-lm", "-o", program]
    subprocess.run(command, check=True)
    done = subprocess.run([program, str(step)], capture_output=True, text=True)
    assert (done.returncode, done.stdout[:5]) == (0, "0 of "), done.stdout
