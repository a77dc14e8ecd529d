"""One way to compute a kernel: a template for an architecture, with its parameters."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.errors import BuildError
from codegen.kernels import cost
from codegen.kernels.cost import Cost, Shape
from codegen.kernels.kernel import Kernel

ARCHES = ("scalar", "rvv")
LMULS = (1, 2, 4, 8)
FOLDER = "kernels"
"""Folder of the templates below codegen/templates."""


@dataclass(frozen=True)
class Variant:
    """One implementation of a kernel.

    `family` names the template, which may serve several kernels; `lmul` is
    the vector register grouping of arch "rvv", `groups` how many such groups of
    columns it keeps in registers at once, `form` what else tells it from others;
    `inlines` are the headers of inline functions it includes, hil_<this>.h.
    `apart`: where a program repeats it, it is a function of its own in net.c, for
    before such a loop its constants would take the registers of all else.
    `framed`: it keeps an array on the stack, and is a function of its own on a Cortex-M, so
    that the array is there while it runs, and what it spills is its own.
    `model` estimates what it costs (`codegen.kernels.cost`). `stays` says why a row is
    here that no plan chooses, if none does.
    """

    kernel: Kernel
    arch: str
    family: str
    lmul: int | None = None
    inlines: tuple[str, ...] = ()
    model: cost.Model = cost.nothing
    groups: int = 1
    form: str = ""
    stays: str = ""
    apart: bool = False
    framed: bool = False

    def __post_init__(self) -> None:
        if self.arch not in ARCHES:
            raise BuildError(
                f"kernel {self.kernel.name!r} for architecture {self.arch!r}: "
                f"expected one of {', '.join(ARCHES)}"
            )
        if self.lmul not in (LMULS if self.arch == "rvv" else (None,)):
            raise BuildError(
                f"kernel {self.kernel.name!r} with LMUL {self.lmul!r}: expected "
                "1, 2, 4 or 8 for rvv, none for scalar"
            )

    @property
    def suffix(self) -> str:
        """What follows the double underscore: "scalar", "rvv_m4", "rvv_m8x2" for
        two groups, "rvv_columns_m8" for the form "columns"."""
        if self.lmul is None:
            return self.arch
        form = f"_{self.form}" if self.form else ""
        groups = f"x{self.groups}" if self.groups > 1 else ""
        return f"{self.arch}{form}_m{self.lmul}{groups}"

    @property
    def symbol(self) -> str:
        """Name of the C function."""
        return f"hil_{self.kernel.name}__{self.suffix}"

    @property
    def file(self) -> str:
        """File that holds the function, and nothing else."""
        return f"{self.symbol}.c"

    @property
    def template(self) -> str:
        """Its template, below codegen/templates."""
        form = f"_{self.form}" if self.form else ""
        return f"{FOLDER}/{self.family}{form}__{self.arch}.c.j2"

    @property
    def prototype(self) -> str:
        """C declaration."""
        return self.kernel.prototype(self.symbol)

    def cost(self, shape: Shape, vlen: int) -> Cost:
        """What one call is estimated to cost at that VLEN (in bits)."""
        return self.model(shape, cost.Machine(vlen, self.lmul or 1, self.groups))
