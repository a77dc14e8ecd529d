"""Fronts: what makes the network's input x of a sample.

Where a sample is spikes in time (`codegen.raster`) there is no x: a rule has them `played`,
tick by tick.

A front is a module here with `convert(composer)`, the items of a program that make x,
and its numpy twin in `codegen.reference.fronts`. A declaration of the spec's inputs
(`codegen.front`) says which, none is the scale. What it gives is checked where a sample may hold what is
not finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codegen.composer import Composer
from codegen.fronts import (
    delays,
    echo,
    events,
    imported,
    liquid,
    scale,
    scaler,
    spikes,
    window,
)
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Stage, op
from codegen.tensors import Tensor

FRONTS = {
    "scale": scale, "scaler": scaler, "window": window, "echo": echo, "liquid": liquid,
    "imported": imported, "delays": delays, "spikes": spikes, "events": events,
}  # fmt: skip
"""By the names that declarations have for them."""
CARRYING = {"delays": delays, "liquid": liquid}
"""Those whose state may go on from step to step."""
_PLAYED: Mapping[str, Any] = {"spikes": spikes, "events": events}
"""Those of samples that are spikes in time."""


def convert(c: Composer) -> tuple[Item, ...]:
    """What makes x of a sample."""
    declared = c.spec.inputs.declared
    return FRONTS["scale" if declared is None else declared.made_by].convert(c)


def unplayed(c: Composer) -> tuple[Item, ...]:
    """What is noted before spikes in time are played; nothing where a sample is none."""
    raster = c.spec.inputs.raster
    return () if raster is None else _PLAYED[raster.made_by].unplayed(c)


def played(c: Composer, tick: str, s: Tensor) -> Op:
    """The spikes s of tick number `tick`, which is C; ticks come in their order."""
    raster = c.spec.inputs.raster
    assert raster is not None
    found: Op = _PLAYED[raster.made_by].played(c, tick, s)
    return found


def listed(c: Composer, tick: str, active: Tensor, into: str) -> tuple[Op, ...]:
    """Who spikes in tick number `tick`, ascending in `active`, and how many `into` C; ticks
    come in their order."""
    raster = c.spec.inputs.raster
    assert raster is not None
    found: tuple[Op, ...] = _PLAYED[raster.made_by].listed(c, tick, active, into)
    return found


def after(c: Composer) -> tuple[Item, ...]:
    """What ends a step, of a front whose state goes on."""
    declared = c.spec.inputs.declared
    if declared is None or not declared.carries:
        return ()
    return CARRYING[declared.made_by].after(c)


def as_it_comes(c: Composer) -> bool:
    """Whether layer 1 lists the sample's own elements, so that nothing needs x."""
    return c.way(1) == "listed" and c.spec.inputs.integer


def front(c: Composer) -> tuple[Item, ...]:
    """From a sample to x, unless layer 1 lists it as it comes."""
    if as_it_comes(c) or c.spec.inputs.raster is not None:
        return ()
    return (Stage("look", (*convert(c), *_check(c))),)


def _check(c: Composer) -> tuple[Item, ...]:
    """What is finite by itself is not looked at."""
    if c.spec.inputs.finite:
        return ()
    x = c.input(1)
    across = Shape(1, c.network.n_in)
    return (op("all_finite", across, purpose="input", v=x, needs="true", faults=x),)
