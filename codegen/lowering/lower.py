"""From a graph to its program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

from codegen.errors import ModelError
from codegen.graph import arena
from codegen.graph.arena import Arena
from codegen.graph.description import Graph, Operator
from codegen.lowering import legacy, operators
from codegen.lowering.composer import GraphComposer, Record, numbers
from codegen.lowering.folding import folded
from codegen.program import Op, Stage, ops
from codegen.tensors import Tensor


@dataclass(frozen=True)
class GraphProgram:
    """What the C of a model does: `stages`, one for each operator, in order.

    `inputs` and `outputs` are the tensors that come from outside and go there; `states`
    live from one inference to the next, and begin at 0. Their
    `offset`, as that of all activations, is a place of the arena, which has `arena`
    bytes. `constants` and `records` lie in flash.
    """

    stages: tuple[Stage, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    constants: tuple[Tensor, ...]
    records: tuple[Record, ...]
    arena: int
    states: tuple[Tensor, ...] = ()

    def ops(self) -> Iterator[Op]:
        """Every operation."""
        return ops(self.stages)

    @property
    def floating(self) -> bool:
        """Whether it computes with float32."""
        return any(
            tensor.format.floating for one in self.ops() for tensor, _ in one.tensors()
        )


def program(
    graph: Graph, vlen: int = 0, xlen: int = 32, signed: bool = False
) -> GraphProgram:
    """The program of a graph without problems (`codegen.graph.support`), for a machine
    without vectors, or with registers of `vlen` bits, whose others have `xlen`: weights
    lie as kernels like them, and are right on other machines too. `signed`: numbers
    without a sign go in and come out with one, 128 less. Raises `ModelError` for what no
    device computes yet."""
    told = folded(graph)
    graph = legacy.signed(told)
    told = graph if signed else told
    for tensor in graph.outputs:
        if tensor.data is not None:
            raise ModelError(f"an output of the model is {tensor}, which is a constant")
    for operator in graph.operators:
        _require_finite(operator)
    kept = {one.index: operators.scratch(one, vlen) for one in graph.operators}
    planned = _planned(graph, vlen, kept)
    composer = GraphComposer(planned.places, vlen, xlen)
    inputs = [composer.activation(one) for one in graph.inputs]
    outputs = [composer.activation(one) for one in graph.outputs]
    stages = [
        Stage("look", operators.calls(composer, one), one.index)
        for one in graph.operators
    ]
    first = tuple(legacy.turned(told.inputs, inputs))
    last = tuple(legacy.turned(told.outputs, outputs))
    return GraphProgram(
        (*_stage(first, 0), *stages, *_stage(last, len(stages))),
        legacy.outside(told.inputs, inputs),
        legacy.outside(told.outputs, outputs),
        composer.constants,
        tuple(composer.records),
        -(-planned.bytes // arena.ALIGNMENT) * arena.ALIGNMENT,
        tuple(map(composer.activation, arena.carried(graph))),
    )


def _require_finite(operator: Operator) -> None:
    """C has no literal of an infinity, nor of what is no number."""
    for tensor in operator.inputs:
        if tensor is None or tensor.data is None or tensor.type != "f32":
            continue
        wrong = [one for one in numbers(tensor) if not isfinite(one)]
        if wrong:
            raise ModelError(
                f"{operator}: {tensor}, a constant, holds {wrong[0]}: a device is given "
                "constants that are finite"
            )


def activations(graph: Graph, vlen: int = 0) -> int:
    """Bytes of arena that a graph's activations would take, if no kernel kept anything
    while it runs."""
    return _planned(legacy.signed(folded(graph)), vlen, {}).bytes


def _planned(graph: Graph, vlen: int, kept: Mapping[int, int]) -> Arena:
    """Where all lies; `kept`: bytes that each operator keeps while it runs."""
    leads = {one.index: operators.leads(one, vlen) for one in graph.operators}
    return arena.plan(graph, kept, leads)


def _stage(calls: tuple[Op, ...], index: int) -> tuple[Stage, ...]:
    return (Stage("look", calls, index),) if calls else ()
