"""dot16 and sum16 add in the contract's order, written here as plain loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codegen.reference.arithmetic import dot16, sum16

Fmaf = Callable[[float, float, float], float]

SIZES = [1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 64, 65, 128]


def folded(partial: list[float]) -> float:
    for distance in (8, 4, 2, 1):
        for k in range(distance):
            partial[k] = float(
                np.float32(partial[k]) + np.float32(partial[k + distance])
            )
    return partial[0]


def looped(terms: list[tuple[float, float]], fmaf: Fmaf) -> float:
    """The contract's order; a term is fmaf(x, y, partial)."""
    if len(terms) <= 16:
        total = 0.0
        for x, y in terms:
            total = fmaf(x, y, total)
        return total
    partial = [0.0] * 16
    for index, (x, y) in enumerate(terms):
        partial[index % 16] = fmaf(x, y, partial[index % 16])
    return folded(partial)


def bits(value: object) -> int:
    return int(np.float32(value).view(np.uint32))


def draw(n: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    x = rng.normal(size=(rows, n)).astype(np.float32)
    return x, rng.normal(size=n).astype(np.float32)


@pytest.mark.parametrize("n", SIZES)
def test_dot16_is_the_plain_loop(n: int, fmaf: Fmaf) -> None:
    rows, y = draw(n, 5)
    for x, result in zip(rows, dot16(rows, y), strict=True):
        right = looped(list(zip(x.tolist(), y.tolist(), strict=True)), fmaf)
        assert bits(result) == bits(right)


@pytest.mark.parametrize("n", SIZES)
def test_sum16_is_the_plain_loop(n: int, fmaf: Fmaf) -> None:
    values = draw(n, 1)[1]
    right = looped([(value, 1.0) for value in values.tolist()], fmaf)
    assert bits(sum16(values)) == bits(right)


def test_the_order_of_sixteen_lanes_shows_in_the_bits() -> None:
    """Otherwise the tests above would prove nothing about order."""
    values = draw(65, 1)[1]
    in_sequence = np.float32(0)
    for value in values:
        in_sequence += value
    assert bits(in_sequence) != bits(sum16(values))


@pytest.mark.parametrize("n", [3, 16, 17, 40])
def test_a_sum_of_negative_zeros_is_positive_zero(n: int) -> None:
    zeros = np.full(n, -0.0, dtype=np.float32)
    assert bits(sum16(zeros)) == 0
    assert bits(dot16(zeros, np.ones(n, dtype=np.float32))) == 0


vectors = arrays(
    np.float32, st.integers(1, 70), elements=st.floats(-1e6, 1e6, width=32)
)


@settings(derandomize=True)
@given(vectors)
def test_dot16_of_any_vector_is_the_plain_loop(fmaf: Fmaf, x: np.ndarray) -> None:
    right = looped(list(zip(x.tolist(), x.tolist(), strict=True)), fmaf)
    assert bits(dot16(x, x)) == bits(right)
