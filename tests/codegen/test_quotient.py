"""A quotient by a constant is multiplied where that is the same, and nowhere else."""

from __future__ import annotations

import pytest

from codegen.formats import F32, I16, U8, Format
from codegen.fronts.scale import divisor
from codegen.quotient import Factors, exact, factors
from codegen.spec import Inputs


def test_a_power_of_two_needs_one_factor() -> None:
    assert factors(16.0, U8) == factors(16.0, F32) == Factors(0.0625, 0.0)


@pytest.mark.parametrize(
    ("scale", "format"),
    [(3.0, F32), (1e-45, F32), (1e-45, U8), (2e38, U8), (2e38, I16)],
    ids=str,
)
def test_what_no_factors_give_is_divided(scale: float, format: Format) -> None:
    assert factors(scale, format) is None
    assert divisor(Inputs(format.name, scale)) == {"scale": scale}


@pytest.mark.parametrize("format", [U8, I16], ids=str)
def test_factors_of_which_few_quotients_differ_are_refused(format: Format) -> None:
    """A second factor that is 2^-8 off: 240 of 65,536 quotients by 255 differ."""
    right = factors(255.0, I16)
    assert right is not None and exact(right, 255.0, format)
    assert not exact(Factors(right.hi, right.lo * (1 + 2**-8)), 255.0, I16)
    assert not exact(Factors(right.hi, 0.0), 255.0, format)


def test_a_wrong_reciprocal_is_refused() -> None:
    assert not exact(Factors(0.125, 0.0), 16.0, F32)
