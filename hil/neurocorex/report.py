"""What a stream was answered by, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.reference.neurocorex import Answer
from hil.desk.link_only import LinkOnly
from hil.neurocorex.image import LifBuilt
from hil.neurocorex.running import Run

ROWS, COLUMNS = 16, 64
"""Of a small raster: cells that spike, and steps."""


def before(built: LifBuilt) -> Iterator[str]:
    """What will run."""
    plan, image = built.plan, built.image
    yield f"plan     {plan.subject}, {plan.ram:,} bytes of RAM (counted)"
    yield f"build    {image.digest[:8]}, {image.toolchain}"


def after(placed: LinkOnly, run: Run) -> Iterator[str]:
    """The outcome: PASS only where the device answered as the twin does."""
    told = run.greeting
    vlen = f" VLEN {told.vlen}" if told.vlen else ""
    yield f"hello    {told.target} {told.isa}{vlen}"
    for number, spikes in enumerate(run.answer.runs):
        yield from raster(number, spikes)
    for number, weights in enumerate(run.answer.reads):
        yield (
            f"weights {number}: {np.count_nonzero(weights):,} of {weights.size:,} are not "
            f"zero, from {weights.min()} to {weights.max()}"
        )
    if placed.experiment.icount:
        yield f"cost     {run.instructions:,} instructions (counted)"
    yield f"work     {run.answer.operations:,} synaptic operations (reference)"
    word = "PASS" if run.equal else "FAIL"
    yield f"{word}: {len(run.answer.bytes):,} bytes of answer, {_parts(run.answer)}"


def _parts(answer: Answer) -> str:
    steps = sum(len(one) for one in answer.runs)
    return f"{steps:,} steps and {len(answer.reads)} matrices of weights"


def raster(number: int, spikes: NDArray[np.uint8]) -> Iterator[str]:
    """Spikes [steps, cells] of a run: counts, and who spiked when, for the first cells
    and steps."""
    counts = spikes.sum(axis=0)
    active = np.flatnonzero(counts)
    yield (
        f"run {number}: {len(spikes):,} steps, {int(counts.sum()):,} spikes of "
        f"{len(active)} cells"
    )
    for cell in active[:ROWS]:
        row = "".join("|" if one else "." for one in spikes[:COLUMNS, cell])
        more = " ..." if len(spikes) > COLUMNS else ""
        yield f"  cell {cell:>3} {counts[cell]:>6,}  {row}{more}"
    if len(active) > ROWS:
        yield f"  and {len(active) - ROWS} cells more"


def document(placed: LinkOnly, built: LifBuilt, run: Run) -> dict[str, Any]:
    """The same for --json."""
    return {
        "target": built.plan.target.name,
        "build": built.image.digest,
        "cells": built.plan.cells,
        "ram": built.plan.ram,
        "equal": run.equal,
        "bytes": len(run.told),
        "runs": [
            {"steps": len(one), "spikes": one.sum(axis=0).tolist()}
            for one in run.answer.runs
        ],
        "weights": len(run.answer.reads),
        "operations": run.answer.operations,
        "instructions": run.instructions if placed.experiment.icount else None,
    }


def outputs(told: bytes, answer: Answer) -> dict[str, NDArray[Any]]:
    """What the device told, by the names of a file: run0 [steps, cells], ... and
    weights0 [to, from], ... Nothing where it told another number of bytes."""
    if len(told) != len(answer.bytes):
        return {"told": np.frombuffer(told, np.uint8)}
    found: dict[str, NDArray[Any]] = {}
    at, runs, reads = 0, 0, 0
    for part in answer.parts:
        if part.dtype == np.int8:
            found[f"weights{reads}"] = np.frombuffer(
                told[at : at + part.size], np.int8
            ).reshape(part.shape)
            at, reads = at + part.size, reads + 1
            continue
        size = part.size // 8
        at += len(part) > 0
        bits = np.unpackbits(
            np.frombuffer(told[at : at + size], np.uint8), bitorder="little"
        )
        found[f"run{runs}"] = bits.reshape(part.shape)
        at, runs = at + size, runs + 1
    return found
