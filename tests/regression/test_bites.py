"""The comparison bites: a kernel that is a little wrong is caught, and the
report names the tensor where it went wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from codegen.reference import Learner
from codegen.rendering import render
from hil import Experiment, run
from hil.lesson.preparing import prepare
from hil.records.record import RunRecord

MUTATIONS = {
    "fma split in two": (
        "listed_forward__rvv.c.j2",
        "__riscv_vfmacc_vf_{{ f }}(sum{{ g }}, x{{ k }}, w{{ k }}_{{ g }}, vl);",
        "__riscv_vfadd_vv_{{ f }}(sum{{ g }}, __riscv_vfmul_vf_{{ f }}("
        "w{{ k }}_{{ g }}, x{{ k }}, vl), vl);",
        "h1",
        {},
    ),
    "dropped last lane": (
        "gradient__rvv.c.j2",
        "(k, result, u, vl);",
        "(k, result, u, vl - 1);",
        "d2",
        {},
    ),
    "rows with negative inputs skipped": (
        "dense_update_columns__rvv.c.j2",
        "vmfne_vf_{{ f }}_{{ b }}(x_i, 0.0f, vl)",
        "vmfgt_vf_{{ f }}_{{ b }}(x_i, 0.0f, vl)",
        "W3",
        {},
    ),
    "bias forgotten": (
        "hil_rows__rvv.h.j2",
        "__riscv_vse32_v_{{ f }}(y, __riscv_vfmacc",
        "(void)old, __riscv_vse32_v_{{ f }}(y, __riscv_vfmul_vf_{{ f }}(delta, s, vl), vl);"
        " if (0) __riscv_vse32_v_{{ f }}(y, __riscv_vfmacc",
        "b1",
        {},
    ),
    "fused forward with old weights": (
        "dense_fused__rvv.c.j2",
        '"vfmacc.vf %[sum], %[x_i], %[{{ this }}]',
        '"vfnmsac.vf %[{{ this }}], %[s_i], %[delta]\\n\\t"\n'
        '"vfmacc.vf %[sum], %[x_i], %[{{ this }}]',
        "h2",
        {"schedule": "fused", "compare": 16},
    ),
    "a controller turned round": (
        "controlled__scalar.c.j2",
        "* (share - set_point)",
        "* (set_point - share)",
        "tau",
        {"gate": "row", "active": 0.5},
    ),
    "a mask of the wrong lanes": (
        "listed_masked_update__rvv.c.j2",
        "__riscv_vfmul_vf_{{ f }}(most, __builtin_fabsf(s), vl)",
        "__riscv_vfmul_vf_{{ f }}(__riscv_vfadd_vv_{{ f }}(most, most, vl), "
        "__builtin_fabsf(s), vl)",
        "W1",
        {"gate": "element", "active": 0.1},
    ),
    "a derivative without the biases": (
        "jvp__rvv.c.j2",
        "= hil_signed_m{{ lmul }}(1.0f, bias, vl);",
        "= hil_signed_m{{ lmul }}(0.0f, bias, vl);",
        "t1",
        {"rule": "fg-weight"},
    ),
    "a target's sign turned round": (
        "target__scalar.c.j2",
        "j == label ? value",
        "j == label ? -value",
        "d1",
        {"rule": "drtp"},
    ),
    "a divisor that multiplies": (
        "rescale__rvv.c.j2",
        "vfdiv_vv_{{ f }}(moved, by, vl)",
        "vfmul_vv_{{ f }}(moved, by, vl)",
        "h1",
        {"scaler": "standard"},
    ),
    "lanes counted that did not pass": (
        "listed_masked_update__rvv.c.j2",
        "passed += __riscv_vcpop_m_{{ b }}(passes, vl);",
        "passed += vl;",
        "tau",
        {"gate": "element", "active": 0.1},
    ),
    "the error of an untaught output for a target": (
        "target__scalar.c.j2",
        "j == label ? value : 0.0f",
        "j == label ? 0.5f * value : -0.5f * value",
        "d1",
        {"rule": "drtp"},
    ),
    "directions that are drawn once": (
        "../net.c.j2",
        "net->step * each + k",
        "0 * net->step * each + k",
        "t2",
        {"rule": "fg-activity"},
    ),
    "what is pending is dropped": (
        "rank_one__rvv.c.j2",
        "__riscv_vse32_v_{{ f }}(row,",
        "if (0) __riscv_vse32_v_{{ f }}(row,",
        "W2",
        {"schedule": "fused", "compare": 16},
    ),
}
"""Template, what it says, what is put there instead, where the first difference
is, and what the run needs to come by."""


def mutate(
    folder: Path, patch: pytest.MonkeyPatch, template: str, right: str, wrong: str
) -> None:
    """Render from templates of which one says something else."""
    mutated = folder / "templates"
    shutil.copytree(render.TEMPLATES, mutated)
    path = mutated / "kernels" / template
    text = path.read_text()
    assert right in text, f"{template} has changed: this mutation no longer applies"
    path.write_text(text.replace(right, wrong))
    patch.setattr(render, "TEMPLATES", mutated)


def caught(record: RunRecord, tensor: str) -> None:
    """The run failed, and the report names this tensor first."""
    assert (record.result, record.exit_code) == ("fail", 1)
    assert record.divergence is not None
    assert record.divergence["tensor"] == tensor
    assert record.divergence["device"] != record.divergence["reference"]


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_kernel_is_caught_at_its_tensor(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    template, right, wrong, tensor, keys = MUTATIONS[name]
    mutate(tmp_path, monkeypatch, template, right, wrong)
    caught(run(Experiment(steps=20, test=5).override(keys), out=tmp_path), tensor)


def tie(experiment: Experiment) -> float:
    """A threshold that some row of layer 1 just reaches in the first step."""
    lesson = prepare(experiment)
    learner, eta = Learner(lesson.spec), lesson.eta(0)
    learner.step(*lesson.sample(0), eta)
    bounds = np.abs(eta * learner.trace["x"]) * np.abs(learner.trace["d1"]).max()
    reached = np.sort(bounds[bounds > 0])
    return float(reached[reached.size // 2])


@pytest.mark.parametrize(
    ("gate", "template"),
    [("row", "gate_rows"), ("element", "listed_masked_update")],
)
@pytest.mark.parametrize("wrong", ["vmfgt", "vmfge"])
def test_a_threshold_that_must_be_exceeded_is_caught(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch, gate: str,
    template: str, wrong: str,
) -> None:  # fmt: skip
    """Only a tie tells > from >=; the right comparison passes with the same one."""
    asked = Experiment(steps=2, test=5, gate=gate, tau=1.0)
    asked = asked.override({"tau": tie(asked)})
    mutate(tmp_path, monkeypatch, f"{template}__rvv.c.j2", "vmfge_vf", f"{wrong}_vf")
    record = run(asked, out=tmp_path)
    if wrong == "vmfge":
        assert record.result == "pass"
    else:
        caught(record, "W1")


def test_a_run_that_compared_nothing_is_a_failure(tmp_path: Path) -> None:
    record = run(
        Experiment(target="host", steps=10, compare="none", test=0), out=tmp_path
    )
    assert (record.result, record.exit_code, record.compared) == ("fail", 1, 0)
