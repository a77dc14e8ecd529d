"""Features of a window of sensor readings, standardised by constants in the image."""

from __future__ import annotations

import math
from collections.abc import Iterable

from codegen.composer import Composer
from codegen.formats import I32
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Part, op
from codegen.tensors import Values
from codegen.window import PER_AXIS, UNIT, Window

_FACTOR_BITS = 13


def convert(c: Composer) -> tuple[Item, ...]:
    """Mean, deviation and motion of every axis (docs/arithmetic.md, section 4)."""
    window = c.spec.inputs.window
    assert window is not None
    return (_levels(c, window) if c.numbers.integer else _features(c, window),)


def _features(c: Composer, window: Window) -> Op:
    constants = c.tensor(
        "window", (2, window.features), "const", initial=Values(window.constants)
    )
    return op(
        "window_features", Shape(window.rows, window.axes), 1, v=c.sample,
        offset=Part(constants, 0), divisor=Part(constants, 1), x=c.input(1),
    )  # fmt: skip


def _levels(c: Composer, window: Window) -> Op:
    """The same by integers alone: of sums, which nobody divides."""

    def make() -> Iterable[float]:
        columns = zip(
            *(_constants(window, k) for k in range(window.features)), strict=True
        )
        return [float(value) for column in columns for value in column]

    constants = c.tensor(
        "window", (3, window.features), "const", format=I32, initial=Values(make)
    )
    return op(
        "window_levels", Shape(window.rows, window.axes), 1, v=c.sample,
        centre=Part(constants, 0), factor=Part(constants, 1), shift=Part(constants, 2),
        x=c.input(1),
    )  # fmt: skip


def _constants(window: Window, k: int) -> tuple[int, int, int]:
    """(centre, factor, shift) of feature k: a sum of so many terms is UNIT away
    from its centre where its feature is a divisor away from its offset."""
    constants = list(window.constants())
    offset, divisor = constants[k], constants[window.features + k]
    terms = window.rows - (k % PER_AXIS == PER_AXIS - 1)
    unit = UNIT / (divisor * terms)
    shift = max(_FACTOR_BITS - math.frexp(unit)[1], 1)
    factor = min(math.floor(math.ldexp(unit, shift) + 0.5), 1 << _FACTOR_BITS)
    return math.floor(offset * terms + 0.5), factor, shift
