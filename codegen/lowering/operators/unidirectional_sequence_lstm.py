"""UNIDIRECTIONAL_SEQUENCE_LSTM. Its state begins at zero with each inference."""

from __future__ import annotations

from math import inf, log2

from codegen.formats import F32, I16, I32
from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.unidirectional_sequence_lstm import (
    BIAS,
    CELL,
    INPUT,
    RECURRENT,
    STATE,
)
from codegen.lowering.composer import (
    GraphComposer,
    call,
    numbers,
    scale,
    zero,
)
from codegen.lowering.fixed_point import Factor, binary32
from codegen.lowering.floating import spelled
from codegen.lowering.scaling import row_sums, wrapped
from codegen.program import Op, Symbol
from codegen.tensors import Tensor

TYPES = ("i8", "f32")
GATE = 2.0**-12
"""The scale of a gate's sum: 3 integer bits of 16."""
GATES = range(4)


def scratch(operator: Operator) -> int:
    """Bytes of the cells."""
    cells = dims(operator, INPUT)[0]
    return cells * (4 if operator.outputs[0].type == "f32" else 2)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all samples and steps."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    floats = operator.outputs[0].type == "f32"
    return call(
        "lstm", operator, x=x, y=y, by=(_floats if floats else _integers)(c, operator),
        scratch=c.scratch(operator, F32 if floats else I16),
    )  # fmt: skip


def _sizes(operator: Operator) -> dict[str, int]:
    images, steps, n_in = dims(operator)
    cells = dims(operator, INPUT)[0]
    return {"images": images, "steps": steps, "n_in": n_in, "cells": cells}


def _each(c: GraphComposer, operator: Operator, first: int) -> list[Tensor]:
    """Constants of the four gates."""
    return [c.weights(operator, first + gate) for gate in GATES]


def _clip(operator: Operator) -> float:
    """What a cell is kept within, infinite where it is not."""
    return float(operator.options["cell_clip"]) or inf  # type: ignore[arg-type]


def _floats(c: GraphComposer, operator: Operator) -> Symbol:
    clip = _clip(operator)
    return c.record(
        operator, "hil_f32_lstm_t", w=_each(c, operator, INPUT),
        r=_each(c, operator, RECURRENT), b=_each(c, operator, BIAS), low=spelled(-clip),
        high=spelled(clip), **_sizes(operator),
    )  # fmt: skip


def _integers(c: GraphComposer, operator: Operator) -> Symbol:
    cell, hidden = operator.inputs[CELL], operator.between[4]
    fresh, old = _factors(operator, INPUT, 0), _factors(operator, RECURRENT, STATE)
    told = Factor.of(2.0**-15 / scale(hidden) * 2.0**-15)
    return c.record(
        operator, "hil_i8_lstm_t", w=_each(c, operator, INPUT),
        r=_each(c, operator, RECURRENT), b=_biases(c, operator, INPUT, 0),
        d=_biases(c, operator, RECURRENT, STATE), w_m=[one.m for one in fresh],
        w_e=[one.e for one in fresh], r_m=[one.m for one in old],
        r_e=[one.e for one in old], cell_bits=15 + round(log2(scale(cell))),
        most=_most(operator), h_zero=zero(operator.inputs[STATE]), m=told.m, e=told.e,
        y_zero=zero(hidden), **_sizes(operator),
    )  # fmt: skip


def _most(operator: Operator) -> int:
    """The largest cell; one more than there is where it is not bounded."""
    clip = _clip(operator)
    if clip == inf:
        return 1 << 15
    return min(int(binary32(clip / scale(operator.inputs[CELL]))), (1 << 15) - 1)


def _factors(operator: Operator, first: int, source: int) -> list[Factor]:
    """Of the sums of weights that begin at `first` with an input."""
    real = scale(operator.inputs[source])
    return [
        Factor.of(real * scale(operator.inputs[first + gate]) / GATE) for gate in GATES
    ]


def _biases(
    c: GraphComposer, operator: Operator, first: int, source: int
) -> list[Tensor]:
    """What is added to these sums, the zero point of the input in it. Biases are added
    to the first."""
    rows, moved = dims(operator, INPUT)[0], zero(operator.inputs[source])
    found = []
    for gate in GATES:
        bias = operator.inputs[BIAS + gate]
        assert bias is not None
        own = numbers(bias) if first == INPUT else (0,) * rows
        sums = row_sums(operator, rows, first + gate)
        each = (int(b) - moved * int(s) for b, s in zip(own, sums, strict=True))
        letter = f"b{first + gate}_"
        found.append(c.constant(operator, letter, I32, map(wrapped, each)))
    return found
