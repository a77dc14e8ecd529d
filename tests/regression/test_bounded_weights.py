"""Weights of kinase within soft bounds and by a contrast, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil import Experiment, run

MEETINGS = (
    ("host", "contrast", {"network": "64-10", "clip_weights": 0.2}),
    ("qemu-rv64gcv", "soft", {"vlen": 128, "clip_weights": 0.3}),
    ("qemu-rv64gcv", "contrast", {"vlen": 512, "error_gate": 0.05}),
    ("netduinoplus2", "contrast", {"network": "64-9-10"}),
    ("netduinoplus2", "soft", {"parameters": {"range": 2.5}, "network": "64-9-10"}),
)
"""Machines, kinds of weights, and what they meet with, each once."""
ASKED = Experiment(rule="kinase", network="64-17-13-10", steps=16, test=10)


@pytest.mark.parametrize("target, weights, keys", MEETINGS, ids=str)
def test_every_step_within_bounds_is_equal(
    tmp_path: Path, qemu64: str, qemu_arm: str, target: str, weights: str,
    keys: dict[str, object],
) -> None:  # fmt: skip
    given = dict(keys)
    parameters = {"weights": weights, **given.pop("parameters", {})}  # type: ignore[dict-item]
    asked = ASKED.override({"target": target, "parameters": parameters, **given})
    record = run(asked, out=tmp_path)
    assert (record.result, record.compared) == ("pass", 16)


def test_weights_within_bounds_live_through_power_cuts(
    tmp_path: Path, host_cc: str
) -> None:
    """What a weight was born as is state, too."""
    parameters = {"weights": "contrast"}
    asked = ASKED.override({"target": "host", "commit": 4, "parameters": parameters})
    clean = run(asked, out=tmp_path)
    record = run(asked.override({"faults": "cut=0.2,seed=1"}), out=tmp_path)
    assert record.result == "pass" and record.digest == clean.digest
