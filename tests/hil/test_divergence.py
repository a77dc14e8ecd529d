"""A difference is found, placed, saved and told; a trap is told as a trap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import Experiment, RunRecord, run
from hil.errors import DeviceFault
from hil.learning.progress import Progress
from hil.learning.session import Session
from hil.lesson.preparing import prepare

Mutate = Callable[[str, str, str], None]


def failed(experiment: Experiment, out: Path) -> RunRecord:
    record = run(experiment, out=out)
    assert (record.result, record.exit_code) == ("fail", 1)
    assert record.divergence is not None
    return record


def test_both_tensors_of_the_first_difference_are_saved(
    host_cc: str, small: Experiment, tmp_path: Path, mutate: Mutate
) -> None:
    mutate(
        "hil_columns__scalar.h.j2",
        "hil_fma(x, row[j], sum[j])",
        "sum[j] + x * row[j]",
    )
    record = failed(small, tmp_path)
    seen = record.divergence
    assert seen is not None and (seen["tensor"], seen["when"]) == ("h1", "step")
    with np.load(record.folder / "divergence.npz") as file:
        device, reference = file["device"], file["reference"]
        assert str(file["tensor"]) == "h1" and int(file["step"]) == seen["step"]
    (index,) = seen["index"]
    assert (device[:index] == reference[:index]).all()
    assert device[index] == seen["device"] != reference[index] == seen["reference"]
    assert record.compared == record.learned == seen["step"]


def test_a_step_after_many_good_ones_is_found_again(
    host_cc: str, small: Experiment, tmp_path: Path, mutate: Mutate
) -> None:
    """Wrong only with the second epoch's rate: the search starts from the last
    state that both shared, far into the run."""
    mutate(
        "listed_update__scalar.c.j2",
        "-(eta * x[k])",
        "-(eta * x[k]) * (eta < 0.029f ? 2 : 1)",
    )
    record = failed(small.override({"steps": 1500, "compare": 16}), tmp_path)
    seen = record.divergence
    assert seen is not None and seen["tensor"] == "W1"
    assert seen["step"] == 1437


@pytest.mark.parametrize(
    ("template", "right", "wrong", "tensor"),
    [
        ("uniform__scalar.c.j2", "* limit", "* -limit", "W1"),
        ("digest__scalar.c.j2", "sum +=", "sum -=", "digest"),
    ],
)
def test_a_difference_before_the_first_step_is_one_of_init(
    host_cc: str,
    small: Experiment,
    tmp_path: Path,
    mutate: Mutate,
    template: str,
    right: str,
    wrong: str,
    tensor: str,
) -> None:
    mutate(template, right, wrong)
    seen = failed(small, tmp_path).divergence
    assert seen is not None
    assert (seen["step"], seen["tensor"], seen["when"]) == (0, tensor, "init")


@pytest.mark.parametrize("console", ["socket", "pty"])
def test_a_machine_without_vectors_is_told_as_a_trap(
    qemu64: str, tmp_path: Path, console: str
) -> None:
    lesson = prepare(Experiment(steps=8, console=console))
    assert lesson.target.qemu is not None
    scalar = replace(lesson.target.qemu, cpu="rv64,v=false,vlen={vlen}")
    lesson = replace(lesson, target=replace(lesson.target, qemu=scalar))
    session = Session(lesson, tmp_path, Progress())
    session.run()
    assert isinstance(session.failure, DeviceFault)
    assert "illegal instruction (cause 0x2" in str(session.failure)
    assert session.record.exit_code == 7
