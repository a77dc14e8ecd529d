"""The state digest: the formula, and what it notices."""

from __future__ import annotations

import numpy as np
import pytest

from codegen.reference.digest import Digest, words
from tests.reference.test_generator import mix


def plain(tensors: list[np.ndarray]) -> int:
    """The formula in plain integers."""
    laid = [word for t in tensors for word in t.ravel().view(np.uint32).tolist()]
    keyed = [w ^ 0x9E3779B9 * (k + 1) & 0xFFFFFFFF for k, w in enumerate(laid)]
    return sum(map(mix, keyed)) & 0xFFFFFFFF


@pytest.fixture
def tensors() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.normal(size=s).astype(np.float32) for s in ((5, 7), (7,), (7, 3), (3,))]


def test_it_is_the_formula(tensors: list[np.ndarray]) -> None:
    assert Digest(66)(tensors) == plain(tensors)


def test_it_can_be_taken_again_and_again(tensors: list[np.ndarray]) -> None:
    digest = Digest(66)
    first = digest(tensors)
    tensors[0][2, 3] += 1
    changed = digest(tensors)
    tensors[0][2, 3] -= 1
    assert changed != first
    assert digest(tensors) == plain(tensors)


def test_it_notices_one_bit_a_swap_and_the_sign_of_zero(
    tensors: list[np.ndarray],
) -> None:
    digest = Digest(66)
    seen = {digest(tensors)}
    tensors[3].view(np.uint32)[2] ^= 1
    seen.add(digest(tensors))
    tensors[1][[0, 1]] = tensors[1][[1, 0]]
    seen.add(digest(tensors))
    tensors[1][4] = 0.0
    seen.add(digest(tensors))
    tensors[1][4] = -0.0
    seen.add(digest(tensors))
    assert len(seen) == 5


def in_words(tensor: np.ndarray) -> np.ndarray:
    """Bytes as they lie in memory, zero-padded to words."""
    laid = b"".join(value.tobytes() for value in tensor.ravel())
    return np.frombuffer(laid + bytes(-len(laid) % 4), "<u4")


@pytest.mark.parametrize("first", [np.int8, np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("shape", [(3, 5), (1,), (2, 2), (7,)])
def test_narrow_elements_share_words_and_zeros_fill_the_last(
    first: type, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(3)
    narrow = rng.integers(0, 100, shape).astype(first)
    after = np.array([-1, 2, -3], np.int16)  # begins with a new word
    given = [in_words(narrow), in_words(after)]
    count = sum(map(words, (narrow, after)))
    assert count == sum(len(part) for part in given)
    assert Digest(count)([narrow, after]) == plain(given)
