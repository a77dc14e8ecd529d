"""A demo on its way: each arm an ordinary run, then the figures of all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil import reports
from hil.demo import figures
from hil.demo.arm import Arm
from hil.demo.checking import Ready, check
from hil.demo.file import Demo
from hil.errors import HilError, stopped
from hil.learning.progress import Progress
from hil.learning.session import carried_out
from hil.records import record as records
from hil.records.record import RunRecord

SCHEMA = 1


@dataclass
class Outcome:
    """What a demo did: the records of its arms by name, and its figures. `given` are
    keys of an experiment that were laid over its own, `failure` is what ended it early."""

    demo: Demo
    folder: Path
    seed: int
    given: Mapping[str, Any]
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
            "file": str(self.demo.path),
            "title": self.demo.title,
            "data": self.demo.data,
            "result": _result(list(self.arms.values()), failure),
            "exit_code": self.exit_code,
            "error": failure
            and {"sentence": str(failure), "hints": list(failure.hints)},
            "folder": str(self.folder),
            "report": self.report and str(self.report),
            "seed": self.seed,
            "experiment": dict(self.given),
            "metrics": self.metrics,
            "meaning": dict(self.demo.metrics),
            "verdict": self.verdict,
            "arms": runs,
            "seconds": self.seconds,
            "provenance": {
                **{one: _provenance(runs.values()) for one in ("metrics", "seconds")},
                **{f"metrics.{name}": "reference" for name in self.demo.reference},
            },
        }
        records.require_provenance({**document, "arms": {}})
        return document

    def write(self) -> None:
        """Write demo.json and, where an arm has learned, the report. Raises
        `StorageError`."""
        if self.arms:
            self.report = reports.place([self.folder])
        records.write_json(self.folder / records.DEMO, self.to_json())
        if self.report is not None:
            reports.write([self.folder], self.report)


def run(
    demo: Demo,
    values: Mapping[str, Any],
    out: Path,
    progress: Progress,
) -> Outcome:
    """Run every arm of a demo with these keys of an experiment laid over its own.

    What is wrong with it raises before anything is built, and before there is a folder
    (`checking.check`). The first arm that does not pass ends it; what there is by then
    is written all the same. Raises every error that a run can raise.
    """
    ready = check(demo, values)
    folder = records.make_folder(out, f"demo-{demo.name}")
    outcome = Outcome(demo, folder, ready.seed, ready.given)
    started = time.perf_counter()
    try:
        ready.write(folder)
        _learn(ready, outcome, progress)
        if outcome.failure is None:
            figure(ready, outcome)
    except HilError as error:
        outcome.failure = error
        raise
    except KeyboardInterrupt as signalled:
        outcome.failure = stopped(signalled)
        raise
    finally:
        outcome.seconds = time.perf_counter() - started
        outcome.write()
    return outcome


def _learn(ready: Ready, outcome: Outcome, progress: Progress) -> None:
    """Run the arms, up to the first that does not pass."""
    arms = ready.demo.arms
    for place, arm in enumerate(arms, 1):
        about = f": {arm.about}" if arm.about else ""
        progress.stage("arm", f"{place} of {len(arms)}, {arm.name}{about}")
        lesson = ready.lesson(arm, outcome.folder)
        session = carried_out(lesson, outcome.folder, progress)
        outcome.arms[arm.name] = session.record
        if session.failure is not None:
            outcome.failure = session.failure
            return


def figure(ready: Ready, outcome: Outcome) -> None:
    """The demo's own figures, from what its arms came to."""
    arms = {name: Arm(name, run.to_json()) for name, run in outcome.arms.items()}
    outcome.metrics, outcome.verdict = figures.of(
        ready.demo, ready.module, arms, ready.streams
    )


def _result(runs: list[RunRecord], failure: HilError | None) -> str:
    if failure is None:
        return "pass"
    ended = runs[-1].result if runs else "error"
    return "error" if ended == "pass" else ended


def _provenance(runs: Any) -> str:
    """How the figures of these runs were obtained: measured only if all were."""
    kinds = {run["provenance"]["accuracy"] for run in runs}
    return kinds.pop() if len(kinds) == 1 else "emulated"
