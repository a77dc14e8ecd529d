"""What an inference costs in programs that others wrote, as it was counted beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hil import documents
from hil.models import file

TABLES = Path(__file__).with_name("peers.toml")


@dataclass(frozen=True)
class Peer:
    """A program, the machine it was counted on, and its instructions of one inference."""

    name: str
    machine: str
    instructions: int


def peers(path: str) -> tuple[Peer, ...]:
    """Those that a model's file was counted in, none of most. Raises `DataError`."""
    told = documents.toml(TABLES.read_text("utf-8"), TABLES.name)
    found = sha256(file.data(path)).hexdigest()
    names = [name for name, digest in told["models"].items() if digest == found]
    return tuple(
        Peer(one["name"], one["machine"], one["instructions"][name])
        for name in names
        for one in told["peer"]
        if name in one["instructions"]
    )
