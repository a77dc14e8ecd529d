"""The claim holds where samples come in parts: every goal, every type of sample and front,
through faults and power cuts, and on a board whose frames are shorter than a sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil import Experiment, run

ASKED = Experiment(target="host", network="64-17-10", steps=24, test=8)
CASES: dict[str, dict[str, Any]] = {
    "f32": {"data": "dense", "scaler": "standard", "chunk": 50},
    "a sample as its own goal": {"goal": "sample", "network": "64-17-64", "chunk": 63},
    "events": {
        "rule": "ottt", "parameters": {"encoding": "latency", "ticks": 5}, "chunk": 9,
    },
    "a reservoir": {
        "rule": "bp", "front": "echo,cells=24", "network": "96-10", "chunk": 8,
    },
    "windows": {"data": "hapt", "network": None, "chunk": 250, "test": 4},
    "a whole sample": {"chunk": 64},
    "a byte": {"chunk": 1, "test": 2},
}  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("name", CASES)
def test_parts_teach_what_the_whole_does(tmp_path: Path, name: str) -> None:
    keys = CASES[name]
    whole = run(ASKED.override({**keys, "chunk": None}), out=tmp_path)
    parts = run(ASKED.override(keys), out=tmp_path)
    assert (parts.result, parts.compared) == ("pass", 24)
    assert (parts.digest, parts.accuracy) == (whole.digest, whole.accuracy)


DICE = np.random.default_rng(3)
I16 = DICE.integers(-30000, 30000, (40, 24)).astype(np.int16)
F32 = DICE.normal(size=(40, 24)).astype(np.float32)
CLASS = np.arange(40) % 3
TARGET = np.stack([F32[:, 0] - F32[:, 1], F32[:, 2]], axis=1)
VECTOR = {"goal": "vector", "network": "24-9-2", "output": "identity", "lr": 0.01}
ITSELF = {"goal": "sample", "network": "24-9-24", "output": "identity", "lr": 0.01}
LESSONS: dict[str, dict[str, Any]] = {
    "a label of u8": {"chunk": 13},
    "a label of i16": {"data": (I16, CLASS), "network": "24-9-3", "chunk": 10},
    "a label of i16, in i8": {
        "data": (I16, CLASS), "network": "24-9-3", "format": "i8", "chunk": 10,
    },
    "a vector of f32": {"data": (F32, TARGET), **VECTOR, "chunk": 19},
    "a vector of i16": {"data": (I16, TARGET), **VECTOR, "chunk": 11},
    "itself, of u8": {"goal": "sample", "network": "64-9-64", "chunk": 13},
    "itself, of i16": {"data": (I16, CLASS), **ITSELF, "chunk": 11},
    "a label of bits": {
        "rule": "ottt", "parameters": {"encoding": "spikes", "ticks": 4}, "chunk": 7,
    },
    "a label of events, in i8": {
        "rule": "ottt", "parameters": {"encoding": "events", "ticks": 4}, "chunk": 64,
        "format": "i8",
    },
}  # fmt: skip
"""What is learned of what, each sample in five parts or so: a power cut meets them."""
USUAL = ("a label of u8", "a vector of i16")


@pytest.mark.parametrize("target, name", [
    pytest.param(target, name, marks=() if here else pytest.mark.full)
    for target in ("qemu-rv64gcv", "host") for name in LESSONS
    for here in [target == "qemu-rv64gcv" and name in USUAL]
])  # fmt: skip
def test_a_line_with_faults_and_power_cuts_brings_every_part(
    tmp_path: Path, qemu64: str, target: str, name: str
) -> None:
    asked = ASKED.override({
        "target": target, "commit": 6, **LESSONS[name],
        "faults": "drop=0.02,flip=0.0005,duplicate=0.05,reorder=0.05,cut=0.03,seed=3",
    })  # fmt: skip
    record = run(asked, out=tmp_path)
    assert (record.result, record.compared) == ("pass", 24)
    assert record.faults["to_device"]["cut"] > 0


def test_a_small_board_takes_samples_longer_than_its_frames(
    tmp_path: Path, qemu_arm: str
) -> None:
    """784 bytes in frames of 256."""
    x = np.zeros((12, 784), np.uint8)
    x[:, ::5] = np.arange(12, dtype=np.uint8)[:, None]
    asked = ASKED.override({
        "target": "microbit", "data": (x, np.arange(12) % 3), "network": "784-4-3",
        "format": "i8", "steps": 6, "test": 2, "chunk": 200,
    })  # fmt: skip
    record = run(asked, out=tmp_path)
    assert (record.result, record.compared) == ("pass", 6)
