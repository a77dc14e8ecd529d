"""Compilers behind one small interface, and what they make of a build plan.

`find` gives a `Toolchain` for a target; `build` runs it on a `BuildPlan` and
keeps the image in the cache, under the plan's digest: the same inputs are
compiled once.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from codegen.building import cache, commands, objects
from codegen.building import image as images
from codegen.building.buildplan import BuildPlan
from codegen.building.compilers import (
    BARE_TOOLCHAINS,
    LINUX_TOOLCHAINS,
    Toolchain,
    native,
)
from codegen.building.image import Image
from codegen.errors import BuildError, CompilerMissing
from targets import Target, storage
from targets.errors import StorageError

NAMES = ("zig", "clang", "gcc", "cc")
COMPILE_LIMIT = 300
"""Seconds for one compiler call: the largest file takes one or two."""


def find(
    target: Target,
    name: str | None = None,
    vlen: int | None = None,
    debug: bool = False,
) -> Toolchain:
    """The toolchain of that name for `target`, or the target's default: the
    pinned zig for RISC-V, the system's cc for the host. `vlen`: a plan's, which
    the code may rely on; `debug`: the code checks itself.

    Raises `CompilerMissing`.
    """
    found = _find(target, name, vlen)
    if not debug:
        return found
    return replace(
        found, library=(*found.library, CHECKED), runtime=(*found.runtime, CHECKED)
    )


CHECKED = "-DHIL_DEBUG"
"""Kernels check what they are called with, and the arena is poisoned."""


def _find(target: Target, name: str | None, vlen: int | None) -> Toolchain:
    if name is not None and name not in NAMES:
        raise CompilerMissing(
            f"unknown toolchain {name!r}: expected one of {', '.join(NAMES)}"
        )
    if target.machine == "native":
        return native(name or "cc")
    known = BARE_TOOLCHAINS if target.emulated else LINUX_TOOLCHAINS
    if name is not None and name not in known:
        raise CompilerMissing(
            f"toolchain {name!r} cannot build for {target.name}: expected one of "
            + ", ".join(known)
        )
    return known[name or "zig"](target, vlen)


def build(
    plan: BuildPlan,
    toolchain: Toolchain,
    *,
    extra: tuple[str, ...] = (),
    root: Path | None = None,
) -> Image:
    """Compile and link `plan`, or take the image from the cache (at `root`).

    `extra`: flags for compiling and linking alike (sanitizers in tests).
    Raises `BuildError` with the compiler's first complaint, and `StorageError`.
    """
    digest = plan.digest(*toolchain.context(), *extra)
    place = cache.entry(root or cache.folder(), digest)
    found = cache.find(place, digest)
    if found is not None:
        return found
    with cache.making(place) as temp:
        made = temp / "out"
        _compile(plan, toolchain, digest, extra, made, place.parents[1])
        return cache.keep(made, place, digest, toolchain.version)


KEPT = ("-gdwarf-4",)
"""As `extra` of `build`: the image keeps its debug information; the code is
the same."""


BUILD = "hil_build.c"
"""The source that says which build an image is."""
OWN = "own.o"
"""What is compiled of the firmware for one image alone, where that takes one call."""


def _compile(
    plan: BuildPlan,
    toolchain: Toolchain,
    digest: str,
    extra: tuple[str, ...],
    out: Path,
    root: Path,
) -> None:
    """Compile what no image before has left in the cache at `root`, and link it."""
    sources = out / "sources"
    stamp = ", ".join(f"0x{b:02x}" for b in bytes.fromhex(digest)[:16])
    plan.write(sources)
    storage.write(
        sources / BUILD,
        '#include "hil_build.h"\n\n'
        f"const uint8_t hil_build_digest[16] = {{ {stamp} }};\n",
    )
    common = (*toolchain.graph, *plan.includes)
    placeless = f"-ffile-prefix-map={sources.resolve()}=."
    made: list[str] = []
    calls: list[list[str]] = []
    new: dict[str, str] = {}
    own = _own(plan) if toolchain.several else ()
    for name in (*plan.library, *plan.runtime, BUILD):
        flags = toolchain.library if name in plan.library else toolchain.runtime
        command = (*toolchain.compile, *flags, *_new(extra, flags), *common)
        if name in own:
            if OWN not in made:
                made.append(OWN)
                calls.append([*command, placeless, *toolchain.several, *own, "-o", OWN])
            continue
        made.append(name.replace("/", "_") + ".o")
        shared = _shared(plan, name, toolchain, command)
        if shared is None or not objects.take(root, shared, sources / made[-1]):
            calls.append([*command, placeless, "-c", name, "-o", made[-1]])
            if shared is not None:
                new[made[-1]] = shared
    _run(calls, sources)
    for target, shared in new.items():
        objects.keep(root, shared, sources / target)
    script = ["-T", plan.linker_script] if plan.linker_script else []
    linked = [*toolchain.link, *script, *(extra if not script else ())]
    if script and extra != KEPT:
        linked.append("--strip-debug")
    _run([[*linked, *made, "-o", "image.elf", *toolchain.link_end]], sources)
    with storage.naming(out):
        (sources / "image.elf").rename(out / cache.IMAGE)
        if plan.linker_script:
            images.refuse_heap(out / cache.IMAGE)
        told = sorted(sources.glob("*.ci"))
        if told:
            text = "".join(path.read_text() for path in told)
            (out / cache.CALLS).write_text(text)
        shutil.rmtree(sources)


def _new(extra: tuple[str, ...], flags: tuple[str, ...]) -> tuple[str, ...]:
    """What `extra` says that `flags` do not: an image that keeps the debug information
    that others are stripped of is made of their objects."""
    return () if set(extra) <= set(flags) else extra


def _own(plan: BuildPlan) -> tuple[str, ...]:
    """The sources of the firmware whose objects fit this image alone: they read what
    was generated for it."""
    reads = (name for name in plan.runtime if objects.reads(plan, name, GENERATED))
    return (*reads, BUILD)


GENERATED = "generated/"


def _shared(
    plan: BuildPlan, source: str, toolchain: Toolchain, command: tuple[str, ...]
) -> str | None:
    """The digest of an object, by which other images find it; None of what is this
    image's alone."""
    if source not in plan.files:
        return None
    compiler = (toolchain.name, toolchain.version, *command[1:])
    return objects.key(plan, source, compiler)


def _run(calls: list[list[str]], folder: Path) -> None:
    """As many at once as there are processors; after the first that fails, none."""
    ending = commands.run(calls, folder, COMPILE_LIMIT, os.cpu_count() or 1)
    with closing(ending):
        for ended in ending:
            _require(ended, folder)


def _require(ended: commands.Ended, folder: Path) -> None:
    command = ended.command
    if ended.code is None:
        raise BuildError(
            f"{Path(command[0]).name} did not end within {COMPILE_LIMIT} s"
        )
    if ended.code == 0:
        return
    if _lacked_room(ended, folder):
        raise StorageError(
            f"{Path(command[0]).name} failed in {str(folder)!r}: the disk is full, or a "
            "file would be larger than this process may write",
            storage.HINT,
        )
    output = ended.output.strip().splitlines() or ["no message"]
    complaint = next((line for line in output if "error" in line), output[0])
    raise BuildError(
        f"{Path(command[0]).name} failed on {_about(command)}: " + complaint,
        "the command was: " + " ".join(command),
    )


def _about(command: Sequence[str]) -> str:
    """What a call compiles, or that it links."""
    if "-c" in command:
        return command[-3]
    if OWN in command[-1:]:
        return "the firmware around the network"
    return "linking"


def _lacked_room(ended: commands.Ended, folder: Path) -> bool:
    """Whether the command failed because it could not write. Then it says so, or it was
    killed, or it says that a program it started was."""
    words = [os.strerror(number) for number in storage.SCARCE]
    words.append(signal.strsignal(signal.SIGXFSZ) or "SIGXFSZ")
    told = any(word in ended.output for word in words)
    return told or ended.code == -signal.SIGXFSZ or storage.full(folder)
