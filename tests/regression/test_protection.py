"""What firmware must never do becomes a FAULT that names it, on every machine.

Each mistake is put into the generated library, as a bug in a kernel would be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import emulation
import targets
from codegen.machine_code import stack
from codegen.protocol import Cause
from codegen.rendering import render
from hil import run
from hil.cli import main
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.errors import DeviceFault
from hil.experiment import Experiment
from hil.lesson import preparing
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare
from tests.regression.mistakes import meetings

BARE = ("qemu-rv64gcv", "qemu-rv64gc", "qemu-rv32imafc-zve32f")
SMALL = Experiment(network=(64, 10), steps=3, test=2, compare="none")
NEVER_ENDS = "for (volatile int i = 0; i >= 0; i &= 1) { }"


@dataclass(frozen=True)
class Mistake:
    """C at the start of a function, what it needs before that function, and what
    the host says: the trap, and a pattern of what lies at the places."""

    code: str
    trap: str
    places: str
    before: str = ""


DIGEST = "extern const uint8_t hil_build_digest[16];\n"
CALL = "((void (*)(void))(uintptr_t){})();"
IN_STEP = r"pc 0x8\w+ in the code, net_step\+0x\w+"
MISTAKES = {
    "write into the code": Mistake(
        "*(volatile uint32_t *)(uintptr_t)net_step = 0;",
        "store access fault",
        rf"cause 0x7; {IN_STEP}; address 0x8\w+ in the code, net_step\+0x0",
    ),
    "write into the constants": Mistake(
        "*(volatile uint8_t *)(uintptr_t)(hil_build_digest + 5) = 0;",
        "store access fault",
        rf"cause 0x7; {IN_STEP}; address 0x8\w+ in the constants, hil_build_digest\+0x5",
        DIGEST,
    ),
    "write beyond the image": Mistake(
        "*(volatile uint32_t *)0x80d00000u = 0;",
        "store access fault",
        rf"cause 0x7; {IN_STEP}; address 0x80d00000 outside the image",
    ),
    "write to a device that nobody drives": Mistake(
        "*(volatile uint32_t *)0x10001000u = 0;",
        "store access fault",
        rf"cause 0x7; {IN_STEP}; address 0x10001000 outside the image",
    ),
    "read through a null pointer": Mistake(
        "(void)*(volatile uint32_t *)16;",
        "load access fault",
        rf"cause 0x5; {IN_STEP}; address 0x10 outside the image",
    ),
    "write into the guard": Mistake(
        "*(volatile uint32_t *)(guard_start + 64) = 0;",
        "store access fault",
        rf"cause 0x7; {IN_STEP}; address 0x8\w+ in the guard under the stack",
        "extern char guard_start[];\n",
    ),
    "execute the variables": Mistake(
        CALL.format("net"),
        "instruction access fault",
        r"cause 0x1; (pc|; address| 0x8\w+ in the variables, hil_learner\+0x0)+",
    ),
    "execute the constants": Mistake(
        CALL.format("hil_build_digest"),
        "instruction access fault",
        r"cause 0x1; (pc|; address| 0x8\w+ in the constants, hil_build_digest\+0x0)+",
        DIGEST,
    ),
    "execute the stack": Mistake(
        f"volatile uint32_t room[4] = {{ 0 }}; {CALL.format('room')}",
        "instruction access fault",
        r"cause 0x1; (pc|; address| 0x8\w+ in the stack)+",
    ),
    "overflow the stack": Mistake(
        "*loss = (float)deeper(1 << 20);",
        "stack overflow",
        r"cause 0x101; pc 0x8\w+ in the code, deeper\+0x\w+; "
        r"address 0x8\w+ in the guard under the stack",
        "static __attribute__((noinline)) int deeper(int n)\n"
        "{\n    volatile char room[256];\n    room[n % 256] = 1;\n"
        "    return n == 0 ? 0 : deeper(n - 1) + room[0];\n}\n",
    ),
    "overflow the stack past the guard": Mistake(
        "volatile char room[30000]; room[label] = 0;",
        "stack overflow",
        rf"cause 0x101; {IN_STEP}; address 0x8\w+ in the code, .*",
    ),
    "an illegal instruction": Mistake(
        '__asm__ volatile(".word 0xffffffff");',
        "illegal instruction",
        rf"cause 0x2; {IN_STEP}; instruction 0xffffffff",
    ),
    "a misaligned load": Mistake(
        'uint32_t word; __asm__ volatile("lr.w %0, (%1)" : "=r"(word) '
        ': "r"((char *)net + 1) : "memory"); (void)word;',
        "load address misaligned",
        rf"cause 0x4; {IN_STEP}; address 0x8\w+ in the variables, hil_learner\+0x1",
    ),
    # QEMU 7.2 calls it a load
    "a misaligned atomic operation": Mistake(
        '__asm__ volatile("amoswap.w zero, zero, (%0)" '
        ': : "r"((char *)net + 2) : "memory");',
        "(load|store) address misaligned",
        rf"cause 0x[46]; {IN_STEP}; address 0x8\w+ in the variables, hil_learner\+0x2",
    ),
}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a mistake at the start of a function of the generated library. What
    bounds the stack at build time must not see it: most would be refused."""
    right = render.render_network

    def put(code: str, before: str = "", into: str = "net_step") -> None:
        def wrong(plan: object) -> dict[str, str]:
            files = right(plan)  # type: ignore[arg-type]
            text, n = re.subn(
                rf"^int {into}\([^{{;]*\)\n{{\n",
                lambda head: f"{before}{head[0]}    {code}\n",
                files["net.c"],
                count=1,
                flags=re.M,
            )
            assert n == 1
            return {**files, "net.c": text}

        monkeypatch.setattr(render, "render_network", wrong)
        monkeypatch.setattr(stack, "deepest", lambda *_: None)

    return put


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], None]:
    """Gives a target another watchdog, in seconds."""

    def hurry(name: str, seconds: float) -> None:
        target = targets.load(name)
        limits = replace(target.limits, watchdog=seconds)
        other = replace(target, limits=limits)
        monkeypatch.setattr(preparing, "load_target", lambda _: other)

    return hurry


def stops(
    folder: Path, capsys: pytest.CaptureFixture[str], target: str, *flags: str
) -> str:
    """Runs, and gives the sentence with which the device's fault ends it: the
    same on the terminal and in the record, with the exit code that is theirs."""
    asked = ("--network", "64-10", "--steps", "3", "--test", "2", "--out", str(folder))
    assert main(["run", "--target", target, *asked, *flags]) == DeviceFault.exit_code
    (path,) = folder.glob("*/run.json")
    record = json.loads(path.read_text())
    assert (record["result"], record["exit_code"]) == ("error", 7)
    sentence: str = record["error"]["sentence"]
    assert sentence in " ".join(capsys.readouterr().err.split())
    return sentence


@pytest.mark.parametrize("target, name", meetings(BARE, MISTAKES))
def test_a_mistake_is_a_fault_that_names_it(
    tmp_path: Path, qemu64: str, qemu32: str, capsys: pytest.CaptureFixture[str],
    broken: Callable[..., None], name: str, target: str,
) -> None:  # fmt: skip
    mistake = MISTAKES[name]
    broken(mistake.code, mistake.before)
    sentence = stops(tmp_path, capsys, target, "--compare", "none")
    assert re.fullmatch(
        rf"the device stopped in step 0: {mistake.trap} \({mistake.places}\)", sentence
    ), sentence


@pytest.mark.parametrize("flags", [(), ("--icount",)], ids=["plain", "masked"])
@pytest.mark.parametrize("target", BARE)
def test_a_step_that_never_ends_is_a_fault(
    tmp_path: Path, qemu64: str, qemu32: str, capsys: pytest.CaptureFixture[str],
    broken: Callable[..., None], hurried: Callable[[str, float], None],
    target: str, flags: tuple[str, ...],
) -> None:  # fmt: skip
    """Also with all other interrupts masked, as for a step that is counted."""
    broken(NEVER_ENDS)
    hurried(target, 0.3)
    sentence = stops(tmp_path, capsys, target, "--compare", "none", *flags)
    assert re.fullmatch(
        r"the device stopped in step 0: watchdog, no end within its limit "
        rf"\(cause 0x102; {IN_STEP}\)",
        sentence,
    ), sentence


@pytest.mark.parametrize("target", ["qemu-rv64gc", "host", "linux-riscv64-rvv"])
@pytest.mark.parametrize("into", ["net_step", "net_infer"])
def test_so_is_one_of_a_process_and_an_inference(
    tmp_path: Path, qemu64: str, qemu_user: str, host_cc: str, capsys: pytest.CaptureFixture[str],
    broken: Callable[..., None], hurried: Callable[[str, float], None],
    into: str, target: str,
) -> None:  # fmt: skip
    broken(NEVER_ENDS, into=into)
    hurried(target, 0.3)
    sentence = stops(tmp_path, capsys, target)
    when = "in step 0" if into == "net_step" else "outside a step"
    assert sentence.startswith(f"the device stopped {when}: watchdog")
    assert f"(cause {int(Cause.WATCHDOG):#x}" in sentence


def test_a_watchdog_watches_steps_and_not_the_time_between(
    tmp_path: Path, qemu64: str, hurried: Callable[[str, float], None]
) -> None:
    """All steps together take longer than one may, and the device waits as long:
    seconds of a counted guest are its instructions, however busy this computer."""
    hurried("qemu-rv64gcv", 0.001)
    asked = SMALL.override({"network": (64, 128, 10), "icount": True, "steps": 1000})
    record = run(asked, out=tmp_path)
    assert record.learned == 1000
    assert record.instructions_per_step is not None
    assert record.instructions_per_step < 1e6 < 1000 * record.instructions_per_step


@pytest.mark.parametrize(
    "target", ["qemu-rv64gcv", "qemu-rv32imafc-zve32f", "qemu-rv32imc"]
)
def test_a_device_that_is_reset_or_stops_is_found_as_it_should_be(
    qemu64: str, qemu32: str, broken: Callable[..., None], target: str
) -> None:
    """What is locked does not keep a device from booting again; a fault ends the
    machine with the exit code for it."""
    broken('__asm__ volatile(".word 0xffffffff");')
    lesson = prepare(SMALL.override({"target": target}))
    built, limits = build(plan_for(lesson)), lesson.target.limits
    machine = emulation.machine_for(lesson.target, built.image.path)
    with machine:
        machine.power_on()
        assert machine.url is not None
        with Channel(machine.url) as channel:
            machine.run()
            for _ in range(2):
                device = Device(channel, built.plan, limits)
                device.hello(built.image.digest, lesson.vlen, limits.boot)
                machine.reset()
            device = Device(channel, built.plan, limits)
            device.hello(built.image.digest, lesson.vlen, limits.boot)
            device.init(1)
            sample, label = lesson.sample(0)
            device.post_steps(0, lesson.eta(0), [(label, sample.tobytes())])
            with pytest.raises(DeviceFault, match="illegal instruction") as caught:
                device.take_steps(limits.step)
            assert (caught.value.cause, caught.value.step) == (2, 0)
            assert machine.wait(limits.stop) == DeviceFault.exit_code
