"""Data whose samples are sequences, with the reservoir that is to be their front: its
shape, and the constants that scale what it sees and standardise what it says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from codegen import homeostat
from codegen.delays import Delays
from codegen.errors import SpecError
from codegen.homeostat import OF_SAMPLES, OF_TICKS
from codegen.reference.fronts import echo, liquid
from codegen.reservoir import KINDS, Echo, Liquid, Pairs, Reservoir
from codegen.spec import Inputs
from hil.data import scalers, windows
from hil.data.dataset import Dataset
from hil.errors import DataError

LOOKED_AT = 1000
"""Training samples at most that standardise features, spread over all of them."""
SETTLING = 500
"""How many of these samples the thresholds settle on, where thresholds follow rates."""
TICKS = 32
"""Ticks that a sample lasts at least, unless `hold` says how long a row lasts."""


def with_front(
    dataset: Dataset, kind: str, said: dict[str, Any], scaler: str | None, seed: int
) -> Dataset:
    """The same data by a reservoir of that kind, with the options that are `said`; each
    axis is scaled by that kind of `scaler`, or as the data are; or by cells with delays. Raises `DataError`."""
    inputs = dataset.inputs
    if inputs.scaler is not None:
        raise DataError(
            f"front {kind!r}, but data {dataset.name!r} have offset and divisor for each "
            "element: expected one of them, for a front scales each axis"
        )
    if kind == Delays.name:
        return _with_delays(dataset, said, seed)
    rows, axes = _shape(dataset, kind, said)
    left_out = {"rows", *OF_SAMPLES}
    options = {name: value for name, value in said.items() if name not in left_out}
    seen = -(-rows // max(1, int(options.get("every", 1))))
    options.setdefault("hold", max(1, -(-TICKS // seen)))
    try:
        if kind == Liquid.name:
            options["signs"] = inputs.dtype != "u8"
            options["homeostat"] = homeostat.asked(said, OF_SAMPLES)
        scaling = _scaling(dataset, axes, scaler)
        made = KINDS[kind](rows=rows, axes=axes, seed=seed, scaling=scaling, **options)
        raw = _features(made, _looked_at(dataset))
        made = replace(made, standards=_standards(raw))
        front = Inputs(inputs.dtype, 1.0, front=made)
    except SpecError as error:
        raise DataError(f"data {dataset.name!r}: {error}", *error.hints) from None
    return replace(dataset, inputs=front, said=(*dataset.said, _said(made, raw)))


def _with_delays(dataset: Dataset, said: dict[str, Any], seed: int) -> Dataset:
    """Samples of stimuli, for cells with delays."""
    if dataset.inputs.dtype != "u8":
        raise DataError(
            f"front 'delays' takes a number for each stimulus, but data {dataset.name!r} "
            f"are {dataset.inputs.dtype}: expected u8, not zero where it begins"
        )
    try:
        cells = {name: value for name, value in said.items() if name not in OF_TICKS}
        slow = homeostat.asked(said, OF_TICKS)
        stimuli = int(dataset.train_x.shape[1])
        made = Delays(stimuli, seed, **cells, homeostat=slow)
    except SpecError as error:
        raise DataError(f"data {dataset.name!r}: {error}", *error.hints) from None
    return replace(dataset, inputs=Inputs("u8", 1.0, front=made))


def _shape(dataset: Dataset, kind: str, said: dict[str, Any]) -> tuple[int, int]:
    """Rows and axes: a window's, those that are said, or those of a square."""
    window, elements = dataset.inputs.window, int(dataset.train_x.shape[1])
    if window is not None and "rows" not in said:
        return window.rows, window.axes
    rows = int(said.get("rows", math.isqrt(elements)))
    if "rows" not in said and rows * rows != elements:
        raise DataError(
            f"front {kind!r} plays a sample row by row, and one of data {dataset.name!r} "
            f"has {elements:,} numbers: expected how many rows they are",
            f"--front {kind},rows=N",
        )
    if rows < 1 or elements % rows:
        raise DataError(
            f"front {kind!r} with rows={rows}, but a sample of data {dataset.name!r} has "
            f"{elements:,} numbers: expected as many in each row"
        )
    return rows, elements // rows


def _scaling(dataset: Dataset, axes: int, scaler: str | None) -> Pairs:
    """Offset and divisor of each axis; windows, which have no scale, are standardised."""
    inputs = dataset.inputs
    kind = scaler or ("standard" if inputs.window is not None else None)
    if kind is None:
        return ((0.0, _binary32(inputs.scale)),) * axes
    found = scalers.constants(dataset.train_x.reshape(-1, axes), kind)
    return tuple(zip(found.offsets, found.divisors, strict=True))


def _looked_at(dataset: Dataset) -> np.ndarray:
    x = dataset.train_x
    return x[:: max(1, -(-len(x) // LOOKED_AT))]


def _standards(raw: np.ndarray) -> Pairs:
    """Mean and deviation of each feature over samples [n, features]; a feature that is
    always the same is divided by 1."""
    found = []
    for values in raw.T:
        mean, deviation = windows.moments(values)
        found.append(
            (_binary32(mean), _binary32(deviation) if deviation > 1e-6 else 1.0)
        )
    return tuple(found)


def _features(made: Reservoir, x: np.ndarray) -> np.ndarray:
    if isinstance(made, Echo):
        return echo.raw_features(made, x)
    assert isinstance(made, Liquid)
    return liquid.raw_features(made, x, _settled(made, x))


def _settled(made: Liquid, x: np.ndarray) -> dict[str, Any]:
    """The state of cells whose thresholds follow their rates after the first `SETTLING`
    of samples [n, elements]: features are standardised as settled cells give them."""
    if made.homeostat is None:
        return {}
    state = liquid.initial(Inputs("u8", 1.0, front=made))
    for sample in x[:SETTLING]:
        liquid.follow(made, state, liquid.raw_features(made, sample, state))
    return state


def _binary32(value: float) -> float:
    return float(np.float32(value))


def _said(made: Reservoir, raw: np.ndarray) -> str:
    ticks = "tick" if made.hold == 1 else "ticks"
    said = (
        f"front {made.name}: {made.seen} rows of {made.axes} numbers, {made.hold} {ticks} "
        f"each, {made.cells} cells; {made.features} features have mean 0 and deviation 1 "
        f"over {len(raw):,} training samples"
    )
    if not isinstance(made, Liquid):
        return said
    spikes = float(raw.sum()) / len(raw)
    return (
        f"{said}; {spikes / (made.ticks * made.cells):.2f} spikes a cell and tick, "
        f"{spikes * made.sources:,.0f} synaptic operations a sample (reference)"
    )
