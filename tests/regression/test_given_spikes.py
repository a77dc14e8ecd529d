"""Samples that are spikes in time, as bits and as events, are learned on every machine as in
numpy, every step equal: also through faults and power cuts, and on boards without an FPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.raster import Spikes
from codegen.spec import Inputs
from hil import Experiment, run
from hil.data import rasters
from hil.data.dataset import Dataset
from tests.regression import machines

ASKED = Experiment(
    rule="ottt", network="64-17-10", parameters={"encoding": "events", "ticks": 4},
    steps=24, test=8,
)  # fmt: skip
BITS = {"encoding": "spikes", "ticks": 4}
CASES: dict[machines.Machine, dict[str, Any]] = {
    ("qemu-rv64gcv", 128): {"parameters": BITS, "commit": 5, "faults": "cut=0.2,seed=3"},
    ("microbit", None): {
        "format": "i16", "rehearsal": 4, "samples_per_frame": 1,
        "faults": "drop=0.03,flip=0.001,reorder=0.03,duplicate=0.03,seed=5",
    },
}  # fmt: skip
"""What each machine goes through beside the lesson."""
ALL = (*machines.MACHINES, *machines.WITHOUT_FLOATS)


DETECTED: dict[machines.Machine, str] = {
    ("microbit", None): "events", ("qemu-rv64gcv", 256): "raster", ("host", None): "events",
}  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("machine", DETECTED)
def test_a_detector_hears_patterns_of_one_tick(
    tmp_path: Path, qemu64: str, qemu_arm: str, machine: machines.Machine
) -> None:
    seen = np.random.default_rng(1).random((40, 1, 100)) < 0.2
    inputs = Inputs("bits", 1.0, front=Spikes(1, 100))
    said = {"x": seen, "raster": [1, 100]}
    if DETECTED[machine] == "events":
        bits = rasters.of(seen, Spikes(1, 100), "x")
        data = Dataset(
            "patterns", bits, np.arange(40), bits, np.arange(40), inputs, "none"
        )
        data = rasters.travelling(data, "events")
        assert data.inputs.raster is not None
        listed = rasters.as_given(data.inputs.raster, data.train_x)
        said = {"x": listed, "events": [1, 100]}
    path = tmp_path / "patterns.npz"
    np.savez(path, y=np.arange(40) % 5, **said)
    record = run(
        Experiment(
            rule="stdp-detector", data=str(path), network="100-5", target=machine[0],
            vlen=machine[1], parameters={"homeostasis": 0.1},
        ),
        out=tmp_path,
    )  # fmt: skip
    assert record.result == "pass" and record.compared == record.learned == 32


@pytest.mark.parametrize("target, vlen, keys", [
    *(pytest.param(*machine, keys) for machine, keys in CASES.items()),
    pytest.param("host", None, {"resident": 24}, marks=pytest.mark.full),
    *(
        pytest.param(*machine, {"parameters": {**BITS, "encoding": encoding}, "format": numbers},
                     marks=pytest.mark.full)
        for machine in ALL for encoding in ("spikes", "events") for numbers in ("i8", "f32")
        if machine[0] != "stm32vldiscovery"
        and (numbers == "i8" or machine not in machines.WITHOUT_FLOATS)
    ),
])  # fmt: skip
def test_spikes_in_time_are_learned_the_same(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, qemu_user: str,
    target: str, vlen: int | None, keys: dict[str, Any],
) -> None:  # fmt: skip
    record = run(ASKED.override({"target": target, "vlen": vlen, **keys}), out=tmp_path)
    assert record.result == "pass" and record.compared == record.learned >= 24


COMPETED = Experiment(
    rule="stdp-wta", network="64-24-10", parameters={"encoding": "events", "ticks": 4},
    steps=30, test=8,
)  # fmt: skip
"""Thirty digits, of which each is played more than once."""
COMPETE: dict[machines.Machine, dict[str, Any]] = {
    ("qemu-rv64gcv", 128): {"parameters": BITS, "commit": 8, "faults": "cut=0.2,seed=3"},
    ("microbit", None): {},
}  # fmt: skip


def test_cells_that_compete_learn_the_same_from_bits_and_events(
    tmp_path: Path, qemu64: str, qemu_arm: str
) -> None:
    digests = set()
    for (target, vlen), keys in COMPETE.items():
        asked = COMPETED.override({"target": target, "vlen": vlen, **keys})
        record = run(asked, out=tmp_path)
        assert record.result == "pass" and record.compared == record.learned >= 30
        digests.add(record.digest)
    assert len(digests) == 1


@pytest.mark.full
@pytest.mark.parametrize("labels", ["teacher", "votes"])
@pytest.mark.parametrize("encoding", ["spikes", "events"])
@pytest.mark.parametrize("target, vlen", [m for m in ALL if m[0] != "stm32vldiscovery"])
def test_cells_that_compete_learn_from_given_spikes_everywhere(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, qemu_user: str,
    target: str, vlen: int | None, encoding: str, labels: str,
) -> None:  # fmt: skip
    said = {"encoding": encoding, "ticks": 4, "labels": labels}
    asked = COMPETED.override({"target": target, "vlen": vlen, "parameters": said})
    record = run(asked, out=tmp_path)
    assert record.result == "pass" and record.compared == record.learned >= 30
