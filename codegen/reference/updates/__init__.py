"""The numpy twins of the updates: how a layer's weights move, a file each.

An update is a function `update(machine, layer, eta)`: from the layer's input and delta
in the trace to its weights and biases in the state, within their limits, and the number
of weights written in `changed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.updates import gated, momentum, rank_one
from codegen.spec import Spec

if TYPE_CHECKING:
    from codegen.reference.machine import Machine

Update: TypeAlias = "Callable[[Machine[Any], int, np.float32], None]"


def of(spec: Spec, layer: int) -> Update:
    """The update of weight layer 1..L."""
    if spec.update.name == "momentum":
        return momentum.update
    return gated.update if layer in spec.gated else rank_one.update


def initial(spec: Spec, layers: Iterable[int]) -> dict[str, F32]:
    """First values of the state that the updates of these layers add to what is
    learned."""
    if spec.update.name == "momentum":
        return momentum.initial(spec.network, layers)
    return {}
