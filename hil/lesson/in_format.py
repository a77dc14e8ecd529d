"""The format of an experiment's numbers: what its target computes, and what it lacks."""

from __future__ import annotations

from dataclasses import replace

from codegen import rules
from codegen.numbers import NUMBERS
from hil.errors import UsageError
from hil.experiment import Experiment
from targets import Target, require_fma


def with_format(experiment: Experiment, target: Target) -> Experiment:
    """The experiment in a format that the target computes: by itself in the rule's own,
    if it has one, else in f32 where it can, else in i16. Raises `DescriptorError`, and `UsageError` for what a run in
    integers cannot have."""
    own = rules.declaration(experiment.rule).format
    chosen = experiment.format or own or ("f32" if target.fma else "i16")
    if not NUMBERS[chosen].integer:
        require_fma(target)
    else:
        _require_integer_run(experiment, chosen)
    return replace(experiment, format=chosen)


def _require_integer_run(experiment: Experiment, chosen: str) -> None:
    if experiment.health is not None and not NUMBERS[chosen].own:
        raise UsageError(
            f"health is {experiment.health}, but format {chosen} has no exact gradient "
            "that updates could be held against: expected format f32"
        )
    if experiment.lr is not None and experiment.lr > 1:
        raise UsageError(
            f"lr is {experiment.lr:g}, but a learning rate of format {chosen} is at "
            "most 1"
        )
