"""Formats: what an element of a tensor is."""

from __future__ import annotations

from dataclasses import dataclass

WORD = 32
"""Bits of a word, what memory is counted in."""


@dataclass(frozen=True)
class Format:
    """An element of `bits` bits, `c_type` in C and `dtype` in numpy.

    rounded: how often each term of a sum is rounded.
    floating: it can hold what is not finite, so every step looks for that; an integer
        is always finite.
    fused: its sums need a fused multiply-add, rounded once, which not every machine has
        in hardware.
    """

    name: str
    bits: int
    c_type: str
    dtype: str
    rounded: str
    floating: bool = False
    fused: bool = False

    def bytes(self, count: int) -> int:
        """Bytes of so many elements, packed."""
        return -(-count * self.bits // 8)

    def words(self, count: int) -> int:
        """Words that hold them, the last padded with zeros."""
        return -(-count * self.bits // WORD)


F32 = Format(
    "f32", 32, "float", "<f4", "once a term, by fma", floating=True, fused=True
)
U32 = Format("u32", 32, "uint32_t", "<u4", "never: modulo 2^32")
I16 = Format("i16", 16, "int16_t", "<i2", "never: sums are exact")
I8 = Format("i8", 8, "int8_t", "i1", "never: sums are exact")
I32 = Format("i32", 32, "int32_t", "<i4", "never: sums are exact")
U16 = Format("u16", 16, "uint16_t", "<u2", "never: sums are exact")
U8 = Format("u8", 8, "uint8_t", "u1", "never: sums are exact")
BITS = Format("bits", 32, "uint32_t", "<u4", "never: nothing is summed")
"""A word of a vector of bits, bit j of which is bit j & 31 of word j >> 5: packed, sent
and digested as the words that it is."""

FORMATS = {format.name: format for format in (F32, U32, I32, I16, I8, U16, U8, BITS)}
"""By name."""


I64 = Format("i64", 64, "int64_t", "<i8", "never: sums are exact")
"""Of constants alone: biases of numbers of 16 bits."""
POINTER = "pointer"


def pointer(xlen: int) -> Format:
    """A pointer to a row of floats, on a machine whose registers have `xlen` bits."""
    return Format(POINTER, xlen, "float *", "", "never")
