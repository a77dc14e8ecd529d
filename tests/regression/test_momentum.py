"""An update with momentum, bit for bit, and its velocities in checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil import Experiment, run

MEETINGS = (
    ("host", "bp", {"activation": "sigmoid"}),
    ("qemu-rv64gcv", "dfa", {"vlen": 128, "activation": "relu", "clip_weights": 1.0}),
    ("qemu-rv64gcv", "fa", {"vlen": 1024, "error_gate": 0.05, "output": "softmax"}),
    ("qemu-rv32imafc-zve32f", "drtp", {"vlen": 512}),
    ("netduinoplus2", "readout", {}),
)
"""Machines and rules that learn by it, each once."""
ASKED = Experiment(momentum=0.75, network="64-19-13-10", steps=50, lr=0.01, test=20)


@pytest.mark.parametrize("target, rule, keys", MEETINGS, ids=str)
def test_every_step_with_momentum_is_equal(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, target: str, rule: str,
    keys: dict[str, object],
) -> None:  # fmt: skip
    record = run(ASKED.override({"target": target, "rule": rule, **keys}), out=tmp_path)
    assert (record.result, record.compared) == ("pass", 50)


def test_velocities_live_through_power_cuts(tmp_path: Path, host_cc: str) -> None:
    asked = ASKED.override({"target": "host", "commit": 4})
    clean = run(asked, out=tmp_path)
    for seed in (1, 2, 3):
        record = run(asked.override({"faults": f"cut=0.2,seed={seed}"}), out=tmp_path)
        assert record.result == "pass" and record.digest == clean.digest
