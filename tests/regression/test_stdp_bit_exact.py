"""Cells that spike learn on every machine what they learn in numpy, every step equal: also
through faults and power cuts, and on boards without an FPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.reference import Learner
from hil import Experiment, run
from hil.device.device import Device
from hil.learning.divergence import one_step
from hil.lesson.lesson import Lesson
from tests.regression import machines

VOTES = {"labels": "votes"}
ASKED = Experiment(rule="stdp-wta", network="64-40-10", steps=30, test=10)
CASES: dict[tuple[str, int | None], dict[str, Any]] = {
    ("host", None): {"commit": 8, "faults": "cut=0.2,seed=3", "debug": True,
                     "parameters": {"ticks": 12, "homeostasis": 0.01}},
    # too few ticks for five spikes: a sample is presented three times
    ("microbit", None): {"faults": "drop=0.03,flip=0.001,reorder=0.03,duplicate=0.03,seed=5"},
    ("sifive-e", None): {"rule": "stdp-detector", "network": "64-10",
                         "parameters": {"homeostasis": 0.1}},
    ("qemu-rv64gcv", 128): {"parameters": {"ticks": 40, **VOTES, "homeostasis": 0.005},
                            "rehearsal": 5},
    ("qemu-rv32imafc-zve32f", 128): {"resident": 30},
}  # fmt: skip
"""What each machine goes through beside the lesson."""
TOO_SMALL = "stm32vldiscovery"
"""It has 8 KB of RAM."""
OTHERS = [
    machine
    for machine in (*machines.MACHINES, *machines.WITHOUT_FLOATS)
    if machine not in CASES
]


@pytest.mark.parametrize("target, vlen, keys", [
    *(pytest.param(*machine, keys) for machine, keys in CASES.items()),
    *(
        pytest.param(*machine, {"parameters": {"ticks": 40, "labels": labels}},
                     marks=pytest.mark.full)
        for machine in OTHERS for labels in ("teacher", "votes")
    ),
])  # fmt: skip
def test_every_step_is_equal(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, qemu_user: str,
    target: str, vlen: int | None, keys: dict[str, Any],
) -> None:  # fmt: skip
    if target == TOO_SMALL:
        keys = {**keys, "network": "64-8-10", "window": 1, "samples_per_frame": 1}
    if "rule" not in keys:
        keys = {"parameters": {"ticks": 40}, **keys}
    asked = ASKED.override({"target": target, "vlen": vlen, **keys})
    record = run(asked, out=tmp_path)
    assert record.result == "pass" and record.compared == record.learned >= 30
    assert record.format == "spikes"
    if "commit" in keys:
        assert record.faults["to_device"]["cut"] > 0


@pytest.mark.hil(
    rule="stdp-wta",
    network=(64, 40, 10),
    parameters={"ticks": 40, "trace": "membranes"},
)
@pytest.mark.parametrize("hil_target", ["host"], indirect=True)
def test_what_a_step_leaves_is_the_references(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    learner, held = Learner(hil_lesson.spec), dict[str, np.ndarray]()
    hil_device.init(hil_lesson.spec.seed)
    for step in range(2):
        one_step(hil_device, hil_lesson, step)
        learner.step(*hil_lesson.sample(step), hil_lesson.eta(step))
    for tensor in hil_device.plan.readable:
        if tensor.name in learner.trace:
            held[tensor.name] = hil_device.read(tensor)
            assert held[tensor.name].tobytes() == learner.trace[tensor.name].tobytes()
    assert set(held) >= {"raster", "current", "ax", "p", "trace_u1", "trace_a1"}
    assert held["raster"].shape == (40, 1) and held["raster"].min() < 40
    assert held["trace_u1"].shape == held["trace_a1"].shape == (40, 40)
    for tick, cell in enumerate(held["raster"][:, 0]):
        most = held["trace_u1"][tick].max()
        assert cell == 40 or (most >= 6000 and held["trace_a1"][tick, cell] == 255)


@pytest.mark.hil(rule="stdp-detector", network=(64, 10), debug=True)
@pytest.mark.parametrize("hil_target", ["host"], indirect=True)
def test_a_place_that_is_none_leads_nowhere_else(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    """A host may write what it likes into a state."""
    learner = Learner(hil_lesson.spec)
    hil_device.init(hil_lesson.spec.seed)
    (place,) = (t for t in hil_device.plan.state if t.name == "place")
    learner.state["place"][:] = np.arange(10) * 400_000_000 + 64
    hil_device.write(place, learner.state["place"])
    one_step(hil_device, hil_lesson, 0)
    learner.step(*hil_lesson.sample(0), hil_lesson.eta(0))
    assert hil_device.digest()[1] == learner.digest()
    assert sum(learner.state["place"] < 64) == 1


def test_a_state_goes_on_from_a_file(tmp_path: Path) -> None:
    """What has been drawn so far is in it."""
    asked, saved = (
        ASKED.override({"target": "host", "steps": 12, "parameters": {"ticks": 40}}),
        tmp_path / "w.npz",
    )
    run(asked.override({"save": str(saved)}), out=tmp_path / "run")
    with np.load(saved) as state:
        assert state["counter"][0] >= 12 * 40 * 65 and state["samples"][0] == 12
    again = asked.override({"init": str(saved)})
    record = run(again, out=tmp_path / "again")
    assert (record.result, record.compared) == ("pass", 12)
