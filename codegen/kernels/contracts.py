"""What kernels compute: prototypes and contracts, and how to ask for one.

A `Kernel` is an operation on formats, exactly: a C prototype and a contract that says
every operation in the order in which it is rounded. docs/kernels.md has the grammar of
the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from codegen.errors import BuildError
from codegen.formats import Format
from codegen.kernels.float32 import FLOAT32
from codegen.kernels.imported import IMPORTED
from codegen.kernels.integers import INTEGERS
from codegen.kernels.kernel import Kernel
from codegen.kernels.spiking import SPIKING

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        *FLOAT32,
        *INTEGERS,
        *SPIKING,
        *IMPORTED,
    )
}
"""Every kernel by name."""


def named(name: str) -> Kernel:
    """The kernel of that name, such as "f32_dot"; raises `BuildError` when there is
    none."""
    if name not in KERNELS:
        raise BuildError(f"no kernel {name!r}: expected one of {', '.join(KERNELS)}")
    return KERNELS[name]


def of_operation(operation: str) -> tuple[Kernel, ...]:
    """The kernels of an operation, one for each formats it is there for; raises
    `BuildError` when there are none."""
    found = tuple(k for k in KERNELS.values() if k.operation == operation)
    if not found:
        known = dict.fromkeys(kernel.operation for kernel in KERNELS.values())
        raise BuildError(
            f"no kernel for {operation!r}: expected one of {', '.join(known)}"
        )
    return found


def find(operation: str, *formats: Format) -> Kernel:
    """The kernel of an operation on these formats: `find("dense_forward", F32)`, and
    of a conversion both: `find("convert", U8, F32)`.

    Raises `BuildError` when there is none.
    """
    there = of_operation(operation)
    for kernel in there:
        if kernel.formats == formats:
            return kernel
    raise _unsuited(operation, formats, there)


def for_operands(operation: str, given: Mapping[str, Format]) -> Kernel:
    """The kernel of an operation on operands of these formats, by the names of its
    parameters. Where no operand tells a format, there must be one kernel alone.

    Raises `BuildError` when there is none, or an operand is not of the type that its
    parameter points at.
    """
    there = of_operation(operation)
    asked = {kernel: kernel.formats_of(given) for kernel in there}
    fitting = [k for k, formats in asked.items() if formats in (k.formats, ())]
    if len(fitting) != 1:
        raise _unsuited(operation, asked[there[0]], there)
    for argument in fitting[0].pointers:
        found = given.get(argument.name)
        if found is not None and found.c_type != argument.element:
            raise BuildError(
                f"kernel {fitting[0].name!r} is given {argument.name} of {found.name}: "
                f"expected elements of C type {argument.element}"
            )
    return fitting[0]


def _unsuited(
    operation: str, formats: Iterable[Format], there: Iterable[Kernel]
) -> BuildError:
    asked = _listed(formats) or "an unknown format"
    known = ", ".join(_listed(kernel.formats) for kernel in there)
    return BuildError(f"no kernel for {operation!r} of {asked}: expected {known}")


def _listed(formats: Iterable[Format]) -> str:
    return " to ".join(format.name for format in formats)
