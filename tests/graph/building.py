"""Models of one operator, written by the schema's own package, and TensorFlow Lite's
reference kernels, which compute them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray
from tflite_runtime.interpreter import Interpreter, OpResolverType

from codegen.graph import names

Array = NDArray[Any]


@dataclass(frozen=True)
class Given:
    """A tensor of a model that is to be written."""

    shape: tuple[int, ...]
    type: str
    scales: tuple[float, ...] = ()
    zero: int = 0
    axis: int = 0
    data: Array | None = None
    variable: bool = False


def _vector(builder: flatbuffers.Builder, values: Sequence[Any], dtype: str) -> int:
    return int(builder.CreateNumpyVector(np.array(values, dtype)))


def _offsets(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _tensor(builder: flatbuffers.Builder, given: Given, number: int) -> int:
    name, shape = (
        builder.CreateString(f"t{number}"),
        _vector(builder, given.shape, "<i4"),
    )
    quantisation = 0
    if given.scales:
        scales = _vector(builder, given.scales, "<f4")
        zeros = _vector(builder, [given.zero] * len(given.scales), "<i8")
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scales)
        tflite.QuantizationParametersAddZeroPoint(builder, zeros)
        tflite.QuantizationParametersAddQuantizedDimension(builder, given.axis)
        quantisation = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, names.TYPES.index(given.type))
    tflite.TensorAddBuffer(builder, 0 if given.data is None else number + 1)
    tflite.TensorAddName(builder, name)
    tflite.TensorAddIsVariable(builder, given.variable)
    if quantisation:
        tflite.TensorAddQuantization(builder, quantisation)
    return int(tflite.TensorEnd(builder))


def _buffer(builder: flatbuffers.Builder, data: Array | None) -> int:
    stored = None if data is None else builder.CreateByteVector(data.tobytes())
    tflite.BufferStart(builder)
    if stored is not None:
        tflite.BufferAddData(builder, stored)
    return int(tflite.BufferEnd(builder))


def _options(
    builder: flatbuffers.Builder, table: str, options: Mapping[str, Any]
) -> int:
    getattr(tflite, f"{table}Start")(builder)
    for name, value in options.items():
        getattr(tflite, f"{table}Add{name}")(builder, value)
    return int(getattr(tflite, f"{table}End")(builder))


@dataclass(frozen=True)
class Part:
    """An operator of a model that is to be written: which tensors it reads, -1 for none, and
    writes."""

    kind: str
    reads: Sequence[int]
    writes: Sequence[int]
    version: int = 2
    table: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def model(
    kind: str,
    version: int,
    inputs: Sequence[Given],
    output: Given | Sequence[Given],
    table: str = "",
    options: Mapping[str, Any] | None = None,
    places: Sequence[int] = (),
    free: Sequence[int] = (),
) -> bytes:
    """A file with one operator, of one output or several. Inputs without data are those of the model, unless
    `free` says which are; `places`: which of them the operator reads, -1 for none, if
    not each in turn."""
    told = [output] if isinstance(output, Given) else [*output]
    last = range(len(inputs), len(inputs) + len(told))
    reads = [*(places or range(len(inputs)))]
    part = Part(kind, reads, last, version, table, options or {})
    computed = [k for k, one in enumerate(inputs) if one.data is None]
    free = free or [k for k in computed if not inputs[k].variable]
    return written([*inputs, *told], [part], free, last)


def written(
    tensors: Sequence[Given],
    parts: Sequence[Part],
    inputs: Sequence[int],
    outputs: Sequence[int],
) -> bytes:
    """A file with these operators, in order."""
    builder = flatbuffers.Builder(0)
    made = [
        _options(builder, one.table, one.options) if one.table else 0 for one in parts
    ]
    each = [_tensor(builder, one, k) for k, one in enumerate(tensors)]
    buffers = [
        _buffer(builder, data) for data in (None, *(one.data for one in tensors))
    ]
    touched = [
        (_vector(builder, one.reads, "<i4"), _vector(builder, one.writes, "<i4"))
        for one in parts
    ]
    alike = [*parts[-1].writes] == [*outputs]
    last = touched[-1][1] if alike else _vector(builder, outputs, "<i4")
    taken, given = _vector(builder, inputs, "<i4"), _offsets(builder, each)
    every = [
        _operator(builder, number, *one)
        for number, one in enumerate(zip(parts, touched, made, strict=True))
    ]
    operators = _offsets(builder, every)
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, given)
    tflite.SubGraphAddInputs(builder, taken)
    tflite.SubGraphAddOutputs(builder, last)
    tflite.SubGraphAddOperators(builder, operators)
    graphs = _offsets(builder, [tflite.SubGraphEnd(builder)])
    codes = _offsets(builder, [_code(builder, one) for one in parts])
    stored = _offsets(builder, buffers)
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, codes)
    tflite.ModelAddSubgraphs(builder, graphs)
    tflite.ModelAddBuffers(builder, stored)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def _operator(
    builder: flatbuffers.Builder,
    number: int,
    part: Part,
    touched: tuple[int, int],
    options: int,
) -> int:
    reads, writes = touched
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, number)
    tflite.OperatorAddInputs(builder, reads)
    tflite.OperatorAddOutputs(builder, writes)
    if part.table:
        kind = getattr(tflite.BuiltinOptions, part.table)
        tflite.OperatorAddBuiltinOptionsType(builder, kind)
        tflite.OperatorAddBuiltinOptions(builder, options)
    return int(tflite.OperatorEnd(builder))


def _code(builder: flatbuffers.Builder, part: Part) -> int:
    number = names.OPERATORS.index(part.kind)
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
    tflite.OperatorCodeAddBuiltinCode(builder, number)
    tflite.OperatorCodeAddVersion(builder, part.version)
    return int(tflite.OperatorCodeEnd(builder))


class Oracle:
    """TensorFlow Lite's reference kernels for a model, every tensor kept; its usual ones
    where there is no `reference`."""

    def __init__(self, data: bytes, reference: bool = True) -> None:
        usual = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._interpreter = Interpreter(
            model_content=data,
            experimental_op_resolver_type=(
                OpResolverType.BUILTIN_REF if reference else usual
            ),
            experimental_preserve_all_tensors=True,
        )
        self._interpreter.allocate_tensors()

    def run(self, inputs: Sequence[Array], anew: bool = True) -> None:
        """One inference; state that a model keeps begins anew, or goes on."""
        if anew:
            self._interpreter.reset_all_variables()
        for told, array in zip(
            self._interpreter.get_input_details(), inputs, strict=True
        ):
            self._interpreter.set_tensor(told["index"], array)
        self._interpreter.invoke()

    def tensor(self, index: int) -> Array:
        """What a tensor holds."""
        found: Array = self._interpreter.get_tensor(index)
        return found
