"""hil bench peers: the same step in programs that others wrote."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hil import output
from hil.flags import add_keys, keys_of

HELP = "measure the same learning step in plain C, numpy, scikit-learn and PyTorch"
KEYS = (
    "network", "seed", "lr", "lr_decay", "data", "steps", "toolchain",
)  # fmt: skip
"""What may be asked for; the rest is what all programs compute."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench peers`."""
    from hil.keys import KEYS as ALL

    parser.description = (
        f"{HELP}. One sample at a time, backpropagation, tanh, softmax, float32, one "
        "thread each; all end with the same weights, within a tolerance."
    )
    parser.add_argument(
        "--count",
        action="store_true",
        help="count the instructions of a step too, by valgrind: some minutes",
    )
    add_keys(parser, *(key.name for key in ALL if key.name not in KEYS))


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    from hil.experiment import Experiment
    from hil.measuring.peers.bench import TOLERANCE, bench_peers, lesson_for, rows

    out = output.of(given)
    lesson = lesson_for(Experiment().override(keys_of(given)))
    found = bench_peers(lesson, given.count, out.progress)
    out.line(
        f"{lesson.steps} steps of {lesson.spec.network}, bp, on "
        f"{lesson.experiment.data}, one by one (emulated: processes of this computer)"
    )
    for line in rows(found):
        out.line(line)
    out.document(
        {
            "bench": "peers",
            "network": list(lesson.spec.network.layers),
            "data": lesson.experiment.data,
            "steps": lesson.steps,
            "tolerance": TOLERANCE,
            "peers": [asdict(one) for one in found],
            "provenance": {"rate": "emulated", "instructions": "counted"},
        }
    )
    return 0
