"""How near GELU of float32 is to what it should be."""

from __future__ import annotations

import math

import numpy as np

from codegen.graph import reading
from codegen.reference import graph as twin

from .usual import USUAL


def test_gelu_of_float32_is_as_near_as_docs_import_says() -> None:
    (operator,) = reading.read(USUAL["GELU-f32-False"]).operators
    x = np.linspace(-12, 12, 20001).astype(np.float32)
    made = twin.compute(operator, [x])
    exact = [0.5 * v * math.erfc(-v / math.sqrt(2)) for v in x.tolist()]
    assert np.abs(made - exact).max() < 4.2e-7
