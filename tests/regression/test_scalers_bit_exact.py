"""Raw readings travel, and every machine scales them to the bits that numpy has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from allpairspy import AllPairs
from sklearn.datasets import load_wine

from hil import Experiment, run

MACHINES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("host", {}),
    ("qemu-rv64gcv", {"vlen": 128}),
    ("qemu-rv64gcv", {"vlen": 512}),
    ("netduinoplus2", {}),
)
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"resident": 30, "thin": 7},
    {"rehearsal": 8, "rehearse": 1},
    {"schedule": "fused"},
    {"gate": "row", "active": 0.3},
    {"goal": "sample", "network": "13-7-13", "output": "identity"},
)
TAUGHT = list(
    AllPairs(
        [WAYS, ("u8", "i16", "f32"), ("standard", "minmax"), ("bp", "dfa", "local")]
    )
)
"""Each two of way of learning, format, scaler and rule once at least."""


def meetings() -> Iterator[object]:
    """Each on the machine that has met its parts least in `make test`, and on all in
    `make test-all`. Where a sample comes from is no business of the kernel that scales it,
    so that not every machine meets every way."""
    met: Counter[tuple[str, str]] = Counter()
    for taught in TAUGHT:
        parts = list(map(str, taught))
        usual = min(MACHINES, key=lambda m: sum(met[str(m), part] for part in parts))
        met.update((str(usual), part) for part in parts)
        for machine in MACHINES:
            marks = () if machine == usual else pytest.mark.full
            yield pytest.param(machine, *taught, marks=marks)


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Wines as .npz, in each format that travels; their numbers are of 0.13 to 1680."""
    wine, made = load_wine(), tmp_path_factory.mktemp("wine")
    held = {
        "u8": np.clip(wine.data, 0, 255).astype(np.uint8),
        "i16": (wine.data * 10 - 200).astype(np.int16),
        "f32": wine.data.astype(np.float32),
    }
    for name, x in held.items():
        x[:, 5] = 7  # a number that never changes
        np.savez(made / f"{name}.npz", x=x, y=wine.target)
    return {name: str(made / f"{name}.npz") for name in held}


@pytest.mark.parametrize("machine, way, dtype, scaler, rule", [*meetings()], ids=str)
def test_raw_readings_are_learned_alike(
    tmp_path: Path, qemu64: str, qemu_arm: str, readings: dict[str, str],
    machine: tuple[str, dict[str, Any]], dtype: str, scaler: str, rule: str,
    way: dict[str, Any],
) -> None:  # fmt: skip
    target, keys = machine
    asked = Experiment(
        target=target, data=readings[dtype], scaler=scaler, rule=rule,
        network="13-17-3", steps=40, test=20,
    ).override({**keys, **way})  # fmt: skip
    record = run(asked, out=tmp_path)
    assert (record.result, record.compared) == ("pass", 40)


@pytest.mark.parametrize(
    "machine, dtype, scaler, numbers",
    [
        (("microbit", {}), "u8", "minmax", "i16"),
        pytest.param(
            ("qemu-rv64gcv", {"vlen": 128}),
            "i16",
            "standard",
            "i8",
            marks=pytest.mark.full,
        ),
    ],
    ids=str,
)
def test_raw_readings_are_learned_alike_without_a_float(
    tmp_path: Path, qemu64: str, qemu_arm: str, readings: dict[str, str],
    machine: tuple[str, dict[str, Any]], dtype: str, scaler: str, numbers: str,
) -> None:  # fmt: skip
    target, keys = machine
    asked = Experiment(
        target=target, data=readings[dtype], scaler=scaler, format=numbers,
        network="13-17-3", steps=40, test=20,
    ).override(keys)  # fmt: skip
    record = run(asked, out=tmp_path)
    assert (record.result, record.compared) == ("pass", 40)
    assert record.format == numbers


def test_a_scaler_gives_every_machine_the_same_digest(
    tmp_path: Path, qemu64: str, qemu_arm: str, readings: dict[str, str]
) -> None:
    asked = Experiment(
        data=readings["f32"], scaler="standard", network="13-17-3", steps=30, test=0
    )
    digests = {
        run(asked.override({"target": target, **keys}), out=tmp_path).digest
        for target, keys in MACHINES
    }
    assert len(digests) == 1
