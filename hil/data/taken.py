"""What given arrays are taken for: the one way from arrays to a data set.

Files of every kind become arrays first (`hil.data.paths`); arrays from Python come in
by `dataset_of`. Whatever is converted is said in `Dataset.said`; what does not fit is
refused with the line of Python that mends it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from codegen.errors import SpecError
from codegen.spec import Inputs
from hil.data import labels, rasters, samples, scalers, tasks, windows
from hil.data.arrays import Arrays, Given
from hil.data.dataset import Dataset, Parts, split
from hil.errors import DataError

TRAIN_SHARE = 0.8
"""Training share of data without a test part."""
ALSO = {
    "x": ("x", "X", "x_train", "X_train"),
    "y": ("y", "Y", "y_train", "Y_train"),
    "x_test": ("x_test", "X_test"),
    "y_test": ("y_test", "Y_test"),
}
"""An array -> the names that it may have; the first that is there counts."""


def dataset_of(
    x: Any,
    y: Any,
    x_test: Any = None,
    y_test: Any = None,
    *,
    name: str = "arrays",
    scale: float | None = None,
    offset: Any = None,
    divisor: Any = None,
) -> Dataset:
    """The data set of arrays in memory, exactly as of an .npz that holds them.

    `x` is [n, ...] numbers of any type (array, list, DataFrame), flattened to
    [n, elements]; `y` is [n] labels (integers, truth values or texts), [n, k] one-hot,
    or [n] or [n, m] floats to learn (regression). Without a test part a fixed fifth of
    the samples is set aside. The device computes `x = value / scale`, once rounded;
    without `scale` it is 255 for uint8, 32768 for int16, 1 for floats, and the largest
    absolute value of other integers, which travel as the narrowest type of the line.
    With `offset` and `divisor`, each [elements] floats, it computes
    `x_j = (value_j - offset_j) / divisor_j` instead.

    `said` of the result has a sentence for each thing that was converted, empty where
    nothing was; `labels` what the caller calls class 0, 1, ... where that is not its
    number. `samples_of(x, dataset.inputs)` and `labels.of(y, dataset.labels,
    dataset.outputs)` take later arrays in the same way. Raises `DataError`, whose hint
    is the line that mends it.
    """
    origin = f"data {name!r}"
    given = {"x": x, "y": y, "x_test": x_test, "y_test": y_test, "scale": scale}
    given |= {"offset": offset, "divisor": divisor}
    made = {k: _array(origin, k, v) for k, v in given.items() if v is not None}
    for key in ("y", "y_test"):
        if key in made:
            made[key] = labels.as_texts(made[key])
    columns = tuple(map(str, getattr(x, "columns", ())))
    return from_arrays(name, Given(origin, made, columns=columns))


def from_arrays(name: str, given: Arrays, *, whole: bool = False) -> Dataset:
    """The data set called `name` that these arrays hold; `whole`: in their order, and
    without a test part that they do not have. Raises `DataError`."""
    given.require_few("scale", *windows.ARRAYS, *tasks.ARRAYS, *rasters.ARRAYS)
    test = any(_found(given, part) for part in ("x_test", "y_test"))
    x_names, y_names = (_names(given, part, test) for part in ("x", "y"))
    samples.require(given, x_names)
    labels.require(given, y_names, [given.header(part).shape[0] for part in x_names])
    if rasters.declared(given):
        x, inputs = rasters.read(given, x_names)
    else:
        x, inputs = _numbers(given, x_names)
    y = labels.read(given, y_names)
    parts = _parts(given, x.parts, y.parts, whole)
    if tasks.NAMES in given and not test:
        raise DataError(
            f"{given.origin} has tasks, but no x_test and y_test to test them with"
        )
    found = tasks.from_arrays(given.origin, given, len(parts[0]), len(parts[2]))
    said = given.said + x.said + y.said
    licence = "as the file's owner says"
    return Dataset(name, *parts, inputs, licence, found, said, y.labels, given.columns)


def samples_of(x: np.ndarray, inputs: Inputs, what: str = "x") -> np.ndarray:
    """Later samples [n, ...] as [n, elements] of the type in which those of `inputs`
    travel. Raises `DataError`."""
    if inputs.raster is not None:
        return rasters.of(x, inputs.raster, what)
    return samples.of(x, inputs, what)


def begun(x: np.ndarray, inputs: Inputs, what: str = "x") -> np.ndarray:
    """What has come of a later sample as it travels, [elements]: of its numbers [n], its
    ticks of spikes [n, inputs], or its events [n, 2]. Raises `DataError`."""
    if inputs.raster is not None:
        return rasters.begun(x, inputs.raster, what)
    return samples.of(x.reshape(1, -1), inputs, what)[0]


def as_arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    """What `from_arrays` makes this data set of again; classes by their numbers."""
    inputs, test = dataset.inputs, len(dataset.test_x)
    made = {"x": dataset.train_x, "y": dataset.train_y}
    if test:
        made |= {"x_test": dataset.test_x, "y_test": dataset.test_y}
    if dataset.tasks:
        made |= tasks.arrays(dataset.tasks)
    if inputs.raster is not None:
        form = inputs.raster
        spikes = {
            n: rasters.as_given(form, made[n]) for n in ("x", "x_test") if n in made
        }
        return made | spikes | rasters.arrays(form)
    if inputs.window is not None:
        return made | windows.arrays(inputs.window)
    if inputs.scaler is not None:
        return made | scalers.arrays(inputs.scaler)
    return made | {"scale": np.array(inputs.scale, np.float32)}


def _numbers(given: Arrays, names: tuple[str, ...]) -> tuple[samples.Samples, Inputs]:
    """Samples of numbers, and what the device makes of them. Raises `DataError`."""
    x = samples.read(given, names, window=windows.ARRAYS[0] in given)
    window = windows.declared(given.origin, given, x.parts[0])
    scaler = scalers.declared(given.origin, given, x.parts[0])
    scale = _scale(given) if "scale" in given else x.scale
    dtype = samples.SCALES[x.parts[0].dtype.name][0]
    plain = window is None and scaler is None
    return x, _inputs(given.origin, dtype, scale if plain else 1.0, window, scaler)


def _inputs(origin: str, *made: Any) -> Inputs:
    try:
        return Inputs(*made)
    except SpecError as error:
        raise DataError(f"{origin}: {error}") from None


def _array(origin: str, name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise DataError(
            f"{origin}: {name} is no array: {' '.join(str(error).split())[:160]}",
            f"{name} = np.array({name}) has to give an array with as many numbers in each row",
        ) from error


def _found(given: Arrays, part: str) -> str | None:
    return next((name for name in ALSO[part] if name in given), None)


def _names(given: Arrays, part: str, test: bool) -> tuple[str, ...]:
    """The names of an array, and of its test part."""
    found = []
    for wanted in (part, f"{part}_test") if test else (part,):
        name = _found(given, wanted)
        if name is None:
            there = ", ".join(sorted(given)) or "none"
            raise DataError(
                f"{given.origin} has no array {wanted!r}: found {there[:200]}",
                given.naming,
            )
        found.append(name)
    return tuple(found)


def _parts(
    given: Arrays, x: tuple[np.ndarray, ...], y: tuple[np.ndarray, ...], whole: bool
) -> Parts:
    if len(x) == 2:
        return x[0], y[0], x[1], y[1]
    if whole:
        return x[0], y[0], x[0][:0], y[0][:0]
    if len(x[0]) < 2:
        raise DataError(f"{given.origin} has {len(x[0])} sample: expected at least 2")
    return split(x[0], y[0], max(1, int(TRAIN_SHARE * len(x[0]))))


def _scale(given: Arrays) -> float:
    raw = given["scale"]
    right = raw.size == 1 and raw.dtype.kind in "iuf"
    if not right or not 0 < float(raw.ravel()[0]) < 3e38:
        raise DataError(
            f"{given.origin}: scale is {raw.dtype} {list(raw.shape)}, expected one "
            "positive number"
        )
    return float(np.float32(raw.ravel()[0]))
