"""Networks that other programs trained, and the files that they write."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import skops.io
from onnx import TensorProto, helper, numpy_helper

from codegen.spec import Inputs, Network, RuleChoice, Spec

HERE = Path(__file__).parent / "foreign"
TORCH = HERE / "torch-2.14.pt"
"""What PyTorch 2.14 wrote; beside it, what that network gave."""
RANDOM = np.random.default_rng(3)
X = RANDOM.random((40, 4)).astype(np.float32)
THREE = np.arange(40) % 3
Dump = Callable[[Any, Path], object]
DUMPS: dict[str, Dump] = {
    ".skops": skops.io.dump,
    ".joblib": joblib.dump,
    ".pkl": lambda model, path: path.write_bytes(pickle.dumps(model)),
    ".pickle": lambda model, path: path.write_bytes(pickle.dumps(model, 2)),
}


def spec(*widths: int, activation: str = "relu", output: str = "softmax") -> Spec:
    """A network of these widths, of float32."""
    network = Network(widths, activation, output)
    return Spec(network, RuleChoice("bp"), Inputs("f32", 1.0))


W1, B1, W2, B2 = (
    RANDOM.normal(size=size).astype(np.float32) for size in ((4, 5), 5, (5, 3), 3)
)
CONSTANTS = {"W1": W1, "b1": B1, "W2": W2, "b2": B2, "V1": W1.T.copy()}
Node = tuple[Any, ...]
GEMM: tuple[Node, ...] = (
    ("Gemm", ["x", "V1", "b1"], "a", {"transB": 1}),
    ("Tanh", ["a"], "h"),
    ("Gemm", ["h", "W2", "b2"], "z"),
    ("Softmax", ["z"], "p"),
)
MATMUL: tuple[Node, ...] = (
    ("Flatten", ["x"], "x_flat"),
    ("MatMul", ["x_flat", "W1"], "m"),
    ("Add", ["b1", "m"], "a"),
    ("Sigmoid", ["a"], "h"),
    ("MatMul", ["h", "W2"], "n"),
    ("Add", ["n", "b2"], "z"),
    ("Sigmoid", ["z"], "p"),
)


def model(nodes: tuple[Node, ...], out: str = "p", **other: np.ndarray) -> Any:
    """An ONNX model of these nodes and constants."""
    made = [
        helper.make_node(kind, given, [result], **(more[0] if more else {}))
        for kind, given, result, *more in nodes
    ]
    constants = {**CONSTANTS, **other}
    graph = helper.make_graph(
        made, "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
