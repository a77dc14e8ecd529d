"""How each layer is computed: densely, on a list of what is not zero, or fused.

dense: forward and update each walk every row of W, testing for zero inputs.
listed: what is not zero is listed first; forward and update walk the list.
fused: one step's update and the next one's forward share one pass over W.
Behind a gate what passes is listed too, at the update at the latest. All give the same bits (DESIGN sections 4 and 5). Which is cheapest
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

OUTPUT_KERNELS = {
    "sigmoid": "f32_sigmoid_bce",
    "softmax": "f32_softmax_ce",
    "identity": "f32_identity_mse",
}
"""Kernel of the outputs, their loss and error, by the network's output."""

CONVERT = {"u8": "u8_to_f32", "i16": "i16_to_f32", "f32": "f32_scale"}
"""Kernel that makes the network's input of a sample, by its element type."""

WINDOW = "i16_window_features"
"""Kernel that makes it of a window."""

RELU_DENSITY = 0.5
"""Share of a relu layer's results taken to be not zero."""


@dataclass(frozen=True)
class Layer:
    """Layer `number` (1..L) as it will be computed.

    `density`: share of its inputs that are not zero, told or assumed; `costs`:
    the estimate of every way that it may take, of one step; `told`: who chose, if
    not the costs; `learns`: whether a rank-1 update changes it; `gated`: whether
    that is behind a gate.
    """

    number: int
    shape: Shape
    way: str
    costs: Mapping[str, Cost]
    told: str = ""
    learns: bool = True
    gated: bool = False

    @property
    def fused(self) -> bool:
        """Whether its update waits for the next forward pass."""
        return self.way == "fused"

    @property
    def listed(self) -> bool:
        """Whether it walks a list of its inputs that are not zero."""
        return self.way == "listed"

    @property
    def lists(self) -> bool:
        """Whether it has a list at all, be it for its update alone."""
        return self.listed or self.gated


def listing(spec: Spec, layer: int) -> str:
    """The kernel that lists a layer's inputs: integer samples are listed as
    they come, without being converted first."""
    as_they_come = layer == 1 and spec.inputs.integer
    return f"{spec.inputs.dtype if as_they_come else 'f32'}_nonzero"


def conversion(spec: Spec) -> tuple[str, Shape]:
    """The kernel that makes the network's input of a sample, and its shape."""
    window = spec.inputs.window
    if window is not None:
        return WINDOW, Shape(window.rows, window.axes)
    return CONVERT[spec.inputs.dtype], Shape(1, spec.network.n_in)


def converts(spec: Spec, way: str) -> bool:
    """Whether samples become a dense vector x before layer 1."""
    return way != "listed" or not spec.inputs.integer


def calls(
    spec: Spec, layer: int, way: str, shape: Shape, learns: bool
) -> dict[str, Shape]:
    """Every kernel a layer calls for forward and update, with its shape."""
    across, down = Shape(1, shape.n_in), Shape(1, shape.n_out)
    found: dict[str, Shape] = {}
    if layer == 1 and converts(spec, way):
        name, sample = conversion(spec)
        found[name] = sample
    if way == "listed":
        found[listing(spec, layer)] = Shape(shape.n_in, 1, shape.density)
        found["f32_listed_forward"] = shape
        if learns:
            found |= _listed_update(spec, layer, shape)
        return found
    found["f32_dense_forward"] = shape
    if learns and layer in spec.gated:
        found["f32_nonzero"] = Shape(shape.n_in, 1, shape.density)
        found |= _listed_update(spec, layer, shape)
    elif learns:
        found["f32_dense_update"] = shape
    if way == "fused":
        found |= {
            "f32_dense_fused": shape,
            "f32_rates": across,
            "f32_bias_update": down,
            "f32_rank_one": shape,
        }
    return found


def _listed_update(spec: Spec, layer: int, shape: Shape) -> dict[str, Shape]:
    """The update of a list, behind the spec's gate."""
    gate, down = spec.gate, Shape(1, shape.n_out)
    if layer not in spec.gated:
        return {"f32_listed_update": shape}
    found = {
        "f32_max_abs": down,
        "f32_gate_rows": Shape(shape.n_in, 1, shape.density),
    }
    if gate.active is not None:
        found["f32_controlled"] = Shape(1, 1)
    share = shape.density if gate.active is None else gate.active
    passing = Shape(shape.n_in, shape.n_out, min(share, shape.density))
    if gate.masked:
        return found | {"f32_block_max": down, "f32_listed_masked_update": passing}
    return found | {"f32_listed_update": passing}


def idle(way: str, shape: Shape) -> frozenset[str]:
    """Kernels of `calls` that an ordinary step does not come to. A fused layer
    whose inputs have zeros falls back to the dense way, after it has looked."""
    if way != "fused":
        return frozenset()
    if shape.density == 1.0:
        return frozenset({"f32_rank_one", "f32_dense_forward", "f32_dense_update"})
    return frozenset({"f32_rank_one", "f32_dense_fused"})


def _estimate(
    spec: Spec,
    layer: int,
    way: str,
    shape: Shape,
    vlens: tuple[int, ...],
    learns: bool,
) -> Cost:
    """One step's forward and update, in mean over `vlens`."""
    skipped = idle(way, shape)
    found = (
        kernels.estimates(name, vlens, needed)
        for name, needed in calls(spec, layer, way, shape, learns).items()
        if name not in skipped
    )
    return cost.total(costs[cost.cheapest(costs)] for costs in found)


def density(spec: Spec, layer: int, inputs: float) -> float:
    """Share of a layer's inputs that are not zero: `inputs` of layer 1's."""
    if layer == 1:
        return inputs
    return RELU_DENSITY if spec.network.activation == "relu" else 1.0


def possible(spec: Spec, layer: int, learns: bool) -> tuple[str, ...]:
    """The ways of a layer: one that learns may be fused, unless its updates are
    gated or clipped, which no fused pass can do."""
    whole = layer not in spec.gated and spec.clip.weights is None
    return WAYS if learns and whole else ("dense", "listed")


def _allowed(spec: Spec, layer: int, schedule: str, learns: bool) -> tuple[str, ...]:
    """The ways that `schedule` leaves; a layer that learns nothing has no
    schedule. Raises `SpecError` when there are none."""
    there = possible(spec, layer, learns)
    if not learns:
        return there
    left = tuple(way for way in there if way in ALLOWED[schedule])
    if not left:
        why = f"gate {spec.gate.kind}" if spec.gate.rows else "clip_weights"
        raise SpecError(
            f"schedule is {schedule!r}, but {why} changes rows as they are updated: "
            "expected schedule auto or sequential"
        )
    return left


def choose(
    spec: Spec,
    vlens: tuple[int, ...],
    learning: frozenset[int],
    schedule: str = "auto",
    inputs: float = 1.0,
    told: Mapping[int, str] | None = None,
    dense_input: bool = False,
) -> tuple[Layer, ...]:
    """The way of every layer: the cheapest that `schedule` allows on machines of
    these VLENs (empty: without vectors), unless `told` names it.

    `learning`: the layers that get rank-1 updates; `inputs`: share of the sample's
    elements that are not zero, 0..1; `dense_input`: the rule's step reads x itself,
    so that layer 1 cannot be listed. Raises `SpecError` for an unknown schedule or
    way, or one that the layer cannot be computed in.
    """
    if schedule not in SCHEDULES:
        raise SpecError(
            f"schedule is {schedule!r}: expected one of {', '.join(SCHEDULES)}"
        )
    if schedule == "fused" and not learning:
        raise SpecError(
            f"schedule is 'fused', but rule {spec.rule.name!r} makes no rank-1 update "
            "that could wait: expected schedule auto or sequential"
        )
    found = []
    for number in range(1, spec.network.depth + 1):
        shape = Shape(*spec.network.shape(number), density(spec, number, inputs))
        learns = number in learning
        allowed = _allowed(spec, number, schedule, learns)
        there = possible(spec, number, learns)
        if number == 1 and dense_input:
            there = allowed = ("dense",)
        costs = {w: _estimate(spec, number, w, shape, vlens, learns) for w in there}
        named = (told or {}).get(number)
        if named is not None and named not in there:
            raise SpecError(
                f"layer {number} is to be computed {named!r}: expected one of "
                + ", ".join(there)
            )
        way = named or cost.cheapest({w: costs[w] for w in allowed})
        told_by = f"schedule {schedule}" if learns and schedule != "auto" else ""
        why = "tuned" if named else told_by
        gated = learns and number in spec.gated
        found.append(Layer(number, shape, way, costs, why, learns, gated))
    return tuple(found)
