"""The dataclasses that a target's TOML file fills, and is checked against.

Their fields are the schema: `targets.loader` takes key names, types and what
may be left out from here. What a single field cannot say (a default that is
one of the choices, a table that a kind of machine needs) the dataclasses
check themselves, so that a `Target` that exists is a possible one.
"""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass, replace
from typing import Literal

from targets.errors import DescriptorError

Machine = Literal["qemu", "native", "user"]
MACHINES: tuple[str, ...] = typing.get_args(Machine)
"""Kinds of machine that `emulation` can start: QEMU as a whole machine, a process of
this computer, a process of another kind of computer in QEMU's user mode."""
Width = Literal[32, 64]
"""Bits of an address."""
NEEDS = {"qemu": ("qemu", "memory"), "native": (), "user": ("qemu",)}
"""The tables that each of them needs."""
CORES = {"rv": "riscv", "armv": "arm"}
"""How the names of instruction sets begin, and the table of such a core. A whole
machine needs that of its own."""

MIN_VLEN = 128
"""The arithmetic contract's 16 lanes fit LMUL 4 from here (DESIGN 4.4)."""

MAX_VLEN = 65536
"""Largest VLEN of the RISC-V vector specification 1.0, section 2."""


LONGEST = 3600
"""Seconds that a limit may not reach."""

COUNTED = 5
"""Host seconds that QEMU takes at most for a second of a guest whose instructions
are counted, 1e9 of them, where nothing else runs."""


@dataclass(frozen=True)
class Vector:
    """The vector unit: register lengths in bits that may be asked for."""

    vlens: tuple[int, ...]
    default: int

    def __post_init__(self) -> None:
        for vlen in self.vlens:
            if not MIN_VLEN <= vlen <= MAX_VLEN or vlen & (vlen - 1):
                raise DescriptorError(
                    f"vlens holds {vlen}: expected powers of two "
                    f"from {MIN_VLEN} to {MAX_VLEN}"
                )
        if self.default not in self.vlens:
            raise DescriptorError(
                f"default {self.default} is not one of vlens "
                f"{', '.join(map(str, self.vlens))}"
            )


@dataclass(frozen=True)
class Memory:
    """RAM that image, data and stack share, in bytes; it begins at `origin`.

    The last `reserved` bytes are the machine's own at a reset: nothing of an
    image may lie there. Where code and constants have memory of their own, they
    begin at `rom_origin`, and it has `rom` bytes."""

    origin: int
    ram: int
    stack: int
    reserved: int = 0
    rom_origin: int = 0
    rom: int | None = None

    def __post_init__(self) -> None:
        if self.rom is not None and (self.rom_origin < 0 or self.rom <= 0):
            raise DescriptorError(
                f"memory for code of {self.rom} bytes at {self.rom_origin:#x} is not "
                "possible"
            )
        if (
            self.origin < 0
            or self.reserved < 0
            or not 0 < self.stack < self.ram - self.reserved
        ):
            raise DescriptorError(
                f"memory of {self.ram} bytes at {self.origin:#x}, {self.reserved} of "
                f"them reserved, with a stack of {self.stack} bytes is not possible"
            )

    @property
    def usable(self) -> int:
        """Bytes from `origin` that an image and its data may take."""
        return self.ram - self.reserved


@dataclass(frozen=True)
class Flash:
    """NOR flash for checkpoints, in bytes: its address where it is mapped into
    memory, its size, what is erased at once, and what is programmed at least."""

    size: int
    erase: int
    program: int
    origin: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.program <= self.erase <= self.size or (
            self.erase % self.program or self.size % self.erase
        ):
            raise DescriptorError(
                f"flash of {self.size} bytes, erased by {self.erase} and programmed by "
                f"{self.program}, is not possible: expected each a multiple of the next"
            )


@dataclass(frozen=True)
class Uart:
    """The UART that is the line: where its registers are, its interrupt's number,
    and the baud rate it is set to; `clock`, in Hz once the port has brought it up, is
    what the UART divides."""

    origin: int
    interrupt: int
    clock: int
    baud: int = 115_200

    def __post_init__(self) -> None:
        if self.origin < 0 or not 0 <= self.interrupt < 240:
            raise DescriptorError(
                f"UART at {self.origin:#x} with interrupt {self.interrupt} is not "
                "possible: expected an interrupt from 0 to 239"
            )
        if not 0 < self.baud < self.clock:
            raise DescriptorError(
                f"{self.baud} baud from a clock of {self.clock} Hz are not possible"
            )


@dataclass(frozen=True)
class Riscv:
    """What a RISC-V core of ours must know: the hart that works, where CLINT and
    PLIC are, the PLIC's context of that hart's machine mode, and how often a second
    the CLINT's timer counts."""

    clint: int
    plic: int
    timebase: int
    hart: int = 0
    context: int = 0

    def __post_init__(self) -> None:
        if min(self.clint, self.plic, self.hart, self.context) < 0:
            raise DescriptorError("a value in [riscv] is negative: expected none to be")
        if self.timebase < 1000:
            raise DescriptorError(
                f"timebase {self.timebase} in [riscv] is too slow: expected 1000 Hz or more"
            )


@dataclass(frozen=True)
class Arm:
    """What a Cortex-M core of ours must know: `clock`, the core's own in Hz once the
    port has brought it up. The watchdog counts it."""

    clock: int

    def __post_init__(self) -> None:
        if self.clock < 1000:
            raise DescriptorError(
                f"clock {self.clock} in [arm] is too slow: expected 1000 Hz or more"
            )


@dataclass(frozen=True)
class Qemu:
    """How QEMU is asked for this machine; `{vlen}` in `cpu` is filled in, and an
    empty one is the machine's own. A process in user mode has no `machine`. The line
    is its serial port number `serial`. `semihosting`: its exit code comes by
    semihosting. `counts`: it has an instruction counter, which -icount makes exact.
    `cluster`: which of its clusters of cores has the one that works, from 1 as its
    gdb server counts them. `options`: words of its command line for what no key
    says; a later one wins."""

    binary: str
    machine: str | None = None
    cpu: str = ""
    serial: int = 0
    semihosting: bool = False
    counts: bool = True
    cluster: int = 1
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.cluster < 1:
            raise DescriptorError(
                f"cluster = {self.cluster} in [qemu] is not possible: expected 1 or more"
            )


@dataclass(frozen=True)
class Limits:
    """How long something may take before it is called dead, in seconds: the
    host's, but for `watchdog`, which the device counts.

    `boot`: from starting the machine until it can be talked to; `hello`: until
    the first HELLO is answered; `reply`: any reply but that to STEP; `step`:
    the reply to one STEP frame; `stop`: each stage of ending the machine;
    `watchdog`: one step or inference on the device, by its own clock.
    """

    boot: float
    hello: float
    reply: float
    step: float
    stop: float
    watchdog: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < LONGEST:
                raise DescriptorError(
                    f"{name} = {value:g} in [limits] is not in 0..{LONGEST} seconds"
                )
        for name in ("step", "reply"):
            if self.watchdog >= getattr(self, name):
                raise DescriptorError(
                    f"watchdog = {self.watchdog:g} in [limits] is not below {name} = "
                    f"{getattr(self, name):g}: the host would give up before the "
                    "device tells why"
                )


@dataclass(frozen=True)
class Target:
    """A model of machine.

    `isa` and `abi` are what the compiler is told; `xlen` is the width of an
    address in bits; `port` is the folder in firmware/ports; `machine` is how it
    is started: "qemu", "native" (a process of this computer) or "user" (a process
    in QEMU's user mode; on a board, of its Linux). `core` names the core whose modelled
    cycles decide how a step is computed, None where instructions do. `vector` is None
    without a vector unit, `memory` None where nobody lays it out, `flash` None where
    nothing is kept, `uart`, `riscv` and `arm` None where a port needs none.
    """

    name: str
    title: str
    isa: str
    xlen: Width
    abi: str
    port: str
    machine: Machine
    limits: Limits
    core: str | None = None
    vector: Vector | None = None
    memory: Memory | None = None
    flash: Flash | None = None
    qemu: Qemu | None = None
    uart: Uart | None = None
    riscv: Riscv | None = None
    arm: Arm | None = None

    def __post_init__(self) -> None:
        if self.xlen not in typing.get_args(Width):
            raise DescriptorError(f"xlen {self.xlen} is neither 32 nor 64")
        if self.machine not in MACHINES:
            raise DescriptorError(
                f"unknown machine {self.machine!r}: "
                f"expected one of {', '.join(MACHINES)}"
            )
        for table in NEEDS[self.machine]:
            if getattr(self, table) is None:
                raise DescriptorError(
                    f"machine {self.machine!r} needs a table [{table}], which is missing"
                )
        self._require_fitting_tables()
        self._require_vectors_of_a_core()
        if self.qemu and ("{vlen}" in self.qemu.cpu) != (self.vector is not None):
            raise DescriptorError(
                "cpu in [qemu] must hold {vlen} exactly when there is a table [vector]"
            )

    def _require_vectors_of_a_core(self) -> None:
        """The cycles that a core is known by are those of its vectors."""
        if self.core is not None and self.vector is None:
            raise DescriptorError(
                f"core = {self.core!r} without a table [vector]: expected vectors, which "
                "its cycles decide about"
            )

    def _require_fitting_tables(self) -> None:
        """Of [qemu] a whole machine needs one key more, and its core's table; a
        process lays out no memory."""
        if self.machine == "qemu" and self.qemu and self.qemu.machine is None:
            raise DescriptorError("key 'machine' in table [qemu] is missing")
        if self.machine == "user" and self.qemu and self.qemu.machine is not None:
            raise DescriptorError(
                "machine 'user' is a process, so key 'machine' in table [qemu] says "
                "nothing: expected none"
            )
        if self.machine != "qemu" and self.memory is not None:
            raise DescriptorError(
                f"machine {self.machine!r} is a process, whose memory the system lays "
                "out: expected no table [memory]"
            )
        for prefix, table in CORES.items():
            fits = self.emulated and self.isa.startswith(prefix)
            if fits != (getattr(self, table) is not None):
                raise DescriptorError(
                    f"table [{table}] is {'missing' if fits else 'too much'}: expected "
                    f"one where machine is 'qemu' and isa begins with {prefix!r}, and "
                    "only there"
                )

    @property
    def emulated(self) -> bool:
        """Whether QEMU is the whole machine: it counts instructions, shows what is
        executed, and a debugger may stop it. A process has none of these."""
        return self.machine == "qemu"

    @property
    def fma(self) -> bool:
        """Whether it multiplies and adds binary32 in one instruction, as the contract's
        arithmetic wants it: RISC-V's F (in G, D and the vector sets too), an Arm core's
        FPU, and every native one. Without, it learns in integers (DESIGN 4.1)."""
        riscv = re.match(r"rv(?:32|64)([a-z]+)", self.isa)
        if riscv is not None:
            return bool(set(riscv[1]) & set("fdgv"))
        return not self.isa.startswith("armv") or "+fp" in self.isa

    def counted(self) -> Target:
        """The target with longer limits, for a guest whose instructions are counted:
        its clock is slower than the host's, so the host waits longer."""
        limits = self.limits
        reply, step = (
            min(COUNTED * limit, LONGEST - 1) for limit in (limits.reply, limits.step)
        )
        return replace(self, limits=replace(limits, reply=reply, step=step))

    def vlen(self, requested: int | None = None) -> int:
        """The vector register length to use, in bits; 0 without vectors.

        `requested` None (or 0 where there are no vectors) takes the target's
        own. Raises `DescriptorError` for a length that the target has not.
        """
        if self.vector is None:
            if requested:
                raise DescriptorError(
                    f"target {self.name!r} has no vector unit, "
                    f"so VLEN {requested} cannot be had"
                )
            return 0
        if requested is None:
            return self.vector.default
        if requested not in self.vector.vlens:
            raise DescriptorError(
                f"target {self.name!r} has no VLEN {requested}: "
                f"expected one of {', '.join(map(str, self.vector.vlens))}"
            )
        return requested
