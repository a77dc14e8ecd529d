"""Spikes that stand for inputs are the same on every machine as in numpy, in every step:
also after power cuts, and where a sample is rehearsed; so are cells of integers. The host's are held in
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
    ("mps2-an386", None): {
        "parameters": {**ASKED.parameters, "encoding": "latency"}, "rehearsal": 5,
    },
}  # fmt: skip
"""What each machine goes through beside the lesson."""
INTEGERS: dict[machines.Machine, dict[str, Any]] = {
    ("microbit", None): {
        "format": "i16", "faults": "drop=0.03,flip=0.001,reorder=0.03,duplicate=0.03,seed=5",
    },
    ("qemu-rv64gcv", 128): {
        "format": "i8", "commit": 5,
        "parameters": {"ticks": 8, "encoding": "latency", "feedback": "weights",
                       "homeostasis": 0.1},
        "faults": "cut=0.2,seed=3", "error_gate": 0.1,
    },
}  # fmt: skip
"""The same in integers."""
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
        assert record.faults["to_device"]["cut"] > 0


@pytest.mark.parametrize("target, vlen, keys", [
    *(pytest.param(*machine, keys) for machine, keys in INTEGERS.items()),
    *(
        pytest.param(*machine, keys, marks=pytest.mark.full)
        for machine in (*machines.MACHINES, *machines.WITHOUT_FLOATS)
        for keys in (
            {"format": "i16", "parameters": {"ticks": 4, "homeostasis": 0.2}},
            {"format": "i8"},
        )
        if machine[0] != "stm32vldiscovery"
    ),
])  # fmt: skip
def test_cells_of_integers_are_the_same(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, qemu_user: str,
    target: str, vlen: int | None, keys: dict[str, Any],
) -> None:  # fmt: skip
    usual: dict[str, Any] = {
        "network": "64-17-12-10",
        "parameters": {"ticks": 4},
    }
    record = run(
        ASKED.override({**usual, "target": target, "vlen": vlen, **keys}), out=tmp_path
    )
    assert record.result == "pass" and record.compared == record.learned >= 24
    assert record.format == keys["format"]
