"""What each model of the data costs, as the table of docs/import.md.

    python -m tests.graph.costs [--only PART-OF-A-NAME] [--layers] [TARGET ...]

One case of each goes through a device that counts its instructions, and is held against
the numpy twin. --layers: layers of a usual size in every type of numbers, instead.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from codegen.graph import reading, support
from hil.experiment import Experiment
from hil.inferring import counting, image
from hil.models.cases import Cases
from targets import load

from .building import Array
from .conftest import places
from .layers import LAYERS
from .test_twin import cases, drawn

TARGETS = ("qemu-rv64gc", "qemu-rv64gcv", "mps2-an386")
ROOM = 1 << 22
"""Bytes of RAM: these machines have more, of which a plan takes no more by itself."""


def counted(path: Path, inputs: Sequence[Array], target: str) -> tuple[int, int, int]:
    """Bytes of constants and of arena, and instructions of a case. Raises
    `AssertionError` where it differs from the twin."""
    machine = load(target).qemu
    counts = machine is not None and machine.counts
    asked = Experiment(target=target, icount=counts, ram=ROOM)
    model = image.prepare(asked, str(path))
    built = image.build(image.plan_for(model), model)
    first = Cases(tuple(one[None] for one in inputs))
    done, instructions = counting.counted(model, built, first)
    assert done.cases[0].equal, f"{path} on {target} differs from the twin"
    return built.plan.flash, built.plan.program.arena, instructions


def row(
    name: str, path: Path, inputs: Sequence[Array], targets: Sequence[str]
) -> Iterator[str]:
    """The cells of one model."""
    model = image.prepare(Experiment(target=targets[0]), str(path))
    macs = sum(map(support.macs, model.graph.operators))
    found = [counted(path, inputs, target) for target in targets]
    yield from (name, f"{macs:,}", f"{found[0][0]:,}", f"{found[0][1]:,}")
    for _, _, instructions in found:
        yield from (f"{instructions:,}", f"{instructions / macs:.2f}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=TARGETS, metavar="TARGET")
    parser.add_argument("--layers", action="store_true")
    parser.add_argument("--only", default="", metavar="PART")
    given = parser.parse_args()
    heads = ["model", "MACs", "constants", "arena"]
    for target in given.targets:
        heads += [target, "a MAC"]
    print(f"| {' | '.join(heads)} |")
    print("|---" * len(heads) + "|")
    for name, path, inputs in layers() if given.layers else models():
        if given.only in name:
            cells = row(name, path, inputs, given.targets)
            print(f"| {' | '.join(cells)} |", flush=True)


def models() -> Iterator[tuple[str, Path, Sequence[Array]]]:
    """Each of the data, and a case of it."""
    for name, path in places().items():
        yield name, path, cases(name)[0]


def layers() -> Iterator[tuple[str, Path, Sequence[Array]]]:
    """Each layer as a file, and a random case."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in LAYERS.items():
            path = Path(folder) / f"{name.replace(' ', '-')}.tflite"
            path.write_bytes(data)
            draw = np.random.default_rng(1)
            yield name, path, [drawn(one, draw) for one in reading.read(data).inputs]


if __name__ == "__main__":
    main()
