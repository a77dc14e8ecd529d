"""The state digest: one 32-bit number for all that a step changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.constants import GOLDEN
from codegen.reference.random import U32, mix

_WORD = 4


def words(tensor: NDArray[Any]) -> int:
    """32-bit words that hold the tensor's bytes."""
    return -(-tensor.nbytes // _WORD)


class Digest:
    """Digest of tensors that have `count` words, all together.

    The sum over words k = 0, 1, ... of mix(bits_k ^ GOLDEN * (k + 1)) mod 2^32;
    k runs through the tensors in their order, each from a new word on. Elements
    narrower than a word share one, the first in its low bits, and zeros fill the
    tensor's last. The keys GOLDEN * (k + 1) are kept from call to call.
    """

    def __init__(self, count: int) -> None:
        counts = np.arange(1, count + 1, dtype=np.uint32)
        self._keys: U32 = counts * np.uint32(GOLDEN)
        self._keyed: U32 = np.empty_like(self._keys)

    def __call__(self, tensors: Iterable[NDArray[Any]]) -> int:
        """The digest of the tensors as they are now."""
        first = 0
        for tensor in tensors:
            bits = _bits(tensor)
            span = slice(first, first + bits.size)
            np.bitwise_xor(bits, self._keys[span], out=self._keyed[span])
            first += bits.size
        return int(mix(self._keyed).sum(dtype=np.uint32))


def _bits(tensor: NDArray[Any]) -> U32:
    """A tensor's words, in the order of its elements."""
    flat = tensor.reshape(-1)
    missing = words(tensor) * _WORD - tensor.nbytes
    if missing:
        flat = np.append(flat.view(np.uint8), np.zeros(missing, np.uint8))
    return flat.view("<u4")
