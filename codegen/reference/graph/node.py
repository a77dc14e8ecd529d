"""What the twins of operators share: numbers of a tensor, its quantisation, clamps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.graph.description import DTYPES, Operator, Quantisation, Tensor
from codegen.reference.graph.fixed_point import I64, Scale

Array = NDArray[Any]
RELU, RELU_N1_TO_1, RELU6 = 1, 2, 3
FLOAT_BOUNDS = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}


def stored(tensor: Tensor) -> Array:
    """The numbers of a constant."""
    assert tensor.data is not None
    return np.frombuffer(tensor.data, DTYPES[tensor.type]).reshape(tensor.shape)


def quantised(tensor: Tensor | None) -> Quantisation:
    """The quantisation of a tensor that has one."""
    assert tensor is not None and tensor.quantisation is not None
    return tensor.quantisation


def scale(tensor: Tensor | None) -> float:
    """The one scale of a tensor, a number of binary32."""
    return quantised(tensor).scales[0]


def zero(tensor: Tensor | None) -> int:
    """The one zero point of a tensor."""
    return quantised(tensor).zeros[0]


def centred(tensor: Tensor | None, x: Array) -> I64:
    """x without its zero point."""
    return x.astype(np.int64) - zero(tensor)


def number(operator: Operator, name: str) -> int:
    """An option that is an integer."""
    found = operator.options[name]
    assert isinstance(found, int)
    return found


def real(operator: Operator, name: str) -> float:
    """An option that is a number of binary32."""
    found = operator.options[name]
    assert isinstance(found, float)
    return found


def integer(operator: Operator, x: I64, fused: int = 0) -> Array:
    """Integers without a zero point as those of the output: moved, bounded by their type
    and by the fused activation."""
    output = operator.outputs[0]
    low, high = bounds(output, fused)
    return np.clip(x + zero(output), low, high).astype(DTYPES[output.type])


def bounds(output: Tensor, fused: int) -> tuple[int, int]:
    """The least and the largest number of an output, its activation heeded."""
    limits = np.iinfo(DTYPES[output.type])
    low, high = FLOAT_BOUNDS[fused]
    least, most = int(limits.min), int(limits.max)
    if low > -np.inf:
        least = max(least, _as_integer(output, low))
    if high < np.inf:
        most = min(most, _as_integer(output, high))
    return least, most


def _as_integer(output: Tensor, value: float) -> int:
    """A bound as a number of the output's type, rounded in binary32."""
    found = np.float32(value) / np.float32(scale(output))
    return zero(output) + int(away(found))


def away(x: Any) -> Any:
    """The nearest whole number, halves away from zero; of binary32."""
    return np.trunc(x) + np.where(np.abs(x - np.trunc(x)) >= 0.5, np.sign(x), 0)


def each(function: Callable[[Array], Array], x: Array) -> Array:
    """One of the project's own functions, which take rows, of every number of x."""
    return np.asarray(function(x.ravel()), np.float32).reshape(x.shape)


def floating(x: Array, fused: int) -> Array:
    """Numbers of float32, bounded by a fused activation."""
    low, high = FLOAT_BOUNDS[fused]
    raised = np.where(x < np.float32(low), np.float32(low), x)
    found = np.where(raised > np.float32(high), np.float32(high), raised)
    return np.asarray(found, np.float32)


def product_scale(operator: Operator, channels: int) -> Scale:
    """From products of input and weights to the output, for each channel."""
    x, w, y = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    scales = quantised(w).scales
    each = scales if len(scales) > 1 else scales * channels
    return Scale.of(*(scale(x) * one / scale(y) for one in each))
