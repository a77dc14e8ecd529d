"""Cortex-M: what goes wrong on it is told as on any other core."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import targets
from hil import Experiment, lesson, run
from hil.errors import DeviceFault, UsageError
from tests.regression.mistakes import spoil

CORES = ("mps2-an386", "mps2-an500", "mps2-an505", "netduinoplus2")
WRONG = {
    # a statement, the cause that the host is told, and what it tells besides
    "load": (
        "*loss = *(volatile float *)0xd0000000u;",
        "load or store access",
        "d0000000",
    ),
    "store": ("*(volatile float *)0xd0000000u = 1;", "load or store access", "step 0"),
    "fetch": (
        '__asm__ volatile("push {%0}\\n\\tpop {pc}" : : "r"(0xd0000001u));',
        "instruction access",
        "step 0",
    ),
    "undefined": ('__asm__ volatile("udf #7");', "illegal instruction", "0xde07"),
    "endless": ("while (*(volatile float *)loss == 0) { }", "watchdog", "net_step"),
}


PUSHES = 'for (;;) { __asm__ volatile("push {r0-r7}"); }'


@pytest.mark.parametrize("target", CORES)
@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_a_fault_that_names_it(
    tmp_path: Path,
    qemu_arm: str,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    mistake: str,
) -> None:
    statement, cause, told = WRONG[mistake]
    spoil(monkeypatch, f"*loss = 0; {{ {statement} }}")
    made = targets.load(target)
    quick = replace(made, limits=replace(made.limits, watchdog=1.0))
    monkeypatch.setattr(lesson, "load_target", lambda name: quick)
    with pytest.raises(DeviceFault, match=cause) as caught:
        run(Experiment(target=target, network="64-16-10", steps=3), out=tmp_path)
    assert told in str(caught.value)
    assert caught.value.step == 0


def test_a_stack_overflow_is_told(
    tmp_path: Path, qemu_arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Assembly hides it from the static bound."""
    spoil(monkeypatch, PUSHES)
    with pytest.raises(DeviceFault, match="stack overflow"):
        run(Experiment(target=CORES[0], network="64-16-10", steps=3), out=tmp_path)


def test_what_a_core_cannot_count_is_refused() -> None:
    with pytest.raises(UsageError, match="mps2-an386 has none"):
        lesson.prepare(Experiment(target="mps2-an386", icount=True))
    with pytest.raises(UsageError, match="needs a counter"):
        lesson.prepare(Experiment(target="mps2-an386", gate="row", instructions=10_000))
