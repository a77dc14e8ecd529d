"""A data set behind a frozen front: the part of a model that makes features of a sample
(docs/import.md)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codegen.errors import ModelError, SpecError
from codegen.frozen import Frozen
from codegen.graph import cutting
from codegen.reference import fronts
from hil.data import scalers
from hil.data.dataset import Dataset
from hil.errors import DataError, UsageError
from hil.experiment import Experiment
from hil.models import file

LOOKED_AT = 256
"""Samples whose features a scaler is made of: numpy takes milliseconds for each."""


def learning(experiment: Experiment) -> Experiment:
    """The same experiment. Raises `UsageError` for a model as it is, which learns
    nothing."""
    if experiment.model is not None:
        raise UsageError(
            f"model is {experiment.model!r}: a model as it is learns nothing, and `hil run` "
            "alone takes it",
            "--front MODEL.tflite has a network learn behind it",
        )
    return experiment


def behind(
    dataset: Dataset, path: str, cut: str | None, scaler: str | None = None
) -> Dataset:
    """The data whose samples go through the model at `path` up to tensor `cut`; the
    features are scaled by a `scaler` of that kind. Raises `DataError`, `ModelError`, and
    `SpecError` where they cannot."""
    model = file.data(path)
    try:
        frozen = Frozen(model, cutting.LAST if cut is None else cut)
        inputs = replace(dataset.inputs, frozen=frozen)
    except (ModelError, SpecError) as error:
        raise type(error)(f"front {path!r}: {error}", *error.hints) from error
    has = int(dataset.train_x.shape[1])
    if has != frozen.elements:
        raise DataError(
            f"front {path!r} takes samples of {frozen.elements} numbers, "
            f"{frozen.given.said}, but data {dataset.name!r} has samples of {has}"
        )
    found = replace(dataset, inputs=inputs)
    return found if scaler is None else _scaled(found, path, scaler)


def _scaled(dataset: Dataset, path: str, kind: str) -> Dataset:
    """The same with constants that bring features to the network's range: those of
    `LOOKED_AT` training samples, evenly taken; of a stream's first task, for what comes
    later nobody knows yet."""
    inputs, frozen = dataset.inputs, dataset.inputs.frozen
    assert frozen is not None
    known = dataset.tasks[0].end if dataset.tasks else len(dataset.train_x)
    places = np.linspace(0, known - 1, min(known, LOOKED_AT)).astype(int)
    features = fronts.of(inputs).network_input(inputs, dataset.train_x[places])
    try:
        scaled = replace(frozen, scaled=scalers.constants(features, kind))
    except SpecError as error:
        raise SpecError(f"front {path!r}: {error}", *error.hints) from error
    said = f"scaler {kind}: each feature has {scalers.MADE[kind]} over {len(places):,} training samples"
    inputs = replace(inputs, frozen=scaled)
    return replace(dataset, inputs=inputs, said=(*dataset.said, said))
