"""hil bench model: what one inference of an imported model costs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hil import output
from hil.flags import add_machine

if TYPE_CHECKING:
    from hil.inferring.cost import Costs

HELP = "count the instructions of an inference of a .tflite model, and its memory"
TARGET = "qemu-rv64gcv"
"""Where nobody says which."""
TAKEN = ("vlen", "toolchain", "ram")
"""Keys of an experiment that it heeds; VLEN is that of the targets that have vectors."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench model`."""
    parser.description = (
        f"{HELP}. One case of each model goes through each target, and every output must equal "
        "the numpy twin's to the bit."
    )
    parser.add_argument("models", nargs="+", metavar="FILE", help="a .tflite file")
    group = parser.add_argument_group("model")
    group.add_argument(
        "--target", action="append", dest="targets", metavar="TARGET",
        help=f"a whole machine in QEMU; may be given again (default: {TARGET})",
    )  # fmt: skip
    group.add_argument(
        "--inputs", metavar="FILE",
        help="the first case of an .npz with arrays in0, in1, ..., or of NAME.npz in this "
        "folder for NAME.tflite (default: numbers that are drawn, the same each time)",
    )  # fmt: skip
    group.add_argument(
        "--layers", action="store_true", help="also count each operator by itself"
    )
    group.add_argument(
        "--peers", action="store_true",
        help="beside it what was counted beforehand in programs that others wrote, where that is known",
    )  # fmt: skip
    group.add_argument(
        "--markdown", action="store_true", help="a table as in docs/import.md"
    )
    add_machine(parser, TAKEN)


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    from hil.inferring import cost

    out = output.of(given)
    targets = given.targets or [TARGET]
    for target in targets:
        cost.require_counting(target)
    if given.markdown:
        for line in cost.head(targets):
            out.line(line)
    documents = []
    for path in given.models:
        found = _found(given, path, targets)
        documents.append(cost.document(found))
        for line in [cost.row(found)] if given.markdown else cost.lines(found):
            out.line(line)
    provenance = {"instructions": "counted", "bytes": "counted", "peers": "counted"}
    out.document({"bench": "model", "models": documents, "provenance": provenance})
    return 0


def _found(given: argparse.Namespace, path: str, targets: list[str]) -> Costs:
    """What one model costs on all of them."""
    from pathlib import Path

    from hil.experiment import Experiment
    from hil.flags import keys_of
    from hil.inferring import cost, peers
    from hil.models import file
    from targets import load

    asked = Experiment().override(keys_of(given))
    vectors = [one for one in targets if load(one).vector] or targets
    costs = []
    for target in targets:
        vlen = asked.vlen if target in vectors else None
        here = asked.override({"target": target, "vlen": vlen})
        costs.append(cost.cost(here, path, given.inputs, given.layers))
    beside = peers.peers(path) if given.peers else ()
    return cost.Costs(Path(path).stem, file.load(path), tuple(costs), beside)
