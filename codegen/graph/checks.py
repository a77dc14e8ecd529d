"""What several operators ask of their tensors and options."""

from __future__ import annotations

import struct

from codegen.graph.declaration import Problems
from codegen.graph.description import Operator, Tensor

ACTIVATIONS = ("none", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
"""Fused activations, by the schema's numbers."""
CLAMPS = ACTIVATIONS[:4]
"""Those that only bound a value."""
LEAST = {"i8": -128, "u8": 0, "i16": -32768}
MOST = {"i8": 127, "u8": 255, "i16": 32767}
CODES = {"i8": "b", "i16": "h", "i32": "i", "i64": "q", "f32": "f"}
"""struct's codes of constants that are read."""
INTEGERS = frozenset(LEAST)
NEAREST, FARTHEST = 1e-9, 1e9
"""Scales of activations; others say nothing that 8 or 16 bits could hold."""
SAME, VALID = 0, 1


def dims(operator: Operator, place: int = 0) -> tuple[int, ...]:
    """The shape of an input that is there."""
    tensor = operator.inputs[place]
    assert tensor is not None
    return tensor.shape


def number(operator: Operator, name: str) -> int:
    """An option that is an integer."""
    found = operator.options[name]
    assert isinstance(found, int)
    return found


def clamp(operator: Operator) -> Problems:
    """The fused activation is one that bounds a value."""
    fused = number(operator, "activation")
    if fused not in range(len(CLAMPS)):
        known = fused in range(len(ACTIVATIONS))
        name = ACTIVATIONS[fused] if known else f"number {fused}"
        yield f"fused activation {name}: supported are {', '.join(CLAMPS)}"


def positive(operator: Operator, *names: str) -> Problems:
    """Options that count something."""
    for name in names:
        if number(operator, name) < 1:
            yield f"{name} is {operator.options[name]}: expected at least 1"


def padding(operator: Operator) -> Problems:
    """SAME or VALID."""
    if number(operator, "padding") not in (SAME, VALID):
        yield f"padding is number {operator.options['padding']}: supported are SAME, VALID"


def rank(tensor: Tensor | None, count: int) -> Problems:
    """A tensor of so many dimensions."""
    if tensor is not None and len(tensor.shape) != count:
        yield f"{tensor} has shape {list(tensor.shape)}: supported are {count} dimensions"


def axes(tensor: Tensor | None) -> Problems:
    """A tensor that has a last axis."""
    if tensor is not None and not tensor.shape:
        yield f"{tensor} is one number: expected at least one axis"


def quantised(*tensors: Tensor | None) -> Problems:
    """Tensors of integers have one scale and a zero point of their type; i16 has 0."""
    for tensor in tensors:
        if tensor is not None and tensor.type in INTEGERS:
            yield from _one_scale(tensor)


def _one_scale(tensor: Tensor) -> Problems:
    found = tensor.quantisation
    if found is None:
        yield f"{tensor} is {tensor.type} without quantisation: expected a scale"
        return
    if len(found.scales) != 1:
        yield f"{tensor} has {found}: supported is one scale"
        return
    if not NEAREST <= found.scales[0] <= FARTHEST:
        yield f"{tensor} has {found}: supported is a scale of {NEAREST:g} to {FARTHEST:g}"
        return
    zero, only = found.zeros[0], tensor.type == "i16"
    low, high = (0, 0) if only else (LEAST[tensor.type], MOST[tensor.type])
    if not low <= zero <= high:
        yield f"{tensor} has zero point {zero}: expected {low} to {high}"


def weights(tensor: Tensor | None, axis: int) -> Problems:
    """Constant weights: i8 symmetric, one scale or one for each channel along `axis`;
    u8 with one scale. Those of f32 may be computed."""
    if tensor is None or tensor.type == "f32":
        return
    if tensor.data is None:
        yield f"{tensor} is computed: supported are {tensor.type} weights that are constant"
    found = tensor.quantisation
    if found is None or tensor.type == "u8":
        yield from _one_scale(tensor)
        return
    if any(found.zeros):
        yield f"{tensor} has a zero point other than 0: supported are symmetric i8 weights"
    if len(found.scales) > 1 and found.axis != axis:
        yield f"{tensor} has {found}: supported is axis {axis}"


def hybrid(x: Tensor | None, w: Tensor | None) -> Problems:
    """Weights of i8 have one scale where the inputs are f32."""
    if x is None or w is None or (x.type, w.type) != ("f32", "i8"):
        return
    if w.quantisation is not None and len(w.quantisation.scales) > 1:
        yield (
            f"{w} has {w.quantisation}: with inputs of f32, supported is one scale for "
            "all channels"
        )


def bias(tensor: Tensor | None, outputs: int) -> Problems:
    """A constant, or f32, of one number for each output channel."""
    if tensor is None:
        return
    if tensor.shape != (outputs,):
        yield f"{tensor} has shape {list(tensor.shape)}: expected {[outputs]}"
    if tensor.data is None and tensor.type != "f32":
        yield f"{tensor} is computed: supported is a constant bias"


def window(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    """Places of a window along one axis; at most 0 where it does not fit."""
    if padding == SAME:
        return -(-size // stride)
    return -(-(size - (kernel - 1) * dilation) // stride)


def fits(operator: Operator, places: tuple[int, ...]) -> Problems:
    """A window has a place."""
    if min(places) < 1:
        yield f"its window is larger than {operator.inputs[0]}, and padding is VALID"


def alike(x: Tensor | None, y: Tensor) -> Problems:
    """Integers that are copied keep scale and zero point."""
    if x is None or x.type not in INTEGERS or x.quantisation is None:
        return
    if y.quantisation is None or (
        (x.quantisation.scales, x.quantisation.zeros)
        != (y.quantisation.scales, y.quantisation.zeros)
    ):
        yield f"{y} has {y.quantisation or 'no scale'}: expected {x.quantisation}, as {x}"


def constants(tensor: Tensor | None) -> tuple[int, ...] | None:
    """The numbers of a constant; None where it is computed."""
    if tensor is None or tensor.data is None:
        return None
    return struct.unpack(f"<{tensor.elements}{CODES[tensor.type]}", tensor.data)


def fixed(tensor: Tensor | None) -> Problems:
    """A tensor that says how, not what, is a constant."""
    if tensor is not None and tensor.data is None:
        yield f"{tensor} is computed: supported is a constant"


def output(operator: Operator, wanted: dict[str, tuple[float, int]]) -> Problems:
    """The output has the scale and the zero point that its range needs."""
    y = operator.outputs[0]
    if y.quantisation is not None and y.type in wanted:
        scale, zero = wanted[y.type]
        if (y.quantisation.scales[0], y.quantisation.zeros[0]) != (scale, zero):
            yield f"{y} has {y.quantisation}: expected scale {scale:g}, zero point {zero}"
