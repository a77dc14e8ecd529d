"""A debug build computes the same, and catches what a usual one cannot see:
scratch that is read in one step and was written in another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codegen import render, rules
from hil import Experiment, run

CASES = (
    ("host", None, "auto"),
    ("host", None, "sequential"),
    ("host", None, "fused"),
    ("qemu-rv64gcv", 1024, "auto"),
    ("qemu-rv64gcv", 128, "fused"),
    ("qemu-rv32imafc-zve32f", 128, "auto"),
)
POISON = "7fc0dead"
SHORT = Experiment(network="64-33-17-10", steps=24, test=8, compare=8, resident=12)


MEETINGS = [
    (*case, rule)
    for i, case in enumerate(CASES)
    for j, rule in enumerate(rules.names())
    if (i + j) % 3 == 0 and not (rule == "fg-weight" and case[2] == "fused")
]
"""Every rule in two cases, every case with three rules."""


@pytest.mark.parametrize(("target", "vlen", "schedule", "rule"), MEETINGS)
def test_poison_between_steps_changes_no_result(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    host_cc: str,
    target: str,
    vlen: int | None,
    schedule: str,
    rule: str,
) -> None:
    keys = {"target": target, "vlen": vlen, "schedule": schedule, "rule": rule}
    usual, debug = (
        run(SHORT.override({**keys, "debug": debug}), out=tmp_path)
        for debug in (False, True)
    )
    assert usual.result == debug.result == "pass"
    assert usual.digest == debug.digest
    assert usual.image["build_digest"] != debug.image["build_digest"]


STALE = "e[0] = e[0] + 0.0f * d1[0]; /* d1 of the step before: no number changes */\n"


def test_scratch_that_outlives_its_step_is_caught(
    tmp_path: Path, host_cc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule reads what the last step has left: the results are right."""
    mutated = tmp_path / "templates"
    shutil.copytree(render.TEMPLATES, mutated)
    path = mutated / "rules" / "dfa.c.j2"
    text = path.read_text()
    place = "{{ part.look() }}\n"
    assert place in text, "dfa.c.j2 has changed: this mutation no longer applies"
    path.write_text(text.replace(place, place + STALE))
    monkeypatch.setattr(render, "TEMPLATES", mutated)

    stale = SHORT.override(
        {"target": "host", "schedule": "sequential", "network": "64-17-10",
         "parameters": {"feedback": "uniform"}}
    )  # fmt: skip
    assert run(stale, out=tmp_path).result == "pass"
    caught = run(stale.override({"debug": True}), out=tmp_path)
    assert caught.result == "fail"
    assert caught.divergence is not None
    assert caught.divergence["tensor"] == "e"
    assert caught.divergence["device_bits"] == POISON
