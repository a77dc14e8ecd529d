"""hil data: what a file is taken for, before anything is learned from it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hil import output

if TYPE_CHECKING:
    from codegen.spec import Inputs
    from hil.data.dataset import Dataset
    from hil.data.summary import Summary

HELP = "tell what a data file is taken for: shape, types, ranges, classes, baselines"
SHOWN = 10
"""Classes and columns that are told one by one; --json has all of them."""


WORDS = {"bits": "words", "u16": "ticks and addresses"}
"""What the elements of a sample are, where they are no numbers."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil data`."""
    parser.description = (
        f"{HELP}. Nothing is built and nothing learned. A file that no run would take "
        "ends in the sentence that says why, with what mends it, and exit code 2."
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        help="a data set by name, or the path of a file or a folder; behind a table's "
        "path, :COLUMN names the column of the labels",
    )
    parser.add_argument(
        "--scaler",
        metavar="standard|minmax",
        help="tell of what the device makes of it with this scaler",
    )
    parser.add_argument(
        "--front", metavar="KIND,NAME=VALUE,...|MODEL.tflite",
        help="tell of what this front makes of it: a reservoir, or a model",
    )  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from hil.data import summary
    from hil.experiment import Experiment
    from hil.lesson.preparing import data_for

    out = output.of(given)
    asked = Experiment(data=given.data, scaler=given.scaler, front=given.front)
    dataset = data_for(asked)
    found = summary.of(dataset)
    for name, text in _lines(dataset, found):
        out.line(f"{name:8} {text}")
    out.document({"data": _document(dataset, found)})
    return 0


def _lines(dataset: Dataset, found: Summary) -> Iterator[tuple[str, str]]:
    learned, tested = len(dataset.train_x), len(dataset.test_x)
    yield (
        "data",
        f"{dataset.name}: {learned + tested:,} samples of {dataset.train_x.shape[1]:,} "
        f"{WORDS.get(dataset.inputs.dtype, 'numbers')}, {learned:,} to learn and {tested:,} to test",
    )
    for said in dataset.said:
        yield "made", said
    yield "inputs", _inputs(dataset.inputs, found)
    if found.constant:
        yield "constant", _constant(dataset, found)
    yield (
        ("classes", _classes(found))
        if found.classes
        else ("targets", _targets(dataset))
    )
    for task in dataset.tasks:
        yield "task", f"{task.name}, up to sample {task.end:,}"
    for line in found.baselines:
        value = (
            f"{line.value:.2%}" if line.figure == "accuracy" else f"{line.value:.4g}"
        )
        yield "baseline", f"{line.name}: {line.figure} {value} (reference)"
    for advice in found.advice:
        yield "advice", advice


def _inputs(inputs: Inputs, found: Summary) -> str:
    """What a network sees, and between what it lies."""
    if inputs.raster is not None:
        return (
            f"{inputs}: an input spikes in {found.low:.1%} to {found.high:.1%} of the ticks "
            f"of a sample, mean {found.mean:.1%}; {found.zeros:.1%} of inputs in none"
        )
    made = " features" if inputs.window else f" divided by {inputs.scale:g}:"
    made = ":" if inputs.scaler or inputs.front or inputs.frozen else made
    return (
        f"{inputs}{made} {found.low:.4g} to {found.high:.4g}, mean {found.mean:.4g}, "
        f"{found.zeros:.1%} zero"
    )


def _constant(dataset: Dataset, found: Summary) -> str:
    names = ", ".join(found.constant[:SHOWN])
    more = ", ..." if len(found.constant) > SHOWN else ""
    count, all_ = len(found.constant), dataset.train_x.shape[1]
    return f"{count:,} of {all_:,} numbers are the same in every sample: {names}{more}"


def _classes(found: Summary) -> str:
    samples = sum(one.train + one.test for one in found.classes)
    shares = [
        f"{one.name[: SHOWN * 3]} {(one.train + one.test) / samples:.1%}"
        for one in found.classes[:SHOWN]
    ]
    more = ", ..." if len(found.classes) > SHOWN else ""
    return f"{len(found.classes):,}: {', '.join(shares)}{more}"


def _targets(dataset: Dataset) -> str:
    y = dataset.train_y
    count = "1 number" if y.shape[1] == 1 else f"{y.shape[1]:,} numbers"
    return f"{count} a sample, {y.min():.4g} to {y.max():.4g}"


def _document(dataset: Dataset, found: Summary) -> dict[str, Any]:
    inputs = dataset.inputs
    return {
        "name": dataset.name,
        "licence": dataset.licence,
        "train": len(dataset.train_x),
        "test": len(dataset.test_x),
        "elements": dataset.train_x.shape[1],
        "features": dataset.features,
        "outputs": dataset.outputs,
        "type": inputs.dtype,
        "scale": inputs.scale,
        "window": None if inputs.window is None else asdict(inputs.window),
        "scaler": None if inputs.scaler is None else asdict(inputs.scaler),
        "front": str(inputs) if inputs.front or inputs.frozen else None,
        "said": list(dataset.said),
        "tasks": [asdict(task) for task in dataset.tasks],
        "provenance": "reference",
        **asdict(found),
    }
