"""Every error a user can be told about.

    HilError                        1   root (targets.errors)
    |-- DescriptorError             2   a target's TOML, or the choice of target
    |-- UsageError                  2   a flag, an experiment, a file handed in
    |   `-- DataError               2   a data set that is missing or malformed
    |-- SpecError                   2   an impossible network, rule or parameter
    |-- ModelError                  2   a model file: damaged, or not supported
    |-- BuildError                  3   the image could not be built
    |   |-- OverBudget              3   ... it needs more memory than there is
    |   `-- CompilerMissing         3   ... no toolchain
    |-- FlashError                  4   the image did not get onto the board
    |-- LinkError                   5   the line, or what is on its other end
    |   |-- PortMissing             5   no such port
    |   |-- PortBusy                5   another program has it
    |   |-- PortDenied              5   no permission to open it
    |   |-- NoProgram               5   the board has no image to start
    |   |-- NoAnswer                5   nobody answered within the limit
    |   |-- LineClosed              5   the other end went away
    |   |-- DeviceReset             5   the device started anew in mid-session
    |   |-- Refused                 5   the device answered with an error status
    |   `-- NoCheckpoint            5   the device has none to resume from
    |-- FirmwareMismatch            6   another image than the one just built
    |-- DeviceFault                 7   a trap, or a non-finite value
    |-- EmulatorError               8   the emulator, or a board's stand-in, failed
    |   |-- QemuMissing             8   QEMU is not installed
    |   |-- QemuRefused             8   QEMU ended before it could be talked to
    |   |-- QemuGone                8   QEMU ended, or fell silent, in mid-run
    |   `-- ProbeError              8   the boot probe did not greet
    |-- StorageError                9   the disk, or an output that cannot be written
    |-- Divergence                  1   device and reference differ
    |-- NothingCompared             1   a run that proved nothing
    |-- ReferenceUnsound            1   numpy does not compute as IEEE 754 says here
    |-- ReferenceLost               1   the reference's process ended in mid-run
    |-- Grown                       1   a counted figure exceeds its baseline
    |-- CellsFailed                 1   cells of a sweep did not pass
    |-- Interrupted               130   Ctrl-C, or the live view's key q
    `-- Terminated                143   SIGTERM

Each class has its exit code; each object has one sentence that names the
culprit, and hints that say what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from codegen.errors import (
    BuildError,
    CompilerMissing,
    ModelError,
    OverBudget,
    ReferenceUnsound,
    SpecError,
)
from emulation.errors import (
    EmulatorError,
    ProbeError,
    QemuGone,
    QemuMissing,
    QemuRefused,
)
from targets.errors import DescriptorError, HilError, StorageError

__all__ = [  # noqa: RUF022 (as drawn)
    "HilError",
    "UsageError",
    "DataError",
    "DescriptorError",
    "SpecError",
    "ModelError",
    "BuildError",
    "OverBudget",
    "CompilerMissing",
    "FlashError",
    "LinkError",
    "PortMissing",
    "PortBusy",
    "PortDenied",
    "NoProgram",
    "NoAnswer",
    "LineClosed",
    "DeviceReset",
    "Refused",
    "NoCheckpoint",
    "FirmwareMismatch",
    "DeviceFault",
    "EmulatorError",
    "QemuMissing",
    "QemuRefused",
    "QemuGone",
    "ProbeError",
    "StorageError",
    "Divergence",
    "NothingCompared",
    "ReferenceUnsound",
    "ReferenceLost",
    "Grown",
    "CellsFailed",
    "Interrupted",
    "Terminated",
]


class UsageError(HilError):
    """What the user asked for is not possible; their request must change."""

    exit_code = 2


class DataError(UsageError):
    """A data set is missing, or is not what it should be."""


class FlashError(HilError):
    """The image did not get onto the board."""

    exit_code = 4


class LinkError(HilError):
    """The line between host and device failed, or what is on its other end."""

    exit_code = 5


class PortMissing(LinkError):
    """There is no such port."""


class PortBusy(LinkError):
    """Another program holds the port."""


class PortDenied(LinkError):
    """This user may not open the port."""


class NoProgram(LinkError):
    """The board that was reached has no image that could be started."""


class NoAnswer(LinkError):
    """Nobody answered within the limit, resends included."""


class LineClosed(LinkError):
    """The other end of the line went away."""


class DeviceReset(LinkError):
    """The device has forgotten the session's nonce: it was reset."""


class Refused(LinkError):
    """The device understood the frame and refused what it asks for."""


class NoCheckpoint(LinkError):
    """There is no whole checkpoint on the device, or none that will do."""


class FirmwareMismatch(HilError):
    """The device runs another image, or another target's."""

    exit_code = 6


class DeviceFault(HilError):
    """The device stopped with a FAULT frame.

    `cause`, `step` (None outside a step), `pc` and `address` are the frame's.
    """

    exit_code = 7

    def __init__(
        self,
        sentence: str,
        *hints: str,
        cause: int = 0,
        step: int | None = None,
        pc: int = 0,
        address: int = 0,
    ) -> None:
        super().__init__(sentence, *hints)
        self.cause = cause
        self.step = step
        self.pc = pc
        self.address = address


class Divergence(HilError):
    """Device and reference differ in at least one bit."""

    exit_code = 1


class NothingCompared(HilError):
    """The run ended without one comparison, so it proved nothing."""

    exit_code = 1


class ReferenceLost(HilError):
    """The process of the reference has ended, so nothing more can be compared."""

    exit_code = 1


class Grown(HilError):
    """A counted figure has grown beyond what its baseline allows."""

    exit_code = 1


class CellsFailed(HilError):
    """Cells of a sweep did not pass; the others did."""

    exit_code = 1


class Interrupted(HilError):
    """Ctrl-C, or key q of the live view."""

    exit_code = 130


class Terminated(HilError):
    """SIGTERM."""

    exit_code = 143


class Termination(KeyboardInterrupt):
    """SIGTERM on its way up. As Ctrl-C does, it passes every `except HilError`,
    so that nothing takes the end of the program for the failure of a part."""


class Quit(KeyboardInterrupt):
    """Key q of the live view on its way up, which is the way of Ctrl-C."""


def did_you_mean(given: str, known: Iterable[str]) -> tuple[str, ...]:
    """A hint that names what is spelled nearly as `given`, if anything is."""
    close = difflib.get_close_matches(given, list(known), 1)
    return tuple(f"did you mean {name!r}?" for name in close)


def stopped(signal: KeyboardInterrupt, when: str = "") -> HilError:
    """The error that tells of Ctrl-C, SIGTERM or key q; `when` ends its sentence."""
    if isinstance(signal, Termination):
        return Terminated(f"terminated by SIGTERM{when}")
    if isinstance(signal, Quit):
        return Interrupted(f"stopped with key q{when}")
    return Interrupted(f"interrupted by Ctrl-C{when}")
