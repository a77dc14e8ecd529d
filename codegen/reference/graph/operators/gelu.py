"""GELU: x Phi(x), Phi that of the normal distribution; or
x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel 2016).

Integers by a table, whose function has binary32 on the way. float32: Phi of |x| is
1 - q / 2 with q = erfc(|x| / sqrt 2), for which 7.1.26 of Abramowitz and Stegun is taken,
within 1.5e-7.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference import functions
from codegen.reference.arithmetic import fma
from codegen.reference.graph import node
from codegen.reference.graph.lookup import table
from codegen.reference.graph.node import Array

ROOT_HALF = np.float32(0.70710678118654752440)
ROOT_OF_2_BY_PI = np.float32(0.79788456080286535588)
CUBIC = np.float32(0.044715)
HALF, ONE, TWO = np.float32(0.5), np.float32(1), np.float32(2)
STEP = np.float32(0.3275911)
SERIES = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
"""Of t = 1 / (1 + STEP z), the highest power first."""
FAR = 100.0
"""From here on tanh is 1 and erfc is 0."""


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    nearly = bool(operator.options["approximate"])
    if x.dtype == np.float32:
        return _by_tanh(x) if nearly else _by_series(x)
    return table(operator, x, _of_reals_by_tanh if nearly else _of_reals)


def _by_tanh(x: Array) -> Array:
    cube = np.asarray(CUBIC * x * x * x, np.float32)
    inner = np.asarray(ROOT_OF_2_BY_PI * (x + cube), np.float32)
    return np.asarray(HALF * x * (ONE + node.each(functions.tanh, inner)), np.float32)


def _by_series(x: Array) -> Array:
    z = np.asarray(np.abs(x) * ROOT_HALF, np.float32)
    t = ONE / fma(z, STEP, np.full_like(z, 1))
    sums = np.full_like(t, SERIES[0])
    for coefficient in SERIES[1:]:
        sums = fma(sums, t, np.full_like(t, coefficient))
    q = np.asarray(sums * t * node.each(functions.exp, -(z * z)), np.float32)
    return np.asarray(HALF * x * np.where(x < 0, q, TWO - q), np.float32)


def _of_reals(v: Array) -> Array:
    x = v.astype(np.float32)
    inner = (x * -ROOT_HALF).astype(np.float64)
    erfc = np.vectorize(math.erfc, [np.float64])(np.clip(inner, -FAR, FAR))
    return HALF * x * erfc.astype(np.float32)


def _of_reals_by_tanh(v: Array) -> Array:
    x = v.astype(np.float32)
    inner = ROOT_OF_2_BY_PI * (x + CUBIC * x * x * x)
    return HALF * x * (ONE + np.tanh(inner.astype(np.float64)).astype(np.float32))
