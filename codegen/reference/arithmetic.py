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

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from codegen.constants import LANES

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Operand: TypeAlias = F32 | F64 | np.float32 | float
"""A float64 operand holds binary32 numbers, and is called wide."""
WideFma: TypeAlias = Callable[[F64, F64, F64], F64]
Found = TypeVar("Found")

_NOTHING = -0.0
"""Added to anything, it changes nothing."""
_ZERO = np.array(0, dtype=np.float32)
_SMALLEST_NORMAL = np.array(2.0**-126)
_LOW_BITS = np.array(0x1FFFFFFF, dtype=np.int64)
_HALFWAY = np.array(0x10000000, dtype=np.int64)
"""Arrays of no dimension: numpy takes them up twice as fast as scalars, and the
arrays of a step are so short that this is what counts."""


def _suspects(sums: F64) -> NDArray[np.intp]:
    """Flat indices of sums that may lie on a rounding boundary of binary32.

    In the normal range these are the sums whose 29 bits below the last
    binary32 bit read 1000...; below it every sum is suspected.
    """
    on_boundary = (sums.view(np.int64) & _LOW_BITS) == _HALFWAY
    on_boundary |= np.abs(sums) < _SMALLEST_NORMAL
    return on_boundary.ravel().nonzero()[0]


def _errors(a: F64, b: F64, c: F64, sums: F64) -> F64:
    """a * b + c - sums, exactly (Knuth's TwoSum)."""
    x = a * b
    part = sums - x
    errors: F64 = (x - (sums - part)) + (c - part)
    return errors


def _errors_at(
    suspects: NDArray[np.intp], a: Operand, b: Operand, c: Operand, sums: F64
) -> F64:
    """`_errors` at flat indices."""
    a, b, c = (_at(values, suspects, sums.shape) for values in (a, b, c))
    return _errors(a, b, c, sums.ravel()[suspects])


def _at(values: Operand, indices: NDArray[np.intp], shape: tuple[int, ...]) -> F64:
    """The elements at flat indices of `values` broadcast to `shape`, in float64."""
    if np.shape(values) != shape:
        values = np.broadcast_to(values, shape)
    return np.ravel(values)[indices].astype(np.float64)


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

    Takes arrays, at least one, and numbers that are exactly binary32; they
    broadcast. Only the bits of a NaN are not specified.
    """
    sums = np.asarray(_wide(a) * _wide(b) + _wide(c))
    result: F32 = sums.astype(np.float32)
    suspects = _suspects(sums)
    if suspects.size:
        errors = _errors_at(suspects, a, b, c, sums)
        result.flat[suspects] = _rounded_to_odd(sums.ravel()[suspects], errors)
    return result


def wide_fma(a: F64, b: F64, c: F64) -> F64:
    """`fma` of binary32 numbers that are kept in float64, as is the result."""
    return fma(a, b, c).astype(np.float64)


class UncheckedFma:
    """`wide_fma` without its check, which `sound` makes up for over all calls.

    A function of many fma is quicker this way: `checked` evaluates it with an
    object of this class in place of `wide_fma`.
    """

    def __init__(self) -> None:
        self._made: list[tuple[F64, F64, F64]] = []
        self._sums: list[F64] = []

    def __call__(self, a: F64, b: F64, c: F64) -> F64:
        """a * b + c, which may be rounded twice; of one shape in all calls."""
        sums = a * b + c
        self._made.append((a, b, c))
        self._sums.append(sums)
        return sums.astype(np.float32).astype(np.float64)

    def sound(self) -> bool:
        """True when no result so far can have been rounded twice."""
        suspects = _suspects(np.concatenate(self._sums))
        size = self._sums[0].size
        for call in set((suspects // size).tolist()):
            here = suspects[suspects // size == call] - call * size
            a, b, c = self._made[call]
            if _errors(a, b, c, self._sums[call])[here].any():
                return False
        return True


def checked(function: Callable[[WideFma, F32], Found], x: F32) -> Found:
    """function(wide_fma, x), by way of `UncheckedFma` wherever that is sound."""
    unchecked = UncheckedFma()
    found = function(unchecked, x)
    return found if unchecked.sound() else function(wide_fma, x)


def fma_chain(a: F32, b: F32, start: F32) -> F32:
    """From `start` on, x = fma(a[0], b[0], x), x = fma(a[1], b[1], x), ...

    `a` and `b` broadcast to [steps, ...lanes], `start` has the shape of the
    lanes. Rounding is checked once, at the end, over all sums together, so that
    a step costs three calls of numpy; or none, of few steps whose products are
    binary32 numbers, as signs give: then only the sums are rounded.
    """
    # the products, each replaced by its sum in turn
    sums = np.asarray(_wide(a) * _wide(b))
    if len(sums) <= LANES and (exact := _as_binary32(sums)) is not None:
        return _added(start, exact)
    partial, addend, add = start.copy(), start.astype(np.float64), np.add
    for total in sums:
        add(total, addend, total)
        partial[...] = total
        addend[...] = partial
    suspects = _suspects(sums)
    if suspects.size:
        before = np.concatenate((start[None], sums[:-1].astype(np.float32)))
        errors = _errors_at(suspects, a, b, before, sums)
        wrong = suspects[errors != 0] // start.size
        if wrong.size:
            return _careful_chain(a, b, before[wrong[0]], wrong[0])
    return partial


def _as_binary32(products: F64) -> F32 | None:
    """The products, if all of them are binary32 numbers."""
    narrow = products.astype(np.float32)
    return narrow if (narrow.astype(np.float64) == products).all() else None


def _added(start: F32, terms: F32) -> F32:
    """From `start` on x = x + terms[0], x = x + terms[1], ..., each sum rounded."""
    # one after another, as accumulate is defined
    last: F32 = np.add.accumulate(np.concatenate((start[None], terms)))[-1]
    return last


def _careful_chain(a: F32, b: F32, partial: F32, first: int) -> F32:
    """The chain from step `first` on, every rounding checked."""
    for a_step, b_step in zip(a[first:], b[first:], strict=True):
        partial = fma(a_step, b_step, partial)
    return partial


def _in_lanes(values: F32, fill: float) -> F32:
    """[..., n] cut into the steps of a reduction: [steps, ..., lanes].

    More than 16 terms make 16 lanes; up to 16 make one. The lanes that the last
    step does not have hold `fill`.
    """
    n = values.shape[-1]
    lanes = LANES if n > LANES else 1
    steps = -(-n // lanes)
    full = np.full((*values.shape[:-1], steps * lanes), fill, dtype=np.float32)
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
    a = _in_lanes(x, _NOTHING)
    b = _in_lanes(y[(None,) * (x.ndim - 1)], 1.0)
    return _folded(fma_chain(a, b, np.zeros(a.shape[1:], np.float32)))


def sum16(values: F32) -> F32:
    """Sum of `values` [n] in the order of `dot16`, by plain additions."""
    terms = _in_lanes(values, _NOTHING)
    # one after another, as accumulate is defined; + 0 as if from +0 on
    return _folded(np.add.accumulate(terms)[-1] + _ZERO)
