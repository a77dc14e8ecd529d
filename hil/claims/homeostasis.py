"""Homeostasis: thresholds that follow how often their cells spike keep every cell's rate,
however strong the input is (after Shen et al., arXiv 2312.07625).

128 cells hear noise, at drive 1, 2, 4 and 1/2 of it, and no weight is learned: cells of
`ottt`, of a liquid, and cells with delays. What counts is the second half of each stretch:
the mean rate, and how many cells have one within half of what is asked for and twice that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codegen.composer import initial_limit
from codegen.numbers import NUMBERS
from codegen.spec import Network
from hil.claims import Row, Tried
from hil.learning.open_device import OpenDevice
from hil.learning.opened import open
from hil.learning.progress import Progress
from hil.records.record import RunRecord

TITLE = "a slow threshold keeps every cell's rate, however strong the input is"
SOURCE = "after Shen et al., arXiv 2312.07625 (the astrocyte's slow integration alone)"

INPUTS, CELLS, HEARD, STIMULI = 64, 128, 8, 8
"""Of a network or a sequence; inputs that a cell of ottt hears; stimuli of cells with delays."""
ASKED = 0.05
DRIVES = 1.0, 2.0, 4.0, 0.5
KEPT, STRAY = 0.052, 26
"""What the study has of rates with homeostasis, at every drive, and of the per cent of cells
in the band without it, mean of all drives; with it that is 100."""
WEIGHT = 0.145
"""Of a synapse at most, so that the rate of ottt at drive 1 is about what is asked for."""
BEGINS = 1 / 32
"""How probable it is at drive 1 that a stimulus begins in a tick."""

Samples = Callable[[np.random.Generator, float, int], np.ndarray]


@dataclass(frozen=True)
class Kind:
    """Cells of one kind: a stretch has so many `samples`, over `memory` of which an
    astrocyte takes a rate; `noise` draws some at a drive, `keys` open a device whose
    thresholds move, or stay."""

    name: str
    samples: int
    memory: int
    noise: Samples
    keys: Callable[[bool], dict[str, Any]]


def tried(keys: Mapping[str, Any], out: Path, progress: Progress) -> Tried:
    """Of each kind two devices: whose thresholds move, and whose astrocytes only listen."""
    found, notes, records = list[Row](), list[str](), list[RunRecord]()
    for kind in KINDS:
        for moves in (True, False):
            asked = {**kind.keys(moves), **keys}
            name = f"homeostasis-{kind.name}-{'moves' if moves else 'still'}"
            with open(**asked, out=out, progress=progress, name=name) as device:
                if "front" not in asked:
                    device.set_weights(device.weights() | heard(keys))
                seen = stretches(device, kind)
            found += rows(kind, seen) if moves else [stray(kind, seen)]
            notes += [] if moves else [still(kind, seen)]
            records.append(device.record)
    return Tried(tuple(found), (*notes, *NOTES), records[0])


def bytes_of_noise(rng: np.random.Generator, drive: float, samples: int) -> np.ndarray:
    """Numbers from 0 on, which are the larger the larger the drive is."""
    return rng.integers(0, round(64 * drive), (samples, INPUTS)).astype(np.uint8)


def stimuli(rng: np.random.Generator, drive: float, samples: int) -> np.ndarray:
    """Moments at which stimuli begin, the more often the larger the drive is."""
    return (rng.random((samples, STIMULI)) < BEGINS * drive).astype(np.uint8)


def of_ottt(moves: bool) -> dict[str, Any]:
    """Cells without a way to learn anything."""
    gain = 0.02 if moves else 0.0
    parameters = {"homeostasis": ASKED, "gain": gain, "feedback": "none"}
    return {
        "network": LAYERS, "rule": "ottt", "parameters": parameters, "dtype": "uint8",
        "scale": 64.0, "lr": 1e-6,
    }  # fmt: skip


def of_front(
    name: str, noise: Samples, outputs: int, slow: str
) -> Callable[[bool], dict[str, Any]]:
    """Cells behind which a read-out learns next to nothing."""

    def keys(moves: bool) -> dict[str, Any]:
        x = noise(np.random.default_rng(0), 1.0, 200)
        x[0, 0] = 255  # what a byte may be
        front = f"{name},cells={CELLS},homeostasis={ASKED}{slow}"
        return {
            "data": (x, np.arange(len(x)) % 2), "rule": "bp", "lr": 1e-6,
            "front": front if moves else f"{front},follow=0.0", "network": (outputs, 2),
        }  # fmt: skip

    return keys


LAYERS = (INPUTS, CELLS, 2)
KINDS = (
    Kind("ottt", 640, 32, bytes_of_noise, of_ottt),
    Kind("liquid", 640, 32, bytes_of_noise,
         of_front("liquid", bytes_of_noise, 4 * CELLS, "")),
    Kind("delays", 2560, 256, stimuli, of_front("delays", stimuli, CELLS, "")),
)  # fmt: skip


def heard(keys: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Each cell's synapses, in the numbers that are asked for: from a few inputs, none
    below zero."""
    rng = np.random.default_rng(1)
    chosen = rng.random((INPUTS, CELLS)).argsort(axis=0) < HEARD
    weights = chosen * rng.uniform(0.5, 1.0, (INPUTS, CELLS)) * WEIGHT
    numbers = NUMBERS[str(keys.get("format", "f32"))]
    if not numbers.integer:
        return {"W1": weights.astype(np.float32)}
    point = numbers.fraction(initial_limit(Network(LAYERS), 1))
    return {"W1": np.rint(weights * 2.0**point).astype(numbers.weight.dtype)}


def stretches(device: OpenDevice, kind: Kind) -> dict[float, np.ndarray]:
    """Rates [CELLS] by drive, one after the other."""
    rng = np.random.default_rng(2)
    return {drive: stretch(device, kind, rng, drive) for drive in DRIVES}


def rows(kind: Kind, seen: Mapping[float, np.ndarray]) -> Iterator[Row]:
    """Of each drive, where thresholds move."""
    for drive, rates in seen.items():
        mean, band = float(rates.mean()), in_band(rates)
        about = f"{kind.name}, drive {drive:g}"
        near = abs(mean - KEPT) < 0.25 * KEPT
        yield Row(f"{about}: rate", f"{KEPT:g}", mean, bool(near))
        yield Row(f"{about}: in band", "100", band, band >= 95)


def stray(kind: Kind, seen: Mapping[float, np.ndarray]) -> Row:
    """Of all drives, where they stay."""
    band = float(np.mean([in_band(rates) for rates in seen.values()]))
    return Row(f"{kind.name}, still: in band", f"{STRAY}", band, band < 50)


def still(kind: Kind, seen: Mapping[float, np.ndarray]) -> str:
    """The same drive by drive."""
    each = ", ".join(
        f"{drive:g}: {rates.mean():.3f} and {in_band(rates):.0f}"
        for drive, rates in seen.items()
    )
    return f"{kind.name}, still: rate and per cent in band at drive {each}"


def stretch(
    device: OpenDevice, kind: Kind, rng: np.random.Generator, drive: float
) -> np.ndarray:
    """Rates [CELLS] over the second half of a stretch."""
    x, half = kind.noise(rng, drive, kind.samples), kind.samples // 2
    y = np.zeros(len(x), np.int64)
    device.partial_fit(x[:half], y[:half])
    seen = []
    for first in range(half, len(x), kind.memory):
        device.partial_fit(
            x[first : first + kind.memory], y[first : first + kind.memory]
        )
        state = device.weights()
        seen.append(share(state.get("rate0", state.get("rate1"))))
    return np.mean(seen, axis=0)


def share(rates: Any) -> np.ndarray:
    """Of ticks, of a device's floats or whole numbers."""
    return rates / 2.0**24 if rates.dtype.kind == "i" else rates


def in_band(rates: np.ndarray) -> float:
    """Per cent of cells within half of what is asked for and twice that."""
    return 100 * float(np.mean((rates >= ASKED / 2) & (rates <= 2 * ASKED)))


NOTES = (
    "rates are spikes a tick and cell, as the astrocytes have them, mean of the second half "
    "of a stretch; in band: per cent of cells within 0.025 to 0.1; still: thresholds stay, "
    "and the mean of all drives; published: of a study of cells that hear each other",
    "the price: a rate no longer tells how strong the input is",
)
