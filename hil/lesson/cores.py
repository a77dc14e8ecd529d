"""The core whose cycles decide how a step is computed, and the VLEN that is its own."""

from __future__ import annotations

from codegen import kernels
from hil.errors import UsageError
from hil.experiment import Experiment
from hil.lesson.lesson import INSTRUCTIONS
from targets import Target


def deciding(experiment: Experiment, target: Target) -> str | None:
    """The core whose cycles decide: the experiment's, else the target's own.
    Raises `UsageError` where there is nothing to decide."""
    named = experiment.core or target.core
    if target.vector is None and named not in (None, INSTRUCTIONS):
        raise UsageError(
            f"core is {named!r}, but target {target.name} has no vectors, so that there "
            "is nothing to choose by its cycles: expected none"
        )
    return named


def vlen_of(experiment: Experiment) -> int | None:
    """What the experiment says, else that of the core that it is for."""
    core = experiment.core
    if experiment.vlen is not None or core in (None, INSTRUCTIONS):
        return experiment.vlen
    assert core is not None
    return kernels.core(core).vlen
