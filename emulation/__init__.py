"""A board made of software: QEMU, or the firmware as a native process.

`machine_for` gives a `Machine`; `emulation.probe.probe` shows that emulator and
line work without any compiler or firmware of ours.
"""

from emulation.choice import machine_for
from emulation.errors import (
    EmulatorError,
    ProbeError,
    QemuGone,
    QemuMissing,
    QemuRefused,
)
from emulation.machine import Machine, State

__all__ = [
    "EmulatorError",
    "Machine",
    "ProbeError",
    "QemuGone",
    "QemuMissing",
    "QemuRefused",
    "State",
    "machine_for",
]
