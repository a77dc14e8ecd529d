"""The state digest: one 32-bit number for all that a step changes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from codegen.constants import GOLDEN
from codegen.reference.arithmetic import F32
from codegen.reference.random import U32, mix


class Digest:
    """Digest of tensors whose words, all together, number `words`.

    The sum over words k = 0, 1, ... of mix(bits_k ^ GOLDEN * (k + 1)) mod 2^32;
    k runs through the tensors in their order. The keys GOLDEN * (k + 1) are kept
    from call to call.
    """

    def __init__(self, words: int) -> None:
        counts = np.arange(1, words + 1, dtype=np.uint32)
        self._keys: U32 = counts * np.uint32(GOLDEN)
        self._keyed: U32 = np.empty_like(self._keys)

    def __call__(self, tensors: Iterable[F32]) -> int:
        """The digest of the tensors as they are now."""
        first = 0
        for tensor in tensors:
            bits = tensor.reshape(-1).view(np.uint32)
            span = slice(first, first + bits.size)
            np.bitwise_xor(bits, self._keys[span], out=self._keyed[span])
            first += bits.size
        return int(mix(self._keyed).sum(dtype=np.uint32))
