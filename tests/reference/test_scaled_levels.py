"""What a scaler makes of whole numbers in the integer formats (docs/arithmetic.md, section 4)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.errors import SpecError
from codegen.reference import Learner
from codegen.reference.certificate import certify
from codegen.reference.fronts.scaler import integer_ends, integer_input
from codegen.scaler import Scaler
from codegen.spec import Inputs, Network, RuleChoice, Spec

offsets = st.floats(-(2.0**16), 2.0**16, width=32)
divisors = st.floats(2.0**-20, 2.0**20, width=32)


def scaled(offset: float, divisor: float) -> Inputs:
    return Inputs("i16", 1.0, scaler=Scaler((offset,), (divisor,)))


@settings(max_examples=100)
@given(offset=offsets, divisor=divisors, v=st.integers(-32768, 32767))
def test_a_level_is_the_scaled_number_to_a_unit(
    offset: float, divisor: float, v: int
) -> None:
    """64 levels a divisor, of 1/32 at least: to a unit and what a factor of 13 bits is off by."""
    (found,) = integer_input(scaled(offset, divisor), np.array([v], np.int16)).tolist()
    divided = max(Fraction(divisor), Fraction(1, 32))
    exact = 64 * (v - Fraction(offset)) / divided
    if abs(exact) < 128:
        off = 64 * abs(v) / divided / 2**13 + Fraction(1, 8)
        assert abs(found - exact) <= max(1, off) + off
    else:
        assert abs(found) >= 126 and found * exact > 0


def test_a_number_at_its_offset_is_zero_and_two_divisors_are_all_there_is() -> None:
    inputs = scaled(100.0, 20.0)
    v = np.array([[100], [110], [60], [140], [141], [-32768], [32767]], np.int16)
    spec = Spec(Network((1, 2)), RuleChoice("readout"), inputs, format="i16")
    learner, seen = Learner(spec), []
    for sample in v:
        learner.infer(sample)
        seen += learner.trace["x"].tolist()
    assert seen == [0, 32, -127, 127, 127, -127, 127]


def test_bounds_are_those_of_the_ends() -> None:
    inputs = Inputs("u8", 1.0, scaler=Scaler((10.0, 0.0), (100.0, 510.0)))
    assert integer_ends(inputs, 0, 255).tolist() == [[-6, 0], [157, 32]]
    spec = Spec(Network((2, 2)), RuleChoice("readout"), inputs, format="i8")
    first = certify(spec, np.float32(1)).entries[0]
    assert (first.lo * 128, first.hi * 128) == (-6, 127)


def test_an_offset_that_leaves_a_product_no_room_is_refused() -> None:
    spec = Spec(
        Network((1, 2)), RuleChoice("readout"), scaled(2.0**17, 1.0), format="i16"
    )
    with pytest.raises(
        SpecError, match=r"offset 0 of a scaler is 131072 in an integer"
    ):
        Learner(spec)
