"""hil bench targets: the same lesson everywhere, and what it takes there."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from hil import output
from hil.errors import Divergence, UsageError
from hil.flags import add_experiment, experiment_of

if TYPE_CHECKING:
    from hil.experiment import Experiment
    from hil.measuring.every_target import Outcome, Place

HELP = "run every rule on every target and VLEN, compare the digests, show the sizes"
STEPS = 100
NETWORK = "64-32-16-10"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench targets`."""
    parser.add_argument(
        "--only", default="", metavar="TARGET,...", help="these targets (default: all)"
    )
    parser.add_argument(
        "--rules", default="", metavar="RULE,...", help="these rules (default: all)"
    )
    add_experiment(parser, "model", "target", "vlen", "unit", "rule", "name", "save")


def run(given: argparse.Namespace) -> int:
    """The benchmark; exit code 1 when a digest differs."""
    from codegen import rules
    from codegen.numbers import NUMBERS
    from hil.measuring.every_target import outcome_on, places, without

    out, asked = output.of(given), experiment_of(given)
    if asked.unit is not None:
        raise UsageError("hil bench targets boots emulators: expected no --unit")
    if asked.steps is None and asked.epochs is None:
        asked = asked.override({"steps": STEPS, "test": 0})
    if asked.network is None:
        asked = asked.override({"network": NETWORK})
    numbers = NUMBERS[asked.format or "f32"]
    names = _words(given.rules) or rules.taught(numbers)
    found: dict[Place, dict[str, Outcome]] = {}
    out.line("| target | " + " | ".join(names) + " |")
    out.line("|---|" + "---|" * len(names))
    for place in places(numbers, _words(given.only)):
        row = {}
        for name in names:
            out.progress(f"{place}: {name}")
            row[name] = outcome_on(place, _taught(asked, name))
        found[place] = row
        out.line(f"| {place} | " + " | ".join(t.digest for t in row.values()) + " |")
    for target in without(numbers) if not given.only else ():
        out.line(f"not on {target}: it has no float32; --format i16 is learned there")
    _sizes(out, found, names[0])
    equal = all(len({r[name].digest for r in found.values()}) == 1 for name in names)
    out.document(
        {
            "bench": "targets",
            "network": asked.network,
            "format": numbers.name,
            "steps": asked.steps,
            "equal": equal,
            "targets": {
                str(place): {name: asdict(t) for name, t in row.items()}
                for place, row in found.items()
            },
            "provenance": {
                "targets": "counted",
                "targets.deepest": "emulated",
                "targets.first": "emulated",
            },
        }
    )
    if not equal:
        raise Divergence("digests of one rule differ between targets")
    return 0


def _taught(asked: Experiment, rule: str) -> Experiment:
    """The experiment by a rule, with as many layers of the network as it can teach."""
    from codegen import rules
    from codegen.spec import Network

    assert asked.widths is not None
    layers = rules.declaration(rule).suited(Network(asked.widths)).layers
    return asked.override({"rule": rule, "network": layers})


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _sizes(
    out: output.Output, found: dict[Place, dict[str, Outcome]], rule: str
) -> None:
    """What the first rule's image takes on each target."""
    out.line(
        f"\nRule {rule}, bytes (counted; the deepest use and the time: emulated)\n"
    )
    out.line(
        "| target | code and constants | RAM | of it stack | bound | deepest use "
        "| plan to first compared step |"
    )
    out.line("|---|---|---|---|---|---|---|")
    for place, row in found.items():
        told = row[rule]
        sizes = (told.code, told.ram, told.stack, told.bound, told.deepest)
        cells = ["-" if size is None else f"{size:,}" for size in sizes]
        out.line(f"| {place} | {' | '.join(cells)} | {told.first:.2f} s |")
