"""Number formats: how a network's weights, activations, errors and sums are stored.

`codegen.formats` says what an element is; here is which elements a network is made of,
and where the point of its integers lies (docs/integers.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from codegen.errors import SpecError
from codegen.formats import F32, I8, I16, I32, U8, Format
from codegen.tables import LARGEST, ONE

SUM = 2**31 - 2**20
"""The largest magnitude of a sum: 32 bits hold it, and what rounding adds to it."""
LEAST_ROOM = 8
"""How many times its initial range a layer's weights must be able to grow to."""


@dataclass(frozen=True)
class Numbers:
    """What a network is made of: `weight`s, the `value`s of activations, errors and
    deltas, the `total`s of products; `rounding` is that of what is stored. `room`: bits
    above the initial range that integer weights have; `rate` is how many times a rule's
    learning rate for small inputs suits them, `wide` of that for wide ones. `own`: only
    rules compute in them that declare it, and in nothing else."""

    name: str
    title: str
    weight: Format
    value: Format
    total: Format
    rounding: str
    room: int = 0
    rate: float = 1.0
    wide: float = 1.0
    own: bool = False

    @property
    def integer(self) -> bool:
        """Whether it computes without any float."""
        return not self.weight.floating

    @property
    def fused(self) -> bool:
        """Whether a target must multiply and add in one instruction."""
        return self.total.fused

    def fraction(self, limit: float) -> int:
        """Bits below the point of weights that begin within `limit`: a power of two,
        which learning does not change."""
        return self.weight.bits - 1 - self.room - math.ceil(math.log2(limit))

    def units(self, limit: float) -> int:
        """That limit, in units of such weights."""
        return math.floor(math.ldexp(limit, self.fraction(limit)) + 0.5)

    def most(self, shape: tuple[int, int], limit: float, clip: float | None) -> int:
        """The largest magnitude of a layer's weights, in their units: what their type
        holds, and with which no sum over inputs, biases among them, or over outputs
        leaves 32 bits. `clip` is a limit of the user's.

        Raises `SpecError` where that leaves learning no room.
        """
        n_in, n_out = shape
        terms = max(LARGEST * n_in + ONE, LARGEST * n_out)
        held = (1 << (self.weight.bits - 1)) - 1
        most = min(held, SUM // terms)
        if most < min(held, LEAST_ROOM * self.units(limit)):
            raise SpecError(
                f"a layer of {n_in} inputs and {n_out} outputs in {self.name}: its sums "
                "could leave 32 bits before its weights have learned anything",
                "narrower layers, or --format f32",
            )
        if clip is None:
            return most
        return min(most, math.floor(math.ldexp(clip, self.fraction(limit))))


_OF_FLOATS = "to nearest, ties to even, after each multiply-add"
_OF_INTEGERS = "to nearest, ties up, where a sum or a product is stored; saturating"
_OF_SPIKES = "never: a shift rounds down, and limits are part of a rule"

NUMBERS = {
    one.name: one
    for one in (
        Numbers("f32", "binary32, sums by fused multiply-adds", F32, F32, F32,
                _OF_FLOATS),
        Numbers("i16", "weights of 16 bits, activations and errors of 8, sums of 32",
                I16, I8, I32, _OF_INTEGERS, room=5),
        Numbers("i8", "weights, activations and errors of 8 bits, sums of 32",
                I8, I8, I32, _OF_INTEGERS, room=2, rate=4.0, wide=2.0),
        Numbers("spikes", "whole numbers of cells that spike: weights of 16 bits, potentials "
                "of 32, traces of 8", I16, U8, I32, _OF_SPIKES, own=True),
    )
}  # fmt: skip
"""By name, the usual one first."""


@dataclass(frozen=True)
class Factor:
    """x = v factor 2^-shift, rounded to nearest: how an integer becomes an input."""

    factor: int
    shift: int


def factor(scale: float, bits: int) -> Factor:
    """Of inputs of `bits` bits that are divided by `scale`: as many bits as the product
    leaves. Raises `SpecError` where none is small enough."""
    most = 1 << (30 - bits)
    for shift in range(30, -1, -1):
        found = math.floor(math.ldexp(ONE / scale, shift) + 0.5)
        if 0 < found < most:
            return Factor(found, shift)
    raise SpecError(
        f"inputs divided by {scale:g} in an integer format: the network would see "
        f"nothing but 0 and 1: expected a scale from {ONE / most:g} to {2.0**30 * ONE:g}"
    )
