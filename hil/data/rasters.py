"""Samples that are spikes in time: what arrays say of them, and their two forms, bits and
events (docs/data.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from codegen.errors import SpecError
from codegen.raster import UNUSED, Events, Raster, Spikes
from codegen.reference import integers
from codegen.reference.float32 import FLOAT32
from codegen.reference.fronts import of as front_of
from codegen.reference.fronts import raster
from codegen.spec import Inputs
from hil.data.arrays import Arrays
from hil.data.dataset import Dataset
from hil.data.samples import Samples
from hil.errors import DataError

RASTER, EVENTS = "raster", "events"
ARRAYS = (RASTER, EVENTS)
"""Arrays of an .npz that declare its samples to be bits, or events: ticks and inputs."""
SCALING = ("scale", "window", "offset", "divisor")
AT_ONCE = 1024
"""Samples whose raster is in memory at once."""

Rasters = Iterator[np.ndarray]


def declared(given: Arrays) -> bool:
    """Whether these arrays say that their samples are spikes in time."""
    return any(name in given for name in ARRAYS)


def read(given: Arrays, names: tuple[str, ...]) -> tuple[Samples, Inputs]:
    """The samples of these arrays as they travel, and what they are. Raises `DataError`."""
    kind, ticks, inputs = _form(given)
    raw = [given[name] for name in names]
    for name, part in zip(names, raw, strict=True):
        if part.dtype.kind not in "biu":
            raise DataError(
                f"{given.origin}: {name} is {part.dtype}: expected integers"
            )
    try:
        if kind == RASTER:
            front: Raster = Spikes(ticks, inputs)
        else:
            _require_pairs(given.origin, names, raw)
            front = Events(ticks, inputs, int(raw[0].shape[1]))
    except SpecError as error:
        raise DataError(f"{given.origin}: {error}", *error.hints) from None
    parts = tuple(
        of(part, front, f"{given.origin}: {name}")
        for name, part in zip(names, raw, strict=True)
    )
    return Samples(parts, 1.0, ()), _inputs(front)


def arrays(front: Raster) -> dict[str, np.ndarray]:
    """What an .npz says beside x and y, so that its samples are such spikes."""
    name = EVENTS if isinstance(front, Events) else RASTER
    return {name: np.array([front.ticks, front.inputs])}


def as_given(front: Raster, x: np.ndarray) -> np.ndarray:
    """Samples in the form of an .npz, from the form in which they travel."""
    if isinstance(front, Events):
        return x.reshape(len(x), front.capacity, 2)
    none = np.zeros((0, front.ticks, front.inputs), np.uint8)
    found = (seen.astype(np.uint8) for seen in _rasters(_inputs(front), x))
    return np.concatenate([none, *found])


def of(x: np.ndarray, front: Raster, what: str) -> np.ndarray:
    """Samples in the form in which they travel, from the form of an .npz. Raises
    `DataError`; `what` begins its sentence."""
    if isinstance(front, Events):
        return _listed(x, front, what)
    shape = (front.ticks, front.inputs)
    if x.shape[1:] not in (shape, (front.ticks * front.inputs,)):
        raise DataError(
            f"{what} is {x.dtype} {list(x.shape)}: expected [samples, {front.ticks}, "
            f"{front.inputs}] of 0 and 1, a bit a tick and input"
        )
    wrong = (x != 0) & (x != 1)
    if wrong.any():
        sample = int(np.argwhere(wrong)[0][0])
        raise DataError(
            f"{what} holds {x[wrong][0]} in sample {sample}: expected 0 and 1, a bit a "
            "tick and input"
        )
    return _packed(front, x.reshape(len(x), *shape))


def begun(x: np.ndarray, front: Raster, what: str) -> np.ndarray:
    """The first ticks [n, inputs] of a raster, or the first of its events [n, 2], as they
    travel. Raises `DataError`."""
    if isinstance(front, Events):
        return _listed(x[np.newaxis], front, what)[0, : 2 * len(x)]
    return of(x[np.newaxis], replace(front, ticks=len(x)), what)[0]


def travelling(dataset: Dataset, encoding: str) -> Dataset:
    """The same spikes as bits ("spikes"), or as "events"."""
    front = dataset.inputs.raster
    assert front is not None
    if front.made_by == encoding:
        return dataset
    return _made(
        dataset, encoding, (front.ticks, front.inputs),
        lambda x: _rasters(dataset.inputs, x),
    )  # fmt: skip


def by_latency(dataset: Dataset, encoding: str, ticks: int, whole: bool) -> Dataset:
    """Numbers as spikes in time, one an input that is above 0, the earlier the larger it
    is: those of `encoding=latency` to the bit, in floats or in `whole` numbers. Raises
    `DataError`."""
    inputs = dataset.inputs
    if inputs.declared is not None:
        raise DataError(
            f"data {dataset.name!r} are {inputs}, and encoding = {encoding}: expected "
            "spikes in time, or numbers that are divided by one scale"
        )

    arithmetic: Any = integers.Integers() if whole else FLOAT32

    def early(x: np.ndarray) -> Rasters:
        for part in _parts(x):
            seen: Any = front_of(inputs).network_input(inputs, part)
            if whole:
                seen = integers.network_input(inputs, part)
            rows = [arithmetic.latency(seen, t, ticks) for t in range(ticks)]
            yield np.stack([np.asarray(row) for row in rows], axis=1) != 0

    said = f"numbers travel as {encoding}: one spike an input in {ticks} ticks, the earlier the larger it is"
    made = _made(dataset, encoding, (ticks, dataset.features), early)
    return replace(made, said=(*made.said, said))


def _form(given: Arrays) -> tuple[str, int, int]:
    """Which of the two arrays is there, and its ticks and inputs."""
    there = [name for name in ARRAYS if name in given]
    others = [name for name in SCALING if name in given]
    if len(there) > 1 or others:
        raise DataError(
            f"{given.origin} has {there[0]}, and {(there[1:] + others)[0]}: expected one of "
            "them, for spikes in time are not scaled"
        )
    size = given[there[0]]
    if size.size != 2 or size.dtype.kind not in "iu":
        raise DataError(
            f"{given.origin}: {there[0]} is {size.dtype} {list(size.shape)}: expected two "
            "integers, ticks and inputs"
        )
    ticks, inputs = (int(value) for value in size.ravel())
    return there[0], ticks, inputs


def _require_pairs(origin: str, names: tuple[str, ...], raw: list[np.ndarray]) -> None:
    for name, part in zip(names, raw, strict=True):
        if part.shape[1:] != (raw[0].shape[1], 2):
            raise DataError(
                f"{origin}: {name} is {part.dtype} {list(part.shape)}: expected [samples, "
                "events, 2], of each event tick and address"
            )


def _listed(x: np.ndarray, front: Events, what: str) -> np.ndarray:
    """Lists of events as they travel, with room for as many as the front has."""
    if x.ndim != 3 or x.shape[2] != 2 or x.shape[1] > front.capacity:
        raise DataError(
            f"{what} is {x.dtype} {list(x.shape)}: expected [samples, {front.capacity}, 2], "
            "of each event tick and address, and -1 twice where there is none"
        )
    tick, address = (x[..., k].astype(np.int64) for k in (0, 1))
    none = [(v == -1) | (v == UNUSED) for v in (tick, address)]
    unused = none[0] & none[1]
    before = np.maximum.accumulate(np.where(unused, -1, tick), axis=1)
    for wrong, values, why in (
        (~unused & ((tick < 0) | (tick >= front.ticks)), tick,
         f"tick {{}}: expected 0 to {front.ticks - 1}"),
        (~unused & ((address < 0) | (address >= front.inputs)), address,
         f"address {{}}: expected 0 to {front.inputs - 1}"),
        (~unused & (tick < before), tick,
         "tick {} behind a later one: expected ticks that ascend"),
        (~unused & np.logical_or.accumulate(unused, axis=1), tick,
         "tick {} behind a place without an event: expected those at the end"),
    ):  # fmt: skip
        if wrong.any():
            sample, place = np.argwhere(wrong)[0].tolist()
            told = why.format(values[sample, place])
            raise DataError(f"{what}: event {place} of sample {sample} has {told}")
    made = np.full((len(x), front.capacity, 2), UNUSED, "<u2")
    made[:, : x.shape[1]] = np.where(unused[..., None], UNUSED, x)
    return made.reshape(len(x), -1)


def _made(
    dataset: Dataset,
    encoding: str,
    shape: tuple[int, int],
    rasters: Callable[[np.ndarray], Rasters],
) -> Dataset:
    """The data with the rasters of its samples in that form, events with as many places
    as the longest needs."""
    parts = (dataset.train_x, dataset.test_x)
    front: Raster = Spikes(*shape)
    if encoding == EVENTS:
        most = max(
            (int(seen.sum(axis=(1, 2)).max(initial=0)) for x in parts for seen in rasters(x)),
            default=0,
        )  # fmt: skip
        try:
            front = Events(*shape, max(1, most))
        except SpecError as error:
            raise DataError(f"data {dataset.name!r}: {error}") from None

    def packed(x: np.ndarray) -> np.ndarray:
        found = [_packed(front, seen) for seen in rasters(x)]
        none = np.zeros((0, front.elements), front.format.dtype)
        return np.concatenate([none, *found])

    train_x, test_x = map(packed, parts)
    return replace(dataset, train_x=train_x, test_x=test_x, inputs=_inputs(front))


def _packed(front: Raster, seen: np.ndarray) -> np.ndarray:
    """Rasters [n, ticks, inputs] as they travel: words of bits, or lists of events, of a
    tick by ascending address."""
    if not isinstance(front, Events):
        row = np.packbits(seen != 0, axis=2, bitorder="little")
        filled = -row.shape[2] % 4
        words = np.pad(row, ((0, 0), (0, 0), (0, filled)))
        return words.view("<u4").reshape(len(seen), front.elements)
    made = np.full((len(seen), front.capacity, 2), UNUSED, "<u2")
    sample, tick, address = np.nonzero(seen)
    first = np.searchsorted(sample, np.arange(len(seen)))
    place = np.arange(len(sample)) - first[sample]
    made[sample, place, 0], made[sample, place, 1] = tick, address
    return made.reshape(len(seen), front.elements)


def _rasters(inputs: Inputs, x: np.ndarray) -> Rasters:
    return (raster.network_input(inputs, part) for part in _parts(x))


def _parts(x: np.ndarray) -> Iterator[np.ndarray]:
    return (x[first : first + AT_ONCE] for first in range(0, len(x), AT_ONCE))


def _inputs(front: Raster) -> Inputs:
    return Inputs(front.format.name, 1.0, front=front)
