"""A kernel, before anything says how it is computed: an operation on formats, exactly."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from codegen.formats import FORMATS, Format


@dataclass(frozen=True)
class Argument:
    """A parameter of a kernel. `element` is the C type of what it points at, empty for
    a value; that is read if it is `const`, else it may be written."""

    name: str
    element: str
    const: bool

    @classmethod
    def parsed(cls, declared: str) -> Argument:
        """Of a C declaration such as "const float *x"."""
        *types, name = declared.replace("*", " * ").split()
        if "*" not in types:
            return cls(name, "", False)
        last = len(types) - 1 - types[::-1].index("*")
        pointed = types[:last]
        element = " ".join(word for word in pointed if word != "const")
        return cls(name, element, "const" in (pointed[0], pointed[-1]))

    @property
    def pointer(self) -> bool:
        """Whether it points at memory."""
        return bool(self.element)

    @property
    def numbers(self) -> bool:
        """Whether it points at numbers, not at pointers to rows of them."""
        return self.pointer and not self.element.endswith("*")


@dataclass(frozen=True)
class Kernel:
    """What is computed: an `operation` on elements of `formats`, that of what it reads,
    and of a conversion that of its result. `contract` says every operation in the
    order in which it is rounded.

    `name` is in C symbols: `<format>_<operation>`, of which both are taken unless they
    are told.
    """

    name: str
    parameters: tuple[str, ...]
    contract: str
    returns: str = "void"
    operation: str = ""
    formats: tuple[Format, ...] = ()

    def __post_init__(self) -> None:
        if not self.operation:
            datatype, _, operation = self.name.partition("_")
            object.__setattr__(self, "operation", operation)
            object.__setattr__(self, "formats", (FORMATS[datatype],))

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """Its parameters, taken apart."""
        return tuple(Argument.parsed(text) for text in self.parameters)

    @property
    def pointers(self) -> tuple[Argument, ...]:
        """Those that point at memory."""
        return tuple(found for found in self.arguments if found.pointer)

    def formats_of(self, given: Mapping[str, Format]) -> tuple[Format, ...]:
        """The formats that operands ask for, `given` by the names of parameters: the
        first that points at numbers, and of a conversion the last; none, where no
        operand tells."""
        told = [given[a.name] for a in self.arguments if a.numbers and a.name in given]
        return tuple(told[:1] + (told[1:][-1:] if len(self.formats) > 1 else []))

    @property
    def datatype(self) -> str:
        """Name of the format of the elements it reads."""
        return self.formats[0].name

    @property
    def summary(self) -> str:
        """First line of the contract."""
        return self.contract.strip().splitlines()[0]

    def prototype(self, symbol: str) -> str:
        """C declaration of a function of this kernel, broken between parameters."""
        whole = (text.replace(" ", "\0") for text in self.parameters)
        line = f"HIL_KERNEL\0{self.returns}\0{symbol}({', '.join(whole)});"
        return textwrap.fill(line, 79, subsequent_indent="    ").replace("\0", " ")
