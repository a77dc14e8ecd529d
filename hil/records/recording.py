"""What the record of a run says of a lesson before it, and of a device's counters."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hil.device.device import Device
from hil.lesson.lesson import Lesson
from hil.records import record as records
from hil.records.record import RunRecord
from hil.versions import versions


def _tasks(lesson: Lesson) -> list[dict[str, Any]] | None:
    """The tasks of a stream that the lesson reaches, as a record has them."""
    found, first = [], 0
    for task, last, tests in zip(
        lesson.dataset.tasks, lesson.ends, lesson.tests, strict=False
    ):
        end = min(last, lesson.steps)
        if first < end or first == last:
            found.append(
                {"name": task.name, "first": first, "end": end, "tested": len(tests)}
            )
        first = last
    return found or None


def new_record(lesson: Lesson, folder: Path) -> RunRecord:
    """The record of a lesson that has not begun, to be written into `folder`."""
    effective = lesson.experiment
    part = "test" if effective.holdout is None else "holdout"
    return RunRecord(
        folder=folder,
        target=lesson.target.name,
        vlen=lesson.vlen,
        rule=lesson.spec.rule.name,
        parameters=effective.parameters,
        network=lesson.spec.network.layers,
        format=lesson.spec.format,
        activation=lesson.spec.network.activation,
        output=lesson.spec.network.output,
        data=str(effective.data),
        tasks=_tasks(lesson),
        seed=lesson.spec.seed,
        steps=lesson.steps,
        accuracy={
            "test": None,
            "prequential": None,
            "baselines": None,
            "tested": 0,
            "of": len(lesson.dataset.test_x),
            "part": part,
            "initial": None,
            "matrix": None,
        },
        experiment=records.as_settings(effective),
        board=lesson.board,
        versions=versions(),
    )


def take_counts(record: RunRecord, device: Device, icount: bool) -> None:
    """What the device has counted so far, of the line and of its steps."""
    record.link |= asdict(device.counts)
    told = device.telemetry
    last = told.last
    if last is None:
        return
    for name in ("damaged", "overruns", "stack"):
        record.device[name] = getattr(last, name)
    # an emulator's own are exact under icount alone, a board's where it counts them
    if icount or (record.board is not None and told.instructions):
        record.instructions_per_step = told.instructions / told.steps
    if record.board is not None and told.cycles:
        record.cycles_per_step = told.cycles / told.steps


def counts_told(record: RunRecord) -> str:
    """What a step took, for people; that a board does not count it, too."""
    how = "counted" if record.board is None else "measured"
    told = [
        f"{figure:,.1f} {name}/step {how}, "
        for name, figure in (
            ("instructions", record.instructions_per_step),
            ("cycles", record.cycles_per_step),
        )
        if figure is not None
    ]
    if record.board is not None and not told:
        return "no counters of its core, "
    return "".join(told)
