"""x = fl(v / scale), one rounded division an element."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.cost import Shape
from codegen.program import Op, op

CONVERT = {"u8": "u8_to_f32", "i16": "i16_to_f32", "f32": "f32_scale"}
"""The kernel, by the samples' element type."""


def convert(c: Composer) -> Op:
    """Every element by itself."""
    inputs, across = c.spec.inputs, Shape(1, c.network.n_in)
    return op(
        CONVERT[inputs.dtype],
        across,
        1,
        v=c.sample,
        scale=float(inputs.scale),
        x=c.input(1),
    )
