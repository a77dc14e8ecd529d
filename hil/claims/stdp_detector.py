"""Cells that learn patterns of spikes by STDP, the sum of their weights constant: one
pattern is detected without an error; of more, what is like them is accepted, too.

A pattern is 12 inputs of n that spike together, presented 30 times, the teacher of its cell
right behind. Then a cell spikes where its synapses from what spikes sum to 15/16 of the least
that any of its own patterns gives. Five cells for each number of patterns; whose patterns
they are does not touch other cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hil.claims import Row, Tried
from hil.learning.open_device import OpenDevice
from hil.learning.opened import open
from hil.learning.progress import Progress

TITLE = "STDP with a constant sum of weights detects one pattern without an error"
SOURCE = "supervised spatial STDP as on SpiNNaker, in whole numbers"

ACTIVE, PRESENTED, CELLS, STRANGERS, TURNS = 12, 30, 5, 1000, 4
"""Inputs of a pattern, its presentations, cells for each number of patterns, patterns that
nobody has learned, and how often a learned one is changed."""
REPLACED = (1, 2, 4)
"""Inputs of a pattern in whose place others spike."""
STUDY: Mapping[tuple[int, int], tuple[tuple[float, float], ...]] = {
    (64, 1): ((0, 0), (0, 0), (0, 0), (0, 0)),
    (64, 2): ((0, 0), (61, 26), (15, 5), (0, 0)),
    (64, 4): ((6, 6), (78, 13), (62, 22), (43, 29)),
    (64, 8): ((32, 13), (92, 5), (86, 5), (74, 5)),
    (256, 4): ((0, 0), (72, 10), (64, 13), (16, 13)),
    (256, 16): ((23, 10), (95, 5), (91, 5), (83, 5)),
    (256, 32): ((62, 7), (98, 5), (97, 5), (93, 5)),
}
"""Per cent accepted by a study, and their deviation (5 where it gave none), by inputs and
patterns a cell: of strangers, and of patterns with so many inputs replaced."""

Patterns = np.ndarray
"""[patterns, inputs], u8: 1 where an input spikes."""


@dataclass(frozen=True)
class Cell:
    """One output of the device, and the patterns that it learns."""

    output: int
    patterns: Patterns


def tried(keys: Mapping[str, Any], out: Path, progress: Progress) -> Tried:
    """Two devices, of 64 and of 256 inputs."""
    found: list[Row] = []
    for inputs in (64, 256):
        rng = np.random.default_rng(inputs)
        counts = [count for n, count in STUDY if n == inputs]
        cells = [
            Cell(number, drawn(rng, inputs, counts[number // CELLS]))
            for number in range(CELLS * len(counts))
        ]
        with open(
            network=(inputs, len(cells)), rule="stdp-detector", dtype="uint8", scale=1.0,
            out=out, progress=progress, name=f"stdp-detector-{inputs}", **keys,
        ) as device:  # fmt: skip
            taught(device, cells)
            found += rows(device, rng, inputs, cells)
    return Tried(tuple(found), NOTES, device.record)


def drawn(rng: np.random.Generator, inputs: int, count: int) -> Patterns:
    """So many patterns of as many active inputs."""
    order = rng.random((count, inputs)).argsort(axis=1)
    return np.asarray(order < ACTIVE, np.uint8)


def changed(rng: np.random.Generator, patterns: Patterns, replaced: int) -> Patterns:
    """Each pattern with so many of its inputs silent, and as many others active."""
    chances = rng.random(patterns.shape)
    off = np.where(patterns == 1, chances, 2).argsort(axis=1)[:, :replaced]
    on = np.where(patterns == 0, chances, 2).argsort(axis=1)[:, :replaced]
    made = patterns.copy()
    np.put_along_axis(made, off, 0, axis=1)
    np.put_along_axis(made, on, 1, axis=1)
    return made


def taught(device: OpenDevice, cells: list[Cell]) -> None:
    """Every pattern in its turn, again and again."""
    x = [np.tile(cell.patterns, (PRESENTED, 1)) for cell in cells]
    y = [np.full(len(of), cell.output) for of, cell in zip(x, cells, strict=True)]
    device.partial_fit(np.concatenate(x), np.concatenate(y))


def rows(
    device: OpenDevice, rng: np.random.Generator, inputs: int, cells: list[Cell]
) -> Iterator[Row]:
    """Of each number of patterns what its cells accept."""
    strangers = device.infer(drawn(rng, inputs, STRANGERS))
    for first in range(0, len(cells), CELLS):
        alike = cells[first : first + CELLS]
        accepted = [of_cell(device, rng, cell, strangers) for cell in alike]
        gave = 100 * np.mean(accepted, axis=0)
        count = len(alike[0].patterns)
        yield Row(f"{inputs}/{count} its own", "100", gave[0], bool(gave[0] == 100))
        names = ("strangers", *(f"{n} replaced" for n in REPLACED))
        study = STUDY[inputs, count]
        for name, (right, scatter), got in zip(names, study, gave[1:], strict=True):
            agrees = abs(got - right) <= 2 * scatter + 2
            said = f"{right:g} ± {scatter:g}"
            yield Row(f"{inputs}/{count} {name}", said, got, bool(agrees))


def of_cell(
    device: OpenDevice, rng: np.random.Generator, cell: Cell, strangers: np.ndarray
) -> list[float]:
    """The shares that a cell accepts: of its patterns, of strangers, of changed ones."""
    own = device.infer(cell.patterns)[:, cell.output].astype(np.int64)
    theta = (15 * own.min()) >> 4
    again = np.tile(cell.patterns, (TURNS, 1))
    heard = [device.infer(changed(rng, again, n))[:, cell.output] for n in REPLACED]
    shares = [own, strangers[:, cell.output], *heard]
    return [float(np.mean(one >= theta)) for one in shares]


NOTES = (
    "inputs/patterns a cell, and of what; per cent that spike, mean of five cells; agrees: "
    "within two deviations of the study's, and two points",
    "patterns share a cell's weights, so it cannot tell a pattern from what is like several: "
    "one cell a pattern, where that matters",
)
