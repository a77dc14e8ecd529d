"""The claim holds where samples are learned again from the device's own RAM: on
every machine, and for samples of every type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil import Experiment, run
from hil.data.datasets import load

MACHINES = ("host", "qemu-rv64gcv", "qemu-rv32imafc-zve32f", "mps2-an386")
REHEARSING = Experiment(steps=60, test=0, rehearsal=8, rehearse=2)


@pytest.mark.parametrize(
    "target, dtype",
    [
        pytest.param(target, dtype, marks=() if (i + j) % 3 else pytest.mark.full)
        for i, target in enumerate(MACHINES)
        for j, dtype in enumerate(("u8", "i16", "f32"))
    ],
)
def test_samples_of_every_type_are_learned_again_where_they_lie(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, target: str, dtype: str
) -> None:
    """33 elements: most samples begin at an odd place."""
    digits = load("digits")
    x, y = digits.train_x[:200, 20:53], digits.train_y[:200]
    types = {"u8": np.uint8, "i16": np.int16, "f32": np.float32}
    path = tmp_path / "samples.npz"
    np.savez(path, x=x.astype(types[dtype]), y=y, scale=16.0)
    asked = REHEARSING.override({"data": str(path), "network": "33-17-10"})
    record = run(asked.override({"target": target}), out=tmp_path)
    assert (record.result, record.compared) == ("pass", 60)


def test_instructions_of_a_rehearsed_step_are_those_of_the_step(
    tmp_path: Path, qemu64: str
) -> None:
    """To keep a sample costs none of them, nor to find it again."""
    plain = REHEARSING.override({"rehearsal": None, "rehearse": None})
    counts = [
        run(asked.override({"icount": True, "data": "dense", "steps": 12}), out=tmp_path)
        .instructions_per_step
        for asked in (plain, REHEARSING)
    ]  # fmt: skip
    assert counts[0] == counts[1]
