"""UNIDIRECTIONAL_SEQUENCE_LSTM as Keras writes it: four gates, no peephole, no
projection, no normalisation within a layer."""

from __future__ import annotations

from math import log2

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator, Tensor

GATES = ("input", "forget", "cell", "output")
INPUT, RECURRENT, BIAS = 1, 5, 12
"""Where the four weights of the input begin, those of the state, and the biases."""
STATE, CELL = 18, 19
TANH = checks.ACTIVATIONS.index("TANH")
INT8 = "i8 i8 i8 i8 i8 i8 i8 i8 i8 - - - i32 i32 i32 i32 - - i8 i16 - - - - > i8"
FLOAT = "f32 f32 f32 f32 f32 f32 f32 f32 f32 - - - f32 f32 f32 f32 - - f32 f32 - - - - > f32"


def _shape(operator: Operator) -> tuple[int, ...]:
    return (*dims(operator)[:2], dims(operator, INPUT)[0])


def _check(operator: Operator) -> Problems:
    if number(operator, "activation") != TANH:
        yield "an activation other than TANH: supported is TANH"
    if operator.options["time_major"]:
        yield "time first: supported is [batch, time, features]"
    if operator.options["projection_clip"]:
        yield "values of a projection are clipped: supported is no projection"
    clip = operator.options["cell_clip"]
    if not clip >= 0:  # type: ignore[operator]
        yield f"cell_clip is {clip}: expected a number of at least 0"
    found = [*checks.rank(operator.inputs[0], 3), *_sizes(operator)]
    yield from found
    yield from _start(operator)
    if not found and operator.outputs[0].type == "i8":
        yield from _integers(operator)


def _sizes(operator: Operator) -> Problems:
    """Every tensor has the size that the first weights and the input say."""
    batch, _, features = (*dims(operator), 0, 0, 0)[:3]
    cells = (*dims(operator, INPUT), 0)[0]
    wanted = {
        **{INPUT + k: (cells, features) for k in range(4)},
        **{RECURRENT + k: (cells, cells) for k in range(4)},
        **{BIAS + k: (cells,) for k in range(4)},
        STATE: (batch, cells),
        CELL: (batch, cells),
    }
    for place, shape in wanted.items():
        tensor = operator.inputs[place]
        if tensor is not None and tensor.shape != shape:
            yield f"{tensor} has shape {list(tensor.shape)}: expected {list(shape)}"
        if tensor is not None and not (tensor.variable or tensor.data is not None):
            yield f"{tensor} is computed: supported are constants, and state that is kept"


def _start(operator: Operator) -> Problems:
    """State that the file holds is zero."""
    for place in (STATE, CELL):
        tensor = operator.inputs[place]
        held, scaled = checks.constants(tensor), tensor and tensor.quantisation
        if any(one != (scaled.zeros[0] if scaled else 0) for one in held or ()):
            yield f"{tensor} holds numbers other than 0: supported is state that begins at 0"


def _integers(operator: Operator) -> Problems:
    state, cell = operator.inputs[STATE], operator.inputs[CELL]
    yield from checks.quantised(operator.inputs[0], state, cell, operator.outputs[0])
    for place in (*range(INPUT, INPUT + 4), *range(RECURRENT, RECURRENT + 4)):
        yield from checks.weights(operator.inputs[place], 0)
        yield from _whole(operator.inputs[place])
    if cell is not None and cell.quantisation is not None:
        exponent = log2(cell.quantisation.scales[0])
        if exponent != round(exponent) or not -15 <= exponent <= -9:
            yield f"{cell} has {cell.quantisation}: expected a power of two, 2^-15 to 2^-9"
    if len(operator.between) != 5 or operator.between[4].quantisation is None:
        yield "intermediate tensors are missing: expected five, the last with its scale"


def _whole(weights: Tensor | None) -> Problems:
    found = weights and weights.quantisation
    if found and len(found.scales) > 1:
        yield f"{weights} has {found}: supported is one scale"


def _macs(operator: Operator) -> int:
    batch, steps, features = dims(operator)
    cells = dims(operator, INPUT)[0]
    return batch * steps * len(GATES) * cells * (features + cells)


OPERATOR = Declaration(
    name="UNIDIRECTIONAL_SEQUENCE_LSTM",
    table=71,
    newest=1,
    types=(INT8, FLOAT),
    fields=(
        Field("activation", 0, "b", 0),
        Field("cell_clip", 1, "f", 0.0),
        Field("projection_clip", 2, "f", 0.0),
        Field("time_major", 3, "?", False),
    ),
    state=(STATE, CELL),
    shape=_shape,
    check=_check,
    macs=_macs,
)
