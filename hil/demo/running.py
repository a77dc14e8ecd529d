"""A demo on its way: each arm an ordinary run, then the figures of all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from hil import reports
from hil.demo.arm import Arm
from hil.demo.file import ArmFile, Demo
from hil.demo.page import blamed
from hil.demo.stream import Stream
from hil.device import units
from hil.errors import HilError, UsageError, stopped
from hil.experiment import Experiment
from hil.learning.progress import Progress
from hil.learning.session import carried_out
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.records import record as records
from hil.records.record import RunRecord

SCHEMA = 1


@dataclass
class Outcome:
    """What a demo did: the records of its arms by name, and its figures. `failure`
    is what ended it early."""

    demo: Demo
    folder: Path
    seed: int
    arms: dict[str, RunRecord] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)
    verdict: str = ""
    report: Path | None = None
    seconds: float = 0.0
    failure: HilError | None = None

    @property
    def exit_code(self) -> int:
        """What a command that ran it ends with."""
        return self.failure.exit_code if self.failure else 0

    def to_json(self) -> dict[str, Any]:
        """The document of demo.json (docs/record.md)."""
        runs = {name: record.to_json() for name, record in self.arms.items()}
        failure = self.failure
        document = {
            "schema": SCHEMA,
            "demo": self.demo.name,
            "title": self.demo.title,
            "data": self.demo.data,
            "result": _result(list(self.arms.values()), failure),
            "exit_code": self.exit_code,
            "error": failure
            and {"sentence": str(failure), "hints": list(failure.hints)},
            "folder": str(self.folder),
            "report": self.report and str(self.report),
            "seed": self.seed,
            "metrics": self.metrics,
            "meaning": dict(self.demo.metrics),
            "verdict": self.verdict,
            "arms": runs,
            "seconds": self.seconds,
            "provenance": {
                name: _provenance(runs.values()) for name in ("metrics", "seconds")
            },
        }
        records.require_provenance({**document, "arms": {}})
        return document


def run(
    demo: Demo,
    values: Mapping[str, Any],
    out: Path,
    progress: Progress,
) -> Outcome:
    """Run every arm of a demo with these keys of an experiment laid over its own.

    The first arm that does not pass ends it; what there is by then is written all the
    same. Raises `UsageError` where a file of it is not correct, and every error that
    preparing a run can raise.
    """
    module = demo.module()
    asked = demo.experiment.override(values)
    folder = records.make_folder(out, f"demo-{demo.name}")
    outcome = Outcome(demo, folder, asked.seed)
    started = time.perf_counter()
    try:
        streams = _streams(demo, module, asked.seed, folder)
        for place, arm in enumerate(demo.arms, 1):
            stream = arm.stream or next(iter(streams))
            lesson = _lesson(demo, arm, asked, values, folder / f"{stream}.npz")
            about = f": {arm.about}" if arm.about else ""
            of = f"{place} of {len(demo.arms)}"
            progress.stage("arm", f"{of}, {arm.name}{about}")
            session = carried_out(lesson, folder, progress)
            outcome.arms[arm.name] = session.record
            if session.failure is not None:
                outcome.failure = session.failure
                return outcome
        figure(outcome, module, streams)
    except HilError as error:
        outcome.failure = error
        raise
    except KeyboardInterrupt as signalled:
        outcome.failure = stopped(signalled)
        raise
    finally:
        outcome.seconds = time.perf_counter() - started
        if outcome.arms:
            outcome.report = reports.place([folder])
        records.write_json(folder / records.DEMO, outcome.to_json())
        if outcome.report is not None:
            reports.write([folder], outcome.report)
    return outcome


def figure(outcome: Outcome, module: ModuleType, streams: Mapping[str, Stream]) -> None:
    """The demo's own figures, from what its arms came to."""
    demo = outcome.demo
    arms = {name: Arm(name, run.to_json()) for name, run in outcome.arms.items()}
    with blamed(demo.page):
        given = module.metrics(arms, streams)
        found = {name: _figure(name, value) for name, value in given.items()}
    if set(found) != set(demo.metrics):
        apart = ", ".join(sorted(set(found) ^ set(demo.metrics)))
        raise UsageError(
            f"demo {demo.name!r}: [metrics] and the function metrics do not name the same "
            f"figures: {apart}"
        )
    outcome.metrics = {name: found[name] for name in demo.metrics}
    with blamed(demo.page):
        outcome.verdict = str(module.verdict(outcome.metrics))


def _figure(name: str, value: Any) -> float | None:
    """A figure as demo.json can hold it; numpy's are among those of a page."""
    if value is None or isinstance(value, int):
        return value
    if not math.isfinite(value):
        raise ValueError(f"figure {name!r} is {value}, expected a number or None")
    return float(value)


def _streams(
    demo: Demo, module: ModuleType, seed: int, folder: Path
) -> dict[str, Stream]:
    """The streams by name, each in `folder` as a data file too."""
    with blamed(demo.page):
        streams: dict[str, Stream] = module.streams(seed)
        for name, met in streams.items():
            met.write(folder / f"{name}.npz")
    for arm in demo.arms:
        if (arm.stream is None and len(streams) != 1) or (
            arm.stream is not None and arm.stream not in streams
        ):
            raise UsageError(
                f"demo {demo.name!r}: arm {arm.name!r} meets stream {arm.stream!r}, but "
                f"there is {', '.join(streams)}"
            )
    return streams


def _lesson(
    demo: Demo,
    arm: ArmFile,
    asked: Experiment,
    values: Mapping[str, Any],
    stream: Path,
) -> Lesson:
    """The run of one arm: the demo's keys, then its own, then the caller's."""
    own: dict[str, Any] = {**arm.values, **values}
    own |= {"name": f"{demo.name}-{arm.name}", "data": str(stream)}
    if arm.after is not None:
        own["init"] = str(_learned(stream, arm.after))
    if any(other.after == arm.name for other in demo.arms):
        own["save"] = str(_learned(stream, arm.name))
    experiment = asked.override(own)
    if experiment.unit is not None:
        unit = units.chosen(experiment.unit, None)
        experiment = replace(experiment, target=unit.target or experiment.target)
    lesson = prepare(experiment)
    if arm.freeze is None:
        return lesson
    return prepare(replace(experiment, freeze=_frozen_from(demo, arm, lesson)))


def _learned(stream: Path, arm: str) -> Path:
    """Where the weights go that an arm has learned."""
    return stream.with_name(f"learned-{arm}.npz")


def _frozen_from(demo: Demo, arm: ArmFile, lesson: Lesson) -> int:
    """The step from which an arm learns no more."""
    if not arm.freeze:
        return 0
    names = [task.name for task in lesson.dataset.tasks]
    ends = dict(zip(names, lesson.ends, strict=True))
    if arm.freeze not in ends:
        raise UsageError(
            f"demo {demo.name!r}: arm {arm.name!r} learns last in task {arm.freeze!r}, but "
            f"its stream has {', '.join(ends)}"
        )
    return ends[arm.freeze]


def _result(runs: list[RunRecord], failure: HilError | None) -> str:
    if failure is None:
        return "pass"
    ended = runs[-1].result if runs else "error"
    return "error" if ended == "pass" else ended


def _provenance(runs: Any) -> str:
    """How the figures of these runs were obtained: measured only if all were."""
    kinds = {run["provenance"]["accuracy"] for run in runs}
    return kinds.pop() if len(kinds) == 1 else "emulated"
