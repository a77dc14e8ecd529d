"""A detector of patterns: one cell for each output, its synapses learn from spikes that come
together, and their sum never changes.

When the teacher spikes after a pattern, the synapses of the inputs that have spiked grow by
4, and what that is too much is taken from all synapses in turn, one each, where the last
step has left off: no division, no rounding. A cell answers with the sum of the synapses of
the inputs that spike; from which sum on it spikes is for the host to say.
"""

from __future__ import annotations

from codegen.composer import Composer
from codegen.formats import I32, U8, U32
from codegen.goals.label import LABEL
from codegen.kernels.cost import Shape
from codegen.program import Part, Program, Set, Stage, Symbol, op
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Fill

FIRST, GROWS = 16, 4
"""Of a synapse at first, and what a spike of its input that comes in time adds."""


def _program(c: Composer) -> Program:
    shape, p = Shape(*c.network.shape(1), c.density(1)), c.outputs
    first = Fill(FIRST)
    w = c.tensor("W1", c.network.shape(1), "learned", format=U8, initial=first)
    place = c.tensor("place", (p.size,), "dynamic", format=U32)
    current, across = c.tensor("current", (p.size,), format=I32), Shape(1, p.size)
    heard = op("response", shape, 1, w=w, x=c.sample, sum=current)
    looked = (Stage("look", (heard,), 1, "cells sum the synapses of what spikes"),)
    judged = op("most_current", across, 1, a=current, label=LABEL, p=p, into="*loss")
    held = Part(place, "label")
    grown = op(
        "exchange", shape, 1, w=w, cell=LABEL, x=c.sample, grows=GROWS,
        place=Symbol("from"), into=held,
    )  # fmt: skip
    step = (
        *looked, Stage("judge", (judged,), 1),
        Stage(
            "update", (Set("const uint32_t from", "s->place[label]", (place,)), grown), 1,
            "the label's cell: what grows is taken from all",
        ),
    )  # fmt: skip
    told = op("most_current", across, a=current, label=0, p=p)
    return Program(looked, told, step, results=(current,), state=(w, place))


RULE = Declaration(
    name="stdp-detector",
    title="STDP with a constant sum of weights: a cell that knows its patterns",
    source="after supervised STDP on SpiNNaker, in whole numbers",
    equation="W_iy = min(W_iy + 4, 255) of inputs that spike; then 1 less, in turn, until the sum is "
    "what it was; answers by sum of W_ic of inputs that spike",
    parameters=(),
    rates=by_activation(others=Rate(1.0, 1.0)),
    program=_program,
    gates=frozenset(),
    activations=("identity",),
    outputs=("identity",),
    most=1,
    why="a cell hears the inputs alone",
    hidden=0,
    rated=False,
    format="spikes",
)
