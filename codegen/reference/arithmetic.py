"""The contract's binary32 arithmetic in numpy: fma, chains of fma, reductions.

numpy has no fused multiply-add. The product of two binary32 numbers is exact in
binary64, and a binary64 sum that is then rounded to binary32 is the correctly
rounded result unless the sum itself was rounded *onto* a rounding boundary of
binary32: halfway between two neighbours. So the fast path computes in binary64
and looks for sums on a boundary; those that TwoSum shows to be inexact are
rounded to odd instead, after which the second rounding is right
(Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved
algorithms using rounding to odd", IEEE Trans. Computers 57(4), 2008).

All arrays are float32 unless said otherwise. Infinities and NaNs come out as
IEEE 754 says; numpy warns of them unless the caller has silenced it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codegen.constants import LANES

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Operand: TypeAlias = F32 | np.float32 | float

_SMALLEST_NORMAL = 2.0**-126
_LOW_BITS = np.int64(0x1FFFFFFF)
_HALFWAY = np.int64(0x10000000)


def _suspects(sums: F64) -> NDArray[np.intp]:
    """Flat indices of sums that may lie on a rounding boundary of binary32.

    In the normal range these are the sums whose 29 bits below the last
    binary32 bit read 1000...; below it every sum is suspected.
    """
    on_boundary = (sums.view(np.int64) & _LOW_BITS) == _HALFWAY
    on_boundary |= np.abs(sums) < _SMALLEST_NORMAL
    return on_boundary.ravel().nonzero()[0]


def _errors_at(
    suspects: NDArray[np.intp], products: F64 | float, addends: F64 | float, sums: F64
) -> F64:
    """products + addends - sums, exactly (Knuth's TwoSum), at flat indices."""
    x, y, s = (_at(values, suspects, sums) for values in (products, addends, sums))
    part = s - x
    errors: F64 = (x - (s - part)) + (y - part)
    return errors


def _at(values: F64 | float, indices: NDArray[np.intp], like: F64) -> F64:
    """The elements at flat indices of `values` broadcast to the shape of `like`."""
    if np.shape(values) != like.shape:
        values = np.broadcast_to(values, like.shape)
    elements: F64 = np.ravel(values)[indices]
    return elements


def _rounded_to_odd(sums: F64, errors: F64) -> F64:
    """The sums, those with an error moved to the neighbour of odd significand."""
    bits = sums.view(np.int64)
    away_from_zero = np.where((errors > 0) == (sums > 0), 1, -1)
    inexact_and_even = (errors != 0) & ((bits & 1) == 0)
    return (bits + np.where(inexact_and_even, away_from_zero, 0)).view(np.float64)


def _wide(value: Operand) -> F64 | float:
    """The same value in float64."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64, copy=False)
    return float(value)


def fma(a: Operand, b: Operand, c: Operand) -> F32:
    """a * b + c, rounded once: bit for bit the fusedMultiplyAdd of IEEE 754.

    Takes float32 arrays, at least one, and numbers that are exactly binary32;
    they broadcast. Only the bits of a NaN are not specified.
    """
    return _rounded_sum(_wide(a) * _wide(b), _wide(c))


class UncheckedFma:
    """fma without its check, which `sound` makes up for over all calls at once.

    A function of many fma is quicker this way: evaluate it with an object of
    this class in place of `fma`, and again with `fma` in the rare case that
    `sound` says no.
    """

    def __init__(self) -> None:
        self._made: list[tuple[F64 | float, F64 | float, F64]] = []

    def __call__(self, a: Operand, b: Operand, c: Operand) -> F32:
        """a * b + c, which may be rounded twice."""
        products, addends = _wide(a) * _wide(b), _wide(c)
        sums = np.add(products, addends)
        self._made.append((products, addends, sums))
        result: F32 = sums.astype(np.float32)
        return result

    def sound(self) -> bool:
        """True when no result so far can have been rounded twice."""
        if not _suspects(np.concatenate([sums for _, _, sums in self._made])).size:
            return True
        for products, addends, sums in self._made:
            suspects = _suspects(sums)
            if suspects.size and _errors_at(suspects, products, addends, sums).any():
                return False
        return True


def _rounded_sum(products: F64 | float, addends: F64 | float) -> F32:
    """products + addends, rounded once to float32."""
    sums = np.add(products, addends)
    result: F32 = sums.astype(np.float32)
    suspects = _suspects(sums)
    if suspects.size:
        errors = _errors_at(suspects, products, addends, sums)
        result.flat[suspects] = _rounded_to_odd(sums.ravel()[suspects], errors)
    return result


def fma_chain(products: F64, start: F32) -> F32:
    """start + products[0] + products[1] + ..., rounded to float32 at each step.

    `products` [steps, ...lanes] are exact products of binary32 numbers, so that
    every step is one fma in every lane; `start` has the shape of the lanes.
    Rounding is checked once, at the end, over all sums together.
    """
    sums = np.empty(products.shape)
    partial = start.copy()
    addend = start.astype(np.float64)
    for product, total in zip(products, sums, strict=True):
        np.add(product, addend, out=total)
        partial[...] = total
        addend[...] = partial
    suspects = _suspects(sums)
    if suspects.size:
        before = np.concatenate((start[None], sums[:-1].astype(np.float32)))
        errors = _errors_at(suspects, products, before.astype(np.float64), sums)
        wrong = suspects[errors != 0] // start.size
        if wrong.size:
            partial = before[wrong[0]]
            for product in products[wrong[0] :]:
                partial = _rounded_sum(product, partial.astype(np.float64))
    return partial


def _in_lanes(values: NDArray[Any]) -> NDArray[Any]:
    """[..., n] cut into the steps of a reduction: [steps, ..., lanes].

    More than 16 terms make 16 lanes; up to 16 make one. The lanes that the last
    step does not have are filled with -0, which changes no addend.
    """
    n = values.shape[-1]
    lanes = LANES if n > LANES else 1
    steps = -(-n // lanes)
    full = np.full((*values.shape[:-1], steps * lanes), -0.0, dtype=values.dtype)
    full[..., :n] = values
    cut = full.reshape(*values.shape[:-1], steps, lanes)
    return np.ascontiguousarray(np.moveaxis(cut, -2, 0))


def _folded(partial: F32) -> F32:
    """The sum of the partial sums: [..., lanes] -> [...]."""
    while (half := partial.shape[-1] // 2) > 0:
        partial = partial[..., :half] + partial[..., half:]
    return partial[..., 0]


def dot16(x: F32, y: F32) -> F32:
    """Scalar products of the rows of `x` [..., n] with `y` [n]: [...]."""
    products = _in_lanes(np.multiply(x, y, dtype=np.float64))
    return _folded(fma_chain(products, np.zeros(products.shape[1:], np.float32)))


def sum16(values: F32) -> F32:
    """Sum of `values` [n] in the order of `dot16`, by plain additions."""
    terms = _in_lanes(values)
    partial = np.zeros(terms.shape[1:], dtype=np.float32)
    for term in terms:
        partial = partial + term
    return _folded(partial)
