"""The counter-based generator agrees with plain Python integers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import streams
from codegen.reference import random

MASK = 0xFFFFFFFF
seeds = st.integers(0, MASK)


def mix(x: int) -> int:
    x ^= x >> 16
    x = x * 0x7FEB352D & MASK
    x ^= x >> 15
    x = x * 0x846CA68B & MASK
    return x ^ x >> 16


def u32(seed: int, stream: int, index: int) -> int:
    return mix((index + mix(seed) + 0x9E3779B9 * (stream + 1)) & MASK)


@settings(derandomize=True)
@given(seeds, st.integers(0, 2**24), st.integers(0, MASK), st.integers(0, 20))
def test_words_are_those_of_plain_integers(
    seed: int, stream: int, first: int, count: int
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        words = random.u32(seed, stream, first, count)
    assert words.dtype == np.uint32
    assert words.tolist() == [u32(seed, stream, first + k) for k in range(count)]


def test_mixing_does_not_change_its_argument() -> None:
    x = np.arange(9, dtype=np.uint32)
    random.mix(x)
    assert x.tolist() == list(range(9))


@settings(derandomize=True)
@given(seeds, st.floats(2.0**-10, 2, width=32))
def test_uniform_numbers_are_rounded_once(seed: int, limit: float) -> None:
    drawn = random.uniform(seed, 11, np.float32(limit), 9)
    exact = [((u32(seed, 11, k) >> 8) * 2.0**-23 - 1) * limit for k in range(9)]
    assert drawn.tolist() == np.array(exact).astype(np.float32).tolist()
    assert (np.abs(drawn) <= limit).all()


def test_uniform_numbers_have_the_moments_of_their_distribution() -> None:
    drawn = random.uniform(3, 10, np.float32(1), 100_000).astype(np.float64)
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.var() - 1 / 3) < 0.005


@settings(derandomize=True)
@given(seeds, st.integers(0, 1000), st.integers(1, 100))
def test_signs_are_the_bits_of_the_words(seed: int, first: int, count: int) -> None:
    drawn = random.signs(seed, streams.SIGN_FEEDBACK, first, count)
    for k, sign in enumerate(drawn.tolist()):
        minus = u32(seed, 99, first + (k >> 5)) >> (k & 31) & 1
        assert sign == (-1.0 if minus else 1.0)


def test_feedback_matrices_lie_error_major() -> None:
    uniform = random.feedback_uniform(5, 2, 3, 4)
    limit = np.float32(1.0)
    flat = random.uniform(5, 52, limit, 12)
    assert uniform.shape == (3, 4)
    assert uniform.ravel().tolist() == flat.tolist()
    signs = random.feedback_signs(5, 7, np.float32(0.25), 3, 4)
    assert signs.ravel().tolist() == (random.signs(5, 99, 7, 12) / 4).tolist()


@pytest.mark.parametrize("layers", [19, 200, 65535])
def test_no_two_uses_share_a_stream(layers: int) -> None:
    numbers = [streams.SPLIT, streams.DENSE, streams.HOLDOUT, streams.SIGN_FEEDBACK]
    numbers += [streams.KEPT, streams.REHEARSED]
    numbers += [streams.order(epoch) for epoch in range(10_000)]
    for of_layer in (streams.weights, streams.feedback, streams.readout):
        numbers += [of_layer(layer) for layer in range(1, layers + 1)]
    assert len(set(numbers)) == len(numbers)
