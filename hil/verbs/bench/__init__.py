"""hil bench: what the line, the rules and a learning step cost and reach.

Each benchmark is a module here, made as a verb is: `HELP`, `arguments`, `run`.
"""

from __future__ import annotations

import argparse

from hil import output
from hil.verbs.bench import accuracy, link, step

HELP = "measure the link and lockstep, the accuracy of the rules, or a step's cost"
BENCHES = {"link": link, "accuracy": accuracy, "step": step}


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
