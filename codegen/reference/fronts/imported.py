"""Features of a frozen front: an imported model up to one of its tensors
(docs/import.md).

What came of a sample is remembered, for a front never changes, and to compute it in numpy
takes a thousand times a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.graph.description import DTYPES, Tensor
from codegen.reference import graph
from codegen.reference.arithmetic import F32
from codegen.reference.fronts import scaler
from codegen.reference.graph import node
from codegen.reference.intervals import LARGEST, Interval
from codegen.spec import Inputs

MADE = "front"
ROOM = 1 << 26
"""Bytes of samples and of features that are, at most."""


def given(inputs: Inputs, sample: NDArray[Any]) -> NDArray[Any]:
    """What the model is given of a sample [elements], in its own shape."""
    assert inputs.frozen is not None
    return presented(inputs.frozen.given, sample, inputs.scale)


def presented(tensor: Tensor, sample: NDArray[Any], scale: float) -> NDArray[Any]:
    """A sample [elements] of numbers v / scale as that input of a model, by its own scale
    and zero point, if it is of integers."""
    value = sample.astype(np.float32) / np.float32(scale)
    if tensor.type == "f32":
        return value.reshape(tensor.shape)
    whole = node.away(value / np.float32(node.scale(tensor)))
    whole = np.where(np.isnan(whole), -np.inf, whole)
    kind = np.dtype(DTYPES[tensor.type])
    ends = np.iinfo(kind)
    stored = np.clip(whole.astype(np.float64) + node.zero(tensor), ends.min, ends.max)
    return stored.astype(kind).reshape(tensor.shape)


def remembered(inputs: Inputs) -> int:
    """Samples whose features are remembered."""
    frozen = inputs.frozen
    assert frozen is not None
    each = inputs.format.bytes(frozen.elements) + 4 * frozen.features
    return max(1, ROOM // each)


@lru_cache(maxsize=4)
def _computing(inputs: Inputs) -> Callable[[bytes], NDArray[Any]]:
    """What computes the features of a sample's bytes, or remembers them."""
    frozen = inputs.frozen
    assert frozen is not None

    @lru_cache(maxsize=remembered(inputs))
    def computed(sample: bytes) -> NDArray[Any]:
        numbers = np.frombuffer(sample, inputs.format.dtype)
        with np.errstate(all="ignore"):
            made = graph.run(frozen.graph, [given(inputs, numbers)])
        return made[frozen.told.index].ravel()

    return computed


def features(inputs: Inputs, sample: NDArray[Any]) -> NDArray[Any]:
    """Features [..., n] of samples [..., elements], as the model computes them."""
    assert inputs.frozen is not None
    rows = sample.reshape(-1, sample.shape[-1])
    computed = _computing(replace(inputs, frozen=replace(inputs.frozen, scaled=None)))
    found = [computed(row.tobytes()) for row in rows]
    return np.array(found).reshape(*sample.shape[:-1], inputs.frozen.features)


def network_input(inputs: Inputs, sample: NDArray[Any]) -> F32:
    """x [..., n] of samples [..., elements]: scale * (feature - zero point), rounded
    once; then, where a scaler is there, less an offset and divided, rounded each time."""
    assert inputs.frozen is not None
    found, tensor = features(inputs, sample), inputs.frozen.told
    if tensor.type == "f32":
        value = np.asarray(found, np.float32)
    else:
        value = (node.scale(tensor) * node.centred(tensor, found)).astype(np.float32)
    if inputs.frozen.scaled is None:
        return value
    return scaler.network_input(_scaling(inputs), value)


def _scaling(inputs: Inputs) -> Inputs:
    """Features as samples of their own, which the front's scaler is there for."""
    assert inputs.frozen is not None
    return Inputs("f32", 1.0, scaler=inputs.frozen.scaled)


def centred(inputs: Inputs, sample: NDArray[Any]) -> NDArray[np.int64]:
    """Features without their zero point, for integers."""
    assert inputs.frozen is not None
    return node.centred(inputs.frozen.told, features(inputs, sample))


def ends(inputs: Inputs) -> NDArray[np.int64]:
    """The least and the largest that `centred` gives."""
    assert inputs.frozen is not None
    tensor = inputs.frozen.told
    held = np.iinfo(DTYPES[tensor.type])
    return node.centred(tensor, np.array([held.min, held.max], held.dtype))


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """x of every sample there can be: all that 8 or 16 bits hold; a float is whatever is
    finite."""
    assert inputs.frozen is not None
    tensor: Tensor = inputs.frozen.told
    if tensor.type == "f32":
        return Interval(-LARGEST, LARGEST, (n_in,))
    least, most = (node.scale(tensor) * ends(inputs)).astype(np.float32).tolist()
    if inputs.frozen.scaled is None:
        return Interval(least, most, (n_in,))
    return scaler.bounds(_scaling(inputs), n_in, least, most)
