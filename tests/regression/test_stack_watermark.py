"""The stack that a device has used is never more than the static bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen import rules
from codegen.machine_code import stack
from codegen.spec import Network
from hil import Experiment, run
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare
from tests.kinds import OF_LAYERS, WITHOUT_RANK_ONE

CASES = (
    ("host", None, {}),
    ("host", None, {"schedule": "fused"}),
    ("qemu-rv64gc", None, {}),
    ("qemu-rv64gcv", 128, {}),
    ("qemu-rv64gcv", 1024, {}),
    ("qemu-rv64gcv", 1024, {"agnostic": True, "schedule": "fused"}),
    ("qemu-rv32imafc-zve32f", 128, {}),
    ("qemu-rv32imafc-zve32f", 1024, {"schedule": "fused"}),
    ("sifive-u", None, {"commit": None}),
    ("mps2-an500", None, {"commit": None}),
    ("netduinoplus2", None, {"commit": None, "schedule": "fused"}),
    ("mps2-an505", None, {"commit": None}),
    ("mps3-an547", None, {"commit": None}),
    ("microchip-icicle-kit", None, {"commit": None}),
)


MEETINGS = [
    (*case, rule)
    for i, case in enumerate(CASES)
    for j, rule in enumerate(OF_LAYERS)
    if (i + j) % len(OF_LAYERS) == 0
    and not (rule in WITHOUT_RANK_ONE and "schedule" in case[2])
]
"""Every case once, every rule in one or two."""


@pytest.mark.parametrize(("target", "vlen", "kind", "rule"), MEETINGS)
def test_the_watermark_stays_below_the_bound(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    qemu_arm: str,
    host_cc: str,
    target: str,
    vlen: int | None,
    rule: str,
    kind: dict[str, object],
) -> None:
    experiment = Experiment(
        target=target,
        vlen=vlen,
        rule=rule,
        network=rules.declaration(rule).suited(Network((64, 40, 33, 10))).layers,
        steps=8,
        test=4,
        commit=4,
    ).override({"resident": 6, **kind})
    record = run(experiment, out=tmp_path)
    assert record.result == "pass"
    lesson = prepare(experiment)
    built = build(plan_for(lesson))
    found = stack.read(built.image.path, lesson.target, lesson.vlen)
    assert found is not None
    bound, used = found.bound(stack.MAIN), record.device["stack"]
    assert 0 < used <= bound.bytes, bound
    assert used >= bound.bytes / 3, "a bound so far above is worth little"
