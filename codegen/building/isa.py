"""RISC-V instruction set names, as the compilers spell them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from codegen.building.arm import CORES
from codegen.errors import BuildError

_G = ("m", "a", "f", "d", "zicsr", "zifencei")


@dataclass(frozen=True)
class Isa:
    """Register width and extensions, e.g. 64 and (m, a, f, d, c, v, zicsr...)."""

    xlen: int
    extensions: tuple[str, ...]

    @classmethod
    def parse(cls, name: str) -> Isa:
        """The set named "rv64gcv" or "rv32imafc_zve32f".

        Raises `BuildError` for a name of another form.
        """
        match = re.fullmatch(r"rv(32|64)([a-z]+)((?:_z[a-z0-9]+)*)", name)
        if match is None:
            raise BuildError(
                f"instruction set {name!r} is unknown: expected a name like rv64gcv, or "
                f"one of {', '.join(CORES)}"
            )
        found: list[str] = []
        for letter in match[2]:
            found += _G if letter == "g" else [letter]
        found += [part for part in match[3].split("_") if part]
        found += ["zicsr", "zifencei"]
        unique = dict.fromkeys(e for e in found if e != "i")
        return cls(int(match[1]), tuple(unique))

    @property
    def scalar(self) -> Isa:
        """The same without vectors."""
        kept = (e for e in self.extensions if e != "v" and not e.startswith("zv"))
        return Isa(self.xlen, tuple(kept))

    def at_least(self, vlen: int | None) -> Isa:
        """The same on machines whose VLEN is at least that many bits."""
        known = () if vlen is None else (f"zvl{vlen}b",)
        return Isa(self.xlen, (*self.extensions, *known))

    @property
    def march(self) -> str:
        """For clang and gcc: -march=..."""
        letters = "".join(e for e in self.extensions if len(e) == 1)
        long = [e for e in self.extensions if len(e) > 1]
        return "_".join([f"rv{self.xlen}i{letters}", *long])

    @property
    def zig(self) -> str:
        """For zig cc: -mcpu=..."""
        return "+".join([f"generic_rv{self.xlen}", *self.extensions])
