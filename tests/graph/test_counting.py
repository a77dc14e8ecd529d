"""What an inference takes on a core that counts no instructions: QEMU's plugin counts what
its log lists one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from codegen.machine_code.debuginfo import DebugInfo
from emulation.errors import EmulatorError
from emulation.qemu import QemuMachine
from emulation.tally import Tally
from emulation.trace import Watch
from hil.desk.attach import Emulated
from hil.experiment import Experiment
from hil.inferring import counting, image
from hil.inferring.running import computing
from hil.measuring.steps.counting import instructions
from hil.measuring.steps.phases import Call, Follower
from hil.models.cases import Cases

from .conftest import places
from .test_twin import cases

MODEL, TARGET = "hello_world_int8", "mps2-an386"


def test_a_count_is_as_long_as_the_log(qemu_arm: str, tmp_path: Path) -> None:
    model = image.prepare(Experiment(target=TARGET), str(places()[MODEL]))
    built = image.build(image.plan_for(model), model)
    inputs = cases(MODEL)[0]
    one = Cases(tuple(np.stack([values]) for values in inputs))
    counted = counting.counted(model, built, one, layers=True)
    assert counted.run.cases[0].equal
    assert sum(counted.operators.values()) == counted.instructions

    again = counting.with_places(model, built)
    info = DebugInfo(again.image.path)
    caller = info.units["firmware/src/inference/hil_inference.c"]  # where it returns to
    watch = Watch(tmp_path / "executed", (*counting.library(info), *caller))
    with computing(model, again, emulated=Emulated(watch)) as device:
        machine = device.attached.machine
        assert isinstance(machine, QemuMachine)
        machine.watch(True)
        device.case(inputs)
        machine.watch(False)
    code = instructions(again.image.path, model.target)
    (call,) = Follower(info, code).calls(watch.executed(), (counting.INFER,))
    assert call.instructions == counted.instructions
    require_each(counting.begins(built), call, counted.operators)


def require_each(begins: dict[int, int], call: Call, split: Mapping[int, int]) -> None:
    """Each operator has what its kernels executed, and what net_infer gave them besides."""
    inside = dict.fromkeys(begins.values(), 0)
    for phase, executed in call.phases.items():
        if phase.line:
            above = max(line for line in begins if line <= phase.line)
            inside[begins[above]] += executed.total()
    own = call.instructions - sum(inside.values())
    assert all(0 <= split[number] - inside[number] <= own for number in inside)
    assert own < min(inside.values())


def test_a_plugin_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    for compiler, said in (
        ("no-cc", "no-cc does not start"),
        ("false", "false cannot"),
    ):
        with pytest.raises(EmulatorError, match=said):
            Tally(tmp_path, compiler, 0, 0, ()).options("7.2.22")


def test_nothing_counted_is_no_count(tmp_path: Path) -> None:
    (tmp_path / "counts").touch()
    with pytest.raises(EmulatorError, match="has counted nothing"):
        Tally(tmp_path, "cc", 0, 0, ()).counts()
