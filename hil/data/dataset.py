"""What a data set is: samples and what belongs to them, in two parts, and their order.

Samples keep the type in which they travel (uint8, int16 or float32): device and
reference scale them by the contract (DESIGN 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from codegen import streams
from codegen.reference import fronts, random
from codegen.spec import Inputs
from hil.data.tasks import Task
from hil.errors import DataError

SPLIT_SEED = 0x5EED
"""Seed of the fixed train/test split (docs/rules.md)."""
LOOKED_AT = 1000

Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""train_x, train_y, test_x, test_y."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples [n, elements], and labels [n] (0, 1, ...) or targets [n, m] (float32), in
    two parts.

    `inputs` is how a sample travels, and what the device makes of it. Where there
    are `tasks`, the training samples are a stream: they come once, in this order.
    `said` has a sentence for each thing that was made of what a file or a caller gave.
    `labels` are their names of classes 0, 1, ..., empty where a class is its number;
    `columns` those of a sample's elements, empty where they have none.
    """

    name: str
    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    inputs: Inputs
    licence: str
    tasks: tuple[Task, ...] = ()
    said: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @cached_property
    def density(self) -> float:
        """Share of the training samples' elements that are not zero, to two
        places, and 1 only if none is zero; of the first `LOOKED_AT` samples.
        Features of windows and of other fronts are hardly ever zero; of spikes in time the
        share is that of a tick."""
        inputs = self.inputs
        if inputs.raster is not None:
            seen = fronts.of(inputs).network_input(inputs, self.train_x[:LOOKED_AT])
            return min(round(float(seen.mean()), 2), 0.99)
        if any((inputs.window, inputs.front, inputs.frozen)):
            return 1.0
        looked = self.train_x[:LOOKED_AT]
        if self.inputs.scaler is not None:
            looked = fronts.of(self.inputs).network_input(self.inputs, looked)
        share = np.count_nonzero(looked) / looked.size
        return 1.0 if share == 1.0 else min(round(share, 2), 0.99)

    @cached_property
    def constant(self) -> tuple[str, ...]:
        """Elements of a sample that never change in the training part, by name or by
        place."""
        if self.inputs.raster is not None:  # its elements are no inputs
            return ()
        x = self.train_x
        places = np.flatnonzero(x.min(axis=0) == x.max(axis=0)).tolist()
        return tuple(self.columns[i] if self.columns else str(i) for i in places)

    @property
    def features(self) -> int:
        """What a sample is to the network: its elements, or what a front makes of them."""
        declared = self.inputs.declared
        return int(self.train_x.shape[1]) if declared is None else declared.features

    @property
    def labelled(self) -> bool:
        """Whether its samples have labels, not targets."""
        return self.train_y.ndim == 1

    @property
    def outputs(self) -> int:
        """Outputs that a network needs: one a class, or one a number of a target."""
        return self.classes if self.labelled else int(self.train_y.shape[1])

    @property
    def classes(self) -> int:
        """One more than the largest label of either part, 0 without labels."""
        if not self.labelled:
            return 0
        return 1 + int(max(part.max(initial=0) for part in (self.train_y, self.test_y)))


def order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Order of `n` samples in an epoch: indices [n], the same on any machine."""
    return _shuffled(seed, streams.order(epoch), n)


def _shuffled(seed: int, stream: int, n: int) -> np.ndarray:
    """0..n-1 by ascending random key, equal keys as they come."""
    return np.argsort(random.u32(seed, stream, 0, n), kind="stable")


def hold_out(dataset: Dataset, count: int) -> Dataset:
    """Its training part alone, split once more: the last `count` samples of a
    fixed order are the test part, and the real test part is gone.

    Raises `DataError` when nothing would be left to learn from.
    """
    x, y = dataset.train_x, dataset.train_y
    if dataset.tasks:
        raise DataError(
            f"holdout is {count}, but data {dataset.name!r} is a stream with tests of its "
            "own: expected one of them"
        )
    if count >= len(x):
        raise DataError(
            f"holdout is {count}, but data {dataset.name!r} has {len(x)} training "
            "samples: expected fewer"
        )
    train_x, train_y, test_x, test_y = split(x, y, len(x) - count, streams.HOLDOUT)
    return replace(
        dataset, train_x=train_x, train_y=train_y, test_x=test_x, test_y=test_y
    )


def split(
    x: np.ndarray, y: np.ndarray, train: int, stream: int = streams.SPLIT
) -> Parts:
    """The fixed shuffled split, the first `train` samples for training."""
    places = _shuffled(SPLIT_SEED, stream, len(x))
    first, last = places[:train], places[train:]
    return x[first], y[first], x[last], y[last]
