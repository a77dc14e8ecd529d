"""The firmware as a process, native or in QEMU's user mode; a small program stands
for the image."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import serial

import emulation
import targets
from emulation import EmulatorError, QemuMissing

HOST, LINUX = targets.load("host"), targets.load("linux-riscv64-rvv")
CONSOLES = ("socket", "pty")
REPLY = HOST.limits.reply


@pytest.mark.parametrize("console", CONSOLES)
def test_bytes_pass_both_ways_and_the_exit_code_comes_out(
    temp: Path, process: tuple[targets.Target, Path], console: str
) -> None:
    with emulation.machine_for(*process, console=console) as machine:
        machine.power_on()
        with serial.serial_for_url(machine.url, timeout=REPLY) as port:
            port.write(b"a\nb\r\0")
            assert machine.alive()
            machine.run()
            assert port.read(5) == b"A\nB\r\0"
            port.write(b"q")
            assert machine.wait(REPLY) == 7
        assert not machine.alive()
        assert machine.log().startswith("started with ")


def test_a_crash_is_reported_as_minus_its_signal(
    temp: Path, process: tuple[targets.Target, Path]
) -> None:
    with emulation.machine_for(*process) as machine:
        machine.power_on()
        with serial.serial_for_url(machine.url, timeout=REPLY) as port:
            machine.run()
            port.write(b"k")
            assert machine.wait(REPLY) == -signal.SIGABRT


def test_a_pty_outlasts_a_reset(
    temp: Path, process: tuple[targets.Target, Path]
) -> None:
    with emulation.machine_for(*process, console="pty") as machine:
        machine.power_on()
        with serial.serial_for_url(machine.url, timeout=REPLY) as port:
            machine.run()
            for _ in range(2):
                port.write(b"x")
                assert port.read(1) == b"X"
                machine.reset()
            port.write(b"y")
            assert port.read(1) == b"Y"
        assert machine.log().count("started") == 3


def test_a_socket_is_opened_again_after_a_reset(
    temp: Path, process: tuple[targets.Target, Path]
) -> None:
    with emulation.machine_for(*process) as machine:
        machine.power_on()
        url = machine.url
        with serial.serial_for_url(url, timeout=REPLY) as port:
            machine.run()
            port.write(b"x")
            assert port.read(1) == b"X"
            machine.reset()
            with pytest.raises(serial.SerialException, match="disconnected"):
                port.read(1)
        assert machine.url == url
        with serial.serial_for_url(url, timeout=REPLY) as port:
            port.write(b"y")
            assert port.read(1) == b"Y"


@pytest.mark.parametrize("console", CONSOLES)
def test_stop_leaves_no_process_no_folder_and_no_descriptor(
    temp: Path, process: tuple[targets.Target, Path], console: str
) -> None:
    before = set(os.listdir("/dev/fd"))
    machine = emulation.machine_for(*process, console=console)
    machine.power_on()
    machine.run()
    assert machine._child is not None
    pid = machine._child.pid
    machine.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert set(os.listdir("/dev/fd")) == before
    assert list(temp.iterdir()) == []


def test_an_image_that_is_no_program_is_one_sentence(
    temp: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"\x7fELF but not really")
    image.chmod(0o755)
    with emulation.machine_for(HOST, image) as machine:
        machine.power_on()
        with pytest.raises(EmulatorError, match=r"image .*/image does not start on"):
            machine.run()


def test_a_process_counts_no_instructions(process: tuple[targets.Target, Path]) -> None:
    with pytest.raises(targets.DescriptorError, match="counts no instructions"):
        emulation.machine_for(*process, icount=True)


def test_a_process_cannot_be_stopped_by_a_debugger(
    process: tuple[targets.Target, Path],
) -> None:
    with pytest.raises(targets.DescriptorError, match="has no stub for a debugger"):
        emulation.machine_for(*process, gdb=True)


def test_without_qemu_there_is_a_sentence_that_says_how_to_get_its_user_mode(
    temp: Path, linux_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    machine = emulation.machine_for(LINUX, linux_image)
    with pytest.raises(QemuMissing, match="qemu-riscv64 is not on") as caught:
        machine.power_on()
    assert any("install qemu-user" in hint for hint in caught.value.hints)
