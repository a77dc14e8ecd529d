"""x = fl(v / scale) of an element: divided, or multiplied where that is the same."""

from __future__ import annotations

from typing import Any

from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.numbers import factor
from codegen.program import Item, Op, Operand, op
from codegen.spec import Inputs


def convert(c: Composer) -> tuple[Item, ...]:
    """Every element by itself."""
    inputs, across = c.spec.inputs, Shape(1, c.network.n_in)
    if not c.numbers.integer:
        return (divided(c, across, c.input(1), 1),)
    by = factor(inputs.scale, inputs.format.bits)
    made = op(
        "convert", across, 1, v=c.sample, factor=by.factor, shift=by.shift,
        x=c.input(1),
    )  # fmt: skip
    return (made,)


def divided(
    c: Composer, across: Shape, x: Operand, layer: int = 0, purpose: str = ""
) -> Op:
    """The sample's elements divided by their scale, as floats."""
    given = divisor(c.spec.inputs)
    name = "convert" if "scale" in given else "scaled"
    return op(name, across, layer, purpose=purpose, v=c.sample, x=x, **given)


def divisor(inputs: Inputs) -> dict[str, Any]:
    """What a kernel is given to divide by: `hi` and `lo` to multiply by, or `scale`."""
    from codegen.quotient import factors  # numpy, which the help of a verb does without

    found = factors(inputs.scale, inputs.format)
    if found is None:
        return {"scale": float(inputs.scale)}
    return {"hi": found.hi, "lo": found.lo}
