"""What a step learns from, as the target t [n_out] that outputs are held against."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codegen.reference.arithmetic import F32
from codegen.spec import Spec

Given: TypeAlias = "int | NDArray[np.float32] | None"
"""What comes with a sample: a label, a vector, or nothing."""


def one_hot(label: int, n: int) -> F32:
    """1 at the label and +0 elsewhere."""
    t = np.zeros(n, np.float32)
    t[label] = 1
    return t


def target(spec: Spec, x: F32, given: Given) -> F32:
    """t of a sample whose network input is x [n_in].

    Raises `ValueError` for what the spec's goal cannot be held against.
    """
    n_out = spec.network.n_out
    if spec.goal == "sample":
        if given is not None:
            raise ValueError("a target was given, but the goal is the sample itself")
        return x
    if spec.goal == "vector":
        if not isinstance(given, np.ndarray):
            raise ValueError(f"target {given!r}: expected a vector of {n_out} numbers")
        if given.shape != (n_out,) or given.dtype != np.float32:
            raise ValueError(
                f"target is {given.dtype} {given.shape}: expected float32 ({n_out},)"
            )
        return given
    if given is None or isinstance(given, np.ndarray):
        raise ValueError(f"target {given!r}: expected a label, 0..{n_out - 1}")
    if not 0 <= given < n_out:
        raise ValueError(f"label {given} is not in 0..{n_out - 1}")
    return one_hot(given, n_out)
