"""Inlined functions are found by DWARF, call site by call site."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import targets
from codegen.building import toolchain
from codegen.errors import BuildError
from codegen.machine_code import debuginfo
from codegen.machine_code.debuginfo import DebugInfo, Frame
from codegen.machine_code.decode import all_instructions
from hil.measuring.steps.phases import Follower, Phase

SOURCE = """\
static inline float hil_sum__scalar(const float *v, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++) {
        sum += v[i];
    }
    return sum;
}

__attribute__((noinline)) float hil_first__scalar(const float *v)
{
    return v[0] + 1.0f;
}

float net_step(const float *v)
{
    const float one = hil_sum__scalar(v, 100);
    const float two = hil_sum__scalar(v + 100, 50);
    return one + two + hil_first__scalar(v);
}
"""
FIRST_LINE, SECOND_LINE, CALL_LINE = 17, 18, 19


def compiled(folder: Path, *extra: str) -> Path:
    """SOURCE as an ELF at a fixed address."""
    made = toolchain.find(targets.load("qemu-rv64gc"))
    (folder / "net.c").write_text(SOURCE)
    for command in (
        [*made.compile, *made.library, *extra, "-c", "net.c", "-o", "net.o"],
        [*made.link[:2], "-Ttext=0x10000", "-e", "net_step", "net.o", "-o", "net.elf"],
    ):
        subprocess.run(command, cwd=folder, check=True)
    return folder / "net.elf"


def test_a_function_inlined_twice_has_two_frames(tmp_path: Path) -> None:
    info = DebugInfo(compiled(tmp_path, *debuginfo.FLAGS))
    step = info.function("net_step")
    frames = {
        frame for a in range(step.first, step.end, 2) for frame in info.inlined(a)
    }
    assert frames == {
        Frame("hil_sum__scalar", FIRST_LINE),
        Frame("hil_sum__scalar", SECOND_LINE),
    }
    assert info.units == {"net.c": info.units["net.c"]}


def test_phases_are_found_inlined_and_called(tmp_path: Path) -> None:
    path = compiled(tmp_path, *debuginfo.FLAGS)
    info, code = DebugInfo(path), dict(all_instructions(path, 64))
    step, called = info.function("net_step"), info.function("hil_first__scalar")
    trace = []
    for address in (a for a in code if step.first <= a < step.end):
        trace.append(address)
        if code[address].links:
            trace += [a for a in code if called.first <= a < called.end]
    (call,) = Follower(info, code).calls(trace, ("net_step",))
    assert (
        call.instructions
        == len(trace)
        == sum(
            times for executed in call.phases.values() for times in executed.values()
        )
    )
    assert set(call.phases) == {
        Phase("net_step", 0),
        Phase("sum", FIRST_LINE),
        Phase("sum", SECOND_LINE),
        Phase("first", CALL_LINE),
    }
    assert len(call.phases[Phase("first", CALL_LINE)]) == sum(
        called.first <= a < called.end for a in code
    )


def test_an_image_without_debug_information_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no debug information"):
        DebugInfo(compiled(tmp_path, "-g0"))
