"""x = fl(v / scale), one rounded division an element."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.program import Op, op


def convert(c: Composer) -> Op:
    """Every element by itself."""
    inputs, across = c.spec.inputs, Shape(1, c.network.n_in)
    return op(
        "convert",
        across,
        1,
        v=c.sample,
        scale=float(inputs.scale),
        x=c.input(1),
    )
