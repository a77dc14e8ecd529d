"""`hil run --model`: the test samples of a data set through a model as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from codegen.graph.description import Graph, Tensor
from codegen.reference.fronts import imported
from hil.data import datasets, paths
from hil.data.dataset import Dataset
from hil.errors import DataError, ModelError, UsageError
from hil.experiment import Experiment, shown
from hil.inferring import image
from hil.inferring.image import Model
from hil.key_values import InMemory
from hil.lesson.preparing import data_of, tested
from hil.models import check

TAKEN = (
    "name", "model", "data", "holdout", "test", "target", "unit", "vlen", "toolchain",
    "icount", "console", "window", "faults", "ram",
)  # fmt: skip
"""Keys that say something where nothing is learned."""
SURE = ("SOFTMAX", "LOG_SOFTMAX")
"""Operators at the end of a model whose outputs are classes, however many the data has."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model, and the first `tested` test samples of a data set that go through it."""

    model: Model
    dataset: Dataset
    tested: int

    @property
    def experiment(self) -> Experiment:
        """The effective one."""
        return self.model.experiment

    @property
    def given(self) -> Tensor:
        """What a sample becomes."""
        return self.model.graph.inputs[0]

    @property
    def classifies(self) -> bool:
        """Whether the outputs are the classes of the data: there are as many of both,
        or more outputs and the model's last operator (`SURE`) says that outputs are
        classes."""
        outputs, classes = self.model.graph.outputs, self.dataset.classes
        if len(outputs) != 1 or not classes:
            return False
        made = outputs[0].elements
        sure = made > 1 and self.model.graph.operators[-1].kind in SURE
        return made == classes > 1 or (sure and made > classes)

    @property
    def samples(self) -> Iterator[tuple[np.ndarray, int | None]]:
        """Each sample as the model is given it, and its label."""
        scale, y = self.dataset.inputs.scale, self.dataset.test_y
        for place in range(self.tested):
            label = int(y[place]) if self.classifies else None
            sample = self.dataset.test_x[place]
            yield imported.presented(self.given, sample, scale), label


def prepare(asked: Experiment) -> Evaluation:
    """What an experiment with a model asks for. Raises `UsageError`, `DataError`,
    `ModelError` and `DescriptorError`."""
    assert asked.model is not None
    _require_nothing_learned(asked)
    _require_no_cut(asked)
    model = image.prepare(asked, asked.model)
    check.require_small(model.graph)
    dataset = data_of(asked)
    if asked.holdout is not None:
        dataset = datasets.hold_out(dataset, asked.holdout)
    _require_samples(asked.model, model.graph, dataset)
    count = tested(asked, dataset)
    if not count:
        raise UsageError(f"test is {asked.test}: expected at least one sample")
    named = isinstance(asked.data, InMemory) or asked.data in datasets.NAMES
    effective = replace(
        model.experiment,
        name=asked.name or f"{dataset.name}-{model.name}",
        model=str(Path(asked.model).resolve()),
        data=asked.data if named else paths.absolute(str(asked.data)),
        vlen=model.vlen or None,
        test=count,
    )
    model = replace(model, experiment=effective)
    return Evaluation(model, dataset, count)


def _require_nothing_learned(asked: Experiment) -> None:
    """Raise `UsageError` for a key that says how something is learned."""
    for field in fields(Experiment):
        value = getattr(asked, field.name)
        usual = {} if field.name == "parameters" else field.default
        if field.name not in TAKEN and value != usual:
            raise UsageError(
                f"{field.name} is {shown(value)} and model is {asked.model!r}: expected one "
                "of them, for a model as it is learns nothing",
                "--front MODEL.tflite has a network learn behind it",
            )


def _require_no_cut(asked: Experiment) -> None:
    """Raise `UsageError` for a power cut, after which nothing would go on."""
    faults = asked.line_faults
    if faults is not None and faults.cut:
        raise UsageError(
            f"faults is {asked.faults!r} and model is {asked.model!r}: expected no power cut, "
            "for a model as it is keeps nothing to go on from"
        )


def _require_samples(path: str, graph: Graph, dataset: Dataset) -> None:
    """Raise `ModelError` and `DataError` unless a sample is what the model takes."""
    if len(graph.inputs) != 1:
        raise ModelError(
            f"model {path!r} takes {len(graph.inputs)} inputs: expected one, the sample",
            "`hil infer` computes cases of several",
        )
    given, by = graph.inputs[0], graph.inputs[0].quantisation
    integer = given.type in ("i8", "u8", "i16") and by is not None
    if given.type != "f32" and not (integer and by and len(by.scales) == 1):
        raise ModelError(
            f"model {path!r} takes {given}, {given.said}: expected f32, or integers of one "
            "scale",
            "`hil infer` computes cases of any type",
        )
    if dataset.inputs.declared is not None:
        raise DataError(
            f"data {dataset.name!r} says what a device makes of a sample: expected samples "
            f"as they are for model {path!r}"
        )
    has = int(dataset.test_x.shape[1])
    if has != given.elements:
        raise DataError(
            f"model {path!r} takes samples of {given.elements} numbers, {given.said}, but "
            f"data {dataset.name!r} has samples of {has}"
        )
