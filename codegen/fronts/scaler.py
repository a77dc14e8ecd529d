"""x_j = fl(fl(v_j - offset_j) / divisor_j), by constants of the image."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.program import Item, Part, op
from codegen.tensors import Values


def convert(c: Composer) -> tuple[Item, ...]:
    """Every element by an offset and a divisor of its own."""
    scaler = c.spec.inputs.scaler
    assert scaler is not None
    constants = c.tensor(
        "scaler", (2, scaler.elements), "const", initial=Values(scaler.constants)
    )
    made = op(
        "rescale",
        Shape(1, c.network.n_in),
        1,
        v=c.sample,
        offset=Part(constants, 0),
        divisor=Part(constants, 1),
        x=c.input(1),
    )
    return (made,)
