"""Kernels: the C functions that a step is made of.

kernel      what a kernel is: an operation on formats, its prototype and contract
contracts   all of them, and how to ask for one
float32     what each of float32 computes; integers, spiking: of those
imported    and those of imported models; imported_between: of what stands between layers
table       the variants of each: how it is computed, and for which machines
variant     what a variant is
cost        what a variant is estimated to cost; float_cost, fixed_cost: the loops of each
choice      the plan chooses by it
cycles      what it costs on cores whose cycles are modelled, as measured
rendering   their C files and headers
"""

from codegen.kernels.choice import best, estimates, known, variant
from codegen.kernels.contracts import (
    KERNELS,
    find,
    for_operands,
    named,
)
from codegen.kernels.cycles import Core, core, cores
from codegen.kernels.kernel import Argument, Kernel
from codegen.kernels.rendering import (
    HEADER,
    VECTOR_HEADER,
    Source,
    header_prototypes,
    render,
    source,
    sources,
)
from codegen.kernels.table import TABLE
from codegen.kernels.variant import ARCHES, FOLDER, LMULS, Variant

__all__ = [
    "ARCHES", "FOLDER", "HEADER", "KERNELS", "LMULS", "TABLE", "VECTOR_HEADER",
    "Argument", "Core", "Kernel", "Source", "Variant", "best", "core", "cores", "estimates", "find",
    "for_operands", "header_prototypes", "known", "named", "render", "source", "sources",
    "variant",
]  # fmt: skip
