"""Modelled cycles of one step's instructions, in the order it executed them.

Instruction counts flatter large LMUL: one instruction that keeps a unit busy
for sixteen cycles counts as one. So a machine model goes with every count:
llvm-mca's where an installed one knows the core, else the table in cores.toml.
Neither knows of caches or mispredicted branches; the record says which it was.
A core is judged by code for registers as long as its own: both models charge whole
register groups, so shorter code would be charged for what it does not move.

llvm-mca takes longer than in proportion for a long piece of code, so a step behind an
imported front, of millions of instructions, is modelled in parts. Each part begins with
an idle core, and its last results are waited for: some tens of cycles more a part.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codegen.machine_code.decode import Instruction
from hil.errors import BuildError
from hil.measuring.steps.scoreboard import cores
from targets import Target

OLDEST = 22
"""The first llvm-mca whose models are those that cores.toml was read from."""
TOOLS = (*(f"llvm-mca-{n}" for n in range(29, OLDEST - 1, -1)), "llvm-mca")
OBJDUMP = ("--disassemble", "--no-show-raw-insn", "--mattr=+m,+a,+f,+d,+c,+v")
LIMIT = 120
"""Host seconds for one call of a tool; a thousand instructions take 20 ms."""
PART = 50_000
"""Instructions that llvm-mca is given at a time."""
MOST = 5_000_000
"""Instructions of a step that is modelled, at most: llvm-mca takes minutes for as many."""

_LISTED = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")


@dataclass(frozen=True)
class Modelled:
    """Cycles of one step on a core, and the model they come from."""

    cycles: int
    model: str


def judged(target: Target, vlen: int) -> tuple[str, ...]:
    """The cores that code for `target` at this VLEN is judged on: 64-bit RISC-V ones
    whose vector registers are as long, all of them where it has no vectors (VLEN 0)."""
    if target.xlen != 64 or not target.isa.startswith("rv"):
        return ()
    return tuple(n for n, core in cores().items() if vlen in (0, core.vlen))


def modelled(
    executed: Sequence[tuple[int, Instruction]], image: Path, on: Iterable[str]
) -> dict[str, Modelled]:
    """Cycles of these instructions (address, meaning) of `image` on these cores, of no
    core where there are more than `MOST`.

    Raises `BuildError` when llvm-mca does not take what it is given.
    """
    if len(executed) > MOST:
        return {}
    return {name: _on(name, executed, image) for name in on}


def _on(
    name: str, executed: Sequence[tuple[int, Instruction]], image: Path
) -> Modelled:
    tools = analyser(name)
    if tools is None:
        core = cores()[name]
        cycles = core.cycles(instruction for _, instruction in executed)
        return Modelled(cycles, f"table {name}")
    listing = disassemble(image, tools.objdump)
    lines = [listing[address] for address, _ in executed]
    parts = [*_parts(lines)]
    cycles = sum(analyse(text, name, tools) for text in parts)
    said = f" in {len(parts)} parts" if len(parts) > 1 else ""
    return Modelled(cycles, f"{tools.version} {name}{said}")


def _parts(lines: Sequence[str]) -> Iterator[str]:
    """The lines in parts, each of which begins with the vsetvli that was executed last:
    what a vector instruction takes depends on it."""
    setting: list[str] = []
    for at in range(0, len(lines), PART):
        part = lines[at : at + PART]
        yield "\n".join([*setting, *part])
        found = next((one for one in reversed(part) if one.startswith("vset")), None)
        setting = setting if found is None else [found]


@dataclass(frozen=True)
class Tools:
    """An llvm-mca and the llvm-objdump of the same LLVM, by path."""

    mca: str
    objdump: str
    version: str


@cache
def analyser(core: str) -> Tools | None:
    """The newest llvm-mca here that is new enough and has a scheduling model of `core`,
    with its objdump; None without."""
    for tool in TOOLS:
        mca = shutil.which(tool)
        objdump = shutil.which(tool.replace("mca", "objdump"))
        if mca is None or objdump is None:
            continue
        said = re.search(
            r"LLVM version ((\d+)[.\d]*)", _run([mca, "--version"], "").stdout
        )
        if said is None or int(said[2]) < OLDEST:
            continue
        if _run([mca, *_target(core)], "addi a0, a0, 1\n").returncode == 0:
            return Tools(mca, objdump, f"llvm-mca {said[1]}")
    return None


def analyse(text: str, core: str, tools: Tools) -> int:
    """Total cycles of assembler lines. Raises `BuildError`."""
    command = [
        tools.mca, *_target(core),
        "-iterations=1", "-instruction-info=0", "-resource-pressure=0",
    ]  # fmt: skip
    done = _run(command, text)
    found = re.search(r"^Total Cycles:\s+(\d+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        complaint = (done.stderr.strip() or "no message").splitlines()[0]
        raise BuildError(f"{Path(tools.mca).name} failed: {complaint}")
    return int(found[1])


@cache
def disassemble(image: Path, objdump: str) -> dict[int, str]:
    """Address -> line of assembler. Where a branch goes is left out: the lines
    are taken in the order of execution, and its target is far from here."""
    done = _run([objdump, *OBJDUMP, str(image)], "")
    found = {}
    for line in done.stdout.splitlines():
        listed = _LISTED.match(line)
        if listed is not None:
            found[int(listed[1], 16)] = f"{listed[2]} {_operands(listed[2], listed[3])}"
    if not found:
        complaint = (done.stderr.strip() or "no message").splitlines()[0]
        raise BuildError(f"{Path(objdump).name} failed: {complaint}")
    return found


def _operands(name: str, operands: str) -> str:
    plain = re.sub(r"\s*<.*>", "", operands)
    if name[0] == "b" or name in ("j", "jal"):
        return re.sub(r"0x[0-9a-f]+$", "0", plain)
    return plain


def _target(core: str) -> tuple[str, ...]:
    return ("-mtriple=riscv64", f"-mcpu={core}")


def _run(command: list[str], given: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"{Path(command[0]).name} did not end within {LIMIT} s"
        ) from None
