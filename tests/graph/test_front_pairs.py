"""A frozen front beside what else a run can have: a line with faults, power cuts,
checkpoints, samples in the image. Each ends with the digest of a run without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil
from hil.data import datasets
from hil.learning.progress import Progress
from hil.learning.session import Session
from hil.lesson.preparing import prepare
from hil.records.record import RunRecord

from .conftest import places

STEPS = 12


@pytest.fixture(scope="module")
def asked(host_cc: str, tmp_path_factory: pytest.TempPathFactory) -> hil.Experiment:
    """Learning behind a front of 8 bits, on a few digits."""
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    read = datasets.load("mnist")
    parts = {"x": read.train_x, "y": read.train_y, "x_test": read.test_x}
    few = {name: part[:40] for name, part in {**parts, "y_test": read.test_y}.items()}
    np.savez(path, **few, scale=np.float32(255))
    front = str(places()["ptq_mnist_lenet-300-100"])
    return hil.Experiment(
        target="host",
        front=front,
        data=str(path),
        network="-16-10",
        steps=STEPS,
        test=4,
    )


@pytest.fixture(scope="module")
def clean(asked: hil.Experiment, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """A run with checkpoints of steps 4, 8 and 12."""
    out = tmp_path_factory.mktemp("clean")
    return hil.run(asked.override({"commit": 4}), out=out)


PAIRS: dict[str, dict[str, Any]] = {
    "a line with faults": {
        "faults": "drop=0.05,flip=0.0002,duplicate=0.3,reorder=0.1,seed=3"
    },
    "power cuts": {"faults": "cut=0.2,seed=2", "commit": 4},
    "samples in the image": {"resident": 20},
}


@pytest.mark.parametrize("keys", PAIRS.values(), ids=PAIRS)
def test_what_a_run_has_besides_changes_no_bit_behind_a_front(
    asked: hil.Experiment, clean: RunRecord, tmp_path: Path, keys: dict[str, Any]
) -> None:
    record = hil.run(asked.override(keys), out=tmp_path)
    assert (record.result, record.digest) == ("pass", clean.digest)
    assert (record.compared, record.accuracy["tested"]) == (STEPS, 4)
    if "faults" in keys:
        assert record.faults is not None
        assert any(sum(way.values()) for way in record.faults.values())


def test_a_run_behind_a_front_goes_on_from_its_checkpoint(
    asked: hil.Experiment, clean: RunRecord, tmp_path: Path
) -> None:
    whole = hil.run(asked, steps=20, out=tmp_path)
    record = hil.run(asked, steps=20, commit=4, out=tmp_path, resume=clean.folder)
    assert (record.resumed_from, record.compared) == (STEPS, 20 - STEPS)
    assert (record.result, record.digest) == ("pass", whole.digest)


def test_a_cut_within_a_checkpoint_costs_no_step_behind_a_front(
    asked: hil.Experiment, clean: RunRecord, tmp_path: Path
) -> None:
    """The flash is written for the second time."""
    lesson = prepare(asked.override({"commit": 4}))
    session = Session(lesson, tmp_path, Progress(), cut=(9, "half"))
    session.run()
    record = session.record
    assert (record.result, record.digest) == ("pass", clean.digest)
    assert record.link["recovered"] == 1
