"""RISC-V machine code, read for what it does to addresses: jumps, and arithmetic
on constants and on the stack pointer. Encodings as in `codegen.machine_code.decode`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ENDS = frozenset({0x0000, 0x9002, 0x00100073, 0xC0001073, 0x30200073})
"""c.unimp, c.ebreak, ebreak, unimp and mret: nothing follows them."""
VLENB = 0xC22


@dataclass(frozen=True)
class Value:
    """What a register is known to hold: a constant, or with `frame` the stack
    pointer at the function's entry plus `number`."""

    number: int
    frame: bool = False


Pieces = tuple[tuple[int, int, int], ...]
"""Of an immediate: lowest bit in the word, bits, lowest bit in the immediate."""
JAL: Pieces = ((21, 10, 1), (20, 1, 11), (12, 8, 12), (31, 1, 20))
C_JUMP: Pieces = (
    (3, 3, 1), (11, 1, 4), (2, 1, 5), (7, 1, 6), (6, 1, 7), (9, 2, 8), (8, 1, 10),
    (12, 1, 11),
)  # fmt: skip
BRANCH: Pieces = ((8, 4, 1), (25, 6, 5), (7, 1, 11), (31, 1, 12))
C_BRANCH: Pieces = ((3, 2, 1), (10, 2, 3), (2, 1, 5), (5, 2, 6), (12, 1, 8))
C_ADDI: Pieces = ((12, 1, 5), (2, 5, 0))
C_ADDI4SPN: Pieces = ((6, 1, 2), (5, 1, 3), (11, 2, 4), (7, 4, 6))
C_ADDI16SP: Pieces = ((6, 1, 4), (2, 1, 5), (5, 1, 6), (3, 2, 7), (12, 1, 9))

Known = Mapping[str, Value]
Found = tuple[str, Value] | None
"""A register and what it holds now; None where nothing is known."""


def _field(word: int, pieces: Pieces) -> int:
    """The immediate in `word`, without its sign."""
    return sum((word >> at & ((1 << n) - 1)) << to for at, n, to in pieces)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _short(word: int) -> int:
    """The 6-bit immediate of c.addi and its like."""
    return _signed(_field(word, C_ADDI), 6)


def is_end(word: int) -> bool:
    """Whether no path goes on behind the instruction."""
    return word in ENDS


def jump_target(word: int, address: int, xlen: int) -> tuple[int, bool] | None:
    """Where jal and its like go, and whether they are calls; None for all others."""
    if word & 0x7F == 0x6F:
        return address + _signed(_field(word, JAL), 21), word >> 7 & 31 in (1, 5)
    calls = word >> 13 == 1 and xlen == 32
    if word & 3 == 1 and (word >> 13 == 5 or calls):
        return address + _signed(_field(word, C_JUMP), 12), calls
    return None


def jump_register(word: int) -> tuple[str, int, bool] | None:
    """Register and offset that jalr and its like go to, and whether they are
    calls; None for all others."""
    if word & 0x707F == 0x67:
        links = word >> 7 & 31 in (1, 5)
        return f"x{word >> 15 & 31}", _signed(word >> 20, 12), links
    if word & 0xE07F == 0x8002 and word >> 7 & 31:
        return f"x{word >> 7 & 31}", 0, bool(word >> 12 & 1)
    return None


def branch_target(word: int, address: int) -> int | None:
    """Where a conditional branch may go; None for all others."""
    if word & 0x7F == 0x63:
        return address + _signed(_field(word, BRANCH), 13)
    if word & 3 == 1 and word >> 13 in (6, 7):
        return address + _signed(_field(word, C_BRANCH), 9)
    return None


def evaluate(word: int, address: int, xlen: int, vlen: int, known: Known) -> Found:
    """What the instruction leaves in which register, where that can be told."""
    if word & 3 == 3:
        return _full(word, address, xlen, vlen, known)
    return _compressed(word, xlen, known)


def _get(known: Known, number: int) -> Value | None:
    return Value(0) if number == 0 else known.get(f"x{number}")


def _sum(
    one: Value | None, other: Value | None, xlen: int, sign: int = 1
) -> Value | None:
    """one + sign * other, where that is a constant or a place in the frame."""
    if one is None or other is None or (other.frame and (one.frame or sign < 0)):
        return None
    if other.frame:
        one, other = other, one
    if one.frame:
        return Value(one.number + sign * _signed(other.number, xlen), frame=True)
    return _constant(one.number + sign * other.number, xlen)


def _made(number: int, value: Value | None) -> Found:
    return None if value is None else (f"x{number}", value)


def _constant(number: int, xlen: int) -> Value:
    return Value(number & (1 << xlen) - 1)


def _and(value: Value | None, mask: int, xlen: int) -> Value | None:
    """A place in the frame is aligned downwards, by what is lost at most."""
    if value is None:
        return None
    if not value.frame:
        return _constant(value.number & mask, xlen)
    power = mask < 0 and -mask & (-mask - 1) == 0
    return Value(value.number + mask + 1, frame=True) if power else None


def _shift(value: Value | None, by: int, xlen: int) -> Value | None:
    """To the left, or by a negative number to the right."""
    if value is None or value.frame:
        return None
    return _constant(value.number << by if by >= 0 else value.number >> -by, xlen)


def _full(word: int, address: int, xlen: int, vlen: int, known: Known) -> Found:
    major, funct3, funct7 = word & 0x7F, word >> 12 & 7, word >> 25
    rd, rs1, rs2 = word >> 7 & 31, word >> 15 & 31, word >> 20 & 31
    upper, low = _signed(word & 0xFFFFF000, 32), _signed(word >> 20, 12)
    first, second = _get(known, rs1), _get(known, rs2)
    shift = word >> 20 & 63
    if major in (0x37, 0x17):
        base = address if major == 0x17 else 0
        return _made(rd, _constant(base + upper, xlen))
    if major == 0x73 and funct3 == 2 and word >> 20 == VLENB:
        return _made(rd, Value(vlen // 8))
    if major == 0x13 and funct3 in (0, 1, 5, 7):
        right = funct3 == 5
        if right and word >> 26:  # srai
            return None
        return _made(rd, {
            0: _sum(first, _constant(low, xlen), xlen),
            1: _shift(first, shift, xlen),
            5: _shift(first, -shift, xlen),
            7: _and(first, low, xlen),
        }[funct3])  # fmt: skip
    if major == 0x1B and funct3 == 0 and first is not None and not first.frame:
        return _made(rd, _constant(_signed(first.number + low, 32), xlen))
    if major != 0x33:
        return None
    if funct3 == 0 and funct7 in (0x00, 0x20):
        return _made(rd, _sum(first, second, xlen, -1 if funct7 else 1))
    if funct7 == 1 and funct3 == 0 and first and second:
        plain = not (first.frame or second.frame)
        product = _constant(first.number * second.number, xlen)
        return _made(rd, product if plain else None)
    if funct7 == 0x10:  # sh1add, sh2add, sh3add
        return _made(rd, _sum(_shift(first, funct3 // 2, xlen), second, xlen))
    return None


def _compressed(word: int, xlen: int, known: Known) -> Found:
    quadrant, funct3 = word & 3, word >> 13
    full, low = word >> 7 & 31, word >> 2 & 31
    short, short_low = 8 + (word >> 7 & 7), 8 + (word >> 2 & 7)
    if quadrant == 0 and funct3 == 0:
        offset = _constant(_field(word, C_ADDI4SPN), xlen)
        return _made(short_low, _sum(_get(known, 2), offset, xlen))
    if quadrant == 1:
        return _quadrant_1(word, funct3, full, short, short_low, xlen, known)
    if quadrant == 2 and funct3 == 0:
        by = _field(word, C_ADDI)
        return _made(full, _shift(_get(known, full), by, xlen))
    if quadrant == 2 and funct3 == 4 and low:
        other = _get(known, low)
        adds = word >> 12 & 1
        return _made(full, _sum(_get(known, full), other, xlen) if adds else other)
    return None


def _quadrant_1(
    word: int, funct3: int, full: int, short: int, short_low: int, xlen: int,
    known: Known,
) -> Found:  # fmt: skip
    number = _short(word)
    if funct3 == 0:
        return _made(full, _sum(_get(known, full), _constant(number, xlen), xlen))
    if funct3 == 1:  # c.addiw: c.jal is a jump
        value = _get(known, full)
        plain = value is not None and not value.frame
        return (
            _made(full, _constant(_signed(value.number + number, 32), xlen))
            if value is not None and plain
            else None
        )
    if funct3 == 2:
        return _made(full, _constant(number, xlen))
    if funct3 == 3 and full == 2:
        offset = _constant(_signed(_field(word, C_ADDI16SP), 10), xlen)
        return _made(2, _sum(_get(known, 2), offset, xlen))
    if funct3 == 3:
        return _made(full, _constant(number << 12, xlen))
    value, how = _get(known, short), word >> 10 & 3
    if funct3 == 4 and how == 0:
        return _made(short, _shift(value, -(number & 63), xlen))
    if funct3 == 4 and how == 2:
        return _made(short, _and(value, number, xlen))
    if funct3 == 4 and how == 3 and not word & 0x1060:
        return _made(short, _sum(value, _get(known, short_low), xlen, -1))
    return None
