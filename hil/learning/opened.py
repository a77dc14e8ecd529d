"""`hil.open`: from what a caller has to a device that is ready to learn.

An image has to know its samples before there is one: how many numbers, of which type,
divided by what. Data say that, and so does an experiment; else the network's first
width, `dtype`, and `scale` or a scaler's `offset` and `divisor` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from codegen.spec import Inputs
from emulation.faults import Line
from hil.data import samples, scalers
from hil.data.dataset import Dataset
from hil.errors import UsageError
from hil.experiment import Experiment, load
from hil.key_values import InMemory
from hil.learning.open_device import OpenDevice
from hil.learning.progress import Progress
from hil.learning.states import RunFolder, State, saved
from hil.lesson import weights
from hil.lesson.open_lesson import opened
from hil.lesson.preparing import data_for, prepare

GIVEN = (
    "steps", "epochs", "holdout", "test", "resident", "thin", "rehearsal", "rehearse",
    "freeze", "prefix", "lr_decay",
)  # fmt: skip
"""Keys of an experiment that say which samples come when: here the caller does."""
SAMPLES = "samples"
"""What data are called that only say of what form samples are."""


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
    offset: Any = None,
    divisor: Any = None,
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
    divides them by `scale` (by default 1, 255 or 32768); with `offset` and `divisor`,
    floats [elements], it computes (value - offset) / divisor. `out`, `progress` and
    `through` are those of a run.

    Raises `UsageError` and whatever a run raises.
    """
    found = _source(source)
    asked = found.experiment.changed(_allowed(keys), "hil.open()")
    said = {"dtype": dtype, "scale": scale, "offset": offset, "divisor": divisor}
    said = {name: value for name, value in said.items() if value is not None}
    if found.has_data or "data" in keys:
        form = _of_data(asked, said)
    else:
        form = _of_samples(asked, **said)
    ours = {**dict.fromkeys((*GIVEN, "scaler")), "steps": 1, "test": 0}
    if form.name == SAMPLES or isinstance(asked.data, InMemory):
        ours["data"] = form.name
    lesson = opened(prepare(asked.override(ours), form))
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


def _of_data(asked: Experiment, said: Mapping[str, Any]) -> Dataset:
    """The experiment's data, whose samples are as those that will come: their scaler
    is that of these data, not of what is learned."""
    if said:
        raise UsageError(
            f"{' and '.join(said)} beside data: expected one of them, for both say what a "
            "sample is"
        )
    return data_for(asked)


def _of_samples(
    asked: Experiment,
    dtype: Any = None,
    scale: float | None = None,
    **constants: Any,
) -> Dataset:
    """A data set of one sample that is as those that will come."""
    if asked.scaler is not None:
        raise UsageError(
            f"scaler is {asked.scaler!r}, but there are no data to compute it from",
            f"hil.open(data=(x, y), scaler={asked.scaler!r}, ...) has data; its constants "
            "do as well: hil.open(offset=x.mean(axis=0), divisor=x.std(axis=0), ...)",
        )
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
    if constants:
        inputs = _by_constants(line, x, scale, constants)
    return Dataset(SAMPLES, x, y, x[:0], y[:0], inputs, "as their owner says")


def _by_constants(
    line: str, x: np.ndarray, scale: float | None, constants: Mapping[str, Any]
) -> Inputs:
    """Samples like x [1, elements], scaled by an offset and a divisor an element."""
    found = {name: np.asarray(value) for name, value in constants.items()}
    if scale is not None:
        found["scale"] = np.asarray(scale)
    return Inputs(line, 1.0, scaler=scalers.declared("hil.open()", found, x))
