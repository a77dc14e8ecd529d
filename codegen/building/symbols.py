"""An ELF's symbols, read at once: an image has thousands, and every build reads them
several times, for which elftools' records take a fifth of a second each."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

FUNCTION = 2
"""STT_FUNC."""
ABSOLUTE = 0xFFF1
"""SHN_ABS."""


class Symbol(NamedTuple):
    """A name, what it stands for and how many bytes that has, its kind (STT_...) and
    the index of its section."""

    name: str
    value: int
    size: int
    kind: int
    section: int


def symbols_of(elf: ELFFile) -> Iterator[Symbol]:
    """Every symbol of every table, in their order."""
    order = "<" if elf.little_endian else ">"
    wide = elf.elfclass == 64
    entry = struct.Struct(order + ("IBBHQQ" if wide else "IIIBBH"))
    for section in elf.iter_sections():
        if not isinstance(section, SymbolTableSection):
            continue
        names, table = section.stringtable.data(), section.data()
        for fields in entry.iter_unpack(table[: len(table) // entry.size * entry.size]):
            if wide:
                name, info, _, index, value, size = fields
            else:
                name, value, size, info, _, index = fields
            text = names[name : names.find(b"\0", name)].decode("utf-8", "replace")
            yield Symbol(text, value, size, info & 15, index)
