"""Versions of what a run depends on, for its record and for bug reports."""

from __future__ import annotations

import platform
from importlib import metadata

DISTRIBUTION = "hil-learning"
LIBRARIES = ("numpy", "pyserial", "cobs")


def version() -> str:
    """This package's version; "source" when it runs without being installed."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "source"


def versions() -> dict[str, str]:
    """Name -> version."""
    found = {"hil": version(), "python": platform.python_version()}
    for name in LIBRARIES:
        found[name] = metadata.version(name)
    found["system"] = f"{platform.system()} {platform.machine()}"
    return found
