"""A .tflite file as a graph: every offset bounded, every number believed only when it
fits the others.

What is damaged ends the reading with one sentence. What is whole and not supported
(an operator that has no declaration) is read as far as it can be, so that `support`
can list all of it. Slots are those of schema.fbs (TensorFlow 2.18).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from codegen.errors import ModelError
from codegen.graph import names, operators
from codegen.graph.description import BITS, Graph, Operator, Quantisation, Tensor
from codegen.graph.flatbuffer import Bytes, Table, outside

MOST = 1 << 26
"""Bytes of a file at most, and of a tensor: more than the flash of any target."""
DIMENSIONS = 6
IDENTIFIER = b"TFL3"
SCHEMA = 3
ABSENT = -1


@dataclass(frozen=True)
class _Code:
    """What operators of one kind are."""

    kind: str
    version: int


def read(data: bytes) -> Graph:
    """The graph of a file's bytes. Raises `ModelError`, which calls the file `it`."""
    if len(data) > MOST:
        raise ModelError(f"it has {len(data):,} bytes: supported are up to {MOST:,}")
    if data[4:8] != IDENTIFIER:
        raise ModelError(
            f"it is no TensorFlow Lite model: expected {IDENTIFIER.decode()} as its bytes 4 to 7"
        )
    model = Bytes(data).table(0, "the model")
    version = model.number(0, "I", 0)
    if version != SCHEMA:
        raise ModelError(f"it has schema version {version}: supported is {SCHEMA}")
    subgraphs = model.tables(2, "subgraph")
    if len(subgraphs) != 1:
        raise ModelError(f"it has {len(subgraphs):,} subgraphs: supported is one")
    codes = [_code(table) for table in model.tables(1, "operator code")]
    buffers = [_buffer(table, data) for table in model.tables(4, "buffer")]
    return _graph(subgraphs[0], codes, buffers, len(data))


def _code(table: Table) -> _Code:
    number = max(table.number(0, "b", 0), table.number(3, "i", 0))
    kind = names.operator(number)
    if number == names.CUSTOM:
        kind = f"CUSTOM:{table.text(1, 'the name of an operator')}"
    return _Code(kind, table.number(2, "i", 1))


def _buffer(table: Table, data: bytes) -> memoryview:
    """A constant's bytes: in the table or, of a large file, behind all tables."""
    at, size = table.number(1, "Q", 0), table.number(2, "Q", 0)
    if at <= 1:
        return table.bytes(0, table.what)
    if at + size > len(data):
        raise outside(table.what, at + size, len(data))
    return memoryview(data)[at : at + size]


def _graph(
    table: Table, codes: Sequence[_Code], buffers: Sequence[memoryview], size: int
) -> Graph:
    tensors = [
        _tensor(one, index, buffers)
        for index, one in enumerate(table.tables(0, "tensor"))
    ]
    inputs = _all(table.numbers(1, "i", "the inputs"), tensors, "an input of the model")
    outputs = _all(
        table.numbers(2, "i", "the outputs"), tensors, "an output of the model"
    )
    found = [
        _operator(one, index, codes, tensors)
        for index, one in enumerate(table.tables(3, "operator"))
    ]
    graph = Graph(size, tuple(tensors), tuple(found), inputs, outputs)
    _require_order(graph)
    return graph


def _tensor(table: Table, index: int, buffers: Sequence[memoryview]) -> Tensor:
    name = table.text(3, table.what)
    what = f"tensor {index} ({name!r})"
    shape = _shape(table, what)
    tensor = Tensor(
        index,
        name,
        shape,
        names.element(table.number(1, "b", 0)),
        _quantisation(table.table(4, f"the quantisation of {what}"), shape, what),
        _data(table.number(2, "I", 0), buffers, what),
        table.number(5, "?", False),
    )
    _require_size(tensor)
    if table.has(6):
        raise ModelError(f"{what} is sparse: supported are dense tensors")
    return tensor


def _shape(table: Table, what: str) -> tuple[int, ...]:
    shape = table.numbers(0, "i", f"the shape of {what}")
    if len(shape) > DIMENSIONS or min(shape, default=0) < 0:
        raise ModelError(
            f"{what} has {len(shape)} dimensions, {list(shape[:DIMENSIONS])}: supported "
            f"are up to {DIMENSIONS}, each at least 0"
        )
    return shape


def _require_size(tensor: Tensor) -> None:
    """A tensor has a size that a device may hold, and a constant has just its bytes."""
    if tensor.elements > MOST or tensor.bytes > MOST:
        raise ModelError(
            f"{tensor} has shape {list(tensor.shape)}: supported are up to {MOST:,} bytes"
        )
    there = None if tensor.data is None else len(tensor.data)
    if there is not None and tensor.type in BITS and there != tensor.bytes:
        raise ModelError(
            f"{tensor}, {tensor.said}, has {there:,} bytes of data: expected {tensor.bytes:,}"
        )


def _data(number: int, buffers: Sequence[memoryview], what: str) -> memoryview | None:
    """A constant's bytes; None where there are none, which says that it is computed."""
    if number >= len(buffers):
        raise ModelError(f"{what} has buffer {number:,} of {len(buffers):,}")
    return buffers[number] if len(buffers[number]) else None


def _quantisation(
    table: Table | None, shape: tuple[int, ...], what: str
) -> Quantisation | None:
    if table is None:
        return None
    scales = table.numbers(2, "f", table.what)
    zeros = table.numbers(3, "q", table.what) or (0,) * len(scales)
    if not scales:
        return None
    if table.number(4, "B", 0):
        raise ModelError(
            f"{what} is quantised in a way of its own: supported are scales"
        )
    if len(zeros) != len(scales) or not all(0 < s < math.inf for s in scales):
        raise ModelError(
            f"{what} has {len(scales):,} scales and {len(zeros):,} zero points: expected as "
            "many, and scales above 0"
        )
    return Quantisation(
        scales, zeros, _axis(table.number(6, "i", 0), scales, shape, what)
    )


def _axis(
    axis: int, scales: tuple[float, ...], shape: tuple[int, ...], what: str
) -> int:
    """Along which axis scales lie. Where there is only one, or one axis, the file's
    number says nothing, and some writers leave that of the weights there."""
    if len(scales) == 1:
        return 0
    axis = 0 if len(shape) == 1 else axis
    if not 0 <= axis < len(shape) or len(scales) != shape[axis]:
        raise ModelError(
            f"{what} has {len(scales):,} scales along axis {axis} of shape {list(shape)}"
        )
    return axis


def _all(
    indices: Sequence[int], tensors: Sequence[Tensor], what: str
) -> tuple[Tensor, ...]:
    return tuple(_one(index, tensors, what) for index in indices)


def _one(index: int, tensors: Sequence[Tensor], what: str) -> Tensor:
    if not 0 <= index < len(tensors):
        raise ModelError(f"{what} is tensor {index} of {len(tensors):,}")
    return tensors[index]


def _operator(
    table: Table, index: int, codes: Sequence[_Code], tensors: Sequence[Tensor]
) -> Operator:
    number = table.number(0, "I", 0)
    if number >= len(codes):
        raise ModelError(f"operator {index} is of kind {number:,} of {len(codes):,}")
    code = codes[number]
    what = f"operator {index} ({code.kind})"

    def taken(slot: int, place: str) -> tuple[Tensor, ...]:
        found = table.numbers(slot, "i", f"{what}, {place}s")
        return _all(found, tensors, f"{what}: an {place}")

    inputs = tuple(
        None if one == ABSENT else _one(one, tensors, f"{what}: an input")
        for one in table.numbers(1, "i", f"{what}, inputs")
    )
    outputs, between = taken(2, "output"), taken(8, "intermediate")
    known = operators.known().get(code.kind)
    options = {} if known is None else known.options(_options(table, known.table, what))
    return Operator(index, code.kind, code.version, inputs, outputs, between, options)


def _options(table: Table, expected: int, what: str) -> Table | None:
    """The table of an operator's options, which must be of its kind."""
    kind, found = table.number(3, "B", 0), table.table(4, f"the options of {what}")
    if found is None or kind == 0:
        return None
    if kind != expected:
        raise ModelError(f"{what} has options of kind {kind}: expected {expected}")
    return found


def _require_order(graph: Graph) -> None:
    """What an operator reads was there before, and nothing is computed twice."""
    for given in graph.inputs:
        if given.data is not None:
            raise ModelError(f"an input of the model is {given}, which is a constant")
    there = {one.index for one in graph.inputs}
    there |= {
        one.index for one in graph.tensors if one.variable or one.data is not None
    }
    for operator in graph.operators:
        for tensor in operator.inputs:
            if tensor is not None and tensor.index not in there:
                raise ModelError(
                    f"{operator} reads {tensor}, which nothing computed before"
                )
        for tensor in operator.outputs:
            if tensor.index in there:
                raise ModelError(f"{operator} writes {tensor}, which is there before")
            there.add(tensor.index)
    for tensor in graph.outputs:
        if tensor.index not in there:
            raise ModelError(
                f"an output of the model is {tensor}, which nothing computes"
            )
