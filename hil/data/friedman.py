"""Friedman's first function with noise: a regression that needs no download.

y = 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5 + N(0, 1), ten inputs uniform in
[0, 1), of which five mean nothing (Friedman 1991, Multivariate adaptive regression
splines, Annals of Statistics 19, eq. 61). Inputs and noise come from the package's own
generator, so the samples are the same everywhere.
"""

from __future__ import annotations

import numpy as np

from codegen import streams
from codegen.reference import random
from codegen.reference.perturbation import normal

NAME = "friedman"
SEED = 0xF41ED
INPUTS = 10
TRAIN, TEST = 2000, 1000
MEAN, DEVIATION = 14.5, 5.0
"""What y is standardised by: round numbers near its mean and its deviation."""


def function(x: np.ndarray) -> np.ndarray:
    """y [n] of x [n, 10] without noise, in float64."""
    first = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
    found: np.ndarray = first + 10 * x[:, 3] + 5 * x[:, 4]
    return found


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """train_x, train_y, test_x, test_y: x float32 [n, 10], y float32 [n, 1],
    standardised."""
    n = TRAIN + TEST
    drawn = random.u32(SEED, streams.FRIEDMAN, 0, n * (INPUTS + 1))
    x = ((drawn[: n * INPUTS] >> 8) * 2.0**-24).astype(np.float32).reshape(n, INPUTS)
    noise = normal(drawn[n * INPUTS :]).astype(np.float64)
    y = (function(x.astype(np.float64)) + noise - MEAN) / DEVIATION
    y = y.astype(np.float32)[:, None]
    return x[:TRAIN], y[:TRAIN], x[TRAIN:], y[TRAIN:]
