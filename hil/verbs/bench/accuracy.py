"""hil bench accuracy: what the rules reach."""

from __future__ import annotations

import argparse
from pathlib import Path

from hil import output
from hil.verbs.run import add_experiment, experiment_of

HELP = (
    "every rule and seed trained on --target (default: host), the first steps "
    "repeated on a second target"
)
EPOCHS = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench accuracy`."""
    group = parser.add_argument_group("accuracy")
    group.add_argument("--rules", default="bp,dfa", help="default: bp,dfa")
    group.add_argument("--seeds", default="1,2,3", help="default: 1,2,3")
    group.add_argument("--jobs", type=int, default=2, help="trainings at once")
    group.add_argument(
        "--second",
        default="qemu-rv64gcv",
        metavar="TARGET",
        help="repeats the first steps (default: qemu-rv64gcv)",
    )
    group.add_argument("--prefix", type=int, default=200, help="that many (200)")
    group.add_argument("--out", default="runs", metavar="DIR", help="for run folders")
    add_experiment(parser)


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    from dataclasses import asdict

    from hil.accuracy import summarise, train_all
    from hil.errors import UsageError

    out = output.of(given)
    asked = experiment_of(given)
    try:
        seeds = [int(seed) for seed in given.seeds.split(",")]
    except ValueError:
        raise UsageError(
            f"--seeds is {given.seeds!r}: expected numbers such as 1,2,3"
        ) from None
    if given.target is None:
        asked = asked.override({"target": "host"})
    if asked.steps is None and asked.epochs is None:
        asked = asked.override({"epochs": EPOCHS})
    experiments = [
        asked.override({"rule": rule, "seed": seed, "test": "all"})
        for rule in given.rules.split(",")
        for seed in seeds
    ]
    trained = []
    for one in train_all(
        experiments, given.second, given.prefix, Path(given.out), given.jobs
    ):
        trained.append(one)
        out.line(
            f"{one.rule:8} seed {one.seed}  test accuracy {one.accuracy:.2%}  "
            f"digest {one.digest}  {given.prefix} steps on {given.second}: {one.prefix}"
        )
    summaries = summarise(trained)
    for summary in summaries:
        out.line(
            f"{summary.rule:8} mean {summary.mean:.2%} +- {summary.std:.2%} over seeds "
            + ", ".join(map(str, summary.seeds))
        )
    out.document(
        {
            "bench": "accuracy",
            "target": asked.target,
            "second": given.second,
            "prefix": given.prefix,
            "runs": [asdict(one) for one in trained],
            "rules": [asdict(summary) for summary in summaries],
            "provenance": {"runs": "emulated", "rules": "emulated"},
        }
    )
    return 0
