"""A data set behind a frozen front: the part of a model that makes features of a sample
(docs/import.md)."""

from __future__ import annotations

from dataclasses import replace

from codegen.errors import ModelError, SpecError
from codegen.frozen import Frozen
from codegen.graph import cutting
from hil.data.dataset import Dataset
from hil.errors import DataError, UsageError
from hil.experiment import Experiment
from hil.models import file


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
    """The data whose samples go through the model at `path` up to tensor `cut`. Raises
    `DataError`, `ModelError`, and `SpecError` where they cannot, `UsageError` for a
    `scaler` besides."""
    if scaler is not None:
        raise UsageError(
            f"front is {path!r} and scaler is {scaler!r}: expected one of them, for a "
            "model takes samples as it was trained on them"
        )
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
    return replace(dataset, inputs=inputs)
