"""hil bench: what the line costs, and what the rules reach."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hil import output
from hil.verbs.run import add_experiment, experiment_of

if TYPE_CHECKING:
    from hil.experiment import Experiment

HELP = "measure the link and lockstep, or the accuracy of the rules"
STEPS = 600
EPOCHS = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench`."""
    parser.add_argument(
        "what",
        choices=["link", "accuracy"],
        help="link: ECHO against a raw echo, lockstep against its slowest part, the "
        "time to the first step; "
        "accuracy: every rule and seed trained on --target (default: host), the first "
        "steps repeated on a second target",
    )
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
    """The verb."""
    asked = experiment_of(given)
    if given.what == "accuracy":
        return _accuracy(given, asked)
    return _link(given, asked)


def _accuracy(given: argparse.Namespace, asked: Experiment) -> int:
    from dataclasses import asdict

    from hil.accuracy import summarise, train_all
    from hil.errors import UsageError

    out = output.of(given)
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


def _link(given: argparse.Namespace, asked: Experiment) -> int:
    from hil.bench import FIRST_STEP_LIMIT, GOAL, bench_link
    from hil.lesson import prepare

    out = output.of(given)
    if asked.steps is None and asked.epochs is None:
        asked = asked.override({"steps": STEPS})
    lesson = prepare(asked)
    found = bench_link(lesson)
    figures = found.to_json()
    kinds = dict.fromkeys(figures, "emulated") | {"reference": "reference"}
    for name, unit in (
        ("raw", "bytes/s"), ("echo", "bytes/s"), ("link", "steps/s"),
        ("device", "steps/s"), ("reference", "steps/s"), ("lockstep", "steps/s"),
    ):  # fmt: skip
        out.line(f"{name:10} {getattr(found, name):12,.0f} {unit}  ({kinds[name]})")
    for what, share in (
        ("ECHO of the raw echo", found.echo_share),
        ("lockstep of the slowest part", found.lockstep_share),
    ):
        met = "met" if share >= GOAL else "missed"
        note = "; above 100%: the emulator sets the pace, not the stack"
        out.line(
            f"{what}: {share:.0%}, goal {GOAL:.0%} {met}{note if share > 1 else ''}"
        )
    met = "met" if found.first_step <= FIRST_STEP_LIMIT else "missed"
    out.line(
        f"command to first step: {found.first_step:.2f} s, "
        f"limit {FIRST_STEP_LIMIT:g} s {met}  (emulated)"
    )
    out.document(
        {
            "bench": "link",
            "target": lesson.target.name,
            "vlen": lesson.vlen,
            "steps": lesson.steps,
            "goal": GOAL,
            "first_step_limit": FIRST_STEP_LIMIT,
            **figures,
            "provenance": kinds,
        }
    )
    return 0
