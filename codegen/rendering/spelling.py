"""How a program is written in C: names, arguments, conditions."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

from codegen.cformat import literal
from codegen.formats import WORD
from codegen.kernels import Kernel
from codegen.kernels.cost import Shape
from codegen.program import Carried, If, Item, Op, Operand, Part, Symbol, Within
from codegen.tensors import Tensor

WIDTH = 92
"""Columns that a line of generated C has at most, where it can be broken."""

CHECKS = {
    "true": "!{}",
    "number": "is_nan({})",
    "finite": "!({0} - {0} == 0.0f)",
}
"""What a result needs to be -> the C condition that it is not."""


def sizes(kernel: Kernel, shape: Shape) -> dict[str, int]:
    """What a kernel's size parameters are, by their names in the prototype."""
    names = {p.name for p in kernel.arguments if not p.pointer}
    found = {
        "n_in": shape.n_in, "n_out": shape.n_out, "n_err": shape.n_in,
        "rows": shape.n_in, "axes": shape.n_out,
        "n": shape.n_out if "n_err" in names else shape.n_in * shape.n_out,
    }  # fmt: skip
    return {name: size for name, size in found.items() if name in names}


def gives_sizes(one: Op) -> bool:
    """Whether an operation gives sizes itself: its own, or a stride."""
    mine = {*sizes(one.kernel, one.shape), "stride"}
    return any(name in mine and isinstance(given, int) for name, given in one.operands)


class Speller:
    """Writes the operations of one program. `called(op)` is the C function that is
    called for one."""

    def __init__(self, called: Callable[[Op], str]) -> None:
        self._called = called

    def call(self, one: Op) -> str:
        """The call, without what becomes of its result."""
        given, size = dict(one.operands), sizes(one.kernel, one.shape)
        arguments = [
            self.operand(given[p.name], p.pointer)
            if p.name in given
            else str(size[p.name])
            for p in one.kernel.arguments
        ]
        return f"{self._called(one)}({', '.join(arguments)})"

    def operand(self, given: Operand, pointer: bool = True) -> str:
        """An operand, as a pointer to it or as a value."""
        match given:
            case None:
                return "NULL"
            case Symbol():
                return given.text
            case Part() if pointer and flat(given.tensor):
                return (
                    f"{base(given.tensor)} + {given.tensor.shape[1]} * ({given.index})"
                )
            case Part():
                return f"{base(given.tensor)}[{given.index}]"
            case Within():
                place = f"{base(given.holder)} + {given.tensor.offset}"
                if given.tensor.format == given.holder.format:
                    return place
                return f"(void *)({place})"
            case Carried():
                there = self.operand(given.tensor)
                return f"{given.variable} > 0 ? {there} : NULL"
            case Tensor():
                first = "[0]" * len(given.shape)
                alone = len(given.shape) == 1 or flat(given)
                if not alone and given.format.bits < WORD and given.role != "const":
                    # gcc takes the first row for all that narrow stores may reach
                    return f"({given.format.c_type} *){base(given)}"
                return base(given) if alone else f"&{base(given)}{first}"
            case int():
                return str(given)
            case float():
                return literal(given)

    def into(self, one: Op) -> str:
        """What takes its result."""
        return self.operand(one.into) if isinstance(one.into, Part) else one.into

    def taken(self, one: Op) -> str:
        """The call with what becomes of its result, as far as it is no condition."""
        return f"{self.into(one)} = {self.call(one)}" if one.into else self.call(one)

    def wrong(self, one: Op) -> str:
        """The condition that a tensor is to blame."""
        seen = self.into(one).split()[-1] if one.into else self.call(one)
        return CHECKS[one.needs].format(seen)

    def condition(self, item: If) -> str:
        """What an `If` asks."""
        return item.condition.replace("{}", self.call(item.op) if item.op else "")


def base(tensor: Tensor) -> str:
    """The C expression of a tensor."""
    if tensor.state:
        return f"s->{tensor.name.lower()}"
    elsewhere = {"const": "net_", "drawn": "net->"}
    return elsewhere.get(tensor.role, "") + tensor.name


def flat(tensor: Tensor) -> bool:
    """Whether C has the tensor as one flat array, without rows."""
    return tensor.role in ("scratch", "input") and len(tensor.shape) > 1


def wrapped(text: str, indent: int = 8) -> str:
    """A statement that will be indented by so many spaces, broken between arguments where
    it is too long."""
    return textwrap.fill(
        text, WIDTH - indent, subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def comment(text: str, indent: int = 4) -> str:
    """A block comment that is indented by so many spaces."""
    lines = textwrap.wrap(text, 82 - indent)
    return "/* " + "\n * ".join(lines) + " */"


def fields(found: Iterable[tuple[str, str]]) -> list[str]:
    """The lines of a structure's initialiser, of fields and what they are."""
    text = " ".join(f".{name}\0=\0{value}," for name, value in found)
    lines = textwrap.wrap(text, WIDTH - 4, break_long_words=False)
    return [line.replace("\0", " ") for line in lines]


def kind(item: Item) -> str:
    """The name of an item's type, for templates to ask."""
    return type(item).__name__
