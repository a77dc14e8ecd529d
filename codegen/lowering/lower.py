"""From a graph to its program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codegen.errors import ModelError
from codegen.graph import arena
from codegen.graph.description import Graph, Operator
from codegen.lowering import operators, repeating
from codegen.lowering.composer import GraphComposer, Record
from codegen.lowering.floating import hybrid
from codegen.lowering.folding import folded
from codegen.program import Op, Stage, ops
from codegen.tensors import Tensor


@dataclass(frozen=True)
class GraphProgram:
    """What the C of a model does: `stages`, one for each operator, in order.

    `inputs` and `outputs` are the tensors that come from outside and go there; their
    `offset`, as that of all activations, is a place of the arena, which has `arena`
    bytes. `constants` and `records` lie in flash.
    """

    stages: tuple[Stage, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    constants: tuple[Tensor, ...]
    records: tuple[Record, ...]
    arena: int

    def ops(self) -> Iterator[Op]:
        """Every operation."""
        return ops(self.stages)

    @property
    def floating(self) -> bool:
        """Whether it computes with float32."""
        return any(
            tensor.format.floating for one in self.ops() for tensor, _ in one.tensors()
        )


def program(graph: Graph) -> GraphProgram:
    """The program of a graph without problems (`codegen.graph.support`). Raises
    `ModelError` for what no device computes yet."""
    graph = folded(graph)
    for tensor in graph.outputs:
        if tensor.data is not None:
            raise ModelError(f"an output of the model is {tensor}, which is a constant")
    planned = arena.plan(graph, {one.index: _scratch(one) for one in graph.operators})
    composer = GraphComposer(planned.places)
    stages = tuple(
        Stage("look", operators.calls(composer, one), one.index)
        for one in graph.operators
    )
    return GraphProgram(
        stages,
        tuple(composer.activation(one) for one in graph.inputs),
        tuple(composer.activation(one) for one in graph.outputs),
        composer.constants,
        tuple(composer.records),
        -(-planned.bytes // arena.ALIGNMENT) * arena.ALIGNMENT,
    )


def _scratch(operator: Operator) -> int:
    """Bytes that it keeps while it runs: tensors that are written out; a row, or an
    image, of 8 bits."""
    if operator.kind in repeating.KINDS:
        return repeating.scratch(operator)
    x, w = operator.given(0), operator.given(1)
    if x is None or w is None or x.type != "f32" or not hybrid(operator):
        return 0
    return (
        w.shape[1] if operator.kind == "FULLY_CONNECTED" else x.elements // x.shape[0]
    )
