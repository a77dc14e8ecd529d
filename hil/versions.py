"""Versions of what a run depends on, for its record and for bug reports."""

from __future__ import annotations

import platform
from importlib import metadata

DISTRIBUTIONS = ("numpy", "pyserial", "cobs")


def version() -> str:
    """This package's version; "source" when it runs without being installed."""
    try:
        return metadata.version("hil")
    except metadata.PackageNotFoundError:
        return "source"


def versions() -> dict[str, str]:
    """Name -> version."""
    found = {"hil": version(), "python": platform.python_version()}
    for name in DISTRIBUTIONS:
        found[name] = metadata.version(name)
    found["system"] = f"{platform.system()} {platform.machine()}"
    return found
