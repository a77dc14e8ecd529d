"""Loader `gdb`: any GDB server, through the user's own gdb program.

In two sessions: the first halts the board, loads and verifies, and leaves it
halted, so that an image that did not arrive whole is never started. The second
finds the registers as they are, none that gdb remembers from before a reset.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from hil.desk.loaders.base import Loader, last_words, run_tool
from hil.desk.loaders.memory import lies_in_ram
from hil.device import debuggers
from hil.errors import FlashError

SETTINGS = (
    "set confirm off",
    "set pagination off",
    "set width 0",
    "set remotetimeout 20",
    "set tcp connect-timeout 5",
)
VERIFIED, DIFFERS = ": matched.", "MIS-MATCHED"


@dataclass(frozen=True)
class Server:
    """How one kind of server is told things: what follows the connection; a reset
    that leaves the core halted; a reset after which it runs; and how it goes on
    from the program counter. `volatile`: a reset brings an earlier image back."""

    attach: tuple[str, ...]
    halt: tuple[str, ...]
    restart: tuple[str, ...]
    resume: tuple[str, ...]
    volatile: bool = False


SERVERS = {
    "openocd": Server(
        attach=(),
        halt=("monitor reset halt",),
        restart=("monitor reset run", "disconnect"),
        resume=("monitor resume", "disconnect"),
    ),
    "jlink": Server(
        attach=(),
        halt=("monitor reset",),
        restart=("monitor reset", "monitor go", "disconnect"),
        resume=("monitor go", "disconnect"),
    ),
    "blackmagic": Server(
        attach=("monitor swdp_scan", "attach 1"),
        halt=(),  # it resets and halts when it attaches
        restart=("kill",),
        resume=("detach",),
    ),
    "qemu": Server(
        attach=(),  # it halts when somebody connects
        halt=("monitor system_reset",),
        restart=("monitor system_reset", "detach"),
        resume=("detach",),
        volatile=True,  # the image of its command line is copied again
    ),
}


class GdbLoader(Loader):
    """Through the unit's gdb server, of the kind it names."""

    @property
    def _server(self) -> Server:
        return SERVERS[self.unit.kind or ""]

    def program(self, image: Path) -> None:
        """Reset and halt, load, compare what is there with the file; then run it
        from its entry when it lies in RAM, from a reset when it lies in flash."""
        server = self._server
        said = self._session(
            image, (*server.halt, "load", "compare-sections", "disconnect")
        )
        if DIFFERS in said or VERIFIED not in said:
            raise FlashError(
                f"unit {self.unit.name!r} does not hold the image that gdb loaded: it "
                "was not started",
                *last_words("\n".join(s for s in said.splitlines() if DIFFERS in s)),
            )
        with image.open("rb") as file:
            elf = ELFFile(file)
            entry, in_ram = elf["e_entry"], lies_in_ram(elf, self.target)
        if in_ram or server.volatile:
            self._session(image, (f"set $pc = {entry:#x}", *server.resume))
        else:
            self._session(image, server.restart)

    def reset(self) -> None:
        """A reset by the server; QEMU then runs the image it was started with."""
        self._session(None, self._server.restart)

    def version(self) -> str:
        """The first line of what gdb says of itself."""
        return run_tool([self._gdb(), "--version"], "debugger").splitlines()[0]

    def _gdb(self) -> str:
        """The debugger to use. Raises `FlashError` when there is none."""
        found = debuggers.find(self.target)
        if found is None:
            known = ", ".join(debuggers.names(self.target))
            raise FlashError(
                f"there is no gdb for target {self.target.name}: expected one of {known}",
                f"Debian, Ubuntu: sudo apt-get install {debuggers.ANY}",
            )
        return found

    def _session(self, image: Path | None, orders: Sequence[str]) -> str:
        """What gdb said when it connected and did this. WHY a file of orders: gdb
        ends at the first that fails, which it does not with -ex."""
        there: tuple[str, ...] = ()
        if image is not None and self.unit.kind == "qemu":
            there = debuggers.to_cluster(self.target, image)
        lines = (
            *SETTINGS,
            f"target extended-remote {self.unit.server}",
            *self._server.attach,
            *there,
            *orders,
        )
        file = [str(image)] if image is not None and not there else []
        with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
            script.write("\n".join(lines) + "\n")
            script.flush()
            words = [self._gdb(), "-nx", "-batch", "-x", script.name]
            return run_tool([*words, *file], "debugger")
