"""QEMU as a board (DESIGN section 8).

It is started with -S, so that it stands still until the host has opened the
line, and controlled over QMP on a unix socket that we listen on in a private
folder: no port to guess, no race about who comes first, any number at once.
The guest's exit code is that of the virt machine's test device (a word to
0x100000: 0x5555 ends with 0, 0x3333 | code << 16 with code), which is QEMU's
own exit code and has nothing to do with the serial line. Codes are 0..255.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emulation.errors import EmulatorError, QemuGone, QemuMissing, QemuRefused
from emulation.line import PtyLine
from emulation.machine import Machine, State
from emulation.tally import Tally
from emulation.trace import LOG_ITEMS, Watch
from targets import Target, storage

if TYPE_CHECKING:
    from emulation.qmp import Monitor

HOW_TO_INSTALL = (
    "Debian, Ubuntu: sudo apt-get install qemu-system-misc, or run .ci/apt.sh",
    "macOS: brew install qemu",
)
HOW_TO_INSTALL_USER = (
    "Debian, Ubuntu: sudo apt-get install qemu-user, or run .ci/apt.sh",
    "QEMU's user mode exists on Linux alone; elsewhere name another target",
)

MAX_SOCKET_PATH = 103
"""Longest path of a unix socket on macOS (Linux: 107), without the final 0."""

SOCKET_LINE = ("socket,id=line,host=127.0.0.1,port=0,server=on,wait=off,nodelay=on",)
"""nodelay: with Nagle's algorithm a reply of 100 bytes takes 44 ms, without 3."""
STUB_LINE = "socket,id=gdb,host=127.0.0.1,port=0,server=on,wait=off,nodelay=on"
SEMIHOSTING = ("-semihosting-config", "enable=on,target=gdb")
"""The guest's exit, and no more: QEMU sends every call for the host's files, commands
and clock to a debugger, and drops it where none is connected. With target=native it
would do them itself, for any image."""
FLASH = "if=pflash,unit=1,format=raw,file="
"""The second bank: from the first, the machine would boot."""


def find(binary: str) -> str:
    """Path of this QEMU. Raises `QemuMissing`."""
    path = shutil.which(binary)
    if path is None:
        whole = binary.startswith("qemu-system-")
        how = HOW_TO_INSTALL if whole else HOW_TO_INSTALL_USER
        raise QemuMissing(f"{binary} is not on the PATH", *how)
    return path


def version(binary: str, limit: float = 10.0) -> str:
    """Its version, such as "7.2.22". Raises `EmulatorError`."""
    try:
        text = subprocess.run(
            [find(binary), "--version"],
            capture_output=True,
            text=True,
            timeout=limit,
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmulatorError(f"{binary} does not tell its version: {error}") from error
    match = re.search(r"version (\d+(?:\.\d+)+)", text)
    if match is None:
        raise EmulatorError(f"{binary} does not tell its version: {text!r}")
    return match[1]


class QemuMachine(Machine):
    """A target's image in QEMU.

    `vlen` in bits, 0 without vectors, as `Target.vlen` gives it. `icount`: one
    instruction takes one nanosecond of the guest's time, which makes minstret
    and mcycle exact and repeatable between two reads without a `wfi` between
    them (an idle guest's time goes on). Other shifts than 0 miscount; sleep=off
    counts no better and only warns. `watch`: what is written down once `watch`
    is called; such a guest runs an order of magnitude slower; or what is counted. `gdb`: a debugger
    may connect to `debugger`, a loopback address that QEMU chose.
    """

    def __init__(
        self,
        target: Target,
        image: Path,
        vlen: int,
        icount: bool = False,
        console: str = "socket",
        watch: Watch | Tally | None = None,
        flash: Path | None = None,
        gdb: bool = False,
    ) -> None:
        super().__init__(target, image, console, flash)
        self.vlen = vlen
        self.icount = icount
        self._watch = watch
        self._gdb = gdb
        self._monitor: Monitor | None = None
        self._line: PtyLine | None = None

    def _start(self, folder: Path) -> None:
        assert self.target.qemu is not None
        find(self.target.qemu.binary)
        if self.console == "pty":
            self._line = PtyLine()
        cpu = self.target.qemu.cpu.format(vlen=self.vlen)
        try:
            self._launch(folder, cpu)
        except QemuRefused as refusal:
            other = _respelled(cpu, str(refusal))
            if other is None:
                raise
            (folder / "log").unlink()
            self._launch(folder, other)
        self.url = self._line.url if self._line else self._socket_url()

    def _launch(self, folder: Path, cpu: str) -> None:
        """Starts QEMU and takes control; `QemuRefused` when it ends at once."""
        from emulation.qmp import (
            Monitor,
        )  # with asyncio, for which no other machine waits

        path = folder / "qmp"
        if len(bytes(path)) > MAX_SOCKET_PATH:
            raise EmulatorError(
                f"the temporary folder's path {folder} is too long for a socket",
                "set TMPDIR to a shorter one, such as /tmp",
            )
        limits = self.target.limits
        monitor = Monitor(path, limits.boot)
        self._monitor = monitor
        fds = (self._line.guest_fd,) if self._line else ()
        try:
            child = self._spawn(self._command(path, cpu), fds)
        except OSError as error:
            raise storage.scarcity(error) or EmulatorError(
                f"QEMU does not start: {error.strerror}"
            ) from error
        if not monitor.accept(child.ended):
            child.end(limits.stop)
            self._child = None
            monitor.close()
            raise QemuRefused(f"QEMU refused to start: {_culprit(self.log())}")
        # WHY: each byte that a guest takes from its UART wakes QEMU's input and output,
        # which would take the processor from the guest to bring it one byte more
        child.give_way()

    def _command(self, qmp: Path, cpu: str) -> list[str]:
        """QEMU's command line."""
        qemu, memory = self.target.qemu, self.target.memory
        assert qemu is not None and memory is not None and qemu.machine is not None
        line: Sequence[str] = ("-chardev", *SOCKET_LINE)
        if self._line:
            descriptor = f"fd={self._line.guest_fd},set=1"
            pty = "serial,id=line,path=/dev/fdset/1"
            line = ("-add-fd", descriptor, "-chardev", pty)
        return [
            *(find(qemu.binary), "-S", "-no-user-config", "-nodefaults"),
            *("-machine", qemu.machine, *(("-cpu", cpu) if cpu else ())),
            # with memory of its own for code, a machine has the board's RAM
            *(("-m", f"{memory.ram // 1024}k") if memory.rom is None else ()),
            *(("-bios", "none") if memory.rom is None else ()),
            *("-device", self._loader(), "-display", "none"),
            *(*line, *(["-serial", "null"] * qemu.serial), "-serial", "chardev:line"),
            *(SEMIHOSTING if qemu.semihosting else ()),
            *(("-drive", FLASH + _escaped(self.flash)) if self.flash else ()),
            *("-chardev", f"socket,id=qmp,path={_escaped(qmp)}"),
            *("-mon", "chardev=qmp,mode=control"),
            *(("-icount", "shift=0") if self.icount else ()),
            *(("-chardev", STUB_LINE, "-gdb", "chardev:gdb") if self._gdb else ()),
            *(self._watch.options(version(qemu.binary)) if self._watch else ()),
            *qemu.options,
        ]

    def _socket_url(self) -> str:
        """The url of QEMU's end of the line."""
        return f"socket://{self._address('line')}"

    def _address(self, label: str) -> str:
        """Where QEMU listens for this chardev, whose port it chose itself."""
        assert self._monitor is not None
        for chardev in self._monitor.execute("query-chardev"):
            match = re.search(r"tcp:(127\.0\.0\.1:\d+)", chardev["filename"])
            if chardev["label"] == label and match:
                return match[1]
        raise EmulatorError(f"QEMU does not tell the port of its {label}")

    @property
    def debugger(self) -> str:
        """What a debugger connects to, as host:port."""
        self._require(State.POWERED, State.RUNNING)
        return self._address("gdb")

    def pause(self) -> None:
        """The guest stands still, until a debugger lets it go on."""
        self._require(State.RUNNING)
        assert self._monitor is not None
        self._monitor.execute("stop")

    def _loader(self) -> str:
        """How the image gets into RAM, at every reset. Not by -kernel: where there
        is a second flash bank, QEMU 7.2 takes that for firmware which loads it."""
        assert self.target.memory is not None
        memory = self.target.memory
        origin = memory.origin if memory.rom is None else memory.rom_origin
        return f"loader,file={_escaped(self.image)},addr={origin:#x}"

    def run(self) -> None:
        """Lets the guest run.

        QEMU is first asked whether it really still stands before the guest's
        first instruction. A host that connected before gets every byte: its
        connection is accepted before QEMU takes the second command.
        """
        self._require(State.POWERED)
        assert self._monitor is not None
        status = self._monitor.execute("query-status")["status"]
        if status != "prelaunch":
            raise EmulatorError(
                f"QEMU is in state {status!r} before the start, expected 'prelaunch'"
            )
        self.state = State.RUNNING
        try:
            self._monitor.execute("cont")
        except QemuGone:  # a short-lived guest ends before QEMU has answered
            if self.wait(self.target.limits.boot) is None:
                raise

    def watch(self, on: bool) -> None:
        """From now on write down what is executed, or no longer."""
        self._require(State.RUNNING)
        assert self._monitor is not None and self._watch is not None
        items = LOG_ITEMS if on else "none"
        self._monitor.execute(
            "human-monitor-command", **{"command-line": f"log {items}"}
        )

    def reset(self) -> None:
        """The reset button: image and device tree are written into RAM again,
        the rest of RAM keeps what it holds, the line stays."""
        self._require(State.POWERED, State.RUNNING)
        assert self._monitor is not None
        self._monitor.reset()

    def _release(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._monitor is None:
            return
        try:
            if self._child is not None and self.exit_status() is None:
                self._monitor.limit = self.target.limits.stop
                self._monitor.execute("quit")
                self._child.wait(self.target.limits.stop)
        finally:
            self._monitor.close()
            self._monitor = None


def _escaped(path: Path) -> str:
    """A path in an option's value: a comma would end it."""
    return str(path).replace(",", ",,")


def _culprit(log: str) -> str:
    """The first line of QEMU's complaint that is no warning."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if "warning:" not in line] or lines
    if not errors:
        return "it said nothing"
    return re.sub(r"^\S*qemu-system-\w+: ", "", errors[0])


def _respelled(cpu: str, refusal: str) -> str | None:
    """`cpu` with the property lower-case that QEMU says it does not know.

    WHY: QEMU 7.2 knows Zve32f and not zve32f; 8.2 renamed such properties to
    lower-case and deprecated the others. QEMU's own answer decides, not a table
    of versions. None when that is not what it refused.
    """
    match = re.search(r"Property '[^']*\.(Z\w+)' not found", refusal)
    if match is None or f"{match[1]}=" not in cpu:
        return None
    return cpu.replace(match[1], match[1].lower())
