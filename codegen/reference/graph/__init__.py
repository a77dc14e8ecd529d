"""The numpy twin of an imported model: what every operator of it gives.

Integers are those of TensorFlow Lite's reference kernels to the bit. float32 follows
this project's order of sums, and its own exp, tanh and log.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

from codegen.errors import ModelError
from codegen.graph.description import DTYPES, Graph, Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array

Twin: TypeAlias = Callable[[Operator, Sequence[Array | None]], Array | list[Array]]
"""What gives the output of an operator, or a list of all of them."""


@cache
def _twin(kind: str) -> Twin:
    module = importlib.import_module(f"{__name__}.operators.{kind.lower()}")
    found: Twin = module.compute
    return found


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The first output of one operator of what it is given."""
    return every(operator, given)[0]


def every(operator: Operator, given: Sequence[Array | None]) -> Sequence[Array]:
    """All of its outputs. Raises `ModelError` where its scales lie too far apart."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = _twin(operator.kind)(operator, given)
            return found if isinstance(found, list) else [found]
    except OverflowError as error:
        raise ModelError(
            f"{operator}, which gives {operator.outputs[0]}: {error}"
        ) from error


def begun(graph: Graph) -> dict[int, Array]:
    """What operators keep from one inference to the next, before the first, by number."""
    kept = (one for each in graph.operators for one in each.inputs if one is not None)
    return {
        one.index: np.zeros(one.shape, DTYPES[one.type])
        for one in kept
        if one.variable and one.data is None
    }


def run(
    graph: Graph, inputs: Sequence[Array], kept: Mapping[int, Array] | None = None
) -> Mapping[int, Array]:
    """Every tensor that a supported graph computes of inputs of its shapes, by number.
    What an SVDF keeps is that of `kept`, which is written, or begins anew."""
    there = {
        one.index: node.stored(one) for one in graph.tensors if one.data is not None
        and one.type in DTYPES
    }  # fmt: skip
    there.update(begun(graph) if kept is None else kept)
    there.update(
        (tensor.index, array)
        for tensor, array in zip(graph.inputs, inputs, strict=True)
    )
    for operator in graph.operators:
        given = [
            None if one is None else there.get(one.index) for one in operator.inputs
        ]
        made = every(operator, given)
        for output, array in zip(operator.outputs, made, strict=True):
            there[output.index] = array
    return there
