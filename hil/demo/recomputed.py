"""A demo's figures once more, from the records that its arms have left: whoever changes a
figure or the verdict need not wait until the arms have learned anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hil.data import arrays
from hil.demo import figures
from hil.demo.arm import Arm
from hil.demo.checking import Met, Ready, prepared
from hil.demo.file import ArmFile, Demo, find, load
from hil.demo.running import Outcome
from hil.errors import UsageError
from hil.experiment import shown
from hil.records import record as records
from hil.records.record import RunRecord
from hil.reports import runs
from hil.reports.runs import Run

MAY_CHANGE = (
    "metrics, verdict and texts may change: `hil demo FILE.toml` teaches the arms anew"
)
ANYWHERE = ("name", "unit")
"""Keys on which nothing that was learned depends."""
FILES = ("data", "save")
"""Keys that name a file of a demo's folder, which may have been moved."""


def again(folder: Path, demo: Demo | None = None) -> Outcome:
    """The figures, verdict and report of a demo whose arms have learned, written into
    its folder; by default of the files that it names. No device is needed.

    Raises `UsageError`, and leaves the folder as it is, where an arm has not finished or
    where arms or streams are not those of the records.
    """
    collected = runs.load([folder])
    if collected.demo is None:
        raise UsageError(f"{str(folder)!r} is the folder of a run: expected a demo's")
    told = collected.demo.document
    found = {run.label: run for run in collected.runs}
    demo = demo or _named(told)
    _require_finished(demo, found, folder)
    ready = prepared(_without_units(demo, found), _given(told, found))
    for arm in ready.demo.arms:
        _require_same_arm(ready, arm, found[arm.name])
        name = ready.stream_of(arm)
        _require_same_stream(folder / f"{name}.npz", name, ready.met[name])
    return _figured(ready, demo, found, told, folder.resolve())


def _figured(
    ready: Ready,
    demo: Demo,
    found: Mapping[str, Run],
    told: Mapping[str, Any],
    folder: Path,
) -> Outcome:
    arms = {
        arm.name: Arm(arm.name, {**run.document, "folder": str(run.folder)})
        for arm, run in ((arm, found[arm.name]) for arm in demo.arms)
    }
    made = figures.of(demo, ready.module, arms, ready.streams)
    outcome = Outcome(demo, folder, ready.seed, told.get("experiment", {}))
    for name in arms:
        run = found[name]
        outcome.arms[name] = RunRecord.from_json(run.document, run.folder)
    outcome.metrics, outcome.verdict = made
    outcome.seconds = told.get("seconds", 0.0)
    outcome.write()
    return outcome


def _named(told: Mapping[str, Any]) -> Demo:
    """The demo that demo.json is of."""
    if "file" not in told:
        return find(str(told.get("demo", "")))
    try:
        return load(Path(told["file"]))
    except UsageError as error:
        hint = "if its files were moved: `hil demo FILE.toml --again FOLDER`"
        raise UsageError(str(error), *error.hints, hint) from None


def _require_finished(demo: Demo, found: Mapping[str, Run], folder: Path) -> None:
    """Raise `UsageError` unless each arm, and no other, has a record of a run that has
    passed."""
    for arm in demo.arms:
        if arm.name not in found:
            raise UsageError(
                f"{str(folder)!r} has no record of arm {arm.name!r} of demo {demo.name!r}",
                MAY_CHANGE,
            )
        run = found[arm.name]
        if run.get("result") != "pass":
            why = run.get("error.sentence") or "its record does not say why"
            raise UsageError(
                f"{str(folder)!r}: the run of arm {arm.name!r} did not pass: {why}",
                "figures are computed again where every arm has learned to the end",
            )
    names = [arm.name for arm in demo.arms]
    for name in found:
        if name not in names:
            raise UsageError(
                f"{str(folder)!r} has a record of arm {name!r}, which demo {demo.name!r} "
                f"does not have: it has {', '.join(names)}",
                MAY_CHANGE,
            )


def _without_units(demo: Demo, found: Mapping[str, Run]) -> Demo:
    """The demo for whoever has no board: an arm that learned on one has its target."""

    def off_board(arm: ArmFile) -> ArmFile:
        values = {key: value for key, value in arm.values.items() if key != "unit"}
        if found[arm.name].unit is not None:
            values["target"] = found[arm.name].get("target")
        return replace(arm, values=values)

    experiment = replace(demo.experiment, unit=None)
    return replace(demo, experiment=experiment, arms=tuple(map(off_board, demo.arms)))


def _given(told: Mapping[str, Any], found: Mapping[str, Run]) -> dict[str, Any]:
    """The keys that were laid over the demo's own when its arms learned."""
    boards = any(run.unit is not None for run in found.values())
    left_out = ("unit", "target") if boards else ("unit",)
    given = told.get("experiment", {})
    return {key: value for key, value in given.items() if key not in left_out}


def _require_same_arm(ready: Ready, arm: ArmFile, run: Run) -> None:
    """Raise `UsageError` where an arm would learn otherwise than its record says."""
    lesson = ready.lesson(arm, run.folder.parent)
    now = json.loads(json.dumps(records.as_settings(lesson.experiment)))
    then = dict(run.get("experiment"))
    files = FILES if arm.after is None else (*FILES, "init")
    for settings in (now, then):
        for key in set(files) & set(settings):
            settings[key] = Path(str(settings[key])).name
    for key in sorted({*now, *then} - {*ANYWHERE}):
        if now.get(key) != then.get(key):
            raise UsageError(
                f"arm {arm.name!r} of demo {ready.demo.name!r} has learned with "
                f"{_setting(key, then)}, and the demo has {_setting(key, now)} now",
                MAY_CHANGE,
            )


def _setting(key: str, settings: Mapping[str, Any]) -> str:
    return f"{key} = {shown(settings[key])}" if key in settings else f"no {key}"


def _require_same_stream(path: Path, name: str, met: Met) -> None:
    """Raise `UsageError` where a stream is not the one that was learned."""
    with arrays.opened(path, "stream") as learned:
        for array in sorted({*learned, *met.arrays}):
            if array in learned and array in met.arrays:
                then, now = learned[array], np.asarray(met.arrays[array])
                if then.dtype == now.dtype and np.array_equal(then, now):
                    continue
            raise UsageError(
                f"stream {name!r} is not the one that was learned: its {array} is another",
                MAY_CHANGE,
            )
