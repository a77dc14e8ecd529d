"""hil bench link: what frames and lockstep cost."""

from __future__ import annotations

import argparse

from hil import output
from hil.verbs.run import add_keys, experiment_of

HELP = "measure the link: ECHO against a raw echo, lockstep against its parts"
STEPS = 600


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench`."""
    parser.add_argument("what", choices=["link"], help="what to measure")
    parser.add_argument("experiment", nargs="?", metavar="EXPERIMENT", help="TOML file")
    add_keys(parser)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from hil.bench import GOAL, bench_link
    from hil.lesson import prepare

    out = output.of(given)
    asked = experiment_of(given)
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
        out.line(f"{what}: {share:.0%}, goal {GOAL:.0%} {met}")
    out.document(
        {
            "bench": "link",
            "target": lesson.target.name,
            "vlen": lesson.vlen,
            "steps": lesson.steps,
            "goal": GOAL,
            **figures,
            "provenance": kinds,
        }
    )
    return 0
