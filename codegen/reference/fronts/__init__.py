"""The numpy twins of the fronts: what makes the network's input of a sample.

A front is a module with `MADE`, what it does, for a certificate; `network_input(inputs,
sample)`, the x [..., n_in] of raw samples [..., elements], of spikes in time [..., ticks, n_in]; and `bounds(inputs, n_in, low, high)`, an
interval that holds the x of every sample of numbers from low to high.
"""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from codegen.reference.arithmetic import F32
from codegen.reference.fronts import (
    delays,
    echo,
    imported,
    liquid,
    raster,
    scale,
    scaler,
    window,
)
from codegen.reference.intervals import Interval
from codegen.spec import Inputs


class Front(Protocol):
    """A module of this folder."""

    MADE: str

    def network_input(self, inputs: Inputs, sample: NDArray[Any]) -> F32: ...

    def bounds(
        self, inputs: Inputs, n_in: int, low: float, high: float
    ) -> Interval: ...


FRONTS: dict[str, Front] = {
    "scale": scale, "scaler": scaler, "window": window, "echo": echo, "liquid": liquid,
    "imported": imported, "delays": delays, "spikes": raster, "events": raster,
}  # fmt: skip
"""By the names that declarations have for them."""


class Carrying(Front, Protocol):
    """One whose state may go on: `initial(inputs)`, by names in the order in which a step
    has them, and `advance(inputs, state, sample)`, a step in place."""

    def initial(self, inputs: Inputs) -> dict[str, NDArray[Any]]: ...

    def advance(
        self, inputs: Inputs, state: dict[str, NDArray[Any]], sample: NDArray[Any]
    ) -> None: ...


_CARRYING: dict[str, Carrying] = {"delays": delays, "liquid": liquid}


def carrying(inputs: Inputs) -> Carrying | None:
    """The front, where its state goes on."""
    declared = inputs.declared
    if declared is None or not declared.carries:
        return None
    return _CARRYING[declared.made_by]


def of(inputs: Inputs) -> Front:
    """The front that a spec's inputs ask for."""
    declared = inputs.declared
    return FRONTS["scale" if declared is None else declared.made_by]
