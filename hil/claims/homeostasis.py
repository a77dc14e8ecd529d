"""Homeostasis: thresholds that follow how often their cells spike keep every cell's rate,
however strong the input is (after Shen et al., arXiv 2312.07625).

128 cells hear noise, at drive 1, 2, 4 and 1/2 of it for 640 samples of 8 ticks each, and
nothing is learned. What counts is the second half of each stretch: the mean rate, and how
many cells have one within half of what is asked for and twice that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hil.claims import Row, Tried
from hil.learning.open_device import OpenDevice
from hil.learning.opened import open
from hil.learning.progress import Progress
from hil.records.record import RunRecord

TITLE = "a slow threshold keeps every cell's rate, however strong the input is"
SOURCE = "after Shen et al., arXiv 2312.07625 (the astrocyte's slow integration alone)"

INPUTS, CELLS, HEARD, SAMPLES, MEMORY = 64, 128, 8, 640, 32
"""Of the network; inputs that a cell hears; samples of a stretch, and those over which an
astrocyte takes a rate."""
ASKED = 0.05
STUDY = {1.0: (0.060, 96), 2.0: (0.150, 9), 4.0: (0.293, 1), 0.5: (0.000, 0)}
"""By drive, without homeostasis: a rate, and the per cent of cells in the band; with it a
study has 0.052 and 100 everywhere."""
STILL = 0.052
WEIGHT = 0.145
"""Of a synapse at most, so that the rate at drive 1 is about what is asked for."""


def tried(keys: Mapping[str, Any], out: Path, progress: Progress) -> Tried:
    """Two devices: whose thresholds move, and whose astrocytes only listen."""
    found: list[Row] = []
    record: RunRecord | None = None
    for gain in (0.02, 0.0):
        parameters = {"homeostasis": ASKED, "gain": gain, "feedback": "none"}
        with open(
            network=(INPUTS, CELLS, 2), rule="ottt", parameters=parameters, dtype="uint8",
            scale=64.0, lr=1e-6, out=out, progress=progress, name=f"homeostasis-{gain:g}",
            **keys,
        ) as device:  # fmt: skip
            device.set_weights(device.weights() | heard())
            found += rows(device, moves=gain > 0)
        record = record or device.record
    assert record is not None
    return Tried(tuple(found), NOTES, record)


def heard() -> dict[str, np.ndarray]:
    """Each cell's synapses: from a few inputs, none below zero."""
    rng = np.random.default_rng(1)
    chosen = rng.random((INPUTS, CELLS)).argsort(axis=0) < HEARD
    weights = chosen * rng.uniform(0.5, 1.0, (INPUTS, CELLS)) * WEIGHT
    return {"W1": weights.astype(np.float32)}


def rows(device: OpenDevice, moves: bool) -> Iterator[Row]:
    """Of each drive in turn."""
    rng = np.random.default_rng(2)
    for drive, (rate, share) in STUDY.items():
        rates = stretch(device, rng, drive)
        mean, band = float(rates.mean()), in_band(rates)
        name = f"drive {drive:g}" if moves else f"{drive:g}, still"
        said = STILL if moves else rate
        near = abs(mean - said) < 0.25 * STILL if moves else drive == 1 or band < 50
        yield Row(f"{name}: rate", f"{said:g}", mean, bool(near))
        wanted = 100 if moves else share
        held = band >= 95 if moves else drive == 1 or band < 50
        yield Row(f"{name}: in band", f"{wanted:g}", band, bool(held))


def stretch(device: OpenDevice, rng: np.random.Generator, drive: float) -> np.ndarray:
    """Rates [CELLS] over the second half of a stretch."""
    most = round(64 * drive)
    x = rng.integers(0, most, (SAMPLES, INPUTS)).astype(np.uint8)
    y = np.zeros(SAMPLES, np.int64)
    device.partial_fit(x[: SAMPLES // 2], y[: SAMPLES // 2])
    seen = []
    for first in range(SAMPLES // 2, SAMPLES, MEMORY):
        device.partial_fit(x[first : first + MEMORY], y[first : first + MEMORY])
        seen.append(device.weights()["rate1"])
    return np.mean(seen, axis=0)


def in_band(rates: np.ndarray) -> float:
    """Per cent of cells within half of what is asked for and twice that."""
    return 100 * float(np.mean((rates >= ASKED / 2) & (rates <= 2 * ASKED)))


NOTES = (
    "rates are spikes a tick and cell, as the astrocytes have them, mean of the second half "
    "of a stretch; in band: per cent of cells within 0.025 to 0.1; still: thresholds stay",
    "the price: a rate no longer tells how strong the input is",
)
