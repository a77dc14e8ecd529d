"""Features of a window of sensor readings, standardised by constants in the image."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.program import Item, Part, op
from codegen.tensors import Values


def convert(c: Composer) -> tuple[Item, ...]:
    """Mean, deviation and motion of every axis (docs/arithmetic.md, section 4)."""
    window = c.spec.inputs.window
    assert window is not None
    constants = c.tensor(
        "window", (2, window.features), "const", initial=Values(window.constants)
    )
    shape = Shape(window.rows, window.axes)
    made = op(
        "window_features",
        shape,
        1,
        v=c.sample,
        offset=Part(constants, 0),
        divisor=Part(constants, 1),
        x=c.input(1),
    )
    return (made,)
