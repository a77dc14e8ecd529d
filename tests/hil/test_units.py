"""bench.toml: read strictly; a unit is chosen, never guessed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hil import Experiment
from hil.cli import main
from hil.desk import locks
from hil.device import units
from hil.device.link.modem import Levels
from hil.device.units import AUTO, Unit
from hil.errors import PortBusy, PortMissing, UsageError
from hil.lesson.preparing import prepare

TWO = """
[units.left]
target = "qemu-rv64gc"
port = "/dev/serial/by-id/usb-left"
[units.right]
target = "qemu-rv64gc"
port = "socket://lab:4000"
loader = "gdb"
kind = "openocd"
server = "lab:3333"
power = "switch 3 {state}"
"""
OTHER = '[units.other]\ntarget = "host"\nport = "usb:1-2.3"\n'
HOLDER = """
import sys
from hil.desk import locks
from hil.device import units
with locks.held(units.Unit("mine", sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIL_BENCH", str(tmp_path / "bench.toml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "bench.toml").write_text(TWO + OTHER)
    return tmp_path / "bench.toml"


def test_a_unit_is_found_by_its_name(bench: Path) -> None:
    unit = units.chosen("right", "qemu-rv64gc")
    assert (unit.server, unit.url) == ("lab:3333", "socket://lab:4000")
    assert units.chosen("/dev/ttyUSB0", "host") == Unit("/dev/ttyUSB0", "/dev/ttyUSB0")


def test_a_file_of_the_same_name_is_not_taken_for_the_unit(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "right").touch()
    (tmp_path / "tty").touch()
    assert units.chosen("right", None).server == "lab:3333"
    assert units.chosen("tty", None).port == "tty"


def test_alone_it_is_the_one_that_fits(bench: Path) -> None:
    assert units.chosen(AUTO, "host").name == "other"
    with pytest.raises(UsageError, match="has 2 units of target") as caught:
        units.chosen(AUTO, "qemu-rv64gc")
    assert [hint.split()[2] for hint in caught.value.hints] == ["left", "right"]
    with pytest.raises(UsageError, match="no unit of target 'qemu-rv64gcv'") as none:
        units.chosen(AUTO, "qemu-rv64gcv")
    assert len(none.value.hints) == 3


def test_two_that_fit_end_a_command_with_a_list_of_both(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--target", "qemu-rv64gc", "--unit"]) == 2
    told = capsys.readouterr().err
    assert "left (target qemu-rv64gc)" in told and "right (target" in told


def test_a_units_target_is_taken_and_another_is_refused(
    bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--unit", "other", "--network", "64-10", "--out", str(tmp_path)]
    assert main(["run", *given, "--target", "qemu-rv64gc"]) == 2
    assert "is of target 'host', but the experiment is for" in capsys.readouterr().err
    assert main(["run", *given]) == PortMissing.exit_code
    assert "nothing is plugged in at USB location '1-2.3'" in capsys.readouterr().err
    file = tmp_path / "experiment.toml"
    file.write_text('target = "qemu-rv64gc"\n')
    assert main(["run", str(file), *given]) == 2
    with pytest.raises(UsageError, match="is of target 'host'"):
        prepare(Experiment(unit="other"))


def test_an_unknown_unit_is_told_with_the_nearest(bench: Path) -> None:
    with pytest.raises(UsageError, match=r"no unit 'rigth'.*did you mean 'right'"):
        units.chosen("rigth", None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[unit.x]", "unknown table or key 'unit', did you mean 'units'?"),
        ("[units.x]\nport = '/a'", "unit 'x': key 'target' is missing"),
        ("[units.x]\ntarget = 'host'", "unit 'x': key 'port' is missing"),
        ("[units.x]\nprot = '/a'", "unknown key 'prot', did you mean 'port'?"),
        ("[units.x]\nport = 3", "key 'port' is 3: expected a text"),
        ("[units]\nx = 3", "unit 'x' is 3: expected a table"),
        ("units = 3", "units is no table"),
        ("[units.x", "is no TOML"),
        ("{}loader = 'gbd'", "unknown loader 'gbd', did you mean 'gdb'?"),
        ("{}loader = 'gdb'\nkind = 'qemu'", "loader 'gdb' needs a key 'server'"),
        ("{}loader = 'esptool'\nchip = 'esp32'", "is not for chip 'esp32': expected"),
        ("{}baud = 'fast'", "baud is 'fast': expected digits"),
        ("{}kind = 'openocdd'", "unknown kind 'openocdd', did you mean 'openocd'?"),
        ("{}command = 'x'", "expected a command with {image} in it"),
        ("{}rts = 'low'", "unknown rts 'low': expected one of on, off"),
        ("{}dtr = 'of'", "unknown dtr 'of', did you mean 'off'?"),
        (
            "[units.x]\ntarget = 'host'\nport = 'socket://a:1'\nrts = 'off'",
            "rts is of a serial port, and 'socket://a:1' is none",
        ),
        ("{}power = 'x'", "expected a command with {state} in it"),
        ("{}run = 'x'", "expected a command with {image} in it"),
        ("{}run = 'x {image}'", "run needs a port ssh://[user@]host, and '/a' is"),
        ("{}loader = 'ssh'", "loader 'ssh' needs a port ssh://[user@]host"),
        (
            "[units.x]\ntarget = 'host'\nport = 'ssh://a b'",
            "expected ssh://[user@]host",
        ),
        ("{}board = 'K1'\nkind = 'qemu'", "but kind is 'qemu': an emulator is no"),
        ("{}board = 'QEMU virt'", "but board is 'QEMU virt': an emulator is no board"),
        ("[units.x]\ntarget = 'hots'\nport = '/a'", "did you mean 'host'?"),
        ("[units.auto]\ntarget = 'host'\nport = '/a'", "cannot have this name"),
    ],
)
def test_a_wrong_bench_is_one_sentence(bench: Path, text: str, sentence: str) -> None:
    head = "[units.x]\ntarget = 'host'\nport = '/a'\n"
    bench.write_text(text.replace("{}", head, 1) if text.startswith("{}") else text)
    with pytest.raises(UsageError) as caught:
        units.bench()
    assert str(caught.value).startswith(f"bench '{bench}'")
    assert sentence in str(caught.value)


def test_modem_lines_are_asserted_unless_the_unit_says_otherwise() -> None:
    assert Unit("a", "/a").levels == Levels(rts=True, dtr=True)
    assert Unit("a", "/a", dtr="off").levels == Levels(rts=True, dtr=False)
    esp = Unit("a", "/a", loader="esptool")
    assert esp.levels == Levels(rts=False, dtr=False)
    assert replace(esp, rts="on").levels == Levels(rts=True, dtr=False)


def test_the_bench_is_looked_for_in_three_places(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(units.bench()) == {"left", "right", "other"}
    bench.unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        units.bench()
    monkeypatch.delenv("HIL_BENCH")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    assert units.bench() == {}
    own = units.path()
    assert own.is_relative_to(tmp_path) or sys.platform == "darwin"
    (tmp_path / "bench.toml").write_text(OTHER)
    assert set(units.bench()) == {"other"}


def test_a_unit_is_one_programs_at_a_time_and_a_kill_gives_it_back(
    bench: Path, tmp_path: Path
) -> None:
    port = tmp_path / "port"
    port.touch()
    link = tmp_path / "by-id"
    link.symlink_to(port)
    same = Unit("same", str(link))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with (
            pytest.raises(PortBusy, match=f"pid {holder.pid}: ") as caught,
            locks.held(same),
        ):
            pass
        assert "of unit 'same' is in use" in str(caught.value)
        assert not locks.is_free(same)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert locks.is_free(same)


def test_the_power_switch_resets_a_unit_without_such_a_loader(
    bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    text = f"[units.x]\ntarget = 'host'\nport = '/a'\npower = \"sh -c 'echo {{state}} >> {log}'\"\n"
    bench.write_text(text)
    assert main(["reset"]) == 0
    assert log.read_text() == "off\non\n"
    bench.write_text(text.replace("sh -c 'echo", "sh -c 'exit 3; echo"))
    assert main(["reset", "--unit", "x"]) == 5
    bench.write_text(OTHER)
    assert main(["reset"]) == 2
    assert "has no power switch, and no loader" in capsys.readouterr().err
