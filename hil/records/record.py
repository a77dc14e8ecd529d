"""The record of a run: run.json and the folder around it (docs/record.md).

A run's folder is made before anything can fail, and its run.json is written
whatever happens. A figure without provenance is refused (DESIGN section 9).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from hil.errors import UsageError
from hil.records import baselines
from targets import storage

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

SCHEMA = 1
KINDS = ("reference", "counted", "modelled", "emulated", "measured")
"""How a figure can have been obtained."""

SETTINGS = (
    "schema",
    "exit_code",
    "vlen",
    "network",
    "seed",
    "steps",
    "parameters",
    "experiment",
    "error",
    "divergence.step",
    "divergence.index",
)
"""Numbers that were chosen, or name a place; all others are figures."""

FILE = "run.json"
METRICS = "metrics.jsonl"
CONSOLE = "console.bin"
IMAGE = "image.elf"
EXPERIMENT = "experiment.toml"
FRONT = "front.tflite"
FLASH = "flash.bin"
DATA = "data.npz"
FIRST_LAYER = "first_layer.npz"
CYCLES = "cycles.npz"
DEMO = "demo.json"
"""In a demo's folder, above those of its runs."""


class ProvenanceError(ValueError):
    """A record holds a figure and does not say how it was obtained."""


@dataclass
class RunRecord:
    """What a run was asked, did and found; `to_json` is run.json.

    It is filled while the run goes on, so that a run that fails has a record
    of all it reached. `folder` is where it is written.
    """

    folder: Path
    target: str
    vlen: int
    rule: str
    parameters: Mapping[str, Any]
    network: tuple[int, ...]
    activation: str
    output: str
    data: str
    seed: int
    steps: int
    experiment: Mapping[str, Any]
    board: str | None = None
    format: str = "f32"
    started: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat())
    result: str = "error"
    exit_code: int = 1
    error: dict[str, Any] | None = None
    learned: int = 0
    compared: int = 0
    digest: str | None = None
    prefix_digest: str | None = None
    resumed_from: int | None = None
    divergence: dict[str, Any] | None = None
    tasks: list[dict[str, Any]] | None = None
    accuracy: dict[str, Any] = field(
        default_factory=lambda: {"test": None, "prequential": None, "tested": 0}
    )
    residuals: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    instructions_per_step: float | None = None
    cycles_per_step: float | None = None
    weights_written_per_step: float | None = None
    health: dict[str, Any] | None = None
    link: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            (
                "frames", "resent", "damaged", "replayed", "lost_telemetry",
                "replugged", "recovered",
            ),
            0,
        )
    )  # fmt: skip
    faults: dict[str, dict[str, int]] | None = None
    image: dict[str, Any] = field(
        default_factory=lambda: {"build_digest": None, "text": None, "ram": None}
    )
    device: dict[str, Any] = field(default_factory=dict)
    speed: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The document of run.json. Raises `ProvenanceError`."""
        document = {
            "schema": SCHEMA,
            "result": self.result,
            "exit_code": self.exit_code,
            "error": self.error,
            "folder": str(self.folder),
            "started": self.started,
            "target": self.target,
            "board": self.board,
            "vlen": self.vlen,
            "rule": self.rule,
            "parameters": dict(self.parameters),
            "network": list(self.network),
            "format": self.format,
            "activation": self.activation,
            "output": self.output,
            "data": self.data,
            "seed": self.seed,
            "steps": self.steps,
            "learned": self.learned,
            "compared": self.compared,
            "digest": self.digest,
            "prefix_digest": self.prefix_digest,
            "resumed_from": self.resumed_from,
            "divergence": self.divergence,
            "tasks": self.tasks,
            "accuracy": self.accuracy,
            "residuals": self.residuals,
            "metrics": self.metrics,
            "instructions_per_step": self.instructions_per_step,
            "cycles_per_step": self.cycles_per_step,
            "weights_written_per_step": self.weights_written_per_step,
            "health": self.health,
            "link": self.link,
            "faults": self.faults,
            "image": self.image,
            "device": self.device,
            "speed": self.speed,
            "seconds": self.seconds,
            "versions": self.versions,
            "experiment": dict(self.experiment),
            "provenance": self.provenance,
        }
        require_provenance(document)
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any], folder: Path) -> RunRecord:
        """The record of which `document` is the run.json, now in `folder`. Raises
        `UsageError` where something is missing."""
        given = {**document, "folder": folder}
        known = {one.name for one in fields(cls)}
        if missing := sorted(known - set(given)):
            raise UsageError(
                f"record {str(folder / FILE)!r} has no {', '.join(missing)}: expected what "
                "this version of hil writes"
            )
        given["network"] = tuple(given["network"])
        return cls(**{name: value for name, value in given.items() if name in known})

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Host seconds spent in here are added to those of a stage."""
        started = time.perf_counter()
        yield
        before = self.seconds.get(name, 0.0)
        self.seconds[name] = before + time.perf_counter() - started

    def history(self) -> dict[str, np.ndarray]:
        """What every step told, as arrays [steps] by name: the columns of
        metrics.jsonl. What a step did not tell is NaN, -1 or ""."""
        from hil.records import history  # reads records, so it comes after them

        return history.history(self.folder)

    def frame(self) -> Any:
        """`history` as a pandas DataFrame. Raises `UsageError` without pandas."""
        from hil.records import history

        return history.frame(self.folder)

    def plot(self) -> Figure:
        """A matplotlib figure: loss and accuracy over the steps."""
        from hil.records import history

        return history.plot(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from hil.records import history

        return history.card(self)

    def write(self) -> Path:
        """Write run.json, whole or not at all. Raises `StorageError`."""
        return write_json(self.folder / FILE, self.to_json())


def from_device(board: str | None) -> str:
    """The kind of what a device tells, and of how long it takes: measured only on a
    board that was named, for a line does not say what is at its other end."""
    return "emulated" if board is None else "measured"


def provenance(board: str | None) -> dict[str, str]:
    """How each part of a record was obtained (docs/record.md)."""
    device = from_device(board)
    return {
        "learned": "counted",
        "compared": "counted",
        "accuracy": device,
        "residuals": device,
        "accuracy.tested": "counted",
        "accuracy.baselines": "reference",
        "metrics": device,
        **{f"metrics.{name}_by_task": "reference" for name in baselines.NAMES},
        "instructions_per_step": "counted" if board is None else device,
        "cycles_per_step": device,
        "weights_written_per_step": "reference",
        "health": "reference",
        "link": "counted",
        "faults": "counted",
        "resumed_from": device,
        "image": "counted",
        "device": device,
        "speed": device,
        "speed.reference_steps_per_second": "reference",
        "seconds": device,
        "divergence": device,
        "divergence.reference": "reference",
        "divergence.ulp": "counted",
        "digest": device,
        "prefix_digest": device,
    }


def figures(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Dotted names of every figure in a record."""
    for name, value in document.items():
        path = prefix + name
        if path in SETTINGS:
            continue
        if isinstance(value, Mapping):
            yield from figures(value, path + ".")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield path


def require_provenance(document: Mapping[str, Any]) -> None:
    """Raise `ProvenanceError` unless `document["provenance"]` gives a known kind
    to every figure, by its name or the name of the part it is in."""
    known = document["provenance"]
    for name, kind in known.items():
        if kind not in KINDS:
            raise ProvenanceError(
                f"provenance of {name!r} is {kind!r}: expected one of {', '.join(KINDS)}"
            )
    for path in figures(document):
        if path not in known and path.partition(".")[0] not in known:
            raise ProvenanceError(f"figure {path!r} has no provenance")


def write_json(path: Path, document: Any) -> Path:
    """Write a JSON document, whole or not at all. Raises `StorageError`."""
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    return storage.write(path, text)


def make_folder(parent: Path, name: str, now: datetime | None = None) -> Path:
    """A new folder `<stamp>-<name>` in `parent`, unlike any that is there."""
    stamp = (now or datetime.now()).strftime("%Y%m%d-%H%M%S")
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        folder = parent / f"{stamp}-{plain}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder.resolve()


def drop_copies(folder: Path) -> None:
    """Remove what a run's folder holds that its experiment gives again: the image, and
    its sources, which are all the folders in it."""
    (folder / IMAGE).unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            rmtree(path, ignore_errors=True)


def as_settings(experiment: Any) -> dict[str, Any]:
    """An experiment's keys that are set, as JSON has them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(experiment).items()
        if value not in (None, "", {})
    }
