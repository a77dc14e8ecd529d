"""hil bench live: what the live view costs a run."""

from __future__ import annotations

import argparse

from hil import output
from hil.flags import add_experiment, experiment_of

HELP = "compare a run's throughput with the live view and without it"
STEPS = 6000


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench live`."""
    parser.description = (
        f"{HELP}: the same run in a pty of 80 columns and 24 rows, by turns, and the best "
        f"of each. {STEPS:,} steps on target host unless the experiment says otherwise."
    )
    add_experiment(parser, "model", "name", "test", "save")


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    from hil.live.cost import LIMIT, cost

    out = output.of(given)
    asked = experiment_of(given)
    if asked.steps is None and asked.epochs is None:
        asked = asked.override({"steps": STEPS})
    if given.target is None and given.experiment is None:
        asked = asked.override({"target": "host"})
    found = cost(asked)
    for name, taken in (("plain", found.plain), ("live", found.live)):
        out.line(
            f"{name:6} {taken.rate:10,.0f} steps/s {taken.processor:8.2f} processor "
            "seconds  (emulated)"
        )
    met = "met" if found.share < LIMIT else "missed"
    out.line(
        f"the live view costs {found.share:.1%} of the throughput, limit {LIMIT:.0%} "
        f"{met}, and {found.processor_share:.1%} more processor time (emulated); best of "
        f"{found.rounds} rounds"
    )
    figures = ("plain", "live", "share", "processor_share")
    kinds = dict.fromkeys(figures, "emulated")
    out.document(
        {
            "bench": "live",
            "target": asked.target,
            "steps": asked.steps,
            "limit": LIMIT,
            **found.to_json(),
            "provenance": {**kinds, "rounds": "counted"},
        }
    )
    return 0
