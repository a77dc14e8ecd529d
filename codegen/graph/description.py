"""What a model is: tensors, operators, and how they follow each other.

Nothing here computes. A graph keeps the file's constants as bytes of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

Option: TypeAlias = "int | float | bool | tuple[int, ...]"

BITS = {
    "f32": 32, "f16": 16, "i32": 32, "u8": 8, "i64": 64, "bool": 8, "i16": 16, "i8": 8,
    "f64": 64, "u64": 64, "u32": 32, "u16": 16,
}  # fmt: skip
"""Bits of an element, by type. Types that have none here have no fixed size."""
DTYPES = {
    "f32": "<f4", "f16": "<f2", "i32": "<i4", "u8": "u1", "i64": "<i8", "i16": "<i2",
    "i8": "i1",
}  # fmt: skip
"""numpy's names of the types that are computed with."""


@dataclass(frozen=True)
class Quantisation:
    """value = scale * (stored - zero). One scale for all of a tensor, or one for each
    place along `axis`; zeros has as many numbers."""

    scales: tuple[float, ...]
    zeros: tuple[int, ...]
    axis: int = 0

    def __str__(self) -> str:
        if len(self.scales) > 1:
            return f"{len(self.scales):,} scales along axis {self.axis}"
        return f"scale {self.scales[0]:.6g}, zero point {self.zeros[0]}"


@dataclass(frozen=True)
class Tensor:
    """`type` is a key of `BITS`, or the schema's name of a type without a size.
    `data` is a constant's, little-endian, a part of the file; None where the tensor is computed or given.
    A `variable` keeps its value from one inference to the next."""

    index: int
    name: str
    shape: tuple[int, ...]
    type: str
    quantisation: Quantisation | None = None
    data: memoryview | None = field(default=None, repr=False)
    variable: bool = False

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes that it takes; 0 for a type without a size."""
        return self.elements * BITS.get(self.type, 0) // 8

    @property
    def said(self) -> str:
        """Type and shape, as messages tell them."""
        return f"{self.type} {list(self.shape)}"

    def __str__(self) -> str:
        return f"tensor {self.index} ({self.name!r})"


@dataclass(frozen=True)
class Operator:
    """One operation. `kind` is the schema's name, of a custom one CUSTOM:name.
    `inputs` has None where an input that may be left out is left out."""

    index: int
    kind: str
    version: int
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    between: tuple[Tensor, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)

    def given(self, place: int) -> Tensor | None:
        """The input at a place; None also where the operator has fewer."""
        return self.inputs[place] if place < len(self.inputs) else None

    def __str__(self) -> str:
        return f"operator {self.index} ({self.kind})"


@dataclass(frozen=True)
class Graph:
    """A model: operators in the order in which they are computed."""

    size: int
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def constants(self) -> int:
        """Bytes of the constants that operators read."""
        read = {
            one.index: one.bytes
            for operator in self.operators
            for one in operator.inputs
            if one is not None and one.data is not None
        }
        return sum(read.values())
