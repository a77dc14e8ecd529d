"""A debug build computes the same, and catches what a usual one cannot see:
scratch that is read in one step and was written in another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codegen import rules
from codegen.rendering import render
from codegen.spec import Network
from hil.pytest_plugin import HilRun
from tests.kinds import OF_LAYERS, WITHOUT_RANK_ONE

pytestmark = pytest.mark.hil(
    network="64-33-17-10", steps=24, test=8, compare=8, resident=12
)
CASES = (
    ("host", None, "auto"),
    ("host", None, "sequential"),
    ("host", None, "fused"),
    ("qemu-rv64gcv", 1024, "auto"),
    ("qemu-rv64gcv", 128, "fused"),
    ("qemu-rv32imafc-zve32f", 128, "auto"),
)
POISON = "7fc0dead"

MEETINGS = [
    (*case, rule)
    for i, case in enumerate(CASES)
    for j, rule in enumerate(OF_LAYERS)
    if (i + j) % len(CASES) == 0
    and not (rule in WITHOUT_RANK_ONE and case[2] == "fused")
]
"""Every rule in one case, every case with one or two rules."""


@pytest.mark.parametrize(
    ("hil_target", "vlen", "schedule", "rule"), MEETINGS, indirect=["hil_target"]
)
def test_poison_between_steps_changes_no_result(
    hil_run: HilRun, vlen: int | None, schedule: str, rule: str
) -> None:
    network = rules.declaration(rule).suited(Network((64, 33, 17, 10))).layers
    """The reference has no scratch that could be poisoned, and every step is its."""
    asked = {"vlen": vlen, "schedule": schedule, "rule": rule, "network": network}
    assert hil_run(**asked, debug=True).result == "pass"


@pytest.mark.parametrize("hil_target", ["host"], indirect=True)
def test_a_debug_build_is_another_that_ends_in_the_same_digest(hil_run: HilRun) -> None:
    usual, debug = (hil_run(debug=debug) for debug in (False, True))
    assert usual.result == debug.result == "pass"
    assert usual.digest == debug.digest
    assert usual.image["build_digest"] != debug.image["build_digest"]


STALE = "e[0] = e[0] + 0.0f * d1[0]; /* d1 of the step before: no number changes */\n"


@pytest.mark.parametrize("hil_target", ["host"], indirect=True)
def test_scratch_that_outlives_its_step_is_caught(
    tmp_path: Path, hil_run: HilRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule reads what the last step has left: the results are right."""
    mutated = tmp_path / "templates"
    shutil.copytree(render.TEMPLATES, mutated)
    path = mutated / "program.j2"
    text = path.read_text()
    place = "{{ told(item.says) -}}\n{{ items(item.body) -}}\n"
    assert place in text, "program.j2 has changed: this mutation no longer applies"
    stale = "{% if item.phase == 'credit' %}\n" + STALE + "{% endif %}\n"
    path.write_text(text.replace(place, stale + place))
    monkeypatch.setattr(render, "TEMPLATES", mutated)

    stale = {
        "schedule": "sequential", "network": "64-17-10",
        "parameters": {"feedback": "uniform"},
    }  # fmt: skip
    assert hil_run(**stale).result == "pass"
    caught = hil_run(**stale, debug=True)
    assert caught.result == "fail"
    assert caught.divergence is not None
    assert caught.divergence["tensor"] == "e"
    assert caught.divergence["device_bits"] == POISON
