"""`hil doctor`: what on this computer could keep a run from working.

Every check gives a `Finding`, and where something is wrong, what to do. No
check raises: a doctor that falls ill helps nobody.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import emulation
from codegen.building import cache as images
from codegen.building import toolchain
from codegen.errors import CompilerMissing
from emulation import qemu
from emulation.probe import probe, probed
from hil import house
from hil.data import datasets, files, idx
from hil.desk.loaders import CLASSES
from hil.device import debuggers
from hil.device.units import Unit
from hil.errors import HilError
from hil.measuring.steps import cycles, scoreboard
from targets import Target

OLDEST_PYTHON = (3, 10)
OLDEST_QEMU = (7, 2)
IMPORTED = {
    # import name: (distribution, what only the right one has)
    "serial": ("pyserial", "serial_for_url"),
    "cobs": ("cobs", "cobs"),
    "qemu.qmp": ("qemu.qmp", "QMPClient"),
    "jinja2": ("Jinja2", "StrictUndefined"),
    "riscv_assembler": ("riscv-assembler", "convert"),
}
"""What is imported under a name that another package might take."""
OK, WARNING, FAILURE = "ok", "warning", "failure"


@dataclass(frozen=True)
class Finding:
    """One check: `state` is "ok", "warning" or "failure"; `advice` says what
    to do about the latter two; `exit_code` belongs to a failure."""

    check: str
    state: str
    text: str
    advice: tuple[str, ...] = ()
    exit_code: int = 0


def failure(check: str, error: HilError) -> Finding:
    """A failure that one of our own errors describes."""
    return Finding(check, FAILURE, str(error), error.hints, error.exit_code)


def examine(chosen: list[Target]) -> Iterator[Finding]:
    """Every finding about this computer and these targets."""
    yield python()
    yield from packages()
    yield from decoys(Path.cwd())
    yield from compilers(chosen)
    yield from emulators(chosen)
    yield from flashing_tools(chosen)
    yield from debugger(chosen)
    yield analyser()
    yield pty()
    yield from ports()
    yield from data()
    yield cache()
    for target in chosen:
        if probed(target):
            yield boot(target)


def python() -> Finding:
    """The interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= OLDEST_PYTHON:
        return Finding("python", OK, found)
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        "python", FAILURE, f"{found} is too old", (f"install {oldest} or newer",), 2
    )


def packages() -> Iterator[Finding]:
    """Libraries, and others that take their names."""
    owners = metadata.packages_distributions()
    for name, (distribution, has) in IMPORTED.items():
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            advice = (f"pip install {distribution}",)
            yield Finding("package", FAILURE, f"{name}: {error}", advice, 2)
            continue
        if not hasattr(module, has):
            try:
                importlib.import_module(f"{name}.{has}")
            except ImportError:
                yield _wrong_package(name, distribution, module.__file__)
                continue
        top = name.partition(".")[0]
        others = sorted(set(owners.get(top, ())) - {distribution})
        if others and top == name:
            yield Finding(
                "package",
                WARNING,
                f"{name} is brought by {distribution} and by {', '.join(others)}",
                (f"pip uninstall {' '.join(others)}; pip install --force-reinstall "
                 f"{distribution}",),
            )  # fmt: skip
        else:
            version = metadata.version(distribution)
            yield Finding("package", OK, f"{distribution} {version}")


def _wrong_package(name: str, distribution: str, path: str | None) -> Finding:
    return Finding(
        "package",
        FAILURE,
        f"{name} in {path} is not {distribution}'s",
        (f"pip uninstall {name}; pip install --force-reinstall {distribution}",),
        2,
    )


def decoys(folder: Path) -> Iterator[Finding]:
    """Folders or files that are named as our rooms and would be imported."""
    home = house.PACKAGE.parent
    strange = False
    for room, origin in house.strangers().items():
        strange = True
        where = f"{room} is imported from {origin}, not from {house.HOME}"
        yield Finding("decoys", FAILURE, where, (house.MEND,), 2)
    if folder.resolve() not in (home, home.parent):
        for room in ("hil", *(house.ROOMS if home == house.HOME else ())):
            for path in (folder / room, folder / f"{room}.py"):
                if path.exists():
                    strange = True
                    yield Finding(
                        "decoys",
                        WARNING,
                        f"{path} is named as a package of ours, and `python -m hil` "
                        "would import it from here",
                        ("use the hil command, or run it from another folder",),
                    )
    if not strange:
        yield Finding("decoys", OK, f"all packages are imported from {house.HOME}")


def compilers(chosen: list[Target]) -> Iterator[Finding]:
    """The default compiler of every target."""
    for target in chosen:
        try:
            found = toolchain.find(target)
        except CompilerMissing as error:
            yield failure(f"compiler for {target.name}", error)
        else:
            yield Finding(f"compiler for {target.name}", OK, found.version)


def emulators(chosen: list[Target]) -> Iterator[Finding]:
    """QEMU, and whether it knows the cores of the targets."""
    for binary in sorted({t.qemu.binary for t in chosen if t.qemu is not None}):
        try:
            version = qemu.version(binary)
        except HilError as error:
            yield failure(binary, error)
            continue
        oldest = ".".join(map(str, OLDEST_QEMU))
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_QEMU:
            advice = (f"install {oldest} or newer: older ones lack RVV 1.0",)
            yield Finding(binary, FAILURE, f"{version} is too old", advice, 8)
        else:
            yield Finding(binary, OK, version)


def flashing_tools(chosen: list[Target]) -> Iterator[Finding]:
    """Tools of loaders that are installed; none of them is needed until a unit of the
    bench names it."""
    tools = {name: loader for name, loader in CLASSES.items() if name != "command"}
    for name, loader in tools.items():
        with suppress(HilError):
            version = loader(Unit(name, "", loader=name), chosen[0]).version()
            yield Finding(f"loader {name}", OK, version)


def debugger(chosen: list[Target]) -> Iterator[Finding]:
    """What loader gdb and `hil replay --gdb` need, and step 9 of the tutorial."""
    there = {t.name: debuggers.find(t) for t in chosen if t.machine != "native"}
    without = [name for name, found in there.items() if found is None]
    if without:
        yield Finding(
            "debugger", WARNING,
            f"{debuggers.ANY} is missing, for {', '.join(without)}: loader gdb, "
            "`hil replay --gdb` and step 9 of the tutorial need it",
            (f"apt-get install {debuggers.ANY}",),
        )  # fmt: skip
    elif there:
        names = sorted({found for found in there.values() if found is not None})
        yield Finding("debugger", OK, ", ".join(names))


def analyser() -> Finding:
    """What models the cycles of `hil bench step`; without it our own tables do."""
    found = {core: cycles.analyser(core) for core in scoreboard.cores()}
    versions = sorted({tools.version for tools in found.values() if tools is not None})
    others = [core for core, tools in found.items() if tools is None]
    text = ", ".join(versions) or f"no llvm-mca of {cycles.OLDEST} or newer"
    if others:
        text += f": the tables of cores.toml model {' and '.join(others)}"
    return Finding("llvm-mca", OK, text)


def boot(target: Target) -> Finding:
    """A probe that needs no compiler: emulator, core and line at once."""
    name = f"boot of {target.name}"
    try:
        found = probe(target)
    except HilError as error:
        return failure(name, error)
    text = f"it said {found.greeting.strip()!r} after {found.seconds:.2f} s"
    if found.ok:
        return Finding(name, OK, text)
    advice = ("emulator or line are at fault, not the toolchain or the firmware",)
    return Finding(name, FAILURE, text, advice, emulation.ProbeError.exit_code)


def pty() -> Finding:
    """Pseudo-terminals, for --console pty."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError as error:
        advice = ("use --console socket; in a container, mount /dev/pts",)
        return Finding("pty", WARNING, f"none can be opened: {error.strerror}", advice)
    return Finding("pty", OK, "can be opened")


def ports() -> Iterator[Finding]:
    """Serial ports, and whether this user may open them."""
    from serial.tools import list_ports

    found = sorted(list_ports.comports(), key=lambda port: str(port.device))
    for port in found:
        text = f"{port.device} {port.description}"
        if os.access(port.device, os.R_OK | os.W_OK):
            yield Finding("port", OK, text)
        else:
            advice = ("sudo usermod -aG dialout $USER, then log in again",)
            yield Finding("port", WARNING, f"{text}: no permission to open it", advice)
    if not found:
        yield Finding("port", OK, "no serial port; emulated targets need none")


def data() -> Iterator[Finding]:
    """Data sets at hand."""
    try:
        count = len(datasets.load("digits").train_x)
    except (HilError, OSError) as error:
        yield Finding("data", FAILURE, f"digits: {error}", ("install hil again",), 2)
    else:
        yield Finding("data", OK, f"digits, {count} training samples")
    root = os.environ.get(files.VARIABLE)
    if not root:
        text = f"{files.VARIABLE} is not set: mnist and fashion are downloaded when asked for"
        yield Finding("data", OK, text)
        return
    for name in idx.FOLDERS:
        try:
            idx.locate(name)
        except HilError as error:
            yield Finding("data", WARNING, str(error), error.hints)
        else:
            yield Finding("data", OK, f"{name} in {root}")


def cache() -> Finding:
    """The folder that keeps images."""
    folder = images.folder()
    there = folder
    while not there.exists():
        there = there.parent
    if os.access(there, os.W_OK | os.X_OK):
        return Finding("cache", OK, str(folder))
    advice = ("set HIL_CACHE to a folder that can be written",)
    return Finding("cache", FAILURE, f"{folder} cannot be written", advice, 3)


def verdict(findings: list[Finding]) -> int:
    """Exit code: 0, or that of the first failure."""
    return next((f.exit_code for f in findings if f.state == FAILURE), 0)
