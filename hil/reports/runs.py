"""What lies in the folders that a report is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hil import documents
from hil.errors import UsageError
from hil.lesson import weights
from hil.records import record as records
from hil.records import run_files
from hil.reports.provenance import kind_of
from hil.reports.steps import Steps, read

TELLING = ("rule", "parameters", "data", "network", "target", "unit", "vlen", "seed")
"""Keys that a label tells runs apart by, first of all others."""
MOST = 3
"""Keys at most in a label."""
UNTOLD = ("name", "save", "flash")
"""Keys that do not tell runs apart for a person."""


@dataclass(frozen=True)
class Task:
    """Samples `first` .. `end` - 1 of a stream."""

    name: str
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class Run:
    """One run: its folder and record. `label` is its name in this report, `place`
    its number from 0, which chooses its colour."""

    folder: Path
    document: Mapping[str, Any]
    label: str = ""
    place: int = 0

    def kind(self, path: str) -> str:
        """How the figure at `path` of the record was obtained. Raises `UsageError`."""
        return kind_of(self.document, path)

    def get(self, path: str) -> Any:
        """What the record has at a dotted path; None where it has nothing."""
        found: Any = self.document
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    @property
    def unit(self) -> str | None:
        """The board that it ran on."""
        return self.get("experiment.unit")

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of its stream."""
        told = self.get("tasks") or ()
        return tuple(
            Task(str(t["name"]), t["first"] // self.pace, t["end"] // self.pace)
            for t in told
        )

    @property
    def pace(self) -> int:
        """Steps that each sample comes to: its own, and those of rehearsal."""
        return 1 + int(self.get("experiment.rehearse") or 0)

    @cached_property
    def steps(self) -> Steps:
        """Its metrics.jsonl."""
        return read(self.folder, self.pace)

    @cached_property
    def first_layer(self) -> tuple[np.ndarray, np.ndarray] | None:
        """W1 [n_in, n_out] before and after learning, if it was kept."""
        path = self.folder / records.FIRST_LAYER
        if not path.is_file():
            return None
        found = weights.read(str(path))
        shapes = {tensor.shape for tensor in found.values()}
        if (
            set(found) != {"before", "after"}
            or len(shapes) > 1
            or not _is_matrix(*shapes)
        ):
            raise UsageError(
                f"{str(path)!r} does not hold a layer before and after learning: expected "
                "two matrices of one shape"
            )
        return found["before"], found["after"]

    @cached_property
    def cycles(self) -> Mapping[str, np.ndarray]:
        """What the cycles of a step have come to, "before_trace1" [cycles, units], ...;
        empty where they were not kept. Raises `UsageError`."""
        path = self.folder / records.CYCLES
        found = weights.read(str(path)) if path.is_file() else {}
        for name, tensor in found.items():
            if not _is_matrix(tensor.shape):
                raise UsageError(
                    f"{str(path)!r} has {name} {list(tensor.shape)}: expected what each unit "
                    "was in each cycle"
                )
        return found

    @property
    def experiment(self) -> str:
        """The text of its experiment.toml; empty where it is gone."""
        path = self.folder / records.EXPERIMENT
        there = path.is_file()
        return documents.read(path, f"experiment {str(path)!r}") if there else ""


def _is_matrix(shape: tuple[int, ...] = ()) -> bool:
    return len(shape) == 2 and 0 not in shape


@dataclass(frozen=True)
class Demo:
    """A demo's folder and document."""

    folder: Path
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Collected:
    """What a report is of: runs in order, and the demo if they are its arms."""

    runs: tuple[Run, ...]
    demo: Demo | None = None


def load(folders: Sequence[str | Path]) -> Collected:
    """The runs in these folders; a demo's folder gives its arms, in order. Raises
    `UsageError`, also for a record whose figures have no provenance."""
    runs: list[Run] = []
    demos: list[Demo] = []
    for folder in map(Path, folders):
        if (folder / records.DEMO).is_file():
            demo = Demo(folder, run_files.document(folder / records.DEMO))
            demos.append(demo)
            runs += _arms(demo, told=len(folders) > 1)
        else:
            runs.append(_run(folder))
    alone = demos[0] if len(demos) == len(folders) == 1 else None
    return Collected(_labelled(runs), alone)


def _run(folder: Path, label: str = "") -> Run:
    path = folder / records.FILE
    document = run_files.document(path)
    try:
        records.require_provenance({"provenance": {}, **document})
    except records.ProvenanceError as error:
        raise UsageError(f"record {str(path)!r}: {error}") from None
    return Run(folder, document, label)


def _arms(demo: Demo, told: bool) -> list[Run]:
    """A demo's arms; `told`: with the demo's name in their labels."""
    name = demo.document.get("demo", demo.folder.name)
    arms = demo.document.get("arms") or {}
    return [
        _run(_arm_folder(demo, arm, document), f"{name} {arm}" if told else arm)
        for arm, document in arms.items()
    ]


def _arm_folder(demo: Demo, arm: str, document: Mapping[str, Any]) -> Path:
    """Beside demo.json, so that a demo that was moved is whole; else as it says."""
    said = Path(document["folder"])
    for folder in (demo.folder / said.name, demo.folder / arm, said):
        if (folder / records.FILE).is_file():
            return folder
    raise UsageError(f"demo {str(demo.folder)!r}: the run of its arm {arm!r} is gone")


def _labelled(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Every run with a label of its own, as few words as tell them apart."""
    made = [run.label or _told_apart(run, runs) for run in runs]
    found: list[Run] = []
    for place, (run, label) in enumerate(zip(runs, made, strict=True)):
        if made.count(label) > 1:
            label = f"{label} ({run.folder.resolve().name})"
        while any(label == other.label for other in found):
            label += "'"
        found.append(Run(run.folder, run.document, label, place))
    return tuple(found)


def _told_apart(run: Run, runs: Sequence[Run]) -> str:
    """The settings that tell this run from the others, as few as there can be; its
    name where there are many."""
    settings = [other.get("experiment") or {} for other in runs]
    keys: list[str] = []
    for key in dict.fromkeys((*TELLING, *(key for one in settings for key in one))):
        if key not in UNTOLD and _apart(settings, [*keys, key]) > _apart(
            settings, keys
        ):
            keys.append(key)
    own = run.get("experiment") or {}
    told = [_setting(key, own[key]) for key in keys if own.get(key) is not None]
    if not told or len(keys) > MOST:
        return str(own.get("name") or run.folder.resolve().name)
    return ", ".join(told)


def _apart(settings: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> int:
    """How many of these settings differ in the keys."""
    return len({repr([one.get(key) for key in keys]) for one in settings})


def _setting(key: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "-".join(map(str, value))
    if isinstance(value, Mapping):
        return " ".join(f"{name}={inner}" for name, inner in value.items())
    if isinstance(value, bool):
        return key if value else f"no {key}"
    return f"{key} {value}"
