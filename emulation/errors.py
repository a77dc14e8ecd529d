"""Errors of emulation (the whole tree: hil/errors.py)."""

from __future__ import annotations

from targets.errors import HilError


class EmulatorError(HilError):
    """The emulator, or the process that stands for a board, failed."""

    exit_code = 8


class QemuMissing(EmulatorError):
    """QEMU is not installed: the computer's fault."""


class QemuRefused(EmulatorError):
    """QEMU ended before it could be talked to: the command line's fault."""


class QemuGone(EmulatorError):
    """QEMU ended where an answer was expected: the guest's doing, or a kill."""


class ProbeError(EmulatorError):
    """The boot probe could not be assembled, or did not greet."""
