"""An image: the file a board runs, its digest and its sizes.

An image from the cache is not read, so what reads ELF is imported late.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.errors import BuildError

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

PARTS = {
    ".text": "the code",
    ".rodata": "the constants",
    ".guard": "the guard under the stack",
    ".stack": "the stack",
    ".data": "the variables",
    ".bss": "the variables",
    ".trap_stack": "the trap stack",
}
"""What the sections of a bare-metal image are."""
HEAP = frozenset({"malloc", "calloc", "realloc", "free", "aligned_alloc", "sbrk"})


@dataclass(frozen=True)
class Image:
    """`digest` is the build plan's, 64 hex digits; the device knows its first
    16 bytes. `text` counts what is read only (code and constants), `ram` what
    is written (state, scratch, buffers, stacks), in bytes; both None where the
    file is no ELF. `toolchain` names compiler and version."""

    path: Path
    digest: str
    toolchain: str
    text: int | None
    ram: int | None


def sizes(path: Path) -> tuple[int | None, int | None]:
    """(text, ram) of the ELF at `path` in bytes; (None, None) for another
    format, such as macOS's."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.constants import SH_FLAGS
    from elftools.elf.elffile import ELFFile

    text = ram = 0
    try:
        with path.open("rb") as file:
            for section in ELFFile(file).iter_sections():
                flags, size = section["sh_flags"], section["sh_size"]
                if not flags & SH_FLAGS.SHF_ALLOC:
                    continue
                if flags & SH_FLAGS.SHF_WRITE:
                    ram += size
                else:
                    text += size
    except ELFError:
        return None, None
    return text, ram


def symbols(path: Path) -> dict[str, int]:
    """Size in bytes of every named symbol of the ELF at `path`."""
    from elftools.elf.elffile import ELFFile

    from codegen.building.symbols import symbols_of

    with path.open("rb") as file:
        return {
            symbol.name: symbol.size
            for symbol in symbols_of(ELFFile(file))
            if symbol.name
        }


def place(path: Path, address: int) -> str:
    """Where `address` lies in the bare-metal ELF at `path`, as in "in the code,
    net_step+0x1c"; or "outside the image"."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        elf = ELFFile(file)
        for section in elf.iter_sections():
            first = section["sh_addr"]
            if section.name in PARTS and 0 <= address - first < section["sh_size"]:
                symbol = _symbol_at(elf, address)
                return f"in {PARTS[section.name]}" + (symbol and f", {symbol}")
    return "outside the image"


def _symbol_at(elf: ELFFile, address: int) -> str:
    """The function or variable that holds `address`, and how far into it."""
    from codegen.building.symbols import symbols_of

    for symbol in symbols_of(elf):
        offset = address - symbol.value
        if symbol.name and 0 <= offset < symbol.size:
            return f"{symbol.name}+{offset:#x}"
    return ""


def refuse_heap(path: Path) -> None:
    """Raise `BuildError` when a bare-metal image has a heap's functions."""
    found = sorted(HEAP & symbols(path).keys())
    if found:
        raise BuildError(
            f"image {path.name} contains {', '.join(found)}: "
            "firmware must not use a heap"
        )


def code(path: Path) -> tuple[int, bytes]:
    """Address and bytes of the machine code of the ELF at `path`."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".text")
        if section is None:
            raise BuildError(f"image {path.name} has no section .text")
        return int(section["sh_addr"]), bytes(section.data())
