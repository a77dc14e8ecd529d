"""The network of an experiment, and what its steps learn from, where the data decide."""

from __future__ import annotations

from codegen import rules
from codegen.spec import Network
from hil.data.datasets import Dataset
from hil.errors import UsageError
from hil.experiment import Experiment

DEFAULT_WIDTHS = {"digits": (64, 128, 64, 10)}
DEFAULT_HIDDEN = 128
"""Width of the hidden layer where neither experiment nor data name a network."""


def goal_of(experiment: Experiment, dataset: Dataset) -> str:
    """What a step learns from: by default what the data has beside its samples."""
    natural = "label" if dataset.labelled else "vector"
    goal = experiment.goal or natural
    if goal not in (natural, "sample"):
        has = "a label a sample" if dataset.labelled else "a vector a sample"
        raise UsageError(
            f"goal is {goal!r}, but data {dataset.name!r} has {has}: expected {natural} "
            "or sample"
        )
    one_output = experiment.widths is not None and experiment.widths[-1] == 1
    if goal == "label" and dataset.classes < 2 and not one_output:
        raise UsageError(
            f"data {dataset.name!r} has one class only: there is nothing to tell apart",
            "--goal sample learns the samples themselves (an autoencoder)",
        )
    return goal


def network_of(experiment: Experiment, dataset: Dataset) -> Network:
    """Its widths and activations. Raises `UsageError` for what does not fit the data."""
    goal = goal_of(experiment, dataset)
    declared = rules.declaration(experiment.rule)
    n_out = dataset.features if goal == "sample" else dataset.outputs
    middle = () if dataset.inputs.front else (DEFAULT_HIDDEN,)
    default: tuple[int, ...] = (dataset.features, *middle, n_out)
    if goal == "label" and experiment.front is None:
        default = DEFAULT_WIDTHS.get(dataset.name, default)
    if declared.hidden is not None:
        default = (*default[: declared.hidden + 1], n_out)
    output = "sigmoid" if goal == "label" else "identity"
    widths = experiment.widths
    if widths is not None and len(widths) > 1 and not widths[0]:
        widths = (dataset.features, *widths[1:])
    usual = declared.suited(Network(widths or default, "tanh", output))
    network = Network(
        widths or usual.layers,
        experiment.activation or usual.activation,
        experiment.output or usual.output,
    )
    if network.n_in != dataset.features:
        raise UsageError(
            f"network {network} takes {network.n_in} inputs, but data "
            f"{dataset.name!r} has {dataset.features} features"
        )
    if goal == "vector" and network.n_out != n_out:
        raise UsageError(
            f"network {network} has {network.n_out} outputs, but a target of data "
            f"{dataset.name!r} has {n_out} numbers"
        )
    if goal == "label" and network.n_out < dataset.classes:
        raise UsageError(
            f"network {network} has {network.n_out} outputs, but data "
            f"{dataset.name!r} has labels up to {dataset.classes - 1}"
        )
    return network
