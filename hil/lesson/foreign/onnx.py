"""An ONNX file of dense layers, read by the package onnx.

The graph is followed from its input to its output: each layer is a Gemm, or a MatMul
and an Add, and a Relu, Tanh or Sigmoid after it. MatMul's weights, and Gemm's without
transB, lie as ours do, [inputs, outputs]. Data in other files are not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from hil.data.labels import short
from hil.errors import DataError
from hil.lesson.foreign.dense import Dense, Layer, dense
from hil.lesson.foreign.room import Room

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

ACTIVATIONS = {"Relu": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid"}
LAST = {"Sigmoid": "sigmoid", "Softmax": "softmax"}
"""What the last layer's activation is called here."""
NOTHING = ("Identity", "Flatten", "Dropout")
"""Operators that change no sample of one axis."""
KNOWN = ("Gemm", "MatMul", "Add", *ACTIVATIONS, "Softmax", *NOTHING)
ATTRIBUTES: dict[str, dict[str, tuple[object, ...]]] = {
    "Gemm": {"alpha": (1.0,), "beta": (1.0,), "transA": (0,), "transB": (0, 1)},
    "Softmax": {"axis": (-1, 1)},
    "Flatten": {"axis": (1,)},
}
"""Operator -> attribute -> the values that a dense layer has."""


def from_onnx(origin: str, data: bytes) -> Dense:
    """The layers of a model. Raises `DataError`, also where onnx is not installed."""
    try:
        import onnx
    except ImportError as error:
        raise DataError(
            f"{origin} cannot be read: the package onnx is not installed",
            "pip install 'hil-learning[onnx]'",
        ) from error
    try:
        graph = onnx.load_model_from_string(data).graph
        return _Chain(origin, graph, Room(origin, len(data))).dense()
    except DataError:
        raise
    except Exception as error:  # whatever protobuf makes of the bytes, also later
        raise DataError(f"{origin} cannot be read as an ONNX model") from error


class _Chain:
    """A graph that is one path from its input to its output."""

    def __init__(self, origin: str, graph: GraphProto, room: Room) -> None:
        self._origin, self._graph, self._room = origin, graph, room
        self._constants = {one.name: one for one in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                self._keep(node)
        self._layers: list[Layer] = []
        self._after: list[str] = []
        self._waiting: tuple[str, np.ndarray] | None = None

    def _keep(self, node: NodeProto) -> None:
        if len(node.attribute) != 1 or len(node.output) != 1:
            raise self._wrong(
                f"it has a Constant with {len(node.attribute)} attributes and "
                f"{len(node.output)} outputs: expected 1 of each"
            )
        if node.attribute[0].HasField("t"):
            self._constants[node.output[0]] = node.attribute[0].t

    def dense(self) -> Dense:
        """Its layers."""
        for node in self._path():
            self._take(node)
        if self._waiting is not None:
            raise self._wrong(
                f"MatMul of {short(self._waiting[0])!r} has no Add of biases"
            )
        *hidden, last = self._after or [""]
        kinds = {ACTIVATIONS.get(one, one or "identity") for one in hidden}
        if len(kinds) > 1 or "Softmax" in kinds:
            raise self._wrong(
                f"its hidden layers have {', '.join(sorted(kinds))}: expected one "
                "activation in all"
            )
        if last and last not in LAST:
            raise self._wrong(f"its output is of {last}: expected {', '.join(LAST)} or none")  # fmt: skip
        activation = next(iter(kinds), None)
        return dense(self._origin, self._layers, activation, LAST.get(last))

    def _path(self) -> Iterator[NodeProto]:
        """The nodes in their order, each of which has the result of the one before."""
        inputs = [
            one.name for one in self._graph.input if one.name not in self._constants
        ]
        if len(inputs) != 1 or len(self._graph.output) != 1:
            raise self._wrong(f"it has {len(inputs)} inputs and {len(self._graph.output)} outputs: expected 1 of each")  # fmt: skip
        at = inputs[0]
        for node in self._graph.node:
            if node.op_type == "Constant":
                continue
            if node.op_type not in KNOWN or node.domain not in ("", "ai.onnx"):
                raise self._wrong(
                    f"it has the operator {short(node.op_type)!r}: expected some of "
                    f"{', '.join(KNOWN)}",
                    "a model that ends in its class: export what gives its probabilities",
                )
            if at not in node.input or len(node.output) != 1:
                raise self._wrong(f"{_said(node)} is beside the path from the input")
            yield node
            at = node.output[0]
        if at != self._graph.output[0].name:
            raise self._wrong(
                f"its output is not that of its last operator, {short(at)!r}"
            )

    def _take(self, node: NodeProto) -> None:
        kind = node.op_type
        given = {one.name: _attribute(one) for one in node.attribute}
        for name, allowed in ATTRIBUTES.get(kind, {}).items():
            if given.get(name, allowed[0]) not in allowed:
                raise self._wrong(f"{_said(node)} has {name} {given[name]}: expected {allowed[-1]}")  # fmt: skip
        if self._waiting is not None and kind != "Add":
            raise self._wrong(
                f"MatMul of {short(self._waiting[0])!r} has no Add of biases"
            )
        if kind == "Gemm":
            self._gemm(node, bool(given.get("transB", 0)))
        elif kind == "MatMul":
            weights = self._array(node, 1)
            self._waiting = (node.input[1], weights)
        elif kind == "Add":
            self._add(node)
        elif kind not in NOTHING:
            self._activate(node)

    def _gemm(self, node: NodeProto, transposed: bool) -> None:
        weights = self._array(node, 1)
        self._layer(
            node.input[1], weights.T if transposed else weights, self._array(node, 2)
        )

    def _add(self, node: NodeProto) -> None:
        if self._waiting is None:
            raise self._wrong(f"{_said(node)} follows no MatMul")
        place = 0 if node.input[0] in self._constants else 1
        name, weights = self._waiting
        self._waiting = None
        self._layer(name, weights, self._array(node, place))

    def _layer(self, name: str, weights: np.ndarray, biases: np.ndarray) -> None:
        """Add a layer. Biases of [outputs, 1] would be one for each sample."""
        if biases.shape[:-1] not in ((), (1,)):
            raise self._wrong(
                f"{short(name)!r} has biases {list(biases.shape)}: expected [outputs]"
            )
        self._layers.append(Layer(repr(short(name)), weights, biases.reshape(-1)))
        self._after.append("")

    def _activate(self, node: NodeProto) -> None:
        if not self._after or self._after[-1]:
            raise self._wrong(f"{_said(node)} follows no dense layer")
        self._after[-1] = node.op_type

    def _array(self, node: NodeProto, place: int) -> np.ndarray:
        name = node.input[place] if place < len(node.input) else ""
        if name not in self._constants:
            raise self._wrong(
                f"{_said(node)} has no constant as its input {place}: expected the "
                "weights and the biases of a dense layer"
            )
        return self._elements(self._constants[name])

    def _elements(self, tensor: TensorProto) -> np.ndarray:
        from onnx import TensorProto, numpy_helper

        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise self._wrong(
                f"{short(tensor.name)!r} is in another file",
                "onnx.save(model, path, save_as_external_data=False) writes one file",
            )
        try:
            array = numpy_helper.to_array(tensor)
        except Exception as error:  # whatever onnx makes of a damaged tensor
            raise self._wrong(f"{short(tensor.name)!r} is damaged") from error
        self._room.take(array.nbytes)
        return array

    def _wrong(self, why: str, *hints: str) -> DataError:
        return DataError(f"{self._origin}: {why}", *hints)


def _attribute(given: Any) -> object:
    return given.f if given.type == given.FLOAT else given.i


def _said(node: NodeProto) -> str:
    return (
        f"{short(node.op_type)} of {short(node.input[0])!r}"
        if node.input
        else short(node.op_type)
    )
