"""How each layer is computed: densely, on a list of what is not zero, or fused.

dense: forward and update each walk every row of W, testing for zero inputs.
listed: what is not zero is listed first; forward and update walk the list.
fused: one step's update and the next one's forward share one pass over W.
All three give the same bits (DESIGN sections 4 and 5). Which is cheapest
depends on the shape, the machine and how many inputs are zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codegen import cost, kernels
from codegen.cost import Cost, Shape
from codegen.errors import SpecError
from codegen.spec import Spec

WAYS = ("dense", "listed", "fused")
ALLOWED = {"auto": WAYS, "sequential": ("dense", "listed"), "fused": ("fused",)}
SCHEDULES = tuple(ALLOWED)
"""Schedules, and the ways that each allows."""

CONVERT = {"u8": "u8_to_f32", "i16": "i16_to_f32", "f32": "f32_scale"}
"""Kernel that makes the network's input of a sample, by its element type."""

RELU_DENSITY = 0.5
"""Share of a relu layer's results taken to be not zero."""


@dataclass(frozen=True)
class Layer:
    """Layer `number` (1..L) as it will be computed.

    `density`: share of its inputs that are not zero, told or assumed; `costs`:
    the estimate of every way, of one step; `told`: who chose, if not the costs.
    """

    number: int
    shape: Shape
    way: str
    costs: Mapping[str, Cost]
    told: str = ""

    @property
    def fused(self) -> bool:
        """Whether its update waits for the next forward pass."""
        return self.way == "fused"

    @property
    def listed(self) -> bool:
        """Whether it walks a list of its inputs that are not zero."""
        return self.way == "listed"


def listing(spec: Spec, layer: int) -> str:
    """The kernel that lists a layer's inputs: integer samples are listed as
    they come, without being converted first."""
    return f"{spec.inputs.dtype if layer == 1 else 'f32'}_nonzero"


def converts(spec: Spec, way: str) -> bool:
    """Whether samples become a dense vector x before layer 1."""
    return way != "listed" or spec.inputs.dtype == "f32"


def calls(spec: Spec, layer: int, way: str, shape: Shape) -> dict[str, Shape]:
    """Every kernel a layer calls for forward and update, with its shape."""
    across, down = Shape(1, shape.n_in), Shape(1, shape.n_out)
    found: dict[str, Shape] = {}
    if layer == 1 and converts(spec, way):
        found[CONVERT[spec.inputs.dtype]] = across
    if way == "listed":
        found[listing(spec, layer)] = Shape(shape.n_in, 1, shape.density)
        return found | {"f32_listed_forward": shape, "f32_listed_update": shape}
    found |= {"f32_dense_forward": shape, "f32_dense_update": shape}
    if way == "fused":
        found |= {
            "f32_dense_fused": shape,
            "f32_rates": across,
            "f32_bias_update": down,
            "f32_rank_one": shape,
        }
    return found


def idle(way: str, shape: Shape) -> frozenset[str]:
    """Kernels of `calls` that an ordinary step does not come to. A fused layer
    whose inputs have zeros falls back to the dense way, after it has looked."""
    if way != "fused":
        return frozenset()
    if shape.density == 1.0:
        return frozenset({"f32_rank_one", "f32_dense_forward", "f32_dense_update"})
    return frozenset({"f32_rank_one", "f32_dense_fused"})


def _estimate(
    spec: Spec, layer: int, way: str, shape: Shape, vlens: tuple[int, ...]
) -> Cost:
    """One step's forward and update, in mean over `vlens`."""
    skipped = idle(way, shape)
    found = (
        kernels.estimates(name, vlens, needed)
        for name, needed in calls(spec, layer, way, shape).items()
        if name not in skipped
    )
    return cost.total(costs[cost.cheapest(costs)] for costs in found)


def density(spec: Spec, layer: int, inputs: float) -> float:
    """Share of a layer's inputs that are not zero: `inputs` of layer 1's."""
    if layer == 1:
        return inputs
    return RELU_DENSITY if spec.network.activation == "relu" else 1.0


def choose(
    spec: Spec,
    vlens: tuple[int, ...],
    schedule: str = "auto",
    inputs: float = 1.0,
    told: Mapping[int, str] | None = None,
) -> tuple[Layer, ...]:
    """The way of every layer: the cheapest that `schedule` allows on machines of
    these VLENs (empty: without vectors), unless `told` names it.

    `inputs`: share of the sample's elements that are not zero, 0..1. Raises
    `SpecError` for an unknown schedule or way.
    """
    if schedule not in SCHEDULES:
        raise SpecError(
            f"schedule is {schedule!r}: expected one of {', '.join(SCHEDULES)}"
        )
    found = []
    for number in range(1, spec.network.depth + 1):
        shape = Shape(*spec.network.shape(number), density(spec, number, inputs))
        costs = {way: _estimate(spec, number, way, shape, vlens) for way in WAYS}
        named = (told or {}).get(number)
        if named is not None and named not in WAYS:
            raise SpecError(
                f"layer {number} is to be computed {named!r}: expected one of "
                + ", ".join(WAYS)
            )
        way = named or cost.cheapest({w: costs[w] for w in ALLOWED[schedule]})
        why = "tuned" if named else "" if schedule == "auto" else f"schedule {schedule}"
        found.append(Layer(number, shape, way, costs, why))
    return tuple(found)
