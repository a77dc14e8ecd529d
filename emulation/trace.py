"""What QEMU says it has executed: one program counter an instruction.

QEMU translates blocks of instructions. Told to make every block one
instruction long and to log each block that it runs (`-d exec`), it writes a
line an instruction; `-dfilter` keeps those out that nobody asked for. The log
is long (about 80 bytes an instruction), so it is switched on late, by
`QemuMachine.watch`, and only for what is to be looked at.

QEMU 7.2 aborts in this mode where a block begins with a vector conversion that
truncates (vfcvt.rtz: "decode_save_opc: Assertion"), so code to be traced there
converts by the current rounding mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ONE_BY_ONE_SINCE = (8, 1)
"""QEMU that spells it -accel tcg,one-insn-per-tb=on; 10.0 knows nothing else."""

LOG_ITEMS = "exec,nochain"
"""nochain: a block that jumps straight into the next is logged as well."""

_LINE = re.compile(
    rb"^(?:Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/.*"
    rb"|(Stopped execution) of TB chain before .*)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Watch:
    """Executed instructions are written to `log` when their addresses lie in
    one of `ranges`: (first, one past the last). With icount an access to a device
    is written down twice: QEMU begins it anew to know the time."""

    log: Path
    ranges: tuple[tuple[int, int], ...]

    def options(self, version: str) -> tuple[str, ...]:
        """For the command line of a QEMU of this version, such as "7.2.22"."""
        number = tuple(int(part) for part in version.split(".")[:2])
        single: tuple[str, ...] = ("-singlestep",)
        if number >= ONE_BY_ONE_SINCE:
            single = ("-accel", "tcg,one-insn-per-tb=on")
        wanted = ",".join(f"{first:#x}..{end - 1:#x}" for first, end in self.ranges)
        return (*single, "-D", str(self.log), "-dfilter", wanted)

    def executed(self) -> list[int]:
        """The addresses in the order in which they were executed."""
        return list(_executed(_LINE.finditer(self.log.read_bytes())))


def _executed(lines: Iterable[re.Match[bytes]]) -> Iterable[int]:
    """The executed addresses among the lines. QEMU logs a block before it runs it, and
    may then find that its time is up: then it logs a line that takes the first one
    back, and logs the block again later."""
    held: int | None = None
    for line in lines:
        address, taken_back = line.groups()
        if taken_back:
            held = None
            continue
        if held is not None:
            yield held
        held = int(address, 16)
    if held is not None:
        yield held
