"""Models with bytes changed at random: each is refused in one sentence, or read and, if
it is small, computed by the twin.

    python -m tests.graph.mutated_models --runs 1000000 --seed 1

Ends with an error at the first file that gives any other exception, needs more than a
second of this processor, or more memory than the limit. The file is kept.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from codegen.errors import ModelError
from codegen.graph import arena, reading, support
from codegen.graph.description import DTYPES, Graph
from codegen.reference import graph as twin

from .conftest import PLACE
from .every import ODD

MEMORY = 1 << 30
"""Bytes of address space."""
SECONDS = 1.0
SMALL = 20_000
"""Bytes of a model that is changed: structure rather than weights."""
NUMBERS = (
    0,
    1,
    2,
    4,
    127,
    128,
    255,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)


def originals() -> list[bytes]:
    """What is changed: the small models, hostile ones too, and one of each operator."""
    found = (one.read_bytes() for one in sorted(PLACE.glob("*/*.tflite")))
    return [*ODD.values(), *(one for one in found if len(one) < SMALL)]


def changed(data: bytes, choose: random.Random) -> bytes:
    """A file with one to eight changes."""
    made = bytearray(data)
    for _ in range(choose.choice((1, 1, 2, 3, 8))):
        if made:
            _change(made, choose)
    return bytes(made)


def _change(made: bytearray, choose: random.Random) -> None:
    at = choose.randrange(len(made))
    kind = choose.randrange(6)
    if kind < 2:
        made[at] = choose.randrange(256)
    elif kind == 2:
        made[at] ^= 1 << choose.randrange(8)
    elif kind == 3:  # an offset, a length or a number
        value = choose.choice((*NUMBERS, choose.randrange(len(made) + 8)))
        made[at & ~3 : (at & ~3) + 4] = struct.pack("<I", value)
    elif kind == 4:  # a part lies elsewhere too
        size = choose.choice((2, 4, 8, 32))
        begin = choose.randrange(len(made))
        made[at : at + size] = made[begin : begin + size]
    else:
        del made[at : at + choose.choice((1, 4, len(made)))]


def look(data: bytes) -> bool:
    """Whether a file is read; False where it is refused."""
    try:
        graph = reading.read(data)
    except ModelError:
        return False
    arena.plan(graph)
    if not support.problems(graph) and _small(graph):
        return _computed(graph)
    return True


def _computed(graph: Graph) -> bool:
    """Whether the twin computes a model; False where its scales lie too far apart."""
    zeros = [np.zeros(one.shape, DTYPES[one.type]) for one in graph.inputs]
    try:
        twin.run(graph, zeros)
    except ModelError:
        return False
    return True


def _small(graph: Graph) -> bool:
    """Whether it is computed soon."""
    sizes = (one.bytes for one in graph.tensors)
    return max(sizes) < SMALL and sum(map(support.macs, graph.operators)) < SMALL


def _late(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def files(runs: int, seed: int) -> Iterator[bytes]:
    """So many changed files, the same with the same seed."""
    choose, given = random.Random(seed), originals()
    for _ in range(runs):
        yield changed(choose.choice(given), choose)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGVTALRM, _late)
    read = 0
    for number, data in enumerate(files(given.runs, given.seed)):
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            read += look(data)
        except BaseException:
            kept = Path(tempfile.gettempdir()) / "mutated.tflite"
            kept.write_bytes(data)
            print(f"file {number}, kept as {kept}", file=sys.stderr)
            raise
    print(f"{given.runs} files: {read} read, {given.runs - read} refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
