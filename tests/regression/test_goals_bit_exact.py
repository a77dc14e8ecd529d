"""Steps that learn from a vector, or from the sample itself, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen import rules
from codegen.spec import Network
from hil import Experiment, run
from hil.learning import feed
from tests.kinds import OF_NUMBERS, WITHOUT_RANK_ONE

NETWORK = (10, 19, 13, 1)
VECTOR = Experiment(data="friedman", network=NETWORK, steps=40, test=20)
SAMPLE = Experiment(goal="sample", network="64-19-64", steps=24, test=20, lr=0.01)
MACHINES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("host", {}),
    ("qemu-rv64gc", {}),
    ("qemu-rv64gcv", {"vlen": 128}),
    ("qemu-rv64gcv", {"vlen": 1024, "schedule": "fused"}),
    ("qemu-rv32imafc-zve32f", {"vlen": 256}),
    ("netduinoplus2", {}),
    ("mps3-an547", {}),
)
LIMITS: tuple[dict[str, Any], ...] = (
    {},
    {"clip_error": 0.5},
    {"error_gate": 0.3},
    {"activation": "relu", "clip_weights": 2.0},
    {"samples_per_frame": 1},
    {"resident": 30, "thin": 7},
    {"rehearsal": 8, "rehearse": 1},
)


def _takes(rule: str, keys: dict[str, Any]) -> bool:
    declared = rules.declaration(rule)
    if keys.get("activation", declared.activations[0]) not in declared.activations:
        return False
    gates = declared.gates
    waits = keys.get("schedule") != "fused" or not (
        rule in WITHOUT_RANK_ONE or "clip_weights" in keys
    )
    return waits and ("error_gate" not in keys or "error" in gates)


def meetings() -> list[tuple[str, str, dict[str, Any]]]:
    """Every rule on two machines, every machine and every limit with some rules."""
    found = []
    for place, rule in enumerate(OF_NUMBERS):
        for shift in (0, 3):
            target, machine = MACHINES[(place + shift) % len(MACHINES)]
            keys = {**machine, **LIMITS[(place + 2 * shift) % len(LIMITS)]}
            if _takes(rule, keys):
                found.append((rule, target, keys))
    return found


@pytest.mark.parametrize("rule, target, keys", meetings(), ids=str)
def test_regression_is_equal_on_every_machine(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, rule: str, target: str,
    keys: dict[str, Any],
) -> None:  # fmt: skip
    network = rules.declaration(rule).suited(Network(NETWORK)).layers
    asked = {"rule": rule, "target": target, "network": network, **keys}
    record = run(VECTOR.override(asked), out=tmp_path)
    assert record.result == "pass" and record.compared == record.steps
    assert record.residuals is not None and record.residuals["tested"] == 20
    assert record.accuracy["test"] is None


@pytest.mark.parametrize(
    "rule, target, keys",
    [
        ("bp", "host", {"output": "sigmoid"}),
        ("dfa", "qemu-rv64gcv", {"vlen": 512}),
        ("drtp", "netduinoplus2", {}),
        ("local", "qemu-rv32imafc-zve32f", {"output": "sigmoid", "resident": 20}),
        ("fa", "qemu-rv64gcv", {"rehearsal": 8, "rehearse": 2, "debug": True}),
    ],
    ids=str,
)
def test_an_autoencoder_is_equal(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, rule: str, target: str,
    keys: dict[str, Any],
) -> None:  # fmt: skip
    record = run(
        SAMPLE.override({"rule": rule, "target": target, **keys}), out=tmp_path
    )
    assert record.result == "pass" and record.compared == record.steps


def test_a_device_that_learns_from_another_vector_is_caught(
    tmp_path: Path, host_cc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What travels with the fourth sample is the vector of the one before."""
    travel, sent = feed.travel, list[np.ndarray]()

    def stale(samples: np.ndarray, given: np.ndarray) -> bytes:
        first = len(sent)
        sent.extend(given)
        if first <= 3 < len(sent):
            given = given.copy()
            given[3 - first] = sent[2]
        return travel(samples, given)

    monkeypatch.setattr(feed, "travel", stale)
    record = run(VECTOR.override({"target": "host"}), out=tmp_path)
    assert record.result == "fail" and record.divergence is not None
    assert record.divergence["step"] == 3
