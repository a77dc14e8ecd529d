"""SVDF: each filter sees the input, and what it saw of some inputs before; `rank` of them
make an output (Nakkiran et al. 2015). What was seen is a variable."""

from __future__ import annotations

from math import prod

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

STATE = 4
RELU = checks.ACTIVATIONS.index("RELU")


def _shape(operator: Operator) -> tuple[int, ...]:
    return dims(operator)[0], dims(operator, 1)[0] // number(operator, "rank")


def _check(operator: Operator) -> Problems:
    x, w, t, b, state = operator.inputs
    found = [
        *checks.clamp(operator),
        *checks.positive(operator, "rank"),
        *(problem for one in (x, w, t, state) for problem in checks.rank(one, 2)),
    ]
    yield from found
    if not found:
        yield from _sizes(operator)
        yield from checks.bias(b, _shape(operator)[1])
        yield from checks.quantised(x, t, state, operator.outputs[0])
        yield from checks.weights(w, 0)
        yield from checks.fixed(t)
    if state is not None and not (state.variable and state.data is None):
        yield f"{state} is no variable that begins at 0: expected one for what was seen before"
    if not found and x is not None and x.type == "i8":
        yield from _integers(operator)


def _sizes(operator: Operator) -> Problems:
    batch, inputs = dims(operator)
    filters, memory = dims(operator, 1)[0], dims(operator, 2)[1]
    wanted = {
        1: (filters, inputs),
        2: (filters, memory),
        STATE: (batch, filters * memory),
    }
    for place, shape in wanted.items():
        if dims(operator, place) != shape:
            yield (
                f"{operator.inputs[place]} has shape {list(dims(operator, place))}: expected "
                f"{list(shape)}"
            )
    if filters % number(operator, "rank"):
        yield f"rank is {operator.options['rank']}: expected a divisor of {filters} filters"


def _integers(operator: Operator) -> Problems:
    """Kernels of integers bound an output by its type alone."""
    w, y, fused = (
        operator.inputs[1],
        operator.outputs[0],
        number(operator, "activation"),
    )
    if w is not None and w.quantisation is not None and len(w.quantisation.scales) > 1:
        yield f"{w} has {w.quantisation}: supported is one scale"
    least = y.quantisation is not None and y.quantisation.zeros[0] == checks.LEAST["i8"]
    if fused and not (fused == RELU and least):
        yield (
            f"fused activation {checks.ACTIVATIONS[fused]}: supported are none, and RELU where "
            f"the zero point of {y} is -128"
        )


def _macs(operator: Operator) -> int:
    return dims(operator)[0] * (prod(dims(operator, 1)) + prod(dims(operator, 2)))


OPERATOR = Declaration(
    name="SVDF",
    table=6,
    newest=4,
    types=("i8 i8 i16 i32? i16 > i8", "f32 f32 f32 f32? f32 > f32"),
    fields=(Field("rank", 0, "i", 0), Field("activation", 1, "b", 0)),
    state=(STATE,),
    shape=_shape,
    check=_check,
    macs=_macs,
)
