"""Samples of 16 bits on their way to a frozen model of 8 bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codegen.fronts import imported
from codegen.frozen import Frozen
from codegen.reference.fronts import imported as twin
from codegen.spec import Inputs

from .odd import dense


@pytest.mark.parametrize(
    ("kind", "step", "scale"),
    [("i8", 1 / 128, 4096.0), ("i8", 0.004, 32768.0), ("u8", 0.05, 3.7), ("i8", 0.5, 1e-38)],
)  # fmt: skip
def test_steps_of_16_bits_end_where_a_division_has_them_end(
    kind: str, step: float, scale: float
) -> None:
    """All 65,536 numbers, some of them halves."""
    front = Frozen(dense(kind, (step, 0.007, 0.02), shape=(1, 64, 12)), "t3")
    every = np.arange(-32768, 32768).astype(np.int16)
    with np.errstate(over="ignore", invalid="ignore"):
        stored = twin.presented(replace(front.given, shape=every.shape), every, scale)
    told = stored.astype(int) - (128 if kind == "u8" else 0)
    ends = imported.ends(Inputs("i16", scale, frozen=front))
    assert sorted(ends) == list(ends)
    assert (told == told[0] + np.searchsorted(ends, every)).all()
