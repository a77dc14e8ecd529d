"""x_j = fl(fl(v_j - offset_j) / divisor_j), by constants of the image. In integers a
product and a shift, scaled so that one divisor becomes `UNIT`, 64."""

from __future__ import annotations

import math
from collections.abc import Iterable

from codegen.composer import Composer
from codegen.formats import I32
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Part, op
from codegen.scaler import LEAST_DIVISOR, UNIT, Scaler
from codegen.tensors import Values


def convert(c: Composer) -> tuple[Item, ...]:
    """Every element by an offset and a divisor of its own."""
    scaler = c.spec.inputs.scaler
    assert scaler is not None
    if c.numbers.integer:
        return (_levels(c, scaler),)
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


def _levels(c: Composer, scaler: Scaler) -> Op:
    """Scale by integers alone."""

    def make() -> Iterable[float]:
        constants = list(scaler.constants())
        pairs = zip(
            constants[: scaler.elements], constants[scaler.elements :], strict=True
        )
        columns = zip(*(_constants(*pair) for pair in pairs), strict=True)
        return [float(value) for column in columns for value in column]

    constants = c.tensor(
        "scaler", (3, scaler.elements), "const", format=I32, initial=Values(make)
    )
    return op(
        "own_level", Shape(1, scaler.elements), 1, v=c.sample, offset=Part(constants, 0),
        factor=Part(constants, 1), shift=Part(constants, 2), x=c.input(1),
    )  # fmt: skip


def _constants(offset: float, divisor: float) -> tuple[int, int, int]:
    """(offset, factor, shift): the largest shift up to 30 with which the product fits
    28 bits and the offset that is subtracted from it 29."""
    unit = UNIT / max(divisor, LEAST_DIVISOR)
    shift = 30
    while (
        math.ldexp(unit, shift) >= 2**13
        or abs(math.ldexp(offset * unit, shift)) >= 2**29
    ):
        shift -= 1
    taken, factor = (math.ldexp(value, shift) for value in (offset * unit, unit))
    return math.floor(taken + 0.5), math.floor(factor + 0.5), shift
