"""QEMU as a board: real QEMU, booted with the probe's image.

More than 400 lines because each way in which an emulator fails has its test.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serial
from qemu.qmp import QMPClient

import emulation
import targets
from emulation import EmulatorError, Machine, QemuMissing, QemuRefused
from emulation.qemu import QemuMachine, version

RV64 = targets.load("qemu-rv64gcv")
RV32 = targets.load("qemu-rv32imafc-zve32f")
CONSOLES = ("socket", "pty")
REPLY = RV64.limits.reply

pytestmark = pytest.mark.usefixtures("qemu64", "qemu32")


def open_line(machine: Machine) -> serial.SerialBase:
    """The machine's line, as the host opens a board's."""
    return serial.serial_for_url(machine.url, timeout=REPLY)


def pid_of(machine: Machine) -> int:
    """Process id of the machine's emulator."""
    assert machine._child is not None
    return machine._child.pid


def exists(pid: int) -> bool:
    """Whether there is such a process, be it a zombie."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("target", [RV64, RV32], ids=lambda target: target.name)
def test_a_guest_greets_over_its_line_and_hands_its_exit_code_out(
    temp: Path, greeter: Path, target: targets.Target, console: str
) -> None:
    with emulation.machine_for(target, greeter, console=console) as machine:
        machine.power_on()
        with open_line(machine) as port:
            machine.run()
            assert port.read_until(b"\n") == b"hello\n"
            assert machine.exit_status() is None
            port.write(b"\x07")
            assert machine.wait(REPLY) == 7
        assert not machine.alive()


@pytest.mark.parametrize("code", [0, 1, 255])
def test_the_exit_code_is_the_guests(temp: Path, greeter: Path, code: int) -> None:
    with emulation.machine_for(RV64, greeter, console="pty") as machine:
        machine.power_on()
        with open_line(machine) as port:
            machine.run()
            port.read_until(b"\n")
            port.write(bytes([code]))
            assert machine.wait(REPLY) == code
    assert machine.exit_status() == code


def test_the_guest_stands_still_until_run(temp: Path, greeter: Path) -> None:
    with emulation.machine_for(RV64, greeter, console="pty") as machine:
        machine.power_on()
        assert isinstance(machine, QemuMachine) and machine._monitor is not None
        assert machine._monitor.execute("query-status")["status"] == "prelaunch"
        assert machine.alive()
        with open_line(machine) as port:
            assert port.in_waiting == 0
            machine.run()
            assert machine._monitor.execute("query-status")["status"] == "running"
            assert port.read_until(b"\n") == b"hello\n"


@pytest.mark.parametrize("console", CONSOLES)
def test_reset_boots_the_guest_again_on_the_same_line(
    temp: Path, greeter: Path, console: str
) -> None:
    with emulation.machine_for(RV64, greeter, console=console) as machine:
        machine.power_on()
        with open_line(machine) as port:
            machine.run()
            for _ in range(3):
                assert port.read_until(b"\n") == b"hello\n"
                machine.reset()
            assert port.read_until(b"\n") == b"hello\n"


def test_what_a_guest_says_last_stays_on_a_pty(temp: Path, greeter: Path) -> None:
    with emulation.machine_for(RV64, greeter, console="pty") as machine:
        machine.power_on()
        with open_line(machine) as port:
            port.write(b"\x03")
            machine.run()
            assert machine.wait(REPLY) == 3
            assert port.read_until(b"\n") == b"hello\n"


@pytest.mark.parametrize("console", CONSOLES)
def test_the_line_can_be_closed_and_opened_again(
    temp: Path, greeter: Path, console: str
) -> None:
    with emulation.machine_for(RV64, greeter, console=console) as machine:
        machine.power_on()
        machine.run()
        open_line(machine).close()
        with open_line(machine) as port:
            port.write(b"\x09")
            assert machine.wait(REPLY) == 9


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="a policy of Linux")
def test_no_thread_of_qemu_takes_the_processor_from_another(
    temp: Path, greeter: Path
) -> None:
    with emulation.machine_for(RV64, greeter) as machine:
        machine.power_on()
        threads = map(int, os.listdir(f"/proc/{pid_of(machine)}/task"))
        policies = [os.sched_getscheduler(thread) for thread in threads]
        assert len(policies) > 1
        assert set(policies) == {os.SCHED_BATCH}


def test_two_machines_run_at_once(temp: Path, greeter: Path) -> None:
    with (
        emulation.machine_for(RV64, greeter) as first,
        emulation.machine_for(RV32, greeter) as second,
    ):
        first.power_on()
        second.power_on()
        assert first.url != second.url
        with open_line(first) as one, open_line(second) as two:
            second.run()
            first.run()
            assert one.read_until(b"\n") == b"hello\n"
            assert two.read_until(b"\n") == b"hello\n"
            one.write(b"\x01")
            assert first.wait(REPLY) == 1
            assert second.alive()


@pytest.mark.parametrize("console", CONSOLES)
def test_stop_leaves_no_process_no_folder_and_no_descriptor(
    temp: Path, greeter: Path, console: str
) -> None:
    before = set(os.listdir("/dev/fd"))
    machine = emulation.machine_for(RV64, greeter, console=console)
    machine.power_on()
    machine.run()
    pid = pid_of(machine)
    assert list(temp.iterdir())
    machine.stop()
    assert not exists(pid)
    assert list(temp.iterdir()) == []
    assert set(os.listdir("/dev/fd")) == before
    machine.stop()
    assert not machine.alive()
    assert machine.exit_status() is None


def test_stop_ends_a_qemu_that_no_longer_listens(temp: Path, greeter: Path) -> None:
    limits = dataclasses.replace(RV64.limits, stop=0.05)
    target = dataclasses.replace(RV64, limits=limits)
    machine = emulation.machine_for(target, greeter)
    machine.power_on()
    pid = pid_of(machine)
    os.kill(pid, signal.SIGSTOP)
    machine.stop()
    assert not exists(pid)


def test_a_machine_killed_from_outside_reports_the_signal(
    temp: Path, greeter: Path
) -> None:
    with emulation.machine_for(RV64, greeter) as machine:
        machine.power_on()
        machine.run()
        os.kill(pid_of(machine), signal.SIGKILL)
        assert machine.wait(REPLY) == -signal.SIGKILL
        with pytest.raises(EmulatorError, match="ended with exit code -9"):
            machine.reset()


def test_icount_makes_minstret_exact(temp: Path, counter: Path) -> None:
    for _ in range(2):
        with emulation.machine_for(RV64, counter, icount=True) as machine:
            machine.power_on()
            machine.run()
            assert machine.wait(REPLY) == 102


def test_every_vlen_of_the_targets_starts(temp: Path, greeter: Path) -> None:
    for target in (RV64, RV32):
        assert target.vector is not None
        for vlen in target.vector.vlens:
            with emulation.machine_for(target, greeter, vlen=vlen) as machine:
                machine.power_on()
                assert machine.alive()


def test_a_vlen_that_the_target_has_not_is_one_sentence(greeter: Path) -> None:
    with pytest.raises(targets.DescriptorError, match="has no VLEN 333: expected one"):
        emulation.machine_for(RV64, greeter, vlen=333)


def test_a_cpu_that_qemu_refuses_is_reported_in_its_words(
    temp: Path, greeter: Path
) -> None:
    machine = QemuMachine(RV64, greeter, vlen=333)
    with pytest.raises(QemuRefused) as caught:
        machine.power_on()
    assert str(caught.value) == (
        "QEMU refused to start: Vector extension VLEN must be power of 2"
    )
    assert caught.value.exit_code == 8


def test_qemu_missing_is_one_sentence_with_a_hint(
    temp: Path, greeter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    machine = emulation.machine_for(RV64, greeter)
    with pytest.raises(QemuMissing) as caught:
        machine.power_on()
    assert str(caught.value) == "qemu-system-riscv64 is not on the PATH"
    assert "apt-get install" in caught.value.hints[0]
    assert caught.value.exit_code == 8


def test_an_image_that_is_not_there_is_named(temp: Path) -> None:
    machine = emulation.machine_for(RV64, temp / "none.elf")
    with pytest.raises(EmulatorError, match=r"no image .*/none\.elf"):
        machine.power_on()


def test_a_qemu_that_never_connects_is_given_up(
    temp: Path, greeter: Path, fake_qemu: Callable[[str], None]
) -> None:
    fake_qemu("exec cat /dev/zero >/dev/null\n")
    limits = dataclasses.replace(RV64.limits, boot=0.1)
    machine = emulation.machine_for(dataclasses.replace(RV64, limits=limits), greeter)
    with pytest.raises(EmulatorError, match=r"did not answer 'connecting' within 0\.1"):
        machine.power_on()


def test_a_newer_qemu_is_asked_in_its_own_spelling(
    temp: Path, greeter: Path, fake_qemu: Callable[[str], None]
) -> None:
    fake_qemu(
        "name='zve32f'; case \"$*\" in *Zve32f*) name='Zve32f' ;; esac\n"
        "echo \"qemu-system-riscv32: can't apply global rv32-riscv-cpu.$name=true: "
        "Property 'rv32-riscv-cpu.$name' not found\" >&2; exit 1\n"
    )
    machine = emulation.machine_for(RV32, greeter)
    with pytest.raises(QemuRefused, match=r"Property 'rv32-riscv-cpu\.zve32f'"):
        machine.power_on()
    assert "zve32f=true" in machine.log()


def test_a_folder_too_deep_for_a_socket_is_one_sentence(
    greeter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    machine = emulation.machine_for(RV64, greeter)
    with pytest.raises(EmulatorError, match="too long for a socket") as caught:
        machine.power_on()
    assert "TMPDIR" in caught.value.hints[0]
    assert list(deep.iterdir()) == []


def test_methods_are_refused_at_the_wrong_time(temp: Path, greeter: Path) -> None:
    with emulation.machine_for(RV64, greeter) as machine:
        with pytest.raises(EmulatorError, match="is off, expected it powered on"):
            machine.run()
        machine.power_on()
        machine.run()
        with pytest.raises(EmulatorError, match="is running, expected it powered on"):
            machine.run()
    with pytest.raises(EmulatorError, match="is stopped, expected it off"):
        machine.power_on()


def test_unknown_console_is_refused(greeter: Path) -> None:
    with pytest.raises(targets.DescriptorError, match="expected one of socket, pty"):
        emulation.machine_for(RV64, greeter, console="usb")


def test_it_works_where_a_notebook_already_runs_a_loop(
    temp: Path, greeter: Path
) -> None:
    async def cell() -> int | None:
        with emulation.machine_for(RV64, greeter, console="pty") as machine:
            machine.power_on()
            with open_line(machine) as port:
                port.write(b"\x05")
                machine.run()
                return machine.wait(REPLY)

    assert asyncio.run(cell()) == 5


def test_ctrl_c_in_the_terminal_does_not_reach_qemu(temp: Path, greeter: Path) -> None:
    with emulation.machine_for(RV64, greeter) as machine:
        machine.power_on()
        assert os.getsid(pid_of(machine)) != os.getsid(0)
        assert os.getpgid(pid_of(machine)) != os.getpgid(0)


ORPHAN = """
import sys, emulation, targets
from pathlib import Path
from typing import Any
machine = emulation.machine_for(targets.load("qemu-rv64gcv"), Path(sys.argv[1]))
machine.power_on()
guard = machine._child._guard.pid
print(machine.url, machine._child.pid, guard, machine._folder, flush=True)
sys.stdin.read()
"""


def over(line: socket.socket) -> bool:
    """The other end is gone: it closed, or was so before it accepted."""
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux's pidfd")
def test_qemu_and_its_folder_go_when_we_are_killed(greeter: Path) -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(greeter)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(emulation.__file__).parent.parent,
    )
    assert host.stdin is not None and host.stdout is not None
    with host, host.stdin:
        url, qemu, guard, folder = host.stdout.readline().split()
        ends = [os.pidfd_open(int(pid)) for pid in (qemu, guard)]
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=REPLY) as line:
            host.kill()
            assert over(line)
    for end in ends:
        assert select.select([end], [], [], REPLY)[0]
        os.close(end)
    assert not Path(folder).exists()


def test_every_byte_value_passes_a_pty_unchanged(temp: Path, greeter: Path) -> None:
    # 10 and 13 are what a line that is not raw translates
    for byte in (0, 3, 4, 10, 13, 17, 19, 26, 127, 255):
        with emulation.machine_for(RV64, greeter, console="pty") as machine:
            machine.power_on()
            with open_line(machine) as port:
                port.write(bytes([byte]))
                machine.run()
                assert machine.wait(REPLY) == byte


def test_qemu_tells_its_version(fake_qemu: Callable[[str], None]) -> None:
    fake_qemu("echo 'QEMU emulator version 9.2.1 (Debian 1:9.2.1)'\n")
    assert version("qemu-system-riscv64") == "9.2.1"
    fake_qemu("exit 1\n")
    with pytest.raises(EmulatorError, match="does not tell its version"):
        version("qemu-system-riscv64")


DEAF_QEMU = """
import os, signal, socket
line = socket.socket(socket.AF_UNIX)
line.connect("qmp")
os.kill({parent}, signal.SIGINT)
while line.recv(100):
    pass
signal.pause()
"""
"""Connects to whoever controls it, says nothing, and never ends of itself."""


@pytest.mark.usefixtures("ctrl_c_is_heard")
@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("when", ["it starts", "it is to answer"])
def test_ctrl_c_while_qemu_is_waited_for_ends_the_wait_and_qemu(
    temp: Path,
    greeter: Path,
    tmp_path: Path,
    console: str,
    when: str,
    fake_qemu: Callable[[str], None],
) -> None:
    """And no task of the control protocol's client keeps the exception, to hand it
    out once more when it is closed."""
    pid, script = tmp_path / "pid", tmp_path / "deaf.py"
    script.write_text(DEAF_QEMU.format(parent=os.getpid()))
    starts = f"kill -INT {os.getpid()}; exec sleep 60"
    answers = f"exec {sys.executable} {script}"
    last = starts if when == "it starts" else answers
    fake_qemu(f"echo $$ > {pid}; {last}\n")
    machine = emulation.machine_for(RV64, greeter, console=console)
    with pytest.raises(KeyboardInterrupt):
        machine.power_on()
    assert machine.state is emulation.State.STOPPED
    assert not exists(int(pid.read_text()))


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_within_a_task_of_the_control_client_is_raised_once(
    temp: Path, greeter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python raises it wherever the main thread is. A task that it ends keeps it,
    and hands it out again when the client is closed, in the midst of the stop."""
    send = QMPClient._do_send

    def struck(client: QMPClient, message: Any) -> None:
        send(client, message)
        monkeypatch.setattr(QMPClient, "_do_send", send)
        signal.raise_signal(signal.SIGINT)

    machine = emulation.machine_for(RV64, greeter)
    machine.power_on()
    pid = pid_of(machine)
    monkeypatch.setattr(QMPClient, "_do_send", struck)
    with pytest.raises(KeyboardInterrupt):
        machine.run()
    machine.stop()
    assert not exists(pid)
