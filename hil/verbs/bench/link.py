"""hil bench link: what the line costs."""

from __future__ import annotations

import argparse

from hil import output
from hil.verbs.run import add_experiment, experiment_of

HELP = "ECHO against a raw echo, lockstep against its slowest part, first step"
STEPS = 600


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench link`."""
    add_experiment(parser)


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    from hil.bench import FIRST_STEP_LIMIT, GOAL, bench_link
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
        ("resident", "steps/s"),
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
