"""Fixtures of the machines: images to boot, and a temp folder to watch."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import targets
from codegen.building import toolchain
from emulation.probe import assemble, image, little_endian

FIRMWARE = """#!{python}
import os, socket, sys
flag, fd = sys.argv[1], int(sys.argv[2])
if flag == "--listen-fd":
    line, _ = socket.socket(fileno=fd).accept()
    fd = line.detach()
print("started with", flag, file=sys.stderr, flush=True)
while byte := os.read(fd, 1):
    if byte == b"q":
        sys.exit(7)
    if byte == b"k":
        os.abort()
    os.write(fd, byte.upper())
"""
"""Stands for a native image: echoes in upper case, q exits, k crashes."""

FIRMWARE_C = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int fd = argc > 2 ? atoi(argv[2]) : -1;
    char byte;

    if (argc > 2 && strcmp(argv[1], "--listen-fd") == 0) {
        fd = accept(fd, NULL, NULL);
    }
    fprintf(stderr, "started with %s\n", argv[1]);
    while (read(fd, &byte, 1) == 1) {
        if (byte == 'q') {
            return 7;
        }
        if (byte == 'k') {
            abort();
        }
        byte -= byte >= 'a' && byte <= 'z' ? 'a' - 'A' : 0;
        if (write(fd, &byte, 1) != 1) {
            return 1;
        }
    }
    return 0;
}
"""

COUNT = (
    "CSRRS t1, x0, 0xb02",  # minstret
    "addi t0, x0, 50",
    "again:",
    "addi t0, t0, -1",
    "bne t0, x0, again",
    "CSRRS t2, x0, 0xb02",
    "sub t2, t2, t1",
    "slli t2, t2, 16",
    "lui 0x3000, t3",
    "addi t3, t3, 0x333",
    "add t2, t2, t3",
    "lui 0x100000, t4",
    "sw t2, 0(t4)",
)
"""Exits with the instructions retired between two reads: 2 * 50 + 2."""


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where machines make their private folders: must be empty at the end.

    Directly in /tmp, because a unix socket's path must be short; after tmp_path,
    which pytest must not make in here.
    """
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert list(Path(folder).iterdir()) == []


@pytest.fixture
def greeter(tmp_path: Path) -> Path:
    """The boot probe's image: says hello, then exits with the byte it gets."""
    path = tmp_path / "greeter.bin"
    path.write_bytes(image("hello\n"))
    return path


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    """An image whose exit code is a count of instructions, which is 102."""
    path = tmp_path / "counter.bin"
    path.write_bytes(little_endian(assemble(COUNT)))
    return path


@pytest.fixture(scope="session")
def linux_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a static program for 64-bit RISC-V."""
    folder = tmp_path_factory.mktemp("linux")
    (folder / "firmware.c").write_text(FIRMWARE_C)
    zig = toolchain.find(targets.load("linux-riscv64-rvv"))
    command = [*zig.link, "-std=c11", "firmware.c", "-o", "firmware"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "firmware"


@pytest.fixture(params=["host", "linux-riscv64-rvv"])
def process(request: pytest.FixtureRequest) -> tuple[targets.Target, Path]:
    """A target whose firmware is a process, and such a process."""
    target = targets.load(request.param)
    if target.qemu is not None:
        request.getfixturevalue("qemu_user")
    kind = "native_image" if target.qemu is None else "linux_image"
    return target, request.getfixturevalue(kind)


@pytest.fixture
def native_image(tmp_path: Path) -> Path:
    """A process that behaves as the firmware does on a line."""
    path = tmp_path / "firmware"
    path.write_text(FIRMWARE.format(python=sys.executable))
    path.chmod(0o755)
    return path


@pytest.fixture
def fake_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script of this text first in the PATH, as QEMU."""

    def install(script: str) -> None:
        for name in ("qemu-system-riscv64", "qemu-system-riscv32"):
            path = tmp_path / name
            path.write_text("#!/bin/sh\n" + script)
            path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install
