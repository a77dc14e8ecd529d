"""The model's own last dense layer as initial weights of the network behind its front:
`--init model`."""

from __future__ import annotations

import numpy as np

from codegen.graph.description import DTYPES, Tensor
from codegen.reference import Learner
from codegen.spec import Spec
from hil.errors import DataError

NAME = "model"
"""What --init is for it."""


def load(spec: Spec) -> dict[str, np.ndarray]:
    """The state that a network of `spec` starts from: of the model's outputs its weights
    and biases, rounded to float32; further outputs begin at 0, and what the rule learns
    besides begins as ever. Raises `DataError` where the network has no such layer."""
    frozen, network = spec.inputs.frozen, spec.network
    head = None if frozen is None else frozen.head
    if head is None:
        raise DataError(
            "init is 'model', but no dense layer of the model takes what its front "
            "gives: expected a cut at the input of its last dense layer (--cut -1)"
        )
    w, b = _numbers(head.given(1)), head.given(2)
    known = w.shape[0]
    if network.depth != 1 or network.n_out < known or spec.numbers.integer:
        raise DataError(
            f"init is 'model', whose dense layer has {w.shape[1]} inputs and {known} "
            f"outputs, but network {network} is in {spec.format}: expected one layer of "
            "float32, and at least as many outputs",
            f"--network {w.shape[1]}-{known} is the model's own",
        )
    state = Learner(spec).state
    state["W1"][:] = 0
    state["W1"][:, :known] = w.T
    state["b1"][:known] = 0 if b is None else _numbers(b)
    return state


def _numbers(tensor: Tensor | None) -> np.ndarray:
    """A constant's numbers, each dequantised in binary64."""
    if tensor is None or tensor.data is None:
        raise DataError("init is 'model', but its dense layer's weights are computed")
    stored = np.frombuffer(tensor.data, DTYPES[tensor.type]).reshape(tensor.shape)
    by = tensor.quantisation
    if by is None:
        return stored.astype(np.float64)
    along = (-1,) + (1,) * (stored.ndim - 1)
    zeros, scales = (np.array(one, np.float64) for one in (by.zeros, by.scales))
    return (stored - zeros.reshape(along)) * scales.reshape(along)
