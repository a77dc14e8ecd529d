"""Cortex-M: what goes wrong on it is told as on any other core."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import targets
from emulation.qemu import QemuMachine
from hil import Experiment, run
from hil.desk.flashing import who_is_there
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.errors import DeviceFault, UsageError
from hil.learning import feed
from hil.lesson import preparing
from hil.lesson.building import build, plan_for
from tests.regression.mistakes import meetings, spoil

CORES = (
    "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547", "netduinoplus2",
    "stm32vldiscovery",
)  # fmt: skip
WRONG = {
    # a statement, the cause that the host is told, and what it tells besides
    "load": (
        "*loss = *(volatile float *)0xf0000000u;",
        "load or store access",
        "f0000000",
    ),
    "store": ("*(volatile float *)0xf0000000u = 1;", "load or store access", "step 0"),
    "fetch": (
        '__asm__ volatile("push {%0}\\n\\tpop {pc}" : : "r"(0xf0000001u));',
        "instruction access",
        "step 0",
    ),
    "undefined": ('__asm__ volatile("udf #7");', "illegal instruction", "0xde07"),
    "endless": ("while (*(volatile uint32_t *)loss == 0) { }", "watchdog", "net_step"),
}


PUSHES = 'for (;;) { __asm__ volatile("push {r0-r7}"); }'


@pytest.mark.parametrize(
    "target, mistake",
    [
        *meetings(CORES, WRONG),
        ("microbit", "endless"),
        pytest.param("mps2-an385", "load", marks=pytest.mark.full),
    ],
)
def test_a_mistake_is_a_fault_that_names_it(
    tmp_path: Path,
    qemu_arm: str,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    mistake: str,
) -> None:
    statement, cause, told = WRONG[mistake]
    spoil(monkeypatch, f"*loss = 0; {{ {statement} }}")
    if mistake == "endless":
        made = targets.load(target)
        quick = replace(made, limits=replace(made.limits, watchdog=1.0))
        monkeypatch.setattr(preparing, "load_target", lambda name: quick)
    with pytest.raises(DeviceFault, match=cause) as caught:
        run(Experiment(target=target, network="64-10", steps=3), out=tmp_path)
    assert told in str(caught.value)
    assert caught.value.step == 0


@pytest.mark.parametrize("target", ["mps2-an386", "mps3-an547", "stm32vldiscovery"])
def test_a_stack_overflow_is_told(
    tmp_path: Path, qemu_arm: str, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Assembly hides it from the static bound."""
    spoil(monkeypatch, PUSHES)
    with pytest.raises(DeviceFault, match="stack overflow"):
        run(Experiment(target=target, network="64-10", steps=3), out=tmp_path)


def test_what_a_core_cannot_count_is_refused() -> None:
    with pytest.raises(UsageError, match="mps2-an386 has none"):
        preparing.prepare(Experiment(target="mps2-an386", icount=True))
    with pytest.raises(UsageError, match="needs a counter"):
        preparing.prepare(
            Experiment(target="mps2-an386", gate="row", instructions=10_000)
        )


@pytest.mark.parametrize(
    "target", ["mps2-an386", "mps2-an505", "mps3-an547", "netduinoplus2"]
)
def test_a_board_alone_resets_after_a_fault(
    qemu_arm: str, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Without a debugger's host nobody hears of the end: a breakpoint in a fault's
    own handler would lock the core up. Nothing is sent again, which QEMU's netduinoplus2
    may get while it resets: then it hears no HELLO either."""
    spoil(monkeypatch, "*loss = 0; *(volatile float *)0xf0000000u = 1;")
    made = targets.load(target)
    assert made.qemu is not None
    alone = replace(made, qemu=replace(made.qemu, semihosting=False))
    prepared = preparing.prepare(Experiment(target=target, network="64-16-10", steps=3))
    image = build(plan_for(prepared))
    with QemuMachine(alone, image.image.path, vlen=0) as machine:
        machine.power_on()
        machine.run()
        assert machine.url is not None
        with Channel(machine.url) as channel:
            device = Device(channel, image.plan, made.limits, image.image.path)
            device.again = made.limits.step
            device.hello(image.image.digest, 0, made.limits.hello)
            device.init(1)
            feed.post(device, prepared, feed.portion(prepared, 0, 1))
            with pytest.raises(DeviceFault, match="access fault"):
                device.take_steps(made.limits.step)
        found = who_is_there(machine.url, made.limits.hello)
    assert found is not None and found.step is None
