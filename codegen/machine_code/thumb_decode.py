"""Thumb machine code, read just far enough to count it.

Arm Architecture Reference Manual, ARMv7-M (DDI 0403E), A5: what of an instruction
tells its length, whether it loads or stores, and whether it calls.
"""

from __future__ import annotations

from codegen.machine_code.decode import Class, Instruction

_CALLS = 0x4780
"""blx; the register stands in bits 3 to 6."""


def decode(first: int, second: int) -> Instruction:
    """The instruction that begins with the halfword `first`; `second` is the one that
    follows, and part of it where it is a wide one."""
    if not is_wide(first):
        return Instruction(2, *_narrow(first), links=first & 0xFF80 == _CALLS)
    links = first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000  # bl
    return Instruction(4, *_wide(first), links=links)


def is_wide(first: int) -> bool:
    """Whether it has two halfwords."""
    return first >> 11 in (0b11101, 0b11110, 0b11111)


def _narrow(word: int) -> tuple[Class, str]:
    load = bool(word & 0x800)
    if word >> 12 == 5:  # by register: store of three sizes, then five kinds of load
        load = word >> 9 & 7 >= 3
    elif word & 0xF800 == 0x4800:  # from beside the code
        load = True
    elif not (word >> 12 in (6, 7, 8, 9, 0xC) or word & 0xF600 == 0xB400):
        return Class.SCALAR, "alu"
    return _memory(load)


def _wide(first: int) -> tuple[Class, str]:
    multiple_or_single = first & 0xFE00 in (0xE800, 0xF800)
    of_the_fpu = first & 0xFE00 == 0xEC00 and first & 0xFFE0 != 0xEC40  # no vmov
    if not (multiple_or_single or of_the_fpu):
        return Class.SCALAR, "alu"
    return _memory(bool(first & 0x10))


def _memory(load: bool) -> tuple[Class, str]:
    return (Class.LOAD, "load") if load else (Class.STORE, "store")
