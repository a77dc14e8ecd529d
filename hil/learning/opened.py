"""`hil.open`: from what a caller has to a device that is ready to learn.

An image has to know its samples before there is one: how many numbers, of which type,
divided by what. Data say that, and so does an experiment; else the network's first
width and `dtype` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from codegen.spec import Inputs
from emulation.faults import Line
from hil.data import samples
from hil.data.dataset import Dataset
from hil.errors import UsageError
from hil.experiment import Experiment, load
from hil.keys import InMemory
from hil.learning.open_device import OpenDevice
from hil.learning.progress import Progress
from hil.learning.states import RunFolder, State, saved
from hil.lesson import weights
from hil.lesson.open_lesson import opened
from hil.lesson.preparing import data_of, prepare

GIVEN = (
    "steps", "epochs", "holdout", "test", "resident", "thin", "rehearsal", "rehearse",
    "freeze", "prefix", "lr_decay",
)  # fmt: skip
"""Keys of an experiment that say which samples come when: here the caller does."""


@dataclass(frozen=True)
class _Source:
    """What is to be opened: an experiment, what a device begins with unless with the
    experiment's, and whether the experiment's data say what samples are."""

    experiment: Experiment = field(default_factory=Experiment)
    state: State | None = None
    has_data: bool = False


def open(
    source: Experiment | str | Path | None = None,
    *,
    dtype: Any = None,
    scale: float | None = None,
    out: str | Path = "runs",
    progress: Progress | None = None,
    through: Callable[[Line], Line] | None = None,
    **keys: Any,
) -> OpenDevice:
    """A device that learns what it is given: build its image, start it, greet it.

        with hil.open(target="qemu-rv64gcv", network="64-32-10", rule="dfa") as device:
            device.partial_fit(x, y)
            device.predict(x_new)

    `source` is an experiment, its TOML file, a run's folder (the device goes on from
    its newest checkpoint), or weights in an .npz; `keys` are keys of an experiment
    (`hil.keys`), and replace its own. Samples are as the data that source or keys
    name; without data they are of `dtype` (float32, uint8 or int16), and the device
    divides them by `scale` (by default 1, 255 or 32768). `out`, `progress` and
    `through` are those of a run.

    Raises `UsageError` and whatever a run raises.
    """
    found = _source(source)
    asked = found.experiment.changed(_allowed(keys), "hil.open()")
    asked = asked.override({**dict.fromkeys(GIVEN), "steps": 1, "test": 0})
    described = found.has_data or "data" in keys
    if described and (dtype is not None or scale is not None):
        raise UsageError(
            "dtype or scale is given, and data too: expected one of them, for both say "
            "what a sample is"
        )
    form = None if described else _form(asked, dtype, scale)
    if isinstance(asked.data, InMemory):
        form = data_of(asked)
    if form is not None:
        asked = asked.override({"data": form.name})
    lesson = opened(prepare(asked, form))
    device = OpenDevice(lesson, Path(out), progress or Progress(), through)
    if found.state is not None:
        with device.ending_on_error():
            device.set_weights(found.state)
    return device


def _source(source: Experiment | str | Path | None) -> _Source:
    if source is None:
        return _Source()
    if isinstance(source, Experiment):
        return _Source(source, has_data=True)
    path = Path(source)
    if path.suffix == ".toml":
        return _Source(load(path), has_data=True)
    if path.suffix == ".npz":
        network = _widths(path, weights.read(str(path)))
        return _Source(Experiment(network=network, init=str(path)))
    run = RunFolder(path)
    return _Source(run.experiment, saved(str(path)).state, has_data=True)


def _widths(path: Path, state: Mapping[str, np.ndarray]) -> tuple[int, ...]:
    """Of the network that has these weights."""
    shapes: list[tuple[int, ...]] = []
    while (layer := state.get(f"W{len(shapes) + 1}")) is not None and layer.ndim == 2:
        shapes.append(layer.shape)
    if not shapes:
        raise UsageError(
            f"{str(path)!r} holds no weights: expected W1 [inputs, outputs], b1, ...",
            "data go in by the key: hil.open(data=...)",
        )
    return (shapes[0][0], *(shape[1] for shape in shapes))


def _allowed(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in keys:
        if name in GIVEN:
            raise UsageError(
                f"hil.open() has {name}, a key of a run: here the program says which "
                "sample is learned, and when",
                "hil.run() takes it",
            )
    return keys


def _form(asked: Experiment, dtype: Any, scale: float | None) -> Dataset:
    """A data set of one sample that is as those that will come."""
    if asked.widths is None:
        raise UsageError(
            "hil.open() has neither a network nor data: expected one of them",
            'hil.open(network="64-32-10", rule="dfa")',
        )
    name = np.dtype(np.float32 if dtype is None else dtype).name
    if name not in samples.SCALES:
        raise UsageError(
            f"dtype is {name!r}: samples travel as " + " or ".join(samples.SCALES)
        )
    line, usual = samples.SCALES[name]
    n_in, n_out = asked.widths[0], asked.widths[-1]
    x, y = np.ones((1, n_in), name), np.array([n_out - 1])
    if asked.goal == "vector":
        y = np.zeros((1, n_out), np.float32)
    inputs = Inputs(line, usual if scale is None else float(np.float32(scale)))
    return Dataset("samples", x, y, x[:0], y[:0], inputs, "as their owner says")
