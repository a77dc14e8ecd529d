"""Features of windows: the scalar kernel, the reference and the formulas agree."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import isqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codegen.constants import WINDOW_ROWS
from codegen.reference.fronts.window import features, raw_features
from codegen.window import Window

Call = Callable[..., Any]
LOW, HIGH = -32768, 32767


def computed(call: Call, v: np.ndarray, window: Window) -> np.ndarray:
    """x of one window, by the C kernel."""
    x = np.empty(window.features, np.float32)
    constants = np.float32(list(window.constants()))
    halves = constants[: window.features], constants[window.features :]
    call("i16_window_features", v, *halves, x, window.rows, window.axes)
    return x


def plain(rows: int, axes: int) -> Window:
    """A window whose features stay as they are."""
    return Window(rows, axes, (0.0,) * (3 * axes), (1.0,) * (3 * axes))


def extreme(rows: int, axes: int) -> dict[str, np.ndarray]:
    """Windows at the ends of their type."""
    turns = np.arange(rows)[:, None] % 2 == 0
    each = np.ones((rows, axes), bool)
    return {
        "lowest": np.full((rows, axes), LOW, np.int16),
        "highest": np.full((rows, axes), HIGH, np.int16),
        "nothing": np.zeros((rows, axes), np.int16),
        "alternating": np.where(turns & each, LOW, HIGH).astype(np.int16),
        "one spike": np.where(np.arange(rows)[:, None] * each == 1, LOW, 0).astype(
            np.int16
        ),
    }


@pytest.mark.parametrize("rows", [2, 3, 128, WINDOW_ROWS])
@pytest.mark.parametrize("kind", extreme(2, 1))
def test_windows_at_the_ends_of_their_type(call: Call, rows: int, kind: str) -> None:
    v, window = extreme(rows, 3)[kind], plain(rows, 3)
    x = features(v.ravel(), window)
    np.testing.assert_array_equal(computed(call, v, window), x)
    assert np.isfinite(x).all()
    if kind in ("lowest", "highest", "nothing"):
        assert x.tolist() == [float(v[0, 0]), 0.0, 0.0] * 3
    if kind == "alternating":
        assert x[2] == pytest.approx(65535, rel=2**-23)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), rows=st.integers(2, 40), axes=st.integers(1, 4))
def test_any_window_with_any_constants(
    call: Call, data: Any, rows: int, axes: int
) -> None:
    v = data.draw(arrays(np.int16, (rows, axes)))
    limits = st.floats(-(2.0**20), 2.0**20, width=32)
    offsets = data.draw(arrays(np.float32, 3 * axes, elements=limits))
    divisors = data.draw(
        arrays(np.float32, 3 * axes, elements=st.floats(2.0**-20, 2.0**20, width=32))
    )
    window = Window(rows, axes, tuple(offsets.tolist()), tuple(divisors.tolist()))
    got, want = computed(call, v, window), features(v.ravel(), window)
    np.testing.assert_array_equal(got.view(np.uint32), want.view(np.uint32))
    assert np.isfinite(got).all()


def test_the_reference_is_the_formulas() -> None:
    """In binary64, on windows of any mean and spread."""
    rng = np.random.default_rng(1)
    v = rng.integers(LOW, HIGH, (50, 128, 6), np.int16, endpoint=True)
    v[25:] = v[25:] // 1000 + 700
    got = raw_features(v.reshape(50, -1), 128, 6).reshape(50, 6, 3)
    exact = v.astype(np.float64)
    moved = np.abs(np.diff(exact, axis=1)).mean(axis=1)
    want = np.stack([exact.mean(axis=1), exact.std(axis=1), moved], axis=2)
    np.testing.assert_allclose(got, want, rtol=3e-7, atol=1e-9)


def rounded(value: Fraction) -> np.float32:
    """A non-negative fraction to binary32, in integers alone: an independent oracle."""
    if value == 0:
        return np.float32(0)
    shift = 24 - (value.numerator.bit_length() - value.denominator.bit_length())
    scaled = value * Fraction(2) ** shift
    while scaled >= 2**24:
        scaled, shift = scaled / 2, shift - 1
    return np.float32(np.ldexp(float(round(scaled)), -shift))


@settings(max_examples=100, deadline=None)
@given(v=arrays(np.int16, st.integers(2, 60)))
def test_each_operation_is_rounded_once(v: np.ndarray) -> None:
    """The document's order of roundings, in Python's integers and fractions."""
    n, numbers = v.size, v.tolist()
    total = sum(numbers)
    spread = n * sum(number**2 for number in numbers) - total**2
    moved = sum(abs(b - a) for a, b in pairwise(numbers))
    wide = Fraction(float(rounded(Fraction(spread))))
    root = Fraction(isqrt(int(wide * 2**120)), 2**60)
    want = [
        rounded(abs(Fraction(total, n))) * np.float32(-1 if total < 0 else 1),
        rounded(Fraction(float(rounded(root))) / n),
        rounded(Fraction(float(rounded(Fraction(moved)))) / (n - 1)),
    ]
    assert raw_features(v, n, 1).ravel().tolist() == [float(value) for value in want]
