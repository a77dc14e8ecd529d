"""hil bench link: what the line costs."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from hil import output
from hil.flags import add_experiment, add_link_only, experiment_of

if TYPE_CHECKING:
    from hil.experiment import Experiment
    from hil.measuring.first_step import FirstStep

HELP = "measure the line, the lockstep, and the time to the first step"
STEPS = 600
"""Unless the experiment says otherwise."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench link`."""
    add_link_only(parser)
    add_experiment(parser, "model", "name", "test", "init", "save", "flash", "answers")


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    from hil.desk.link_only import serves
    from hil.lesson.preparing import prepare
    from hil.measuring import first_step
    from hil.measuring.link_cost import BARE_GOAL, DEVICE_GOAL, GOAL, bench_link
    from hil.records.record import from_device

    out = output.of(given)
    asked = experiment_of(given)
    if given.link_only or serves(asked):
        _link_only(asked, out)
        return 0
    if asked.steps is None and asked.epochs is None:
        asked = asked.override({"steps": STEPS})
    lesson = prepare(asked)
    found = bench_link(lesson)
    figures = {name: v for name, v in found.to_json().items() if v is not None}
    kinds = dict.fromkeys(figures, from_device(lesson.board)) | {
        "reference": "reference"
    }
    for name, unit in (
        ("raw", "bytes/s"), ("echo", "bytes/s"), ("link", "steps/s"),
        ("device", "steps/s"), ("reference", "steps/s"), ("lockstep", "steps/s"),
        ("resident", "steps/s"), ("bare", "steps/s"),
    ):  # fmt: skip
        if name in figures:
            out.line(f"{name:10} {figures[name]:12,.0f} {unit}  ({kinds[name]})")
    for what, share, goal in (
        ("ECHO of the raw echo", found.echo_share, GOAL),
        ("lockstep of the slowest part", found.lockstep_share, GOAL),
        ("lockstep of the device alone", found.device_share, DEVICE_GOAL),
        ("resident of net_step in a loop", found.bare_share, BARE_GOAL),
    ):
        if share is not None:
            out.line(_goal(what, share, goal))
    limit = first_step.limit(lesson.target)
    if found.first_step is not None:
        _tell_first_step(found.first_step, limit, out)
    out.document(
        {
            "bench": "link",
            "target": lesson.target.name,
            "vlen": lesson.vlen,
            "steps": lesson.steps,
            "goal": GOAL,
            "first_step_limit": limit,
            **found.to_json(),
            "provenance": kinds,
        }
    )
    return 0


def _tell_first_step(found: FirstStep, limit: float, out: output.Output) -> None:
    met = "met" if found.seconds <= limit else "missed"
    out.line(
        f"command to first step: {found.seconds:.2f} s, {limit:g} s on a quiet machine "
        f"{met}  (emulated)"
    )
    parts = sorted(asdict(found).items(), key=lambda part: -part[1])
    words = (
        f"{name.replace('_', ' ')} {taken:.2f} s ({taken / found.seconds:.0%})"
        for name, taken in parts
    )
    out.line(f"  of it {', '.join(words)}")


def _goal(what: str, share: float, goal: float) -> str:
    met = "met" if share >= goal else "missed"
    note = "; above 100%: the emulator sets the pace, not the stack"
    return f"{what}: {share:.0%}, goal {goal:.0%} {met}{note if share > 1 else ''}"


def _link_only(asked: Experiment, out: output.Output) -> None:
    """What an image without a network allows: ECHO, and on an emulator a raw echo."""
    from hil.desk import link_only
    from hil.device import units
    from hil.measuring.echo import bench_echo
    from hil.measuring.link_cost import GOAL
    from hil.records.record import from_device

    wanted = link_only.prepare(asked)
    found = bench_echo(wanted)
    kind = from_device(units.board_of(asked.unit, asked.target))
    if found.raw is not None:
        out.line(f"{'raw':10} {found.raw:12,.0f} bytes/s  ({kind})")
    out.line(f"{'echo':10} {found.echo:12,.0f} bytes/s  ({kind})")
    if found.share is not None:
        out.line(_goal("ECHO of the raw echo", found.share, GOAL))
    out.line("no network, so no steps to measure")
    out.document(
        {
            "bench": "link",
            "target": wanted.target.name,
            "vlen": wanted.vlen,
            "steps": None,
            "goal": GOAL,
            "raw": found.raw,
            "echo": found.echo,
            "echo_share": found.share,
            "provenance": dict.fromkeys(("raw", "echo", "echo_share"), kind),
        }
    )
