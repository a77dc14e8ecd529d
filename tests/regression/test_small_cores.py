"""Cores without an FPU: what they do without a network, and that they get none of
floats."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

import targets
from codegen.building import toolchain
from codegen.machine_code import stack
from codegen.numbers import NUMBERS
from codegen.planning.plan import plan
from codegen.spec import Network, Spec
from emulation.qemu import QemuMachine
from hil.cli import main
from hil.desk import link_only
from hil.desk.attach import attach, greet
from hil.desk.flashing import who_is_there
from hil.desk.link_only import LinkBuilt, LinkOnly
from hil.device.debuggers import ANY
from hil.device.device import Device
from hil.errors import DescriptorError, DeviceFault, Refused
from hil.experiment import Experiment
from hil.measuring import echo, every_target
from tests.conftest import require

SMALL = ("sifive-e", "microbit", "stm32vldiscovery")
WITHOUT_FLOATS = [name for name in targets.names() if not targets.load(name).fma]
REFUSED = "no hardware binary32 fused multiply-add, so float32 is refused there"
LOOK = "    const struct hil_ping_reply reply = condition();\n"
"""Where the runtime begins to answer PING."""


@pytest.fixture(scope="module", params=SMALL)
def wanted(request: pytest.FixtureRequest, qemu32: str, qemu_arm: str) -> LinkOnly:
    return link_only.prepare(Experiment(target=request.param))


@pytest.fixture(scope="module")
def built(wanted: LinkOnly) -> LinkBuilt:
    return link_only.build(wanted)


@contextmanager
def greeted(wanted: LinkOnly, built: LinkBuilt) -> Iterator[Device]:
    """A device that runs the image, until it has left in order."""
    limits, image = wanted.target.limits, built.image.path
    with attach(wanted, image) as line:
        device = Device(line.channel, built.plan, limits, image)
        greet(device, wanted, built)
        yield device
        device.leave()
        line.require_end(limits.stop)


@pytest.mark.parametrize("console", ["socket", "pty"])
def test_it_answers_and_gives_every_byte_back(
    wanted: LinkOnly, built: LinkBuilt, console: str
) -> None:
    asked = wanted.experiment.override({"console": console})
    line = built.plan.line
    payloads = [bytes(range(256)), b"", bytes(line.max_payload), *(b"\0\xff",) * 9]
    with greeted(replace(wanted, experiment=asked), built) as device:
        told = device.greeting
        assert (told.target, told.isa) == (wanted.target.name, wanted.target.isa)
        assert (told.step, told.committed_step, told.vlen) == (None, None, 0)
        assert (told.max_payload, told.window) == (line.max_payload, line.window)
        assert list(device.echo(payloads)) == payloads
        with pytest.raises(Refused, match="INIT: no such message kind"):
            device.init(1)
        found = device.ping()
    assert (found.damaged, found.overruns) == (0, 0)
    bounded = stack.read(built.image.path, wanted.target, 0)
    assert bounded is not None
    bound = bounded.bound(stack.MAIN).bytes
    assert bound / 3 <= found.stack <= bound


def test_the_image_lies_in_its_memories_and_is_what_was_planned(
    wanted: LinkOnly, built: LinkBuilt
) -> None:
    memory, image = wanted.target.memory, built.image
    assert memory is not None and memory.rom is not None
    assert built.plan.ram == image.ram
    rom = range(memory.rom_origin, memory.rom_origin + memory.rom)
    ram = range(memory.origin, memory.origin + memory.ram)
    with image.path.open("rb") as file:
        for part in ELFFile(file).iter_segments("PT_LOAD"):
            room = ram if part["p_flags"] & 2 else rom
            assert part["p_vaddr"] in room
            assert part["p_vaddr"] + part["p_memsz"] - 1 in room
            if part["p_filesz"]:
                assert part["p_paddr"] + part["p_filesz"] - 1 in rom


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("sifive-e", "load access fault"),
        ("microbit", "fault of a kind that the core does not tell"),
        ("stm32vldiscovery", "load or store access"),
    ],
)
def test_a_wild_access_is_told(
    qemu32: str, qemu_arm: str, target: str, told: str
) -> None:
    wanted = link_only.prepare(Experiment(target=target))
    right = link_only.build(wanted)
    name = "firmware/src/hil_session.c"
    text = right.files.files[name]
    assert LOOK in text
    wild = f"    (void)*(volatile uint32_t *)0xd0000000u;\n{LOOK}"
    files = replace(
        right.files, files={**right.files.files, name: text.replace(LOOK, wild)}
    )
    image = toolchain.build(files, toolchain.find(wanted.target))
    broken = LinkBuilt(right.plan, files, image)
    with (
        pytest.raises(DeviceFault, match=told) as caught,
        greeted(wanted, broken) as device,
    ):
        device.ping()
    assert "on_ping" in str(caught.value)


@pytest.mark.parametrize("target", SMALL)
@pytest.mark.parametrize(
    "command",
    [
        "run", "build", "certify --clip-weights 2", "tune", "bench step",
        "memory --network 64-10", "bench link --network 64-10", "sweep --vary seed=1-2",
        "bench targets --only {target}", "flash --unit /dev/null",
    ],
)  # fmt: skip
def test_float32_is_refused_in_one_sentence(
    target: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    given = command.format(target=target).split()
    given += [] if "--only" in given else ["--target", target]
    given += ["--format", "f32"]
    assert main(given) == 2
    said = capsys.readouterr().err
    assert f"target '{target}' has {REFUSED}\n" in said
    assert "--format i16 and --format i8 learn in integers there" in said
    assert "float32 is learned on: host, linux-riscv64-rvv," in said
    assert not any(tmp_path.iterdir())


def test_a_plan_is_refused_before_anything_is_rendered() -> None:
    assert {*SMALL, "mps2-an385", "qemu-rv32imac", "qemu-rv32imc"} == set(
        WITHOUT_FLOATS
    )
    for name in WITHOUT_FLOATS:
        with pytest.raises(DescriptorError, match=REFUSED):
            plan(Spec(Network((8, 5))), targets.load(name))


def test_every_target_is_benched_in_integers_and_those_with_floats_in_float32() -> None:
    found = {
        name: {place.target.name for place in every_target.places(numbers)}
        for name, numbers in NUMBERS.items()
    }
    assert found["i8"] == found["i16"] == {*targets.names()}
    assert found["f32"] == found["i8"] - {*WITHOUT_FLOATS}


def test_hil_memory_reports_what_is_left(
    wanted: LinkOnly, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, name = tmp_path / "memory.json", wanted.target.name
    given = ["memory", "--target", name, "--measure", "--json", str(where)]
    assert main(given) == 0
    told, found = capsys.readouterr().out, json.loads(where.read_text())
    memory = wanted.target.memory
    assert memory is not None
    left = memory.ram - found["image"]["ram"]
    assert f"of {memory.ram:,}: {left:,} are left" in told
    assert "--network 64-24-10 bills one in i16" in told
    assert sum(item["bytes"] for item in found["bill"]) == found["image"]["ram"]
    assert 0 < found["watermark"] <= found["stacks"]["stack"]["bound"]
    assert found["provenance"]["watermark"] == "emulated"


def test_hil_bench_link_measures_what_there_is(
    wanted: LinkOnly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echo, "ROUND_SECONDS", 0.05)
    where = tmp_path / "link.json"
    assert (
        main(["bench", "link", "--target", wanted.target.name, "--json", str(where)])
        == 0
    )
    found = json.loads(where.read_text())
    assert found["raw"] > 0 and found["echo"] > 0
    assert found["steps"] is None


def test_a_running_board_is_flashed_through_a_debugger(
    wanted: LinkOnly, built: LinkBuilt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(shutil.which(ANY), ANY, "make system-packages")
    with QemuMachine(wanted.target, built.image.path, vlen=0, gdb=True) as machine:
        machine.power_on()
        machine.run()
        bench = tmp_path / "bench.toml"
        bench.write_text(
            f'[units.desk]\ntarget = "{wanted.target.name}"\nport = "{machine.url}"\n'
            f'loader = "gdb"\nkind = "qemu"\nserver = "{machine.debugger}"\n'
        )
        monkeypatch.setenv("HIL_BENCH", str(bench))
        assert main(["flash", "--link-only", "--unit", "desk", "--window", "2"]) == 0
        assert machine.url is not None
        found = who_is_there(machine.url, wanted.target.limits.hello)
        assert found is not None
        assert found.window == 2
