"""What a program in Python is given to learn, and what it says of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Weights = list[np.ndarray]
"""W1, b1, W2, b2, ..., each W [inputs, outputs]."""


class Job(NamedTuple):
    """Raw samples [steps, n] and labels [steps], to be divided by `scale`, learned in
    order at the rate `eta` from these weights, `rounds` times from the start."""

    x: np.ndarray
    y: np.ndarray
    scale: np.float32
    eta: np.float32
    weights: Weights
    rounds: int


class Done(NamedTuple):
    """Processor seconds of each round, the weights after the last step, and with what
    settings, a sentence."""

    seconds: tuple[float, ...]
    weights: Weights
    settings: str
