"""What a data set is, in figures: its ranges, its classes, what stays the same, and
what is had without learning. All of it is computed by numpy (reference)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from codegen.reference import fronts
from hil.data.dataset import Dataset, order
from hil.data.labels import short

SEED = 1
"""A run's seed unless it says one: the order in which samples come."""
AT_ONCE = 2048
"""Samples that are looked at together, which bounds the memory this takes."""
LOW, HIGH = 0.1, 10.0
"""Between these the largest input is one that a network learns well from."""
FAR = 10.0
"""Elements differ too much where the largest one is this many times the median."""
SHOWN = 10


@dataclass(frozen=True)
class Class:
    """One class: its number, what the data call it, and its samples of each part."""

    number: int
    name: str
    train: int
    test: int

    @property
    def none(self) -> bool:
        """Whether no sample is of it."""
        return not (self.train or self.test)


@dataclass(frozen=True)
class Baseline:
    """What is had without learning, of the test part or, same as last, of the training
    part in the order of the first epoch: an accuracy, or, of targets, an RMSE."""

    name: str
    figure: str
    value: float


@dataclass(frozen=True)
class Summary:
    """Of a data set. `low`, `high` and `reach` (the largest without its sign) are of
    the values that a network sees, `zeros` the share that are zero; `constant` are
    elements of a sample that never change in the training part."""

    low: float
    high: float
    mean: float
    reach: float
    zeros: float
    constant: tuple[str, ...]
    classes: tuple[Class, ...]
    baselines: tuple[Baseline, ...]
    advice: tuple[str, ...]


def of(dataset: Dataset) -> Summary:
    """The figures of a data set."""
    low, high, total, zeros = np.inf, -np.inf, 0.0, 0
    for seen in _inputs(dataset, dataset.train_x):
        low, high = min(low, float(seen.min())), max(high, float(seen.max()))
        total += float(seen.sum(dtype=np.float64))
        zeros += seen.size - int(np.count_nonzero(seen))
    elements = len(dataset.train_x) * dataset.features
    classes = _classes(dataset)
    reach = max(abs(low), abs(high))
    return Summary(
        low, high, total / elements, reach, zeros / elements, dataset.constant,
        classes, tuple(_baselines(dataset)), tuple(_advice(dataset, reach, classes)),
    )  # fmt: skip


def _inputs(dataset: Dataset, x: np.ndarray) -> Iterator[np.ndarray]:
    """What a network sees of samples, float32 [n, features], some at a time; of spikes in
    time how often inputs spike."""
    inputs = dataset.inputs
    for first in range(0, len(x), AT_ONCE):
        seen = fronts.of(inputs).network_input(inputs, x[first : first + AT_ONCE])
        yield seen.mean(axis=1) if inputs.raster is not None else seen


def _classes(dataset: Dataset) -> tuple[Class, ...]:
    count = dataset.classes
    train, test = (
        np.bincount(part, minlength=count).tolist() if count else []
        for part in (dataset.train_y, dataset.test_y)
    )
    names = dataset.labels or tuple(map(str, range(count)))
    return tuple(map(Class, range(count), names, train, test))


def _baselines(dataset: Dataset) -> Iterator[Baseline]:
    return _of_labels(dataset) if dataset.labelled else _of_targets(dataset)


def _in_turn(dataset: Dataset) -> np.ndarray:
    """Labels or targets in the order in which they come."""
    if dataset.tasks:
        return dataset.train_y
    return dataset.train_y[order(SEED, 0, len(dataset.train_y))]


def _of_labels(dataset: Dataset) -> Iterator[Baseline]:
    test, came = dataset.test_y, _in_turn(dataset)
    most = np.bincount(dataset.train_y).argmax()
    if len(test):
        yield Baseline("majority", "accuracy", float(np.mean(test == most)))
    if len(came) > 1:
        same = float(np.mean(came[1:] == came[:-1]))
        yield Baseline("same as last", "accuracy", same)
    if len(test):
        nearest = float(np.mean(_nearest(dataset) == test))
        yield Baseline("nearest class mean", "accuracy", nearest)


def _of_targets(dataset: Dataset) -> Iterator[Baseline]:
    test, came = dataset.test_y, _in_turn(dataset)
    if len(test):
        mean = dataset.train_y.mean(axis=0, dtype=np.float64)
        yield Baseline("mean", "RMSE", _rms(test - mean))
    if len(came) > 1:
        yield Baseline("same as last", "RMSE", _rms(came[1:] - came[:-1]))


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(errors, dtype=np.float64))))


def _nearest(dataset: Dataset) -> np.ndarray:
    """For each test sample the class whose mean over the training part is nearest."""
    known = np.unique(dataset.train_y)
    sums = np.zeros((len(known), dataset.features))
    places = np.searchsorted(known, dataset.train_y)
    first = 0
    for seen in _inputs(dataset, dataset.train_x):
        np.add.at(sums, places[first : first + len(seen)], seen)
        first += len(seen)
    means = sums / np.bincount(places)[:, None]
    far = (means * means).sum(axis=1)
    found = [
        (far - 2 * seen.astype(np.float64) @ means.T).argmin(axis=1)
        for seen in _inputs(dataset, dataset.test_x)
    ]
    return known[np.concatenate(found)]


def _advice(
    dataset: Dataset, reach: float, classes: tuple[Class, ...]
) -> Iterator[str]:
    """What to do about what fits, and will not be learned well."""
    inputs = dataset.inputs
    if inputs.scaler is None and inputs.window is None and inputs.raster is None:
        yield from _scaling(dataset, reach)
    if 0 < reach < LOW:
        scale = reach * dataset.inputs.scale
        yield f"inputs reach only {reach:g}: np.savez(..., scale={scale:g}) makes it 1"
    if len(classes) == 1:
        yield (
            "there is one class only and nothing to tell apart: "
            "hil run --goal sample learns the samples themselves"
        )
    yield from _without(classes, "no sample", [c for c in classes if c.none])
    unseen = [c for c in classes if c.test and not c.train]
    yield from _without(classes, "test samples and none to learn from", unseen)


def _scaling(dataset: Dataset, reach: float) -> Iterator[str]:
    """Where elements are too large, or some are so much larger than most that a
    network hardly sees the others."""
    scaled = "hil run --scaler standard has the device scale each number by itself"
    if reach > HIGH:
        yield f"inputs reach {reach:g}, {HIGH:g} is much already: {scaled}"
        return
    reaches = np.sort(np.abs(dataset.train_x.astype(np.float64)).max(axis=0))
    reaches = reaches[reaches > 0] / dataset.inputs.scale
    if len(reaches) and reaches[-1] > FAR * reaches[(len(reaches) - 1) // 2]:
        usual = reaches[(len(reaches) - 1) // 2]
        yield (
            f"one number reaches {reaches[-1]:g}, and half of them at most {usual:g}: "
            f"{scaled}"
        )


def _without(
    classes: tuple[Class, ...], what: str, found: list[Class]
) -> Iterator[str]:
    if found:
        names = ", ".join(short(one.name) for one in found[:SHOWN])
        have = "has" if len(found) == 1 else "have"
        yield f"{len(found)} of {len(classes)} classes {have} {what}: {names}"
