"""exp, log, tanh and sigmoid stay within their bounds, and keep to their edges."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import constants
from codegen.reference import accuracy, functions
from codegen.reference.accuracy import SWEPT, Swept, Worst

MPMATH = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
}

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def f32(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


@cache
def measured(swept: Swept) -> Worst:
    return accuracy.measure(swept)


def named(swept: Swept) -> str:
    return swept.name


@pytest.mark.parametrize("swept", SWEPT, ids=named)
def test_the_largest_error_of_a_sweep_is_within_the_stated_bound(swept: Swept) -> None:
    worst = measured(swept)
    assert worst.arguments > 2_000_000
    assert worst.ulp <= swept.bound, worst


@pytest.mark.parametrize("swept", SWEPT, ids=named)
def test_the_error_against_mpmath_is_within_the_stated_bound(swept: Swept) -> None:
    """The oracle of the sweep is float64; mpmath is correctly rounded at 40 digits."""
    every = 97 * 1009 * (3 if swept.name == "log" else 1)
    sample = [x for one in swept.ranges for x in accuracy.arguments(*one, every)]
    x = np.concatenate(sample)
    assert x.size > 2000
    with mpmath.workdps(40):
        exact = [MPMATH[swept.name](mpmath.mpf(value)) for value in x.tolist()]
        found = [
            abs(mpmath.mpf(y) - right)
            for y, right in zip(swept.function(x).tolist(), exact, strict=True)
        ]
    unit = accuracy.ulp(np.array(exact, dtype=np.float64))
    assert (np.array(found, dtype=np.float64) / unit).max() <= swept.bound


@pytest.mark.parametrize("swept", SWEPT, ids=named)
def test_the_stated_bound_is_no_looser_than_needed(swept: Swept) -> None:
    assert measured(swept).ulp > swept.bound - 0.2


def test_exp_is_clamped_so_that_it_stays_normal() -> None:
    ends = functions.exp(f32(constants.EXP_MIN, constants.EXP_MAX))
    assert ends[0] >= np.finfo(np.float32).tiny
    assert ends[1] <= np.finfo(np.float32).max
    beyond = functions.exp(f32(-np.inf, -1000, 1000, np.inf))
    assert beyond.tolist() == [ends[0], ends[0], ends[1], ends[1]]


def test_exp_of_zero_is_one_and_log_of_one_is_zero() -> None:
    assert functions.exp(f32(0.0, -0.0)).tolist() == [1, 1]
    assert functions.log(f32(1.0)).view(np.uint32).tolist() == [0]


def test_tanh_ends_at_one_and_keeps_the_sign_of_zero() -> None:
    x = f32(0.0, -0.0, constants.TANH_MAX, -constants.TANH_MAX, np.inf, -np.inf)
    right = f32(0.0, -0.0, 1, -1, 1, -1)
    assert functions.tanh(x).tobytes() == right.tobytes()


def test_tanh_of_a_subnormal_is_itself() -> None:
    x = f32(2.0**-149, 3 * 2.0**-140, -(2.0**-127))
    assert functions.tanh(x).tobytes() == x.tobytes()


def test_sigmoid_is_a_half_at_zero_and_stays_within_zero_and_one() -> None:
    x = f32(0.0, -0.0, -1e30, 1e30, -87, 20)
    p = functions.sigmoid(x)
    assert p[:2].tolist() == [0.5, 0.5]
    assert p.min() > 0 and p.max() <= 1


def test_relu_of_either_zero_and_of_what_is_negative_is_positive_zero() -> None:
    h = functions.relu(f32(0.0, -0.0, -1.0, 2.0))
    assert h.tobytes() == f32(0.0, 0.0, 0.0, 2.0).tobytes()


@pytest.mark.parametrize("function", [functions.exp, functions.tanh, functions.sigmoid])
def test_nan_stays_nan(function: Callable[[np.ndarray], np.ndarray]) -> None:
    assert np.isnan(function(f32(np.nan))).all()


@settings(derandomize=True)
@given(st.floats(width=32, allow_nan=False))
def test_tanh_is_odd(value: float) -> None:
    x = f32(value)
    assert functions.tanh(-x).tobytes() == (-functions.tanh(x)).tobytes()


@settings(derandomize=True)
@given(st.floats(-80, 80, width=32))
def test_a_value_does_not_depend_on_its_neighbours_in_the_array(value: float) -> None:
    """Also where one neighbour sends the whole array down the careful path."""
    alone = functions.exp(f32(value))
    among = functions.exp(f32(1e-40, value, np.nan, 700, 2.0**-25))
    assert alone[0] == among[1]


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu", "identity"])
def test_gradients_are_derivatives(name: str) -> None:
    activation = functions.ACTIVATIONS[name]
    a = np.linspace(-4, 4, 81, dtype=np.float32) + np.float32(0.01)
    oracle = {
        "tanh": lambda x: 1 / np.cosh(x) ** 2,
        "sigmoid": lambda x: 1 / (2 + 2 * np.cosh(x)),
        "relu": lambda x: (x > 0) * 1.0,
        "identity": np.ones_like,
    }[name]
    u = np.full_like(a, 3)
    slope = activation.grad(activation.value(a), u)
    np.testing.assert_allclose(slope, 3 * oracle(a.astype(np.float64)), atol=2e-6)
