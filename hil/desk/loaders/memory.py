"""Where an image lies: what is in RAM is run, what is in flash is reset into."""

from __future__ import annotations

from elftools.elf.elffile import ELFFile

from targets import Target


def lies_in_ram(elf: ELFFile, target: Target) -> bool:
    """Whether all that is loaded of an image lies in the target's RAM."""
    memory = target.memory
    if memory is None:
        return False
    return all(
        memory.origin <= part["p_paddr"]
        and part["p_paddr"] + part["p_filesz"] <= memory.origin + memory.ram
        for part in elf.iter_segments("PT_LOAD")
        if part["p_filesz"]
    )
