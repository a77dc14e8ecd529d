"""RISC-V machine code, read just far enough to count and to schedule it.

`decode` tells of an instruction its length, its class (what a step's count is
split into), its operation (a row of a core's cycle table) and the registers it
reads and writes. Encodings: The RISC-V Instruction Set Manual, volume I,
chapters RV32I to C and V (version 1.0). RV32 and RV64, IMAFDC and V.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from codegen.building import image

MINSTRET = 0xB02


class Class(Enum):
    """What an instruction is counted as. The first four are vector
    instructions, the others scalar ones."""

    VECTOR = "vector arithmetic"
    VECTOR_LOAD = "vector load"
    VECTOR_STORE = "vector store"
    VECTOR_SET = "vsetvli"
    LOAD = "scalar load"
    STORE = "scalar store"
    SCALAR = "scalar other"

    @property
    def is_vector(self) -> bool:
        """Whether it is one of the vector extension's."""
        return self in (
            Class.VECTOR, Class.VECTOR_LOAD, Class.VECTOR_STORE, Class.VECTOR_SET,
        )  # fmt: skip


@dataclass(frozen=True)
class Instruction:
    """`size` in bytes; `operation` as hil/measuring/steps/cores.toml names it.

    `reads` and `writes` are registers: "x5", "f3", "v8" (the first of its
    group); x0 never stands among them. `vtype` is what a vsetvli sets, (SEW in
    bits, LMUL in eighths), None for all others and for vsetvl. `eew`: bits of the
    elements that are loaded or stored, or of their indices; `registers`: how many
    whole ones are moved, whatever LMUL is.
    """

    size: int
    kind: Class
    operation: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    vtype: tuple[int, int] | None = None
    csr: int | None = None
    links: bool = False
    eew: int | None = None
    registers: int | None = None


def words(path: Path) -> dict[int, int]:
    """Address -> instruction (16 or 32 bits) of all code in the ELF at `path`."""
    base, data = image.code(path)
    found: dict[int, int] = {}
    place = 0
    while place + 2 <= len(data):
        size = 4 if data[place] & 3 == 3 else 2
        found[base + place] = int.from_bytes(data[place : place + size], "little")
        place += size
    return found


@lru_cache(maxsize=1 << 14)
def decode(word: int, xlen: int) -> Instruction:
    """The instruction `word`, of 16 bits where the two lowest are not both 1. An image
    has few thousand words, and is followed along many paths."""
    if word & 3 != 3:
        return _compressed(word, xlen)
    major = word >> 2 & 0x1F
    rd, rs1, rs2 = word >> 7 & 31, word >> 15 & 31, word >> 20 & 31
    funct3 = word >> 12 & 7
    if major in (0x01, 0x09) and funct3 in (0, 5, 6, 7):
        return _vector_memory(word, store=major == 0x09)
    if major == 0x15:
        return _vset(word) if funct3 == 7 else _vector(word)
    if major in (0x00, 0x01):
        written = _f(rd) if major else _x(rd)
        return Instruction(4, Class.LOAD, "load", _x(rs1), written)
    if major in (0x08, 0x09):
        data = _f(rs2) if major == 0x09 else _x(rs2)
        return Instruction(4, Class.STORE, "store", _x(rs1) + data)
    return _scalar(word, major, funct3, rd, rs1, rs2)


def _x(*numbers: int) -> tuple[str, ...]:
    return tuple(f"x{n}" for n in numbers if n)


def _f(*numbers: int) -> tuple[str, ...]:
    return tuple(f"f{n}" for n in numbers)


def _v(*numbers: int) -> tuple[str, ...]:
    return tuple(f"v{n}" for n in numbers)


def _scalar(
    word: int, major: int, funct3: int, rd: int, rs1: int, rs2: int
) -> Instruction:
    def made(
        operation: str, reads: tuple[str, ...], writes: tuple[str, ...] = ()
    ) -> Instruction:
        return Instruction(4, Class.SCALAR, operation, reads, writes)

    if major in (0x04, 0x06):
        return made("alu", _x(rs1), _x(rd))
    if major in (0x05, 0x0D):
        return made("alu", (), _x(rd))
    if major in (0x0C, 0x0E):
        multiplies = word >> 25 == 1
        name = ("mul" if funct3 < 4 else "div") if multiplies else "alu"
        return made(name, _x(rs1, rs2), _x(rd))
    if major == 0x18:
        return made("branch", _x(rs1, rs2))
    if major in (0x19, 0x1B):
        read = _x(rs1) if major == 0x19 else ()
        return Instruction(
            4, Class.SCALAR, "branch", read, _x(rd), links=rd in (1, 5)
        )  # fmt: skip
    if major in (0x10, 0x11, 0x12, 0x13):
        return made("fma", _f(rs1, rs2, word >> 27), _f(rd))
    if major == 0x14:
        return _float(word, rd, rs1, rs2)
    if major == 0x0B:  # atomics
        return Instruction(4, Class.LOAD, "load", _x(rs1, rs2), _x(rd))
    if major == 0x1C and funct3:
        read = _x(rs1) if funct3 < 4 else ()
        return Instruction(
            4, Class.SCALAR, "alu", read, _x(rd), csr=word >> 20
        )  # fmt: skip
    return made("alu", ())


def _float(word: int, rd: int, rs1: int, rs2: int) -> Instruction:
    """Opcode OP-FP; funct5 in the highest bits."""
    funct5 = word >> 27
    name = {0x00: "fadd", 0x01: "fadd", 0x02: "fadd", 0x03: "fdiv", 0x0B: "fdiv"}.get(
        funct5, "fmove"
    )
    reads, writes = _f(rs1, rs2), _f(rd)
    if funct5 in (0x08, 0x0B):  # conversion between floats, square root
        reads = _f(rs1)
    if funct5 in (0x14, 0x18, 0x1C):  # comparison, to integer, class
        reads = _f(rs1, rs2) if funct5 == 0x14 else _f(rs1)
        writes, name = _x(rd), "fmove_x"
    if funct5 in (0x1A, 0x1E):  # from integer
        reads = _x(rs1)
    return Instruction(4, Class.SCALAR, name, reads, writes)


def _compressed(word: int, xlen: int) -> Instruction:
    """The C extension: quadrant and funct3 decide. rd' and rs' are x8..x15."""
    quadrant, funct3 = word & 3, word >> 13
    full, low = word >> 7 & 31, word >> 2 & 31
    short, short_low = 8 + (word >> 7 & 7), 8 + (word >> 2 & 7)
    sp = 2
    if quadrant == 0 and funct3 == 0:
        return _short("alu", _x(sp), _x(short_low))
    if quadrant in (0, 2) and funct3 not in (0, 4):
        base = short if quadrant == 0 else sp
        data = short_low if quadrant == 0 else (full if funct3 < 4 else low)
        floats = funct3 in (1, 5) or (xlen == 32 and funct3 in (3, 7))
        register = _f(data) if floats else _x(data)
        if funct3 < 4:
            return Instruction(2, Class.LOAD, "load", _x(base), register)
        return Instruction(2, Class.STORE, "store", _x(base) + register)
    if quadrant == 1:
        return _short_arithmetic(word, xlen, funct3)
    if funct3 == 0:
        return _short("alu", _x(full), _x(full))
    adds_or_links = word >> 12 & 1
    if low == 0:
        links = bool(adds_or_links)
        return _short("branch", _x(full), _x(1) if links else (), links)
    return _short("alu", _x(low, full) if adds_or_links else _x(low), _x(full))


def _short(
    operation: str,
    reads: tuple[str, ...],
    writes: tuple[str, ...] = (),
    links: bool = False,
) -> Instruction:
    return Instruction(2, Class.SCALAR, operation, reads, writes, links=links)


def _short_arithmetic(word: int, xlen: int, funct3: int) -> Instruction:
    """Quadrant 1."""
    full, short = word >> 7 & 31, 8 + (word >> 7 & 7)
    if funct3 == 1 and xlen == 32:
        return _short("branch", (), _x(1), True)
    if funct3 in (0, 1) or (funct3 == 3 and full == 2):
        return _short("alu", _x(full), _x(full))
    if funct3 in (2, 3):
        return _short("alu", (), _x(full))
    if funct3 == 4:
        both = word >> 10 & 3 == 3
        other = _x(8 + (word >> 2 & 7)) if both else ()
        return _short("alu", _x(short) + other, _x(short))
    return _short("branch", () if funct3 == 5 else _x(short))


def _vset(word: int) -> Instruction:
    rd, rs1 = word >> 7 & 31, word >> 15 & 31
    if word >> 25 == 0x40:  # vsetvl: the type is in a register
        rs2 = word >> 20 & 31
        return Instruction(4, Class.VECTOR_SET, "vset", _x(rs1, rs2), _x(rd))
    kind = word >> 20 & (0x3FF if word >> 30 == 3 else 0x7FF)
    lmul = {0: 8, 1: 16, 2: 32, 3: 64, 5: 1, 6: 2, 7: 4}[kind & 7]
    sew = 8 << (kind >> 3 & 7)
    read = () if word >> 30 == 3 else _x(rs1)
    return Instruction(4, Class.VECTOR_SET, "vset", read, _x(rd), (sew, lmul))


def _vector_memory(word: int, store: bool) -> Instruction:
    data, base, second = word >> 7 & 31, word >> 15 & 31, word >> 20 & 31
    mode = word >> 26 & 3
    name = ("vle", "vlx", "vls", "vlx")[mode]
    eew: int | None = {0: 8, 5: 16, 6: 32, 7: 64}[word >> 12 & 7]
    registers = None
    if mode == 0 and second == 8:
        name, eew, registers = "vlr", None, (word >> 29) + 1
    elif mode == 0 and second == 11:
        name, eew = "vlm", None  # the bits of a mask
    reads = _x(base) + ((_v(second), _x(second))[mode == 2] if mode else ())
    reads += () if word >> 25 & 1 else _v(0)
    if store:
        name = name.replace("vl", "vs")
        return Instruction(
            4, Class.VECTOR_STORE, name, reads + _v(data), eew=eew, registers=registers
        )  # fmt: skip
    return Instruction(
        4, Class.VECTOR_LOAD, name, reads, _v(data), eew=eew, registers=registers
    )  # fmt: skip


_INTEGER = {
    **dict.fromkeys((0x00, 0x02, 0x03), "valu"),
    **dict.fromkeys((0x04, 0x05, 0x06, 0x07), "vminmax"),
    **dict.fromkeys((0x0C,), "vgather"),
    **dict.fromkeys((0x0E, 0x0F), "vslide"),
    **dict.fromkeys(range(0x18, 0x20), "vcmp"),
    **dict.fromkeys((0x25, 0x28, 0x29, 0x2A, 0x2B), "vshift"),
    **dict.fromkeys((0x27,), "vmul"),
    **dict.fromkeys((0x2C, 0x2D, 0x2E, 0x2F), "vnarrow"),
}
"""funct6 of OPIVV, OPIVX, OPIVI -> operation; "vlogic" where none is said."""

_MULTIPLY = {
    **dict.fromkeys(range(0x00, 0x08), "vred"),
    **dict.fromkeys((0x0E, 0x0F), "vslide"),
    **dict.fromkeys((0x10,), "vmove_x"),
    **dict.fromkeys((0x14,), "vid"),
    **dict.fromkeys((0x17,), "vcompress"),
    **dict.fromkeys(range(0x18, 0x20), "vmask"),
    **dict.fromkeys((0x20, 0x21, 0x22, 0x23), "vdiv"),
    **dict.fromkeys(range(0x24, 0x40), "vmul"),
}
"""The same of OPMVV and OPMVX."""

_FLOAT = {
    **dict.fromkeys((0x00, 0x02, 0x27), "vfadd"),
    **dict.fromkeys((0x04, 0x06), "vfminmax"),
    **dict.fromkeys((0x01, 0x05, 0x07), "vfred"),
    **dict.fromkeys((0x03,), "vfredo"),
    **dict.fromkeys((0x0E, 0x0F), "vslide"),
    **dict.fromkeys((0x10,), "vmove_f"),
    **dict.fromkeys((0x12,), "vfcvt"),
    **dict.fromkeys(range(0x18, 0x20), "vfcmp"),
    **dict.fromkeys((0x20, 0x21), "vfdiv"),
    **dict.fromkeys((0x24,), "vfadd"),
    **dict.fromkeys(range(0x28, 0x40), "vfma"),
}
"""The same of OPFVV and OPFVF; "vfmove" where none is said."""

_OPIVV, _OPFVV, _OPMVV, _OPIVI, _OPIVX, _OPFVF, _OPMVX = range(7)
_ACCUMULATE = frozenset((*range(0x28, 0x30), *range(0x3C, 0x40)))
"""funct6 of floating-point and integer multiply-adds, which read vd."""


def _vector(word: int) -> Instruction:
    """Opcode OP-V but the vset family."""
    funct3, funct6 = word >> 12 & 7, word >> 26
    vd, first, vs2 = word >> 7 & 31, word >> 15 & 31, word >> 20 & 31
    integer = funct3 in (_OPIVV, _OPIVI, _OPIVX)
    floating = funct3 in (_OPFVV, _OPFVF)
    table = _INTEGER if integer else _FLOAT if floating else _MULTIPLY
    name = table.get(funct6, "vfmove" if floating else "vlogic")
    registers = None
    if integer and funct6 == 0x27 and funct3 == _OPIVI:
        name, registers = "vmvr", first + 1
    if floating and funct6 == 0x13 and first == 0:
        name = "vfdiv"  # square root
    if name == "vfdiv" and funct3 == _OPFVF:
        name = "vfdivf"  # by a scalar, or of one
    if funct6 == 0x10 and funct3 in (_OPMVX, _OPFVF):
        name = "vmove_s"  # into the first element
    if funct6 == 0x10 and funct3 == _OPMVV and first in (16, 17):
        name = "vpop"  # bits of a mask counted, or the first of them found
    reads = {
        _OPFVF: _f(first), _OPIVX: _x(first), _OPMVX: _x(first), _OPIVI: (),
    }.get(funct3, _v(first))  # fmt: skip
    unary = (floating and funct6 in (0x12, 0x13)) or (
        funct3 == _OPMVV and funct6 in (0x10, 0x12, 0x14)
    )
    if unary or (funct6 == 0x10 and funct3 == _OPFVV):
        reads = ()
    reads += _v(vs2)
    if not integer and funct6 in _ACCUMULATE:
        reads += _v(vd)
    reads += () if word >> 25 & 1 else _v(0)
    writes = _v(vd)
    if funct6 == 0x10 and funct3 == _OPMVV:
        writes = _x(vd)
    elif funct6 == 0x10 and funct3 == _OPFVV:
        writes = _f(vd)
    return Instruction(4, Class.VECTOR, name, reads, writes, registers=registers)


def all_instructions(path: Path, xlen: int) -> Iterator[tuple[int, Instruction]]:
    """Address and meaning of every instruction in the ELF at `path`."""
    for address, word in words(path).items():
        yield address, decode(word, xlen)
