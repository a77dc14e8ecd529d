"""Fronts: what makes the network's input x of a sample.

A front is a module here with `convert(composer) -> Op`, and its numpy twin in
`codegen.reference.fronts`. What it gives is checked where a sample may hold what is
not finite.
"""

from __future__ import annotations

from codegen.composer import Composer
from codegen.fronts import scale, scaler, window
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Stage, op


def convert(c: Composer) -> Op:
    """The operation that makes x of a sample."""
    inputs = c.spec.inputs
    if inputs.window is not None:
        return window.convert(c)
    return (scale if inputs.scaler is None else scaler).convert(c)


def as_it_comes(c: Composer) -> bool:
    """Whether layer 1 lists the sample's own elements, so that nothing needs x."""
    return c.way(1) == "listed" and c.spec.inputs.integer


def front(c: Composer) -> tuple[Item, ...]:
    """From a sample to x, unless layer 1 lists it as it comes."""
    if as_it_comes(c):
        return ()
    return (Stage("look", (convert(c), *_check(c))),)


def _check(c: Composer) -> tuple[Item, ...]:
    """An integer divided is finite; a float is looked at."""
    if c.spec.inputs.dtype != "f32":
        return ()
    x = c.input(1)
    across = Shape(1, c.network.n_in)
    return (op("all_finite", across, purpose="input", v=x, needs="true", faults=x),)
