"""What each model of the data costs, as the table of docs/import.md.

    python -m tests.graph.costs [--only PART-OF-A-NAME] [TARGET ...]

One case of each goes through a device that counts its instructions, and is held against
the numpy twin.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from codegen.graph import support
from hil.experiment import Experiment
from hil.inferring import image, running
from hil.models.cases import Cases

from .conftest import places
from .test_twin import cases

TARGETS = ("qemu-rv64gc", "qemu-rv64gcv")
ROOM = 1 << 22
"""Bytes of RAM: these machines have more, of which a plan takes no more by itself."""


def counted(name: str, target: str) -> tuple[int, int, int]:
    """Bytes of constants and of arena, and instructions of a case. Raises
    `AssertionError` where it differs from the twin."""
    asked = Experiment(target=target, icount=True, ram=ROOM)
    model = image.prepare(asked, str(places()[name]))
    built = image.build(image.plan_for(model), model)
    first = Cases(tuple(one[None] for one in cases(name)[0]))
    (case,) = running.carried_out(model, built, first).cases
    assert case.equal, f"{name} on {target} differs from the twin"
    return built.plan.flash, built.plan.program.arena, case.instructions


def row(name: str, targets: Sequence[str]) -> Iterator[str]:
    """The cells of one model."""
    model = image.prepare(Experiment(target=targets[0]), str(places()[name]))
    macs = sum(map(support.macs, model.graph.operators))
    found = [counted(name, target) for target in targets]
    yield from (name, f"{macs:,}", f"{found[0][0]:,}", f"{found[0][1]:,}")
    for _, _, instructions in found:
        yield from (f"{instructions:,}", f"{instructions / macs:.2f}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=TARGETS, metavar="TARGET")
    parser.add_argument("--only", default="", metavar="PART")
    given = parser.parse_args()
    heads = ["model", "MACs", "constants", "arena"]
    for target in given.targets:
        heads += [target, "a MAC"]
    print(f"| {' | '.join(heads)} |")
    print("|---" * len(heads) + "|")
    for name in places():
        if given.only in name:
            print(f"| {' | '.join(row(name, given.targets))} |", flush=True)


if __name__ == "__main__":
    main()
