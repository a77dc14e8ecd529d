"""hil flash, reset and run through QEMU's own gdb server, on a board that runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import targets
from emulation.qemu import QemuMachine
from hil import Experiment
from hil.cli import main
from hil.desk.flashing import who_is_there
from hil.desk.loaders.gdb import GdbLoader
from hil.device.debuggers import ANY
from hil.device.units import Unit
from hil.errors import FlashError
from hil.lesson.building import Built, build, plan_for
from hil.lesson.preparing import prepare
from tests.conftest import require

TARGET = "qemu-rv64gc"
OLD, NEW = "64-18-10", "64-17-10"
"""Their parts lie on the same pages: QEMU before 9.0 keeps the locked memory
protection of the old image through a reset."""
LIMIT = 20.0


def built(network: str, target: str = TARGET) -> Built:
    asked = Experiment(target=target, unit="/dev/null", network=network)
    return build(plan_for(prepare(asked)))


@pytest.fixture
def target(request: pytest.FixtureRequest) -> str:
    """What the board is."""
    return str(getattr(request, "param", TARGET))


@pytest.fixture
def machine(target: str, qemu64: str, qemu_arm: str) -> Iterator[QemuMachine]:
    """A board that runs the old image, with a probe connected to it."""
    require(shutil.which(ANY), ANY, "make system-packages")
    image = built(OLD, target).image.path
    with QemuMachine(targets.load(target), image, vlen=0, gdb=True) as made:
        made.power_on()
        made.run()
        yield made


@pytest.fixture
def bench(
    machine: QemuMachine, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A bench with that board as unit `desk`."""
    file = tmp_path / "bench.toml"
    file.write_text(
        f'[units.desk]\ntarget = "{target}"\nport = "{machine.url}"\nloader = "gdb"\n'
        f'kind = "qemu"\nserver = "{machine.debugger}"\n'
    )
    monkeypatch.setenv("HIL_BENCH", str(file))
    return file


def answering(machine: QemuMachine) -> str | None:
    """The digest of the image that runs."""
    assert machine.url is not None
    found = who_is_there(machine.url, LIMIT)
    return None if found is None else found.digest


def flash(*given: str) -> int:
    return main(["flash", "--unit", "desk", "--network", NEW, *given])


@pytest.mark.parametrize(
    ("target", "after_reset"),
    [
        # QEMU's reset copies what it was started with into RAM, and leaves flash alone
        (TARGET, OLD),
        ("mps2-an386", OLD),
        ("netduinoplus2", NEW),
        # the core that works is not in the first of its two clusters
        ("sifive-u", OLD),
    ],
    indirect=["target"],
)
def test_a_running_board_is_flashed_and_the_new_image_answers(
    machine: QemuMachine,
    bench: Path,
    target: str,
    after_reset: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new = (built(network, target).image.digest[:32] for network in (OLD, NEW))
    assert answering(machine) == old
    assert flash() == 0
    assert "desk: flashed, and the new image has answered" in capsys.readouterr().out
    assert answering(machine) == new
    assert flash() == 0
    assert "desk: runs it already" in capsys.readouterr().out
    assert main(["reset", "--unit"]) == 0
    assert answering(machine) == built(after_reset, target).image.digest[:32]


@pytest.mark.parametrize("target", [TARGET, "sifive-u"], indirect=True)
def test_a_loader_that_did_nothing_leaves_a_stale_image_which_is_found(
    machine: QemuMachine, bench: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flash("--with", "true {image}") == 6
    assert "not the new image answers: the device runs" in capsys.readouterr().err
    assert answering(machine) == built(OLD, target).image.digest[:32]


def test_a_board_of_another_target_is_refused_before_it_is_touched(
    machine: QemuMachine, bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = bench.read_text()
    bench.write_text(text.replace(TARGET, "qemu-rv64gcv"))
    assert flash() == 6
    assert f"says that it is target '{TARGET}'" in capsys.readouterr().err
    assert answering(machine) == built(OLD).image.digest[:32]


def test_a_run_flashes_the_unit_that_it_names(
    machine: QemuMachine, bench: Path, tmp_path: Path
) -> None:
    where, runs = tmp_path / "record.json", str(tmp_path / "runs")
    given = ["--unit", "--network", NEW, "--steps", "5", "--test", "0", "--out", runs]
    assert main(["run", *given, "--json", str(where)]) == 0
    record = json.loads(where.read_text())
    assert (record["compared"], record["target"]) == (5, TARGET)
    assert record["image"]["build_digest"] == built(NEW).image.digest


def test_memory_that_does_not_keep_the_image_is_found_and_it_is_not_started(
    machine: QemuMachine, bench: Path, tmp_path: Path
) -> None:
    """An image whose code lies in the interrupt controller's registers."""
    source, image = tmp_path / "image.s", tmp_path / "image.elf"
    source.write_text(".globl _start\n_start: j _start\n")
    layout = tmp_path / "link.ld"
    layout.write_text("SECTIONS { . = 0xc001000; .text : { *(.text) } }\n")
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", "-target", "riscv64-freestanding",
         "-nostdlib", "-T", layout, "-o", image, source],
        check=True,
    )  # fmt: skip
    unit = Unit("desk", "", TARGET, "gdb", "qemu", machine.debugger)
    loader = GdbLoader(unit, targets.load(TARGET))
    with pytest.raises(FlashError, match="does not hold the image") as caught:
        loader.program(image)
    assert any("MIS-MATCHED" in hint for hint in caught.value.hints)


def test_a_server_that_is_not_there_is_told_with_what_gdb_said(tmp_path: Path) -> None:
    require(shutil.which(ANY), ANY, "make system-packages")
    unit = Unit("desk", "", TARGET, "gdb", "qemu", "127.0.0.1:1")
    loader = GdbLoader(unit, targets.load(TARGET))
    with pytest.raises(FlashError, match="failed with exit code 1") as caught:
        loader.reset()
    assert any("Connection" in hint for hint in caught.value.hints)
    assert "gdb" in loader.version().lower()
