"""The comparison bites: a kernel that is a little wrong is caught, and the
report names the tensor where it went wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codegen import render
from hil import Experiment, run

MUTATIONS = {
    "fma split in two": (
        "dense_forward__rvv.c.j2",
        "sum = __riscv_vfmacc_vf_{{ f }}(sum, x[i], __riscv_vle32_v_{{ f }}(row, vl), vl);",
        "sum = __riscv_vfadd_vv_{{ f }}(sum, __riscv_vfmul_vf_{{ f }}("
        "__riscv_vle32_v_{{ f }}(row, vl), x[i], vl), vl);",
        "h1",
    ),
    "dropped last lane": (
        "gradient__rvv.c.j2",
        "(result, u, vl), vl);",
        "(result, u, vl), vl - 1);",
        "d2",
    ),
    "swapped index": (
        "dense_update__rvv.c.j2",
        "const float s = -(eta * x[i]);",
        "const float s = -(eta * x[i ^ 1]);",
        "W2",  # the first whose row fits one group of registers
    ),
    "bias forgotten": (
        "dense_update__rvv.c.j2",
        "add_scaled(b, -eta, d, n_out);",
        "(void)b;",
        "b1",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_kernel_is_caught_at_its_tensor(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    template, right, wrong, tensor = MUTATIONS[name]
    mutated = tmp_path / "templates"
    shutil.copytree(render.TEMPLATES, mutated)
    path = mutated / "kernels" / template
    text = path.read_text()
    assert right in text, f"{template} has changed: this mutation no longer applies"
    path.write_text(text.replace(right, wrong))
    monkeypatch.setattr(render, "TEMPLATES", mutated)

    record = run(Experiment(steps=20, test=5), out=tmp_path)
    assert (record.result, record.exit_code) == ("fail", 1)
    assert record.divergence is not None
    assert record.divergence["tensor"] == tensor
    assert record.divergence["device"] != record.divergence["reference"]


def test_a_run_that_compared_nothing_is_a_failure(tmp_path: Path) -> None:
    record = run(
        Experiment(target="host", steps=10, compare="none", test=0), out=tmp_path
    )
    assert (record.result, record.exit_code, record.compared) == ("fail", 1, 0)
