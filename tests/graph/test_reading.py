"""What is read of a model, against the `tflite` package, and what is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite

from codegen.errors import ModelError
from codegen.graph import arena, names, operators, reading, support
from codegen.graph.description import Tensor
from hil.cli import main

from .conftest import HOSTILE, graph, places

TABLES = {
    number: name
    for name, number in vars(tflite.BuiltinOptions).items()
    if name != "NONE"
}
SHARED = {
    "MAXIMUM": "maximumminimum",
    "MINIMUM": "maximumminimum",
    "AVERAGE_POOL_2D": "pool2d",
    "MAX_POOL_2D": "pool2d",
    "MEAN": "reducer",
    "SUM": "reducer",
    "REDUCE_MAX": "reducer",
    "REDUCE_MIN": "reducer",
    "L2_NORMALIZATION": "l2norm",
}
"""Operators whose table of options is called otherwise."""
ACCESSORS = {
    "shifted": "PotScaleInt16", "activation": "FusedActivationFunction", "asymmetric": "AsymmetricQuantizeInputs",
    "stride_w": "StrideW", "stride_h": "StrideH", "dilation_w": "DilationWFactor",
    "dilation_h": "DilationHFactor", "width": "FilterWidth", "height": "FilterHeight",
    "keep_num_dims": "KeepNumDims", "weights_format": "WeightsFormat",
    "padding": "Padding", "beta": "Beta", "shape": "NewShapeAsNumpy",
    "cell_clip": "CellClip", "projection_clip": "ProjClip", "time_major": "TimeMajor",
}  # fmt: skip


def same(mine: Tensor, other: tflite.Tensor, model: tflite.Model) -> None:
    """A tensor is what the package says it is."""
    assert mine.name == other.Name().decode()
    assert (
        list(mine.shape) == np.atleast_1d(other.ShapeAsNumpy()).tolist()
        or not mine.shape
    )
    assert mine.type == names.TYPES[other.Type()]
    assert mine.variable == other.IsVariable()
    found = other.Quantization()
    if mine.quantisation is None:
        assert found is None or not found.ScaleLength()
    else:
        assert mine.quantisation.scales == tuple(found.ScaleAsNumpy().tolist())
        assert mine.quantisation.zeros == tuple(found.ZeroPointAsNumpy().tolist())
    data = model.Buffers(other.Buffer())
    stored = bytes(data.DataAsNumpy()) if data.DataLength() else None
    assert (None if mine.data is None else bytes(mine.data)) == stored


@pytest.mark.parametrize("name", places())
def test_a_model_is_read_as_the_schemas_own_package_reads_it(name: str) -> None:
    mine = graph(name)
    model = tflite.Model.GetRootAs(places()[name].read_bytes(), 0)
    other = model.Subgraphs(0)
    assert len(mine.tensors) == other.TensorsLength()
    for tensor in mine.tensors:
        same(tensor, other.Tensors(tensor.index), model)
    assert [one.index for one in mine.inputs] == other.InputsAsNumpy().tolist()
    assert [one.index for one in mine.outputs] == other.OutputsAsNumpy().tolist()
    assert len(mine.operators) == other.OperatorsLength()
    for operator in mine.operators:
        there = other.Operators(operator.index)
        code = model.OperatorCodes(there.OpcodeIndex())
        assert operator.version == code.Version()
        assert getattr(tflite.BuiltinOperator, operator.kind) == code.BuiltinCode() or (
            getattr(tflite.BuiltinOperator, operator.kind)
            == code.DeprecatedBuiltinCode()
        )
        indices = [-1 if one is None else one.index for one in operator.inputs]
        assert indices == there.InputsAsNumpy().tolist()
        assert [
            one.index for one in operator.outputs
        ] == there.OutputsAsNumpy().tolist()
        if there.BuiltinOptions() is not None and operator.options:
            table = getattr(tflite, TABLES[there.BuiltinOptionsType()])()
            table.Init(there.BuiltinOptions().Bytes, there.BuiltinOptions().Pos)
            for option, value in operator.options.items():
                said = getattr(table, ACCESSORS[option])()
                assert np.array_equal(np.ravel(value), np.ravel(said)) or not said


def test_names_and_tables_are_the_schemas() -> None:
    said = {
        n: number for n, number in vars(tflite.BuiltinOperator).items() if n.isupper()
    }
    assert {name: k for k, name in enumerate(names.OPERATORS)} == said
    for declared in operators.known().values():
        words = SHARED.get(declared.name, declared.name.replace("_", "").lower())
        table = TABLES.get(declared.table, "none").lower()
        assert table in (f"{words}options", "none"), declared.name
        assert declared.table or not declared.fields, declared.name


@pytest.mark.parametrize("name", places())
def test_every_model_is_supported(name: str) -> None:
    assert support.problems(graph(name)) == []


@pytest.mark.parametrize("path", sorted(HOSTILE.glob("*")), ids=lambda path: path.stem)
def test_an_odd_file_is_refused_in_one_sentence_or_read(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["import", str(path)])
    said = capsys.readouterr().err.splitlines()
    assert code == (0 if path.stem == "person_detect" else 2)
    if code:
        sentence, *hints = said
        assert (
            sentence.startswith(f"hil: model {str(path)!r}") and "operator" in sentence
        )
        assert hints and all(hint.startswith("  hint: ") for hint in hints)
        # its operator is supported, and the list would mislead
        listed = "supported operators are" in hints[0]
        assert not (listed and path.stem == "malicious_gather")


def test_all_that_is_not_supported_is_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = HOSTILE / "audio_preprocessor_int8.tflite"
    assert main(["import", str(path)]) == 2
    told = capsys.readouterr()
    refused = [line for line in told.out.splitlines() if line.startswith("refused")]
    assert len(refused) == 19
    assert refused[5].startswith(
        "refused  operator 7 (CONCATENATION), which gives tensor 27"
    )
    assert "types i32 i32 > i32: supported are i8 i8 > i8" in "\n".join(refused)
    assert "(and 18 more, listed above)" in told.err


@pytest.mark.parametrize("name", places())
def test_tensors_that_are_needed_at_one_time_do_not_overlap(name: str) -> None:
    """Played: an operator writes its output; what it reads must still be there."""
    model = graph(name)
    planned = arena.plan(model)
    owner = np.full(planned.bytes, -1)

    def span(tensor: Tensor) -> slice:
        place = planned.places[tensor.index]
        return slice(place, place + tensor.bytes)

    def intact(tensor: Tensor | None) -> bool:
        if tensor is None or tensor.index not in planned.places:
            return True
        return bool((owner[span(tensor)] == tensor.index).all())

    for tensor in model.inputs:
        owner[span(tensor)] = tensor.index
    for operator in model.operators:
        assert all(map(intact, operator.inputs)), operator
        for tensor in operator.outputs:
            owner[span(tensor)] = tensor.index
        assert operator.kind in arena.COPIES or all(map(intact, operator.inputs))
    assert all(map(intact, model.outputs))
    assert max(planned.alive) <= planned.bytes


def model_of(tensors: int, scales: int) -> bytes:
    """A file whose tensors all have the same scales, a vector that is there once."""
    builder = flatbuffers.Builder(0)
    shape = builder.CreateNumpyVector(np.array([scales], np.int32))
    vector = builder.CreateNumpyVector(np.ones(scales, np.float32))
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, vector)
    quantisation = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddQuantization(builder, quantisation)
    tflite.TensorAddShape(builder, shape)
    tensor = tflite.TensorEnd(builder)
    tflite.SubGraphStartTensorsVector(builder, tensors)
    for _ in range(tensors):
        builder.PrependUOffsetTRelative(tensor)
    every = builder.EndVector()
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, every)
    subgraph = tflite.SubGraphEnd(builder)
    tflite.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(subgraph)
    subgraphs = builder.EndVector()
    tflite.BufferStart(builder)
    buffer = tflite.BufferEnd(builder)
    tflite.ModelStartBuffersVector(builder, 1)
    builder.PrependUOffsetTRelative(buffer)
    buffers = builder.EndVector()
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddSubgraphs(builder, subgraphs)
    tflite.ModelAddBuffers(builder, buffers)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def test_a_small_file_cannot_ask_for_a_large_memory() -> None:
    """Ten thousand tensors, each with the same ten thousand scales."""
    with pytest.raises(ModelError, match="more elements than 4 for each byte"):
        reading.read(model_of(10_000, 10_000))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-1000], "reaches to byte"),
        (lambda data: data[:4] + b"TFL2" + data[8:], "expected TFL3"),
        (lambda data: struct.pack("<I", 1 << 31) + data[4:], "reaches to byte"),
        (lambda data: b"", "expected TFL3"),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(
    change: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "damaged.tflite"
    path.write_bytes(change(places()["kws_ref_model"].read_bytes()))
    assert main(["import", str(path)]) == 2
    (sentence, *hints) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"hil: model {str(path)!r}: ") and said in sentence
    assert all(hint.startswith("  hint: ") for hint in hints)


def test_figures_of_a_model_are_those_that_are_known(tmp_path: Path) -> None:
    """MLPerf Tiny says 2.66 million MACs of keyword spotting; TensorFlow Lite Micro
    needs 16,000 bytes for its activations."""
    path = tmp_path / "told.json"
    model = str(places()["kws_ref_model"])
    assert main(["import", model, "--json", str(path), "-q"]) == 0
    told = json.loads(path.read_text())["model"]
    assert told["macs"] == 2_656_768 and told["arena"] == told["peak"] == 16_000
    assert [one["kind"] for one in told["operators"]][-1] == "SOFTMAX"
    assert told["unsupported"] == []
