"""hil bench: what the line, a learning step (also beside other programs'), an imported model, gates
and the live view cost, and what faults and lies do; and the bench itself, which is the units on the desk.

Each of them is a module here, made as a verb is: `HELP`, `arguments`, `run`.
"""

from __future__ import annotations

import argparse

from hil import output
from hil.verbs.bench import (
    adding,
    attacks,
    cycles,
    every,
    faults,
    gates,
    link,
    listing,
    live,
    model,
    peers,
    step,
)

HELP = (
    "measure one part: link, step, imported model, kernels' cycles, peers, gates, faults, lies, live view, "
    "targets; list or add units"
)
BENCHES = {
    "add": adding,
    "attacks": attacks,
    "cycles": cycles,
    "faults": faults,
    "gates": gates,
    "link": link,
    "list": listing,
    "live": live,
    "model": model,
    "peers": peers,
    "step": step,
    "targets": every,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench`."""
    known = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name, module in BENCHES.items():
        bench = known.add_parser(name, help=module.HELP, description=module.HELP)
        module.arguments(bench)
        output.add_arguments(bench)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    return BENCHES[given.what].run(given)
