"""Who holds a line, as far as this computer tells (Linux does, in /proc)."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

PROC = Path("/proc")
SHOWN = 200
"""A command line is shown up to so many characters."""
ESTABLISHED = "01"


def of_port(path: str) -> str | None:
    """Process and command line of another program that has a serial port open;
    None where nothing tells."""
    with contextlib.suppress(OSError):
        there = os.stat(path)
        return _named(_lockers(there)) or _named(_openers(os.path.realpath(path)))
    return None


def of_connection(url: str) -> str | None:
    """The same for a program that is connected to a "socket://" url."""
    with contextlib.suppress(OSError, ValueError):
        parts = urlsplit(url)
        if parts.hostname and parts.port:
            address = socket.gethostbyname(parts.hostname)
            inodes = _connected(_as_listed(address, parts.port))
            return _named(p for i in inodes for p in _openers(f"socket:[{i}]"))
    return None


def _lockers(there: os.stat_result) -> Iterator[int]:
    """Who has locked this file."""
    major, minor = os.major(there.st_dev), os.minor(there.st_dev)
    where = f"{major:02x}:{minor:02x}:{there.st_ino}"
    text = (PROC / "locks").read_text()
    for pid in re.findall(rf" FLOCK .* (\d+) {where} ", text):
        yield int(pid)


def _openers(name: str) -> Iterator[int]:
    """Who has this open."""
    for folder in PROC.glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if any(os.readlink(entry) == name for entry in folder.iterdir()):
                yield int(folder.parent.name)


def _as_listed(address: str, port: int) -> str:
    """An IPv4 address and port as /proc/net/tcp writes them."""
    return f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}:{port:04X}"


def _connected(to: str) -> list[str]:
    """Inodes of the sockets whose far end is `to`."""
    rows = [line.split() for line in (PROC / "net/tcp").read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[2] == to and row[3] == ESTABLISHED]


def _named(pids: Iterator[int]) -> str | None:
    """The first of them that is not ourselves."""
    with contextlib.suppress(OSError):  # where there is no such list
        for pid in pids:
            if pid != os.getpid():
                return f"pid {pid}: {_command(pid)}"
    return None


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        text = b" ".join(words).decode("utf-8", "replace").strip()
        return text if len(text) <= SHOWN else text[:SHOWN] + "..."
    return "its command line is not told"
