"""The claim holds where samples lie in the image: on every machine a resident
run is bit for bit the run over the line, and it bites as much."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from codegen.rendering import render
from hil import Experiment, run
from hil.data.datasets import load
from tests.kinds import OF_LAYERS

MACHINES = (
    ("host", None),
    ("qemu-rv64gc", None),
    ("qemu-rv64gcv", 128),
    ("qemu-rv64gcv", 1024),
    ("qemu-rv32imafc-zve32f", 128),
)
STEPS = 40
"""More than a frame asks for at once."""


@pytest.mark.parametrize(
    "place, rule",
    [
        pytest.param(place, rule, marks=pytest.mark.full if place % 2 else ())
        for place, rule in enumerate(OF_LAYERS)
    ],
)
def test_it_ends_in_the_digest_of_the_run_over_the_line(
    tmp_path: Path, qemu64: str, qemu32: str, place: int, rule: str
) -> None:
    """Every rule on one of the machines, and over the line to a process; half of the
    rules in `make test`, for how a sample is found is no rule's business."""
    asked = Experiment(target="host", rule=rule, steps=STEPS, test=10)
    fed = run(asked, out=tmp_path)
    assert fed.result == "pass"
    target, vlen = MACHINES[place % len(MACHINES)]
    change = {"target": target, "vlen": vlen, "resident": "all"}
    record = run(asked.override(change), out=tmp_path)
    assert (record.result, record.compared) == ("pass", STEPS)
    assert record.digest == fed.digest


@pytest.mark.parametrize(
    "target, dtype",
    [
        pytest.param(target, dtype, marks=pytest.mark.full if i == j else ())
        for i, target in enumerate(("host", "qemu-rv64gcv", "qemu-rv32imafc-zve32f"))
        for j, dtype in enumerate(("u8", "i16", "f32"))
    ],
)
def test_samples_of_every_type_are_read_where_they_lie(
    tmp_path: Path, qemu64: str, qemu32: str, target: str, dtype: str
) -> None:
    """33 elements: most samples begin at an odd place."""
    digits = load("digits")
    x, y = digits.train_x[:200, 20:53], digits.train_y[:200]
    types = {"u8": np.uint8, "i16": np.int16, "f32": np.float32}
    path = tmp_path / "samples.npz"
    np.savez(path, x=x.astype(types[dtype]), y=y, scale=16.0)
    asked = Experiment(
        target=target, data=str(path), network="33-17-10", steps=170, test=0,
        resident=150,
    )  # fmt: skip
    record = run(asked, out=tmp_path)
    assert (record.result, record.compared) == ("pass", 170)


def test_instructions_of_a_step_are_counted_one_by_one(
    tmp_path: Path, qemu64: str
) -> None:
    """And they are those of a step over the line: counting covers learning."""
    asked = Experiment(steps=20, test=0, icount=True)
    fed, resident = (
        run(asked.override({"resident": given}), out=tmp_path)
        for given in (None, "all")
    )
    assert resident.result == "pass"
    assert resident.instructions_per_step == fed.instructions_per_step


@pytest.mark.parametrize("thin", [1, 32])
def test_a_wrong_kernel_is_caught_at_its_tensor_and_step(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch, thin: int
) -> None:
    """The lost lane shows in the first step of a frame and in no output of it."""
    mutated = tmp_path / "templates"
    shutil.copytree(render.TEMPLATES, mutated)
    path = mutated / "kernels" / "gradient__rvv.c.j2"
    right, wrong = "(k, result, u, vl);", "(k, result, u, vl - 1);"
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong))
    monkeypatch.setattr(render, "TEMPLATES", mutated)
    asked = Experiment(steps=70, test=0, resident="all", thin=thin)
    record = run(asked, out=tmp_path)
    assert record.result == "fail" and record.divergence is not None
    assert (record.divergence["tensor"], record.divergence["step"]) == ("d2", 0)
