"""A lock a unit, across processes: while somebody flashes or teaches a board, no
other program of ours touches it.

WHY flock, and not a file that is there or not: the system gives it back when its
holder ends, however it ends. The file stays, and means nothing by itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import platformdirs

from hil.device.ssh import shown
from hil.device.units import Unit
from hil.errors import LinkError, PortBusy

SHOWN = 200
"""A command line is told up to so many characters."""


def folder() -> Path:
    """Where the lock files are."""
    return platformdirs.user_state_path("hil") / "locks"


def _file(url: str) -> Path:
    """The lock file of a port, by whatever name it was given."""
    # it is the same board, however its image is started or reached
    real = shown(url) if "://" in url else os.path.realpath(url)
    return folder() / hashlib.sha256(real.encode()).hexdigest()[:16]


@contextmanager
def held(unit: Unit) -> Iterator[None]:
    """The unit is ours inside. Raises `PortBusy` when it is somebody else's."""
    url = unit.url
    path = _file(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise LinkError(
            f"lock {str(path)!r} of unit {unit.name!r} cannot be opened: {error.strerror}",
            "set XDG_STATE_HOME to a folder that can be written",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _busy(unit, url, file) from error
        file.truncate(0)
        file.write(f"pid {os.getpid()}: {' '.join(sys.orig_argv)[:SHOWN]}")
        file.flush()
        yield


def is_free(unit: Unit) -> bool:
    """Whether nobody of ours has the unit now."""
    try:
        with held(unit):
            return True
    except PortBusy:
        return False


def _busy(unit: Unit, url: str, file: IO[str]) -> PortBusy:
    """The sentence that names the holder."""
    file.seek(0)
    holder = file.read() or "it has not told its pid yet"
    of = "" if unit.name == url else f" of unit {unit.name!r}"
    return PortBusy(
        f"port {shown(url)!r}{of} is in use by another program ({holder})",
        "end it, or wait until it has ended",
    )
