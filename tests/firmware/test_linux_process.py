"""The firmware as a process whose line is its standard input and output, as ssh or a
serial console gives it; what it counts, and the vectors it finds."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codegen import protocol
from codegen.protocol import Status, StepFlag
from codegen.rendering.self_test import FINDINGS
from hil.device.link.frame import Decoder, Frame, encode
from hil.experiment import Experiment
from hil.lesson.building import Built, build, plan_for
from hil.lesson.preparing import prepare

BOOT = 0x1234_5678
LIMIT = 20.0
PORT = Path(__file__).parents[2] / "firmware" / "ports" / "host"
LINUX = "linux-riscv64-rvv"
KINDS = [("host", None), (LINUX, 128), (LINUX, 256)]


def started(target: str, vlen: int | None) -> tuple[Built, list[str]]:
    """An image and the command that runs it with --stdio."""
    lesson = prepare(Experiment(target=target, vlen=vlen, network=(64, 17, 10)))
    built = build(plan_for(lesson))
    runner = []
    if (qemu := lesson.target.qemu) is not None:
        runner = [qemu.binary, "-cpu", qemu.cpu.format(vlen=lesson.vlen)]
    return built, [*runner, str(built.image.path), "--stdio"]


def conversation(
    command: list[str], *requests: bytes, preload: Path | None = None
) -> list[Frame]:
    """What it says to these frames, until it hears no more and ends well."""
    env = {**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})}
    done = subprocess.run(
        command, input=b"".join(requests), capture_output=True, timeout=LIMIT, env=env
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return Decoder().feed(done.stdout)


@pytest.mark.parametrize(("target", "vlen"), KINDS)
def test_standard_input_and_output_are_a_line(
    host_cc: str, qemu_user: str, target: str, vlen: int | None
) -> None:
    """HELLO tells the VLEN of the machine, and the process ends with its input."""
    built, command = started(target, vlen)
    hello = encode(protocol.HELLO.kind, 0, 1, BOOT, bytes((1, 1)))
    (reply,) = conversation(command, hello)
    assert (reply.kind, reply.status) == (protocol.HELLO.kind | protocol.REPLY, 0)
    assert protocol.HELLO.reply is not None
    told, _ = protocol.HELLO.reply.unpack(reply.payload)
    assert told["vlen"] == (vlen or 0)
    assert told["digest"] == bytes.fromhex(built.image.digest)[:16]


@pytest.mark.parametrize(
    ("process", "name"), [("upward", "ROUNDING"), ("results", "SUBNORMALS")]
)
def test_a_process_with_other_arithmetic_says_so_and_learns_nothing(
    disturbed: Callable[[str], Path], process: str, name: str
) -> None:
    """As one has it that loads a library which was linked with -ffast-math."""
    _, command = started("host", None)
    step = struct.pack("<IBBHf", 0, StepFlag.DIGEST, 1, 0, 0.1) + bytes(2 + 64)
    _, fault, init, refused = conversation(
        command,
        encode(protocol.HELLO.kind, 0, 1, BOOT, bytes((1, 1))),
        encode(protocol.INIT.kind, 0, 2, BOOT, struct.pack("<IIII", 1, 0, 0, 1)),
        encode(protocol.STEP.kind, 0, 3, BOOT, step),
        preload=disturbed(process),
    )
    assert protocol.FAULT.reply is not None
    told, _ = protocol.FAULT.reply.unpack(fault.payload)
    (code,) = (one.code for one in FINDINGS if one.name == name)
    assert told == {
        "cause": protocol.Cause.ARITHMETIC, "step": protocol.NEVER, "pc": 0,
        "address": -code,
    }  # fmt: skip
    assert (init.status, refused.status) == (Status.FAULTED, Status.NOT_READY)


def test_where_the_kernel_grants_no_counters_both_are_zero(qemu_user: str) -> None:
    """QEMU's user mode has no perf interface."""
    _, command = started(LINUX, None)
    fields = struct.pack("<IBBHf", 0, StepFlag.TELEMETRY, 1, 0, 0.1)
    frames = conversation(
        command,
        encode(protocol.HELLO.kind, 0, 1, BOOT, bytes((1, 1))),
        encode(protocol.INIT.kind, 0, 2, BOOT, struct.pack("<IIII", 1, 0, 0, 1)),
        encode(protocol.STEP.kind, 0, 3, BOOT, fields + bytes(2 + 64)),
    )
    assert all(frame.status == Status.OK for frame in frames)
    (told,) = [f for f in frames if f.kind == protocol.TELEMETRY.kind]
    assert protocol.TELEMETRY.reply is not None
    values, _ = protocol.TELEMETRY.reply.unpack(told.payload)
    assert values["step"] == 1 and values["instructions"] == 0


COUNTING = """
#define _GNU_SOURCE
#include <linux/perf_event.h>
#define PERF_TYPE_HARDWARE PERF_TYPE_SOFTWARE
#define PERF_COUNT_HW_CPU_CYCLES CYCLES
#define PERF_COUNT_HW_INSTRUCTIONS INSTRUCTIONS
#include "counters.c"
#include <stdio.h>

int main(void)
{
    host_counters_open();
    if (counters < 0) {
        return 77;
    }
    const struct host_counts before = host_counters_read();
    for (volatile int i = 0; i < 100000; i++) {
    }
    const struct host_counts after = host_counters_read();
    printf("%d %d", after.cycles > before.cycles, after.instructions > before.instructions);
    return 0;
}
"""
"""The kernel counts its own clock here, which it does where there is no processor's
counter to be had; and what never happens, DUMMY."""
NOT_GRANTED = 77
CLOCK, DUMMY = "PERF_COUNT_SW_TASK_CLOCK", "PERF_COUNT_SW_DUMMY"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="perf is Linux's")
@pytest.mark.parametrize(("instructions", "expected"), [(DUMMY, "1 0"), (CLOCK, "1 1")])
def test_both_counters_of_the_group_are_read(
    tmp_path: Path, host_cc: str, instructions: str, expected: str
) -> None:
    """Each in its place, and they go on."""
    source, program = tmp_path / "counting.c", tmp_path / "counting"
    source.write_text(COUNTING)
    (tmp_path / "hil_config.h").write_text("#define HIL_COUNTERS_BYTES 4\n")
    counted = (f"-DCYCLES={CLOCK}", f"-DINSTRUCTIONS={instructions}")
    flags = ["-std=c11", *counted, f"-I{tmp_path}", f"-I{PORT}"]
    subprocess.run([host_cc, *flags, source, "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True)
    if done.returncode == NOT_GRANTED:
        pytest.skip("this system grants no perf counters at all")
    assert done.stdout == expected
