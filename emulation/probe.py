"""The boot probe: is it the emulator, the line, or my toolchain?

A score of instructions, assembled by the riscv-assembler package without any C
compiler, boot in QEMU, greet over the UART, wait for a byte from the host and
hand it to the test device as exit code. When that works, emulator and line
work in both directions, and what does not is the toolchain or the firmware.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import serial
from riscv_assembler.convert import AssemblyConverter

from emulation.choice import machine_for
from emulation.errors import ProbeError
from emulation.machine import Machine
from targets import DescriptorError, Target

# What must be known of riscv-assembler 1.2.1, and why every word is checked:
# - lui and auipc take first the value, whole, then the register, and give a
#   string without leading zeros: a word is made from the number it stands for,
#   never from its characters in eights, as the package's .bin output is (which
#   would be most-significant byte first besides);
# - stores with an offset other than 0 are encoded wrongly; jal finds no label
#   (j does); li is half done; srli is spelt slri; csrrs is spelt CSRRS;
# - a load of a byte is written `lbu rd, base, offset`;
# - a label takes no room, but an empty line or a comment takes a word's.
PROGRAM = (
    ("lui 0x10000000, t0", 0x100002B7),  # the 16550 UART of QEMU's virt
    ("auipc 0, t1", 0x00000317),  # the base of RAM + 4
    ("next:", None),
    ("lbu t2, t0, 5", 0x0052C383),  # its line status
    ("andi t2, t2, 32", 0x0203F393),  # transmitter empty
    ("beq t2, x0, next", 0xFE038CE3),
    ("lbu t2, t1, 76", 0x04C34383),  # the greeting lies behind the code
    ("beq t2, x0, listen", 0x00038863),
    ("sb t2, 0(t0)", 0x00728023),
    ("addi t1, t1, 1", 0x00130313),
    ("j next", 0xFE5FF06F),
    ("listen:", None),
    ("lbu t2, t0, 5", 0x0052C383),
    ("andi t2, t2, 1", 0x0013F393),  # a byte has come
    ("beq t2, x0, listen", 0xFE038CE3),
    ("lbu t2, t0, 0", 0x0002C383),
    ("slli t2, t2, 16", 0x01039393),
    ("lui 0x3000, t1", 0x00003337),
    ("addi t1, t1, 0x333", 0x33330313),  # 0x3333: end with this exit code
    ("add t2, t2, t1", 0x006383B3),
    ("lui 0x100000, t1", 0x00100337),  # the test device
    ("sw t2, 0(t1)", 0x00732023),
)
"""Lines in the assembler's dialect, and the words that they must become."""

EXIT_CODE = 42
"""What the host sends, and the guest must end with."""


@dataclass(frozen=True)
class ProbeResult:
    """What the probe found; `seconds` from starting QEMU to the first byte, in
    host time. `ok`: the greeting is whole and the exit code is the one sent."""

    greeting: str
    seconds: float
    ok: bool


def assemble(lines: Sequence[str]) -> list[int]:
    """Instruction words of lines in riscv-assembler's dialect.

    Numbers may be hexadecimal, which the package does not understand. Raises
    `ProbeError` for a line that it does not know.
    """
    source = [re.sub("0x[0-9a-f]+", _decimal, line) for line in lines]
    try:
        words = AssemblyConverter(output_mode="a").convert(source)
    except Exception as error:  # it raises whatever it stumbles over
        raise ProbeError(f"riscv-assembler gives up: {error!r}") from error
    return [int(word, 2) for word in words]


def _decimal(number: re.Match[str]) -> str:
    return str(int(number[0], 16))


def image(greeting: str) -> bytes:
    """The probe's memory image, for the base of RAM, little-endian.

    Raises `ProbeError` when the assembler gives other words than expected.
    """
    lines = [line for line, _ in PROGRAM]
    code = [(line, word) for line, word in PROGRAM if word is not None]
    words = assemble(lines)
    if len(words) != len(code):
        raise ProbeError(
            f"riscv-assembler made {len(words)} words of {len(code)} instructions"
        )
    for (line, expected), word in zip(code, words, strict=True):
        if word != expected:
            raise ProbeError(
                f"riscv-assembler made {word:#010x} of {line!r}, "
                f"expected {expected:#010x}"
            )
    return little_endian(words) + greeting.encode("ascii") + b"\0"


def little_endian(words: Sequence[int]) -> bytes:
    """Instruction words as they lie in memory."""
    return b"".join(word.to_bytes(4, "little") for word in words)


def probe(target: Target, console: str = "socket") -> ProbeResult:
    """Boots the probe on a QEMU target and talks with it over its line.

    Raises `EmulatorError` when QEMU is missing or does not start, `ProbeError`
    when the guest does not greet or does not end, `DescriptorError` for a
    target that is not emulated.
    """
    if not target.emulated:
        raise DescriptorError(
            f"target {target.name!r} is a process, not emulated: nothing to boot"
        )
    greeting = f"hello from {target.name}\n"
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        path = Path(folder) / "probe.bin"
        path.write_bytes(image(greeting))
        with machine_for(target, path, console=console) as machine:
            return _converse(machine, greeting)


def _converse(machine: Machine, greeting: str) -> ProbeResult:
    limits = machine.target.limits
    start = time.monotonic()
    machine.power_on()
    try:
        port = serial.serial_for_url(machine.url, timeout=limits.hello)
    except serial.SerialException as error:
        raise ProbeError(f"the line {machine.url} does not open: {error}") from error
    with port:
        machine.run()
        try:
            heard = port.read(1)
            seconds = time.monotonic() - start
            heard += port.read_until(b"\n") if heard else b""
            port.write(bytes([EXIT_CODE]))
        except serial.SerialException as error:
            raise ProbeError(f"the line {machine.url} broke: {error}") from error
        if not heard:
            raise ProbeError(
                f"the guest did not greet within {limits.hello:g} s",
                *machine.log().splitlines(),
            )
        code = machine.wait(limits.reply)
    if code is None:
        raise ProbeError(
            f"the guest did not end within {limits.reply:g} s of being told to"
        )
    text = heard.decode("ascii", "replace")
    return ProbeResult(text, seconds, text == greeting and code == EXIT_CODE)
