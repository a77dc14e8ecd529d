"""What the program of an imported model is composed with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from codegen.cformat import literal
from codegen.errors import ModelError
from codegen.formats import F32, I8, I16, I32, I64, Format
from codegen.graph import arena, checks
from codegen.graph.description import Operator, Quantisation
from codegen.graph.description import Tensor as Described
from codegen.kernels.cost import Shape
from codegen.lowering.fixed_point import binary32, nearest
from codegen.program import Op, Symbol, op
from codegen.tensors import Tensor, Values

FORMATS = {"i8": I8, "i16": I16, "i32": I32, "i64": I64, "f32": F32}
"""Formats of tensors, by the types that devices compute."""
Field: TypeAlias = int | float | Symbol | Tensor
"""What a structure holds."""
BOUNDS = {0: (None, None), 1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}
"""What fused activations keep values within, by the schema's numbers."""


@dataclass(frozen=True)
class Record:
    """A constant structure of C: what a kernel is given besides numbers."""

    c_type: str
    name: str
    fields: tuple[tuple[str, str], ...]


class GraphComposer:
    """Makes the tensors of a model, and its constants.

    `places`: bytes of the arena at which each activation lies, by the graph's numbers;
    `vlen`: bits of a vector register, 0 of a machine without; `xlen`: of any other.
    """

    def __init__(
        self, places: Mapping[int, int], vlen: int = 0, xlen: int = 32
    ) -> None:
        self.records: list[Record] = []
        self.vlen = vlen
        self.xlen = xlen
        self._places = places
        self._made: dict[str, Tensor] = {}

    def activation(self, tensor: Described | None) -> Tensor:
        """A tensor that is computed or given, or a constant as the file has it. Raises
        `ModelError` for a type that no device computes."""
        assert tensor is not None
        if tensor.data is not None:
            return self._stored(f"t{tensor.index}", tensor)
        format = _format(tensor)
        shape = (tensor.elements,)
        return Tensor(
            f"t{tensor.index}", shape, format, offset=self._places[tensor.index]
        )

    def scratch(
        self, operator: Operator, format: Format = I8, first: int = 0
    ) -> Tensor:
        """Numbers that an operator keeps while it runs, from its byte `first` on."""
        place = self._places[arena.scratch(operator.index)] + first
        name = f"scratch{operator.index}" + (f"_{first}" if first else "")
        return Tensor(name, (1,), format, offset=place)

    def weights(self, operator: Operator, place: int = 1) -> Tensor:
        """Constants as they lie in the file."""
        tensor = operator.inputs[place]
        assert tensor is not None
        more = "" if place == 1 else f"_{place}"
        return self._stored(f"w{operator.index}{more}", tensor)

    def _stored(self, name: str, tensor: Described) -> Tensor:
        return self._constant(
            name, _format(tensor), tensor.elements, lambda: numbers(tensor)
        )

    def constant(
        self, operator: Operator, letter: str, format: Format, values: Iterable[float]
    ) -> Tensor:
        """Constants that were computed: what an operator calls by a letter."""
        held = tuple(values)
        return self.computed(operator, letter, format, len(held), lambda: held)

    def computed(
        self,
        operator: Operator,
        letter: str,
        format: Format,
        count: int,
        make: Callable[[], Iterable[float]],
    ) -> Tensor:
        """The same of `count` that are computed when they are asked for."""
        return self._constant(f"{letter}{operator.index}", format, count, make)

    def table(self, name: str, values: Callable[[], Iterable[float]]) -> Tensor:
        """Numbers of 16 bits that several operators may read."""
        held = tuple(values())
        return self._constant(name, I16, len(held), lambda: held)

    def _constant(
        self, name: str, format: Format, count: int, make: Callable[[], Iterable[float]]
    ) -> Tensor:
        made = Tensor(name, (count,), format, "const", Values(make))
        return self._made.setdefault(name, made)

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """All of them."""
        return tuple(self._made.values())

    def record(
        self, operator: Operator, c_type: str, **fields: Field | Sequence[Field]
    ) -> Symbol:
        """A structure, as an operand."""
        name = f"net_{c_type[len('hil_') : -len('_t')]}{operator.index}"
        more = sum(one.name.partition("_of")[0] == name for one in self.records)
        name += f"_of{more}" if more else ""
        spelled = ((key, _spelled(value)) for key, value in fields.items())
        self.records.append(Record(c_type, name, tuple(spelled)))
        return Symbol(f"&{name}")


def _spelled(value: Field | Sequence[Field]) -> str:
    """A field of a structure in C."""
    if isinstance(value, Tensor):
        return f"net_{value.name}"
    if isinstance(value, list | tuple):
        return f"{{ {', '.join(map(_spelled, value))} }}"
    if isinstance(value, Symbol):
        return value.text
    return literal(value) if isinstance(value, float) else str(value)


def call(
    operation: str, operator: Operator, shape: Shape | None = None, /, **operands: Any
) -> tuple[Op, ...]:
    """The one call that an operator is; `shape` is what its cost is estimated by, if it
    is not the output's."""
    y = operator.outputs[0]
    shape = shape or Shape(1, y.elements)
    says = f"{operator.index}: {operator.kind} gives {y.name!r}"
    safe = says.replace("*/", "* /").replace("\\", "/")
    printable = "".join(c if c.isascii() and c.isprintable() else "?" for c in safe)
    return (op(operation, shape, operator.index, says=printable, **operands),)


def _format(tensor: Described) -> Format:
    if tensor.type not in FORMATS:
        listed = ", ".join(FORMATS)
        raise ModelError(f"{tensor} is {tensor.said}: a device takes {listed}")
    return FORMATS[tensor.type]


def numbers(tensor: Described) -> tuple[float, ...]:
    """A constant's numbers."""
    found = checks.constants(tensor)
    assert found is not None
    return found


def quantised(tensor: Described | None) -> Quantisation:
    """The quantisation of a tensor that has one."""
    assert tensor is not None and tensor.quantisation is not None
    return tensor.quantisation


def scale(tensor: Described | None) -> float:
    """Its one scale."""
    return quantised(tensor).scales[0]


def zero(tensor: Described | None) -> int:
    """Its one zero point."""
    return quantised(tensor).zeros[0]


def bounds(y: Described, fused: int = 0) -> tuple[int, int]:
    """The least and the largest number of an output, its activation heeded."""
    least, most = checks.LEAST[y.type], checks.MOST[y.type]
    low, high = BOUNDS[fused]
    if low is not None:
        least = max(least, zero(y) + nearest(binary32(low / scale(y))))
    if high is not None:
        most = min(most, zero(y) + nearest(binary32(high / scale(y))))
    return least, most
