"""The boot probe: assembled without a compiler, booted in real QEMU."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import targets
from emulation import ProbeError, QemuMissing, probe
from emulation.probe import PROGRAM, assemble, image, little_endian

EMULATED = [name for name in targets.names() if targets.load(name).emulated]


@pytest.mark.usefixtures("qemu64", "qemu32")
@pytest.mark.parametrize("console", ["socket", "pty"])
@pytest.mark.parametrize("name", EMULATED)
def test_the_probe_greets_from_every_emulated_target(
    temp: Path, name: str, console: str
) -> None:
    result = probe.probe(targets.load(name), console)
    assert result.ok
    assert result.greeting == f"hello from {name}\n"
    assert 0 < result.seconds < targets.load(name).limits.boot


def test_the_image_is_little_endian_code_and_then_the_greeting() -> None:
    data = image("hi\n")
    assert data[:4] == bytes.fromhex("b7020010")  # lui t0, 0x10000
    assert data.endswith(b"hi\n\0")
    assert len(data) == 4 * sum(word is not None for _, word in PROGRAM) + 4


def test_a_wrong_encoding_is_caught_before_it_boots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # the assembler puts an offset of 4 into the wrong bits of a store
    wrong = tuple(
        (line.replace("0(t1)", "4(t1)"), word and word + (4 << 7))
        for line, word in PROGRAM
    )
    monkeypatch.setattr(probe, "PROGRAM", wrong)
    with pytest.raises(ProbeError, match=r"made 0x\w+ of .*, expected 0x\w+"):
        image("hi\n")


def test_a_line_that_the_assembler_does_not_know_is_reported() -> None:
    with pytest.raises(ProbeError, match=r"gives up: .*vsetvli"):
        assemble(["vsetvli t0, t1, e32, m1"])


def test_a_target_that_is_not_emulated_has_nothing_to_probe() -> None:
    with pytest.raises(
        targets.DescriptorError, match="'host' is a process, not emulated"
    ):
        probe.probe(targets.load("host"))


def test_without_qemu_the_probe_says_so(
    temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(QemuMissing):
        probe.probe(targets.load("qemu-rv64gc"))


@pytest.mark.usefixtures("qemu64")
def test_a_guest_that_says_nothing_is_an_error(
    temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spin = little_endian([0x0000006F])  # j .
    monkeypatch.setattr(probe, "image", lambda greeting: spin)
    target = targets.load("qemu-rv64gc")
    limits = dataclasses.replace(target.limits, hello=0.1)
    with pytest.raises(ProbeError, match=r"did not greet within 0\.1 s"):
        probe.probe(dataclasses.replace(target, limits=limits))
