"""What a front that goes on from sample to sample asks of their order."""

from __future__ import annotations

from hil.data.datasets import Dataset
from hil.errors import UsageError
from hil.experiment import Experiment


def require(dataset: Dataset) -> None:
    """Raise `UsageError` for samples that would come in an order that is drawn, where a
    front takes them for moments of one time."""
    front = dataset.inputs.front
    if front is not None and front.moments and not dataset.tasks:
        raise UsageError(
            f"front {front.made_by!r} goes on from sample to sample, but those of data "
            f"{dataset.name!r} would come in an order that is drawn: expected a stream",
            "task_names, task_ends and task_tests in an .npz make it one (docs/data.md)",
            "hil.open learns samples in the order in which they are given",
        )


def require_no_moment_again(experiment: Experiment, dataset: Dataset) -> None:
    """Raise `UsageError` for rehearsal, where a front goes on from step to step."""
    front = dataset.inputs.front
    if front is not None and front.moments and experiment.rehearsal:
        raise UsageError(
            f"front {front.made_by!r} with rehearsal: expected none, for every step is a "
            "moment of its own, and none comes again"
        )
