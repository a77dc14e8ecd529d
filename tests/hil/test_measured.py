"""What a record says of a unit whose bench names the board: measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emulation.qemu import QemuMachine
from hil import Experiment
from hil.learning.metrics import Status
from hil.learning.progress import Begun, Progress
from hil.learning.session import run
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare

TARGET = "qemu-rv64gc"


class Watching(Progress):
    """Sees what is said of the run's figures while it goes on."""

    kind = ""

    def begins(self, begun: Begun, status: Callable[[], Status]) -> None:
        """Before the first step."""
        self.kind = begun.kind


def test_a_named_boards_own_counts_are_those_of_a_step(
    qemu64: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stand-in counts exactly, so that what a step takes there is known: several
    steps in a frame, and not every frame asked, come to the same."""
    asked = Experiment(target=TARGET, network=(64, 17, 10), steps=40, test=0)
    emulated, measured = Watching(), Watching()
    counting = asked.override({"icount": True})
    counted = run(counting, out=tmp_path, progress=emulated)
    assert counted.instructions_per_step is not None and counted.board is None
    assert counted.cycles_per_step is None
    lesson = prepare(asked.override({"unit": "/dev/null"}))
    image = build(plan_for(lesson)).image.path
    monkeypatch.setenv("HIL_BENCH", str(tmp_path / "bench.toml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with QemuMachine(lesson.target, image, vlen=0, icount=True) as machine:
        machine.power_on()
        machine.run()
        (tmp_path / "bench.toml").write_text(
            f'[units.x]\ntarget = "{TARGET}"\nport = "{machine.url}"\nboard = "Board A"\n'
        )
        record = run(asked.override({"unit": "x"}), out=tmp_path, progress=measured)
    assert (record.result, record.board) == ("pass", "Board A")
    for figure in (record.instructions_per_step, record.cycles_per_step):
        assert figure == pytest.approx(counted.instructions_per_step, rel=0.25)
    kinds = {record.provenance[name] for name in ("instructions_per_step", "speed")}
    assert kinds == {"measured"}
    assert (emulated.kind, measured.kind) == ("emulated", "measured")
    assert counted.provenance["instructions_per_step"] == "counted"
