"""Spikes that stand for inputs are the same on every machine as in numpy, in every step:
also after power cuts, and where a sample is rehearsed. The host's are held in
tests/regression/test_what_a_step_leaves.py, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hil import Experiment, run
from tests.regression import machines

ASKED = Experiment(
    rule="ottt", network="64-17-10", parameters={"encoding": "bernoulli", "ticks": 5},
    steps=24, test=8,
)  # fmt: skip
CASES: dict[machines.Machine, dict[str, Any]] = {
    ("qemu-rv64gcv", 128): {
        "parameters": {**ASKED.parameters, "homeostasis": 0.1}, "commit": 5,
        "faults": "cut=0.2,seed=3",
    },
    ("mps2-an386", None): {"rehearsal": 5},
}  # fmt: skip
"""What each machine goes through beside the lesson."""
OTHERS = [machine for machine in machines.MACHINES if machine not in CASES]


@pytest.mark.parametrize("target, vlen, keys", [
    *(pytest.param(*machine, keys) for machine, keys in CASES.items()),
    *(pytest.param(*machine, {}, marks=pytest.mark.full) for machine in OTHERS),
])  # fmt: skip
def test_inputs_spike_the_same(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, qemu_user: str,
    target: str, vlen: int | None, keys: dict[str, Any],
) -> None:  # fmt: skip
    asked = ASKED.override({"target": target, "vlen": vlen, **keys})
    record = run(asked, out=tmp_path)
    assert record.result == "pass" and record.compared == record.learned >= 24
    if "faults" in keys:
        assert record.faults["to_device"]["cut"] > 1
