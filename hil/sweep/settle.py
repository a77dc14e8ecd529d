"""One cell of a sweep: its identity, and the run that settles it.

A cell's runs lie in `cells/<identity>/` of the sweep's folder. Its identity is
a hash of all that its figures can depend on, so a folder with a run that passed
settles it, whoever made that run and when.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hil.errors import Divergence, HilError
from hil.experiment import Experiment, from_toml
from hil.keys import KEYS
from hil.learning.progress import Progress
from hil.learning.session import carried_out
from hil.lesson.building import build_digest, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.records import record as records
from hil.records import run_files
from hil.versions import version

CELLS = "cells"
UNIMPORTANT = ("name", "save")
"""Keys that change no figure."""
LARGE = 1 << 20
"""Bytes of a resident set beyond which a cell that has passed keeps neither it
nor its image: there may be hundreds of them, and their digest is recorded."""

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """A cell to be settled: an experiment (as TOML) in a sweep's folder.

    `confirm` is a target that repeats its prefix, None for none; with `again`
    a run that passed does not settle it.
    """

    experiment: str
    folder: str
    confirm: str | None = None
    again: bool = False


@dataclass(frozen=True)
class Outcome:
    """The outcome of a cell. `state` is "passed", "kept" (a run of before has
    passed) or "failed"; `record` the run.json of its run, None where it came to
    none; `confirmed` that of the second target's."""

    state: str
    identity: str | None = None
    record: str | None = None
    confirmed: str | None = None
    exit_code: int = 0
    error: dict[str, Any] | None = field(default=None)


def settle(task: Task, progress: Progress | None = None) -> Outcome:
    """Run the cell, unless that was done."""
    progress = progress or Progress()
    folder, known = Path(task.folder), Outcome("failed")
    try:
        lesson = prepare(from_toml(task.experiment, "cell"))
        known = _settled(lesson, folder, task.again, progress)
        if known.state == "failed" or task.confirm is None:
            return known
        return _confirm(known, lesson, folder, task, progress)
    except HilError as error:
        return _failed(error, known)


def _failed(error: HilError, known: Outcome) -> Outcome:
    said = {"sentence": str(error), "hints": list(error.hints)}
    return Outcome(
        "failed", known.identity, known.record, known.confirmed, error.exit_code, said
    )


def _settled(lesson: Lesson, folder: Path, again: bool, progress: Progress) -> Outcome:
    identity = identity_of(lesson)
    home = folder / CELLS / identity
    before = None if again else passed(home)
    if before is not None:
        return Outcome("kept", identity, str(before))
    session = carried_out(lesson, home, progress)
    path = str(session.record.folder / records.FILE)
    if session.failure is not None:
        return _failed(session.failure, Outcome("failed", identity, path))
    _drop_large(lesson, session.record.folder)
    return Outcome("passed", identity, path)


def identity_of(lesson: Lesson) -> str:
    """What a cell is known by, 16 hex digits: the effective experiment (files
    by their content), the digest of its image, and this package's version."""
    settings = records.as_settings(lesson.experiment)
    for name in UNIMPORTANT:
        settings.pop(name, None)
    for key in KEYS:
        path = Path(str(settings.get(key.name, "")))
        if key.path and key.name in settings and path.is_file():
            settings[key.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    known = {
        "experiment": settings,
        "build": build_digest(plan_for(lesson), lesson.experiment.toolchain),
        "hil": version(),
    }
    text = json.dumps(known, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def passed(home: Path) -> Path | None:
    """The latest run.json in `home` of a run that passed."""
    found = [
        (document["started"], path)
        for path in home.glob("*/" + records.FILE)
        if (document := read(path))["result"] == "pass"
    ]
    return max(found)[1] if found else None


def read(path: str | Path) -> Document:
    """The document of a run.json. Raises `UsageError`."""
    return run_files.document(Path(path))


def _drop_large(lesson: Lesson, folder: Path) -> None:
    placed = lesson.resident_set
    if placed is None or len(placed.samples) < LARGE:
        return
    for name in (*placed.files, "image.elf"):
        (folder / name).unlink(missing_ok=True)


def confirmation(experiment: Experiment, target: str) -> Experiment:
    """The prefix of `experiment` as `target` repeats it, over the line."""
    return experiment.override(
        {
            "target": target,
            "steps": experiment.prefix,
            "test": 0,
            **dict.fromkeys(
                (
                    "prefix",
                    "resident",
                    "thin",
                    "vlen",
                    "ram",
                    "save",
                    "tuned",
                    "toolchain",
                )
            ),
        }
    )


def _confirm(
    known: Outcome, lesson: Lesson, folder: Path, task: Task, progress: Progress
) -> Outcome:
    assert task.confirm is not None and known.record is not None
    second = prepare(confirmation(lesson.experiment, task.confirm))
    there = _settled(second, folder, task.again, progress)
    both = replace(known, confirmed=there.record)
    if there.record is None or there.state == "failed":
        return replace(
            both, state="failed", exit_code=there.exit_code, error=there.error
        )
    differs = _disagreement(read(known.record), read(there.record))
    if differs is not None:
        return _failed(differs, both)
    kept = known.state == there.state == "kept"
    return replace(both, state="kept" if kept else "passed")


def _disagreement(here: Document, there: Document) -> Divergence | None:
    if here["prefix_digest"] == there["digest"]:
        return None
    return Divergence(
        f"after {there['steps']} steps {here['target']} has digest "
        f"{here['prefix_digest']}, but {there['target']} has {there['digest']}",
        f"see {here['folder']} and {there['folder']}",
    )
