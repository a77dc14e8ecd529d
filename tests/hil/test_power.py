"""Power cuts of a unit: its switch starts and kills a QEMU that keeps its flash."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import targets
from hil import Experiment
from hil.cli import main
from hil.errors import UsageError
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare

TARGET, NETWORK = "qemu-rv64gcv", "64-17-10"
SWITCH = """\
import json, os, select, signal, subprocess, sys
from contextlib import suppress
from pathlib import Path

command, pid = json.loads(Path("command.json").read_text()), Path("pid")
with open("log", "a") as log:
    log.write(sys.argv[1] + "\\n")
if sys.argv[1] == "on":
    if Path("stuck").exists():
        Path("stuck").unlink()
        sys.exit("the relay is stuck")
    subprocess.run(command, check=True)  # a daemon, whose port is there by now
elif pid.exists():
    with suppress(ProcessLookupError):  # at LEAVE an emulated board ends by itself
        running = os.pidfd_open(int(pid.read_text()))
        signal.pidfd_send_signal(running, signal.SIGKILL)
        gone = select.poll()
        gone.register(running, select.POLLIN)
        gone.poll()
    pid.unlink()
"""


@pytest.fixture
def board(qemu64: str, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Path]:
    """A board that has power, whose folder holds `port`, the switch and its `log`."""
    target = targets.load(TARGET)
    asked = Experiment(target=TARGET, unit="/dev/null", network=NETWORK)
    image = build(plan_for(prepare(asked))).image.path
    assert target.qemu and target.flash and target.memory
    flash = tmp_path / "flash"
    with flash.open("wb") as file:
        file.truncate(target.flash.size)
    address = f"127.0.0.1:{free_port()}"
    command = [
        qemu64, "-machine", "virt", "-cpu", target.qemu.cpu.format(vlen=256),
        "-m", f"{target.memory.ram // 1024}k", "-bios", "none", "-display", "none",
        "-device", f"loader,file={image},addr={target.memory.origin:#x}",
        "-drive", f"if=pflash,unit=1,format=raw,file={flash}", "-monitor", "none",
        "-serial", f"tcp:{address},server=on,wait=off",
        "-daemonize", "-pidfile", str(tmp_path / "pid"),
    ]  # fmt: skip
    (tmp_path / "command.json").write_text(json.dumps(command))
    (tmp_path / "switch.py").write_text(SWITCH)
    (tmp_path / "port").write_text(f"socket://{address}")
    switch(tmp_path, "on")
    yield tmp_path
    switch(tmp_path, "off")


def switch(folder: Path, state: str) -> None:
    subprocess.run([sys.executable, "switch.py", state], cwd=folder, check=True)


@pytest.fixture
def bench(board: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bench with that board as unit `desk`."""
    power = f"sh -c 'cd {board}; exec {sys.executable} switch.py {{state}}'"
    file = board / "bench.toml"
    file.write_text(
        f'[units.desk]\ntarget = "{TARGET}"\nport = "{(board / "port").read_text()}"\n'
        f'power = "{power}"\n'
    )
    monkeypatch.setenv("HIL_BENCH", str(file))
    return file


def learn(
    board: Path, *given: str, exit_code: int = 0, stuck: bool = False
) -> dict[str, Any]:
    """The record of a run on the board, which has just got its power; `stuck`: its
    switch does not give it back at once."""
    for state in ("off", "on"):
        switch(board, state)
    (board / "log").unlink()
    if stuck:
        (board / "stuck").touch()
    where, runs = board / "record.json", str(board / "runs")
    common = ["--network", NETWORK, "--steps", "60", "--test", "20", "--commit", "20"]
    out = ["--out", runs, "--json", str(where)]
    assert main(["run", "--unit", "desk", *common, *out, *given]) == exit_code
    return json.loads(where.read_text())


def switched(board: Path) -> list[str]:
    return (board / "log").read_text().split()


def test_a_unit_learns_bit_exact_through_real_power_cuts(
    board: Path, bench: Path
) -> None:
    clean = learn(board)
    cut = learn(board, "--faults", "cut=0.08,seed=1")
    assert (cut["digest"], cut["compared"]) == (clean["digest"], 60)
    cuts, times = cut["faults"]["to_device"]["cut"], switched(board)
    assert times == ["off", "on"] * (len(times) // 2)
    # how many there are is the moment's affair, and the last may have come too late
    assert max(1, cuts - 1) <= len(times) // 2 <= cuts


def test_a_run_that_ends_in_the_dark_gives_the_power_back(
    board: Path, bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(board, "--faults", "cut=0.5", exit_code=5, stuck=True)
    assert "it said: the relay is stuck" in capsys.readouterr().err
    assert switched(board) == ["off", "on", "on"] and (board / "pid").exists()


def test_a_cut_of_a_unit_without_a_switch_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text(f'[units.desk]\ntarget = "{TARGET}"\nport = "/dev/null"\n')
    monkeypatch.setenv("HIL_BENCH", str(bench))
    asked = Experiment(target=TARGET, unit="desk", faults="cut=0.1")
    with pytest.raises(UsageError, match="'desk' has no power switch") as caught:
        prepare(asked)
    assert "a key `power`" in caught.value.hints[0]
