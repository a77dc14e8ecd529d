"""What QEMU executes, as it writes it down."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import serial

import targets
from emulation import machine_for
from emulation.probe import EXIT_CODE, PROGRAM, image
from emulation.qemu import QemuMachine
from emulation.trace import Watch
from targets import DescriptorError

GREETING = "hi\n"
BASE = 0x80000000
BEFORE = [line for line, word in PROGRAM if word is not None].index("lbu t2, t0, 0") - 3
LISTEN = BASE + 4 * BEFORE
"""Where the probe waits for a byte, in three instructions."""


def test_every_instruction_in_the_ranges_is_written_down(
    tmp_path: Path, qemu64: str
) -> None:
    target = targets.load("qemu-rv64gcv")
    (tmp_path / "probe.bin").write_bytes(image(GREETING))
    instructions = [line for line, word in PROGRAM if word is not None]
    watch = Watch(tmp_path / "log", ((LISTEN, BASE + 4 * len(instructions)),))
    with machine_for(target, tmp_path / "probe.bin", watch=watch) as machine:
        assert isinstance(machine, QemuMachine)
        machine.power_on()
        with serial.serial_for_url(machine.url, timeout=20) as port:
            machine.run()
            assert port.read(len(GREETING)) == GREETING.encode()
            machine.watch(True)
            port.write(bytes([EXIT_CODE]))
            assert machine.wait(20) == EXIT_CODE
    executed = watch.executed()
    loop = [LISTEN, LISTEN + 4, LISTEN + 8]
    last = [LISTEN + 4 * n for n in range(3, len(instructions) - BEFORE)]
    waiting = executed[: -len(last)]
    assert executed[-len(last) :] == last
    assert set(waiting) <= set(loop)
    assert all(b == loop[(loop.index(a) + 1) % 3] for a, b in pairwise(waiting))


def test_a_block_that_was_not_run_after_all_is_taken_back(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "Trace 0: 0x7f1 [0000000000000000/0000000080000000/00000000/ff000201] a\n"
        "Trace 0: 0x7f2 [0000000000000000/0000000080000004/00000000/ff000201] b\n"
        "Stopped execution of TB chain before 0x7f2 [0000000080000004] b\n"
        "Trace 0: 0x7f2 [0000000000000000/0000000080000004/00000000/ff000201] b\n"
        "Trace 0: 0x7f3 [00000000/80000008/00000000/ff000201] \n"
    )
    assert Watch(log, ()).executed() == [0x80000000, 0x80000004, 0x80000008]


@pytest.mark.parametrize(
    "version, words",
    [
        ("7.2.22", ("-singlestep",)),
        ("8.1.0", ("-accel", "tcg,one-insn-per-tb=on")),
        ("10.0", ("-accel", "tcg,one-insn-per-tb=on")),
    ],
)
def test_each_qemu_is_asked_in_its_own_words(
    version: str, words: tuple[str, ...]
) -> None:
    options = Watch(Path("log"), ((0x10, 0x20), (0x40, 0x44))).options(version)
    assert options == (*words, "-D", "log", "-dfilter", "0x10..0x1f,0x40..0x43")


def test_a_native_process_is_not_watched(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match="counts no instructions"):
        machine_for(targets.load("host"), tmp_path / "x", watch=Watch(tmp_path, ()))
