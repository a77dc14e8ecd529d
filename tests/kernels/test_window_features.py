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

from codegen.composer import Composer
from codegen.constants import WINDOW_ROWS
from codegen.formats import I32
from codegen.fronts import window as device
from codegen.reference.fronts.window import (
    features,
    integer_ends,
    integer_input,
    raw_features,
)
from codegen.spec import Inputs, Network, Spec
from codegen.window import Window

Call = Callable[..., Any]
LOW, HIGH = -32768, 32767
LIMITS = st.floats(-(2.0**20), 2.0**20, width=32)
DIVISORS = st.floats(2.0**-20, 2.0**20, width=32)


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


def drawn(data: Any, rows: int, axes: int) -> Window:
    """A window with any constants."""
    offsets = data.draw(arrays(np.float32, 3 * axes, elements=LIMITS))
    divisors = data.draw(arrays(np.float32, 3 * axes, elements=DIVISORS))
    return Window(rows, axes, tuple(offsets.tolist()), tuple(divisors.tolist()))


@settings(max_examples=150)
@given(data=st.data(), rows=st.integers(2, 40), axes=st.integers(1, 4))
def test_any_window_with_any_constants(
    call: Call, data: Any, rows: int, axes: int
) -> None:
    v = data.draw(arrays(np.int16, (rows, axes)))
    window = drawn(data, rows, axes)
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


@settings(max_examples=100)
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


def levelled(call: Call, v: np.ndarray, window: Window) -> np.ndarray:
    """x of one window in integers, by the C kernel and the constants of the image."""
    inputs = Inputs("i16", 1.0, window)
    spec = Spec(Network((window.features, 2)), inputs=inputs, format="i16")
    composer = Composer(spec, {})
    device.convert(composer)
    shape = (3, window.features)
    made = composer.tensor("window", shape, "const", format=I32).initial.make()
    x = np.empty(window.features, np.int8)
    constants = np.array(list(made), np.int32).reshape(3, -1)
    call("i16_window_levels", v, *constants, x, window.rows, window.axes)
    return x


def twin(v: np.ndarray, window: Window) -> np.ndarray:
    """The same by the reference."""
    return integer_input(Inputs("i16", 1.0, window), v.ravel())


@pytest.mark.parametrize("rows", [2, 3, 128, WINDOW_ROWS])
@pytest.mark.parametrize("kind", extreme(2, 1))
def test_integer_sums_hold_windows_at_the_ends_of_their_type(
    call: Call, rows: int, kind: str
) -> None:
    """Features a fraction of a unit from the largest that each can be."""
    v, (low, high) = extreme(rows, 3)[kind], (-32768.0, 65535.0)
    window = Window(rows, 3, (low, 32767.5, high) * 3, (300.0, 20.0, 1.0) * 3)
    x = twin(v, window)
    np.testing.assert_array_equal(levelled(call, v, window), x)
    if kind in ("lowest", "highest", "nothing"):
        assert x[:3].tolist() == [0 if kind == "lowest" else 127, -127, -127]
    if kind == "alternating" and rows % 2 == 0:
        assert x[1:3].tolist() == [0, 0], "the largest deviation and motion there are"


@settings(max_examples=60)
@given(data=st.data(), rows=st.integers(2, 40), axes=st.integers(1, 4))
def test_any_window_with_any_constants_in_integers(
    call: Call, data: Any, rows: int, axes: int
) -> None:
    v = data.draw(arrays(np.int16, (rows, axes)))
    window = drawn(data, rows, axes)
    np.testing.assert_array_equal(levelled(call, v, window), twin(v, window))


@settings(max_examples=60)
@given(
    v=arrays(np.int16, st.integers(2, 60)), near=st.integers(-130, 130),
    divisor=st.floats(0.0625, 2.0**15, width=32),
)  # fmt: skip
def test_a_level_is_the_feature_to_a_unit(
    call: Call, v: np.ndarray, near: int, divisor: float
) -> None:
    """By fractions, with offsets from which the feature is some units away: what is
    rounded on the way (a sum's centre, the factor, the root) is below one of them."""
    n, numbers = v.size, v.tolist()
    spread = n * sum(number**2 for number in numbers) - sum(numbers) ** 2
    moved = sum(abs(b - a) for a, b in pairwise(numbers))
    root = Fraction(isqrt(spread * 4**20), 2**20)
    exact = Fraction(sum(numbers), n), root / n, Fraction(moved, n - 1)
    offsets = [float(np.float32(f - near * Fraction(divisor) / 64)) for f in exact]
    window = Window(n, 1, tuple(offsets), (divisor,) * 3)
    found = levelled(call, v, window)
    np.testing.assert_array_equal(found, twin(v, window))
    for x, f, offset in zip(found.tolist(), exact, offsets, strict=True):
        want = (f - Fraction(offset)) * 64 / Fraction(divisor)
        slack = 1 + 64 / (n * divisor)
        assert abs(x - max(-127, min(127, want))) <= slack


def test_the_ends_hold_every_window_and_are_reached() -> None:
    """Of numbers within -100 .. 90, with constants that leave room on both sides."""
    window = Window(8, 2, (0.0, 50.0, 80.0) * 2, (60.0, 60.0, 100.0) * 2)
    inputs = Inputs("i16", 1.0, window)
    low, high = integer_ends(inputs, -100.0, 90.0)
    given = np.random.default_rng(3).integers(-100, 91, (500, 16)).astype(np.int16)
    flat = [np.full(16, value, np.int16) for value in (-100, 90)]
    turns = np.where(np.arange(16) // 2 % 2, 90, -100).astype(np.int16)
    x = integer_input(inputs, np.stack([*given, *flat, turns])).reshape(-1, 2, 3)
    assert (x >= low).all() and (x <= high).all()
    assert (x.min(axis=0) == low).all() and (x.max(axis=0) == high).all()
