"""The emulated fma is libm's fmaf, bit for bit, wherever rounding is hard."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.reference.arithmetic import UncheckedFma, fma, fma_chain

F32 = np.ndarray
Fmaf = Callable[[float, float, float], float]
Triple = tuple[F32, F32, F32]

N = 200_000
LARGEST = np.finfo(np.float32).max
SPECIAL = np.array(
    [0.0, 1.0, 1.5, 3.0, 2**-149, 2**-126, 2**-126 - 2**-149, 2**-75, 2**-24]
    + [2**24, 2**64, float(LARGEST), np.inf, np.nan, 1 + 2**-23, 1 - 2**-24],
    dtype=np.float32,
)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def floats(rng: np.random.Generator, low: int, high: int, n: int = N) -> F32:
    """Random significands and signs, exponents in low .. high - 1."""
    significand = 1 + rng.integers(0, 2**23, n) * 2.0**-23
    exponent = rng.integers(low, high, n)
    sign = rng.choice([-1.0, 1.0], n)
    return np.ldexp(sign * significand, exponent).astype(np.float32)


def random_bits(rng: np.random.Generator) -> Triple:
    bits = rng.integers(0, 2**32, (3, N), dtype=np.uint32).view(np.float32)
    return bits[0], bits[1], bits[2]


def ordinary(rng: np.random.Generator) -> Triple:
    return floats(rng, -3, 2), floats(rng, -3, 2), floats(rng, -3, 2)


def just_off_a_tie(rng: np.random.Generator) -> Triple:
    """The product is half an ulp of c, give or take less than binary64 sees."""
    c = floats(rng, -20, 20)
    half_ulp = np.ldexp(1.0, np.frexp(c)[1] - 25)
    k = rng.integers(0, 4, N) * rng.choice([-1.0, 1.0], N)
    a = (half_ulp * (1 + k * 2.0**-23)).astype(np.float32)
    b = (rng.choice([-1.0, 1.0], N) * (1 - k * 2.0**-23)).astype(np.float32)
    return a, b, c


def exact_ties(rng: np.random.Generator) -> Triple:
    """Products of few bits, so that many sums are exactly half way."""
    a = rng.integers(-16, 17, N).astype(np.float32) / np.float32(16)
    c = floats(rng, -4, 4)
    b = np.ldexp(rng.integers(1, 16, N), np.frexp(c)[1] - 24).astype(np.float32)
    return a, b, c


def subnormal(rng: np.random.Generator) -> Triple:
    c = floats(rng, -150, -124) * rng.integers(0, 2, N).astype(np.float32)
    return floats(rng, -80, -60), floats(rng, -85, -60), c


def just_off_a_subnormal_tie(rng: np.random.Generator) -> Triple:
    c = rng.integers(2**12, 2**23, N, dtype=np.uint32).view(np.float32)
    k = rng.integers(1, 4, N) * 2.0**-23
    a, b = np.ldexp(1 + k, -75), np.ldexp(1 - k, -75)
    return a.astype(np.float32), b.astype(np.float32), c


def near_overflow(rng: np.random.Generator) -> Triple:
    c = rng.choice([-1.0, 1.0], N) * rng.choice([LARGEST, LARGEST / 2, 2.0**104], N)
    return floats(rng, 62, 65), floats(rng, 62, 65), c.astype(np.float32)


def cancelling(rng: np.random.Generator) -> Triple:
    a, b = floats(rng, -70, 60), floats(rng, -70, 60)
    c = -(a.astype(np.float64) * b).astype(np.float32)
    steps = rng.integers(-2, 3, N).astype(np.int32)
    return a, b, (c.view(np.int32) + steps).view(np.float32)


def special(rng: np.random.Generator) -> Triple:
    """Every triple of zeros, ones, extremes, infinities and NaN, both signs."""
    both = np.concatenate((SPECIAL, -SPECIAL))
    a, b, c = np.array(list(product(both, repeat=3)), dtype=np.float32).T
    return a, b, c


def same_bits(x: F32, y: F32) -> np.ndarray:
    """Where two arrays agree: equal bits, or NaN both."""
    return (x.view(np.uint32) == y.view(np.uint32)) | (np.isnan(x) & np.isnan(y))


def by_libm(fmaf: Fmaf, a: F32, b: F32, c: F32) -> F32:
    triples = map(fmaf, a.tolist(), b.tolist(), c.tolist())
    return np.fromiter(triples, dtype=np.float32, count=a.size)


KINDS = (
    random_bits, ordinary, just_off_a_tie, exact_ties,
    subnormal, just_off_a_subnormal_tie, near_overflow, cancelling, special,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_fma_is_libms(kind: Callable[..., Triple], fmaf: Fmaf) -> None:
    """1.6 million cases in all."""
    a, b, c = kind(np.random.default_rng(20))
    right = by_libm(fmaf, a, b, c)
    wrong = np.flatnonzero(~same_bits(fma(a, b, c), right))
    assert not wrong.size, [[float(v[i]).hex() for v in (a, b, c)] for i in wrong[:3]]


@pytest.mark.parametrize("kind", [just_off_a_tie, just_off_a_subnormal_tie])
def test_a_plain_binary64_sum_would_not_do(
    kind: Callable[..., Triple], fmaf: Fmaf
) -> None:
    a, b, c = kind(np.random.default_rng(20))
    plain = (a.astype(np.float64) * b + c).astype(np.float32)
    assert np.count_nonzero(~same_bits(plain, by_libm(fmaf, a, b, c))) > 100


numbers = st.floats(width=32)


@settings(derandomize=True)
@given(numbers, numbers, numbers)
def test_fma_is_libms_for_any_three_numbers(
    fmaf: Fmaf, a: float, b: float, c: float
) -> None:
    result = fma(np.array([a], dtype=np.float32), b, c)
    assert same_bits(result, np.array([fmaf(a, b, c)], dtype=np.float32)).all()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_chain_is_libms_fmaf_again_and_again(
    kind: Callable[..., Triple], fmaf: Fmaf
) -> None:
    a, b, c = kind(np.random.default_rng(21))
    steps, lanes = 64, 100
    a, b = (x[: steps * lanes].reshape(steps, lanes) for x in (a, b))
    right = start = c[:lanes].copy()
    for a_step, b_step in zip(a, b, strict=True):
        right = by_libm(fmaf, a_step, b_step, right)
    assert same_bits(fma_chain(a, b, start), right).all()


def test_a_chain_that_ties_late_is_mended_from_there(fmaf: Fmaf) -> None:
    """Lane 1 meets a sum just off a tie at step 5, lane 0 never does."""
    a = np.full((9, 2), 0.5, dtype=np.float32)
    b = np.full((9, 2), 0.25, dtype=np.float32)
    a[5, 1], b[5, 1] = 2.0**-24 * (1 + 2.0**-23), 1 - 2.0**-23
    right = start = np.full(2, 1 + 2.0**-23, dtype=np.float32)
    for a_step, b_step in zip(a, b, strict=True):
        right = by_libm(fmaf, a_step, b_step, right)
    assert same_bits(fma_chain(a, b, start), right).all()


@pytest.mark.parametrize("all_exact", [True, False])
def test_a_chain_by_signs_is_libms(all_exact: bool, fmaf: Fmaf) -> None:
    """Products that are binary32 numbers; or all of them but those of one step."""
    rng = np.random.default_rng(23)
    a, b = floats(rng, -3, 0, 1000), rng.choice([-0.25, 0.25], 1000)
    a, b = a.reshape(10, 100), b.reshape(10, 100).astype(np.float32)
    if not all_exact:
        b[4] = floats(rng, -3, 0, 100)
    right = start = floats(rng, -3, 0, 100)
    for a_step, b_step in zip(a, b, strict=True):
        right = by_libm(fmaf, a_step, b_step, right)
    assert same_bits(fma_chain(a, b, start), right).all()


def off_a_tie(partial: F32, rng: np.random.Generator) -> tuple[F32, F32]:
    """Factors whose product is half an ulp of `partial`, or that and a bit that
    binary64 does not see in the sum."""
    half_ulp = np.ldexp(1.0, np.frexp(partial)[1] - 25)
    k = rng.integers(0, 3, partial.size) * rng.choice([-1.0, 1.0], partial.size)
    sign = rng.choice([-1.0, 1.0], partial.size)
    a = (sign * half_ulp * (1 + k * 2.0**-23)).astype(np.float32)
    return a, (1 - k * 2.0**-23).astype(np.float32)


@pytest.mark.parametrize("share", [1.0, 0.02])
def test_a_chain_whose_sums_were_laid_beside_ties(share: float, fmaf: Fmaf) -> None:
    """Each step, or one in fifty, is built on the partial sums before it."""
    rng = np.random.default_rng(22)
    right = start = floats(rng, -2, 2, 40)
    steps = []
    for _ in range(150):
        a, b = off_a_tie(right, rng)
        laid = rng.random(right.size) < share
        a = np.where(laid, a, floats(rng, -6, -1, right.size))
        steps.append((a, b))
        right = by_libm(fmaf, a, b, right)
    a, b = (np.array(factors) for factors in zip(*steps, strict=True))
    assert same_bits(fma_chain(a, b, start), right).all()


def test_unchecked_fma_tells_when_it_may_be_wrong() -> None:
    unchecked = UncheckedFma()
    near_tie = np.array([2.0**-24 * (1 + 2.0**-23)])
    one, below_one = np.array(1.0), np.array(1 - 2.0**-23)
    unchecked(near_tie, one, one)
    assert unchecked.sound(), "half an ulp and more than a binary64 can miss"
    unchecked(near_tie, below_one, one)
    assert not unchecked.sound(), "2^-46 below the tie, so binary64 sees the tie"
