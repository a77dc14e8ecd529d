"""Scalers: constants, computed from the training part, that bring each element of a
sample to the network's own range on the device, so that raw readings travel.

What they compute is what scikit-learn's StandardScaler and MinMaxScaler do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from codegen.errors import SpecError
from codegen.scaler import Scaler
from codegen.spec import Inputs
from hil.data import windows
from hil.data.dataset import Dataset
from hil.errors import DataError

ARRAYS = ("offset", "divisor")
"""Arrays of a data set that has its scaler with it."""
MADE = {"standard": "mean 0 and deviation 1", "minmax": "0 to 1"}
"""A scaler by name -> what becomes of each element over the training part."""
SHOWN = 10


def constants(x: NDArray[np.number], kind: str) -> Scaler:
    """The scaler "standard" or "minmax" of samples [n, elements]. An element that never
    changes is divided by 1. The constants are exact sums rounded, so they are the same
    on every computer. Raises `SpecError` for elements that binary32 cannot scale."""
    offsets, divisors = [], []
    for column in x.T:
        offset, divisor = _constants(column, kind)
        offsets.append(float(np.float32(offset)))
        divisors.append(float(np.float32(divisor)))
    return Scaler(tuple(offsets), tuple(divisors))


def _constants(column: NDArray[np.number], kind: str) -> tuple[float, float]:
    low, high = float(column.min()), float(column.max())
    if low == high:
        return low, 1.0
    return (low, high - low) if kind == "minmax" else windows.moments(column)


def scaled(dataset: Dataset, kind: str) -> Dataset:
    """The same data with the scaler of that kind, of its training part. Raises
    `DataError`."""
    about = f"scaler is {kind!r}, but data {dataset.name!r}"
    if dataset.inputs.window is not None:
        raise DataError(
            f"{about} are windows, whose features are standardised already: expected one "
            "of them"
        )
    if dataset.inputs.scaler is not None:
        raise DataError(
            f"{about} have offset and divisor of their own: expected one of them"
        )
    try:
        made = constants(dataset.train_x, kind)
        inputs = Inputs(dataset.inputs.dtype, scaler=made, scale=1.0)
    except SpecError as error:
        raise DataError(
            f"{about} cannot be scaled: {error}",
            "x = x * 1e-30 where numbers are as large, x * 1e30 where they are as small",
        ) from None
    return replace(dataset, inputs=inputs, said=(*dataset.said, _said(dataset, kind)))


def _said(dataset: Dataset, kind: str) -> str:
    same = dataset.constant
    more = ", ..." if len(same) > SHOWN else ""
    named = ", ".join(same[:SHOWN])
    rest = f"; the same in all of them, and divided by 1: {named}{more}" if same else ""
    return (
        f"scaler {kind}: each number has {MADE[kind]} over "
        f"{len(dataset.train_x):,} training samples{rest}"
    )


def arrays(scaler: Scaler) -> dict[str, np.ndarray]:
    """What an .npz says beside x and y, so that its samples are scaled so."""
    values = (scaler.offsets, scaler.divisors)
    pairs = zip(ARRAYS, values, strict=True)
    return {name: np.array(found, np.float32) for name, found in pairs}


def declared(
    origin: str, found: Mapping[str, np.ndarray], x: np.ndarray
) -> Scaler | None:
    """The scaler among the arrays of a data set with samples `x`, None: there is none.
    Raises `DataError`, `origin` begins its sentence."""
    there = [name for name in ARRAYS if name in found]
    if not there or windows.ARRAYS[0] in found:
        return None
    for name in ARRAYS:
        if name not in found:
            raise DataError(
                f"{origin} has an array {there[0]!r}, but none {name!r}: expected offset "
                "and divisor together"
            )
    if "scale" in found:
        raise DataError(
            f"{origin} has a scale, and offset and divisor: expected one of them, for x is "
            "(value - offset) / divisor already"
        )
    try:
        scaler = Scaler(*(windows.constants(origin, n, found[n]) for n in ARRAYS))
    except SpecError as error:
        raise DataError(f"{origin}: {error}") from None
    if scaler.elements != x.shape[1]:
        raise DataError(
            f"{origin}: offset has {scaler.elements} numbers, but a sample of x has "
            f"{x.shape[1]}: expected as many"
        )
    return scaler
