"""Compilers, each with the flags that give the same arithmetic and a bounded stack."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.building.arm import CORES, eabi
from codegen.building.isa import Isa
from codegen.errors import CompilerMissing
from targets import Target

OLDEST_CLANG = 17
OLDEST_RISCV_GCC = 14
VERSION_LIMIT = 60

WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror")
ARITHMETIC = (
    "-O2", "-ffp-contract=off", "-fno-math-errno", "-fno-strict-aliasing",
)  # fmt: skip
NATIVE_SPEED = ("-ftree-vectorize", "-funroll-loops")
"""Not -O3: gcc's then merges the kernels' rows and loses the vectors."""
BARE = (
    "-ffreestanding", "-fno-builtin", "-fno-pic",
    "-ffunction-sections", "-fdata-sections", "-fno-stack-protector",
    "-fomit-frame-pointer",
    # a jump through a table is a call then, where stacks are bounded
    "-fno-jump-tables",
    # always, and stripped by the linker: clang makes slightly other code with
    # debug information than without, and what is traced must be what runs
    "-gdwarf-4",
)  # fmt: skip


@dataclass(frozen=True)
class Toolchain:
    """A compiler for one kind of target.

    `compile` and `link` are the commands without files; `library` and
    `runtime` the flags of the two halves of an image: only the generated
    library may use vector instructions. `graph` makes the compiler write down
    what calls what, where it can and nobody reads the machine code. `several` makes
    one object of several sources in one call, where that costs less than a call each.
    """

    name: str
    version: str
    compile: tuple[str, ...]
    library: tuple[str, ...]
    runtime: tuple[str, ...]
    link: tuple[str, ...]
    link_end: tuple[str, ...] = ()
    graph: tuple[str, ...] = ()
    several: tuple[str, ...] = ()

    def context(self) -> tuple[str, ...]:
        """What of the toolchain is part of an image's digest: its version and
        flags, not the place where it is installed."""
        halves = (*self.library, "|", *self.runtime, *self.graph)
        flags = (*halves, *self.several, "|", *self.link[1:], *self.link_end)
        return (self.name, self.version, " ".join(f for f in flags if f[0] in "-|"))


CLANG = ("-mllvm", "-enable-misched=false")
"""For the library: clang's scheduler moves loads up until the few register
groups of LMUL 8 spill; without it kernels run in the order they are written."""


def _version(command: tuple[str, ...]) -> str:
    done = subprocess.run(
        [*command, "--version"],
        capture_output=True, text=True, check=False, timeout=VERSION_LIMIT,
    )  # fmt: skip
    return done.stdout.splitlines()[0].strip() if done.stdout else "unknown"


def _major(version: str) -> int:
    found = re.search(r"(\d+)\.\d+", version)
    return int(found.group(1)) if found else 0


def _which(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _zig() -> str:
    try:
        import ziglang
    except ImportError:
        raise CompilerMissing(
            "compiler zig is missing: expected the Python package ziglang",
            "pip install ziglang, or choose another: --toolchain clang",
        ) from None
    return str(Path(ziglang.__file__).parent / "zig")


def _link_script(target: Target) -> tuple[str, ...]:
    assert target.memory is not None
    memory = target.memory
    rom = {} if memory.rom is None else {
        "HIL_ROM_ORIGIN": memory.rom_origin, "HIL_ROM_SIZE": memory.rom,
    }  # fmt: skip
    given = {
        "HIL_RAM_ORIGIN": memory.origin,
        "HIL_RAM_SIZE": memory.usable,
        "HIL_STACK_SIZE": memory.stack,
        **rom,
    }
    symbols = (f"--defsym={name}={value:#x}" for name, value in given.items())
    return ("--gc-sections", "--build-id=none", *symbols)


def _two_halves(
    name: str,
    version: str,
    compile: tuple[str, ...],
    common: tuple[str, ...],
    isa_flag: str,
    spelling: Callable[[Isa], str],
    linker: str | tuple[str, ...],
    target: Target,
    vlen: int | None,
    kernels: tuple[str, ...] = CLANG,
) -> Toolchain:
    """A bare-metal toolchain whose library alone may use vectors, of at least
    `vlen` bits, and is compiled with the flags `kernels` besides; `isa_flag`
    and `spelling` say how this compiler is told the instruction set."""
    isa = Isa.parse(target.isa)
    flags = (
        *WARNINGS, *ARITHMETIC, *BARE, "-mcmodel=medany", f"-mabi={target.abi}", *common,
    )  # fmt: skip
    link = (linker,) if isinstance(linker, str) else linker
    return Toolchain(
        name, version, compile,
        (*flags, *kernels, isa_flag + spelling(isa.at_least(vlen))),
        (*flags, isa_flag + spelling(isa.scalar)),
        (*link, *_link_script(target)),
    )  # fmt: skip


def _arm(
    name: str,
    version: str,
    compile: tuple[str, ...],
    common: tuple[str, ...],
    linker: tuple[str, ...],
    target: Target,
) -> Toolchain:
    """A bare-metal toolchain for an Arm core: both halves have the same flags."""
    flags = (
        *WARNINGS, *ARITHMETIC, *BARE, "-mthumb", f"-mfloat-abi={target.abi}",
        # where no pass over the machine code tells them
        "-fstack-size-section", *common,
    )  # fmt: skip
    return Toolchain(
        name, version, compile, (*flags, *CLANG), flags,
        (*linker, *_link_script(target)),
    )  # fmt: skip


NO_CHECKS = "-fno-sanitize=undefined"
"""zig cc would build its own sanitizer in."""


def _zig_version() -> str:
    from importlib import metadata

    return f"zig {metadata.version('ziglang')}"


def _bare_zig(target: Target, vlen: int | None) -> Toolchain:
    """Each call of zig starts a compiler and a linker, which for our small files takes
    longer than compiling them."""
    return replace(_zig_for(target, vlen), several=("-nostdlib", "-r"))


def _zig_for(target: Target, vlen: int | None) -> Toolchain:
    zig = _zig()
    if target.isa in CORES:
        return _arm(
            "zig", _zig_version(), (zig, "cc"),
            ("-target", f"thumb-freestanding-{eabi(target.abi)}",
             f"-mcpu={CORES[target.isa].zig}", NO_CHECKS),
            (zig, "ld.lld"), target,
        )  # fmt: skip
    common = ("-target", f"riscv{target.xlen}-freestanding-none", NO_CHECKS)
    return _two_halves(
        "zig", _zig_version(), (zig, "cc"), common,
        "-mcpu=", lambda isa: isa.zig, (zig, "ld.lld"), target, vlen,
    )  # fmt: skip


def _clang() -> str | None:
    """A clang that is new enough, be its number part of its name."""
    clang = _which(("clang",))
    if clang is None or _major(_version((clang,))) < OLDEST_CLANG:
        clang = _which(tuple(f"clang-{n}" for n in range(25, OLDEST_CLANG - 1, -1)))
    return clang


def _bare_clang(target: Target, vlen: int | None) -> Toolchain:
    clang = _clang()
    if clang is None:
        raise CompilerMissing(
            f"compiler clang is missing: expected clang {OLDEST_CLANG} or newer",
            "make system-packages installs one, or leave out --toolchain",
        )
    suffix = re.sub(r".*clang", "", clang)
    lld = _which((f"ld.lld{suffix}", "ld.lld"))
    if lld is None:
        raise CompilerMissing(
            f"linker ld.lld{suffix} is missing: expected it beside {clang}",
            f"apt-get install lld{suffix}",
        )
    if target.isa in CORES:
        return _arm(
            "clang", _version((clang,)), (clang,),
            (f"--target=thumb-unknown-none-{eabi(target.abi)}",
             *CORES[target.isa].clang),
            (lld,), target,
        )  # fmt: skip
    return _two_halves(
        "clang", _version((clang,)), (clang,),
        (f"--target=riscv{target.xlen}-unknown-elf",),
        "-march=", lambda isa: isa.march, lld, target, vlen,
    )  # fmt: skip


def _bare_gcc(target: Target, vlen: int | None) -> Toolchain:
    if target.isa in CORES:
        raise CompilerMissing(
            f"toolchain gcc is not set up for {target.name}: expected zig or clang",
            "leave out --toolchain to use the pinned zig",
        )
    numbered = (
        f"riscv64-linux-gnu-gcc-{n}" for n in range(20, OLDEST_RISCV_GCC - 1, -1)
    )
    gcc = _which(("riscv64-unknown-elf-gcc", *numbered, "riscv64-linux-gnu-gcc"))
    version = _version((gcc,)) if gcc else ""
    if gcc is None or _major(version.split(")")[-1]) < OLDEST_RISCV_GCC:
        raise CompilerMissing(
            f"compiler riscv64 gcc {OLDEST_RISCV_GCC} or newer is missing"
            + (f": {gcc} is {version}" if gcc else ""),
            "leave out --toolchain to use the pinned zig",
        )
    linker = re.sub(r"gcc(-\d+)?$", "ld", gcc)
    return _two_halves(
        "gcc", version, (gcc,),
        # or gcc makes our memcpy's loop a call of memcpy
        ("-fno-tree-loop-distribute-patterns",),
        "-march=", lambda isa: isa.march, linker, target, vlen, (),
    )  # fmt: skip


BARE_TOOLCHAINS = {"zig": _bare_zig, "clang": _bare_clang, "gcc": _bare_gcc}


def _linux_zig(target: Target, vlen: int | None) -> Toolchain:
    """One static program with the musl that zig brings, so that it runs on any Linux
    of its kind and in QEMU's user mode alike. Its two halves are as a bare image's:
    only the library has vectors. zig builds musl once, in half a minute."""
    zig, isa = _zig(), Isa.parse(target.isa)
    command = (zig, "cc")
    common = ("-target", f"riscv{target.xlen}-linux-musl", f"-mabi={target.abi}")
    scalar = f"-mcpu={isa.scalar.zig}"
    flags = (*WARNINGS, *ARITHMETIC, *common, NO_CHECKS, "-fomit-frame-pointer")
    return Toolchain(
        "zig", _zig_version(), command,
        (*flags, *CLANG, f"-mcpu={isa.at_least(vlen).zig}"),
        (*flags, scalar),
        (*command, *common, scalar, "-static", "-Wl,--gc-sections"),
    )  # fmt: skip


LINUX_TOOLCHAINS = {"zig": _linux_zig}
"""Others have no libc for these boards here."""


def native(name: str) -> Toolchain:
    """The compiler `name` ("zig", "clang", "gcc" or "cc") for this computer, warnings
    as errors. Raises `CompilerMissing`."""
    if name == "zig":
        command: tuple[str, ...] = (_zig(), "cc", NO_CHECKS)
    else:
        found = _clang() if name == "clang" else _which((name,))
        if found is None:
            raise CompilerMissing(
                f"compiler {name} is missing: expected a C compiler for this computer",
                "make system-packages installs one, or use --toolchain zig",
            )
        command = (found,)
    flags = (*WARNINGS, *ARITHMETIC, *NATIVE_SPEED, *_native_vectors())
    version = _version(command[:2] if name == "zig" else command)
    return Toolchain(
        name, version, command, flags, flags, (*command, *NOW), ("-lm",),
        GRAPH if _tells_calls(version) else (),
    )  # fmt: skip


GRAPH = ("-fcallgraph-info=su",)
"""gcc writes each file's functions, their stack and their calls beside its object."""
NOW = ("-Wl,-z,now",) if sys.platform.startswith("linux") else ()
"""The dynamic linker's own stack is used before main, not in its midst."""


def _tells_calls(version: str) -> bool:
    return "clang" not in version and "zig" not in version and _major(version) >= 10


def _native_vectors() -> tuple[str, ...]:
    """Instructions of this processor that serve the kernels, each by name, so
    that an image's digest tells them (-march=native would not). Elsewhere libm's
    fmaf serves, slower; 64-bit Arm has all it needs unasked."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    there = flags.group(1).split() if flags else []
    return tuple(f"-m{name}" for name in ("fma", "avx2") if name in there)
