"""A detector of patterns: one cell for each output, its synapses learn from spikes that come
together, and their sum never changes.

When the teacher spikes after a pattern, the synapses of the inputs that have spiked grow by
4, and what that is too much is taken from all synapses in turn, one each, where the last
step has left off: no division, no rounding. A cell answers with the sum of the synapses of
the inputs that spike; from which sum on it spikes is for the host to say, or with
homeostasis for the cell itself.
"""

from __future__ import annotations

from codegen import fronts, homeostasis
from codegen.composer import Composer
from codegen.formats import I32, U8, U32
from codegen.goals.label import LABEL
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter, Parameters
from codegen.program import Item, Op, Part, Program, Set, Stage, Symbol, op
from codegen.raster import Raster
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Fill, Tensor

FIRST, GROWS = 16, 4
"""Of a synapse at first, and what a spike of its input that comes in time adds."""


def _program(c: Composer) -> Program:
    shape, p = Shape(*c.network.shape(1), c.density(1)), c.outputs
    first = Fill(FIRST)
    w = c.tensor("W1", c.network.shape(1), "learned", format=U8, initial=first)
    place = c.tensor("place", (p.size,), "dynamic", format=U32)
    current, across = c.tensor("current", (p.size,), format=I32), Shape(1, p.size)
    given, x = _given(c)
    heard = op("response", shape, 1, w=w, x=x, sum=current)
    told = _crossed(c, current)
    body, result = ((heard, told), _above(c)) if told else ((heard,), current)
    says = "cells sum the synapses of what spikes"
    looked = (Stage("look", (*given, *body), 1, says),)
    judged = op("most_current", across, 1, a=result, label=LABEL, p=p, into="*loss")
    held = Part(place, "label")
    grown = op(
        "exchange", shape, 1, w=w, cell=LABEL, x=x, grows=GROWS,
        place=Symbol("from"), into=held,
    )  # fmt: skip
    step = (
        *looked, Stage("judge", (judged,), 1),
        Stage(
            "update", (Set("const uint32_t from", "s->place[label]", (place,)), grown), 1,
            "the label's cell: what grows is taken from all",
        ),
        *_regulated(c),
    )  # fmt: skip
    outputs = op("most_current", across, a=result, label=0, p=p)
    slow = (_theta(c), _rate(c)) if told else ()
    return Program(looked, outputs, step, results=(result,), state=(w, *slow, place))


def _given(c: Composer) -> tuple[tuple[Item, ...], Tensor]:
    """The inputs that spike: where a sample is not zero, or as one says that is spikes."""
    if c.spec.inputs.raster is None:
        return (), c.sample
    x = c.tensor("x", (c.network.n_in,), format=U8)
    return (*fronts.unplayed(c), fronts.played(c, "0", x)), x


def _hears(parameters: Parameters, raster: Raster | None) -> str:
    if raster is None or raster.ticks == 1:
        return ""
    return f"{raster}: expected one tick, for a pattern's spikes come together"


def _above(c: Composer) -> Tensor:
    """Sums, less a cell's threshold."""
    return c.tensor("above", (c.network.n_out,), format=I32)


def _spikes(c: Composer) -> Tensor:
    return c.inner("spiked", (c.network.n_out,), I32)


def _theta(c: Composer) -> Tensor:
    least = float(c.parameters["threshold"])
    return homeostasis.rises(c, "theta", c.network.n_out, least)


def _rate(c: Composer) -> Tensor:
    return homeostasis.rates(c, "rate", c.network.n_out)


def _crossed(c: Composer, current: Tensor) -> Op | None:
    """Which cells spike, where they have thresholds of their own."""
    if not homeostasis.on(c.parameters):
        return None
    return op(
        "crossed", Shape(1, current.size), 1, a=current, theta=_theta(c),
        threshold=int(c.parameters["threshold"]), above=_above(c), count=_spikes(c),
    )  # fmt: skip


def _regulated(c: Composer) -> tuple[Item, ...]:
    if not homeostasis.on(c.parameters):
        return ()
    theta = int(c.parameters["threshold"])
    moved = homeostasis.settled(
        c, 1, _spikes(c), _rate(c), _theta(c), ticks=1, theta=theta
    )
    return (Stage("update", (moved,), 1, "thresholds follow how often cells spike"),)


_THRESHOLD = Parameter(
    "threshold",
    128,
    "with homeostasis: sum at which a cell spikes at first",
    later=True,
)


def _conflict(parameters: Parameters) -> str:
    """A threshold is homeostasis' too: without it the host says who spikes."""
    if homeostasis.on(parameters):
        return homeostasis.conflict(parameters)
    return homeostasis.alone(parameters, (_THRESHOLD, *homeostasis.PARAMETERS[1:]))


RULE = Declaration(
    name="stdp-detector",
    title="STDP with a constant sum of weights: a cell that knows its patterns",
    source="after supervised STDP on SpiNNaker, in whole numbers",
    equation="W_iy = min(W_iy + 4, 255) of inputs that spike; then 1 less, in turn, until the sum is "
    "what it was; answers by sum of W_ic of inputs that spike",
    parameters=(_THRESHOLD, *homeostasis.PARAMETERS),
    rates=by_activation(others=Rate(1.0, 1.0)),
    program=_program,
    gates=frozenset(),
    activations=("identity",),
    outputs=("identity",),
    most=1,
    why="a cell hears the inputs alone",
    hidden=0,
    rated=False,
    conflict=_conflict,
    hears=_hears,
    format="spikes",
)  # fmt: skip
