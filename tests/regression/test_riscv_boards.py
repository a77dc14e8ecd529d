"""RISC-V boards without memory protection of ours: what traps is told all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import targets
from hil import Experiment, run
from hil.errors import DeviceFault
from hil.lesson import preparing
from tests.regression.mistakes import meetings, spoil

BOARDS = ("microchip-icicle-kit", "sifive-e", "sifive-u")
WRONG = {
    # a statement, the cause that the host is told, and what it tells besides
    "load": ("*loss = *(volatile float *)0x70000000;", "load access fault", "70000000"),
    "store": ("*(volatile float *)0x70000000 = 1;", "store access fault", "70000000"),
    "undefined": ('__asm__ volatile("unimp");', "illegal instruction", "net_step"),
    "endless": ("while (*(volatile uint32_t *)loss == 0) { }", "watchdog", "net_step"),
}


@pytest.mark.parametrize("board, mistake", meetings(BOARDS, WRONG))
def test_a_mistake_is_a_fault_that_names_it(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    monkeypatch: pytest.MonkeyPatch,
    board: str,
    mistake: str,
) -> None:
    statement, cause, told = WRONG[mistake]
    spoil(monkeypatch, f"*loss = 0; {{ {statement} }}")
    if mistake == "endless":
        made = targets.load(board)
        quick = replace(made, limits=replace(made.limits, watchdog=1.0))
        monkeypatch.setattr(preparing, "load_target", lambda name: quick)
    with pytest.raises(DeviceFault, match=cause) as caught:
        run(Experiment(target=board, network="64-10", steps=3), out=tmp_path)
    assert told in str(caught.value)
    assert caught.value.step == 0
