"""The plan of an image that computes an imported model, and learns nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from codegen import kernels, lowering
from codegen.budget import Item
from codegen.graph.description import Graph
from codegen.lowering import GraphProgram
from codegen.planning import bill as bills
from codegen.planning.fitting import fitted, refuse_constants
from codegen.planning.line import SMALLEST_PAYLOAD, Line, sized
from codegen.program import Op
from codegen.tensors import WORD, Tensor
from targets import Target, require_fma

PIECE = 1024
"""Bytes of a tensor that travel in one frame, at most."""
RANGE = 8
"""Bytes of a frame that say which words follow."""


@dataclass(frozen=True)
class GraphPlan:
    """What will be built for one model on one target.

    `tensors` are those that the link can name: the model's inputs, in0, in1, ..., and what
    it keeps from one inference to the next, state0, state1, ..., which it may write, then its
    outputs, out0, out1, ...
    """

    name: str
    graph: Graph
    target: Target
    line: Line
    program: GraphProgram
    tensors: tuple[Tensor, ...]
    budget: int | None = None

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What is given before an inference."""
        return self.tensors[: len(self.graph.inputs)]

    @property
    def states(self) -> tuple[Tensor, ...]:
        """What it keeps from one inference to the next."""
        first = len(self.graph.inputs)
        return self.tensors[first : first + len(self.program.states)]

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """What it gives."""
        return self.tensors[-len(self.graph.outputs) :]

    @property
    def subject(self) -> str:
        """What needs all this, as sentences call it."""
        return f"model {self.name!r}"

    @property
    def mends(self) -> Mapping[str, str]:
        """What makes items of a kind smaller."""
        return {
            "scratch": "a model of smaller activations",
            "link": "a shorter queue on the line (--window 1)",
        }

    def variant(self, one: Op) -> kernels.Variant:
        """What is called for an operation: of the forms that are right at every VLEN, the
        one that costs the least at the target's own."""
        vector = self.target.vector
        vlens = (vector.default,) if vector else ()
        return kernels.best(one.kernel.name, vlens, one.shape)

    @property
    def variants(self) -> tuple[kernels.Variant, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys(map(self.variant, self.program.ops())))

    @property
    def consts(self) -> tuple[Tensor, ...]:
        """What lies in the image."""
        return self.program.constants

    @cached_property
    def bill(self) -> tuple[Item, ...]:
        """The memory bill, row by row."""
        return bills.rows_inferring(self)

    @property
    def ram(self) -> int:
        """Bytes of RAM, as the linker will count them."""
        return bills.ram(self.bill)

    @property
    def flash(self) -> int:
        """Bytes of constants."""
        return sum(item.bytes for item in self.bill if item.kind == "const")


def graph_plan(
    name: str,
    graph: Graph,
    target: Target,
    *,
    window: int = 4,
    budget: int | None = None,
) -> GraphPlan:
    """Plan a graph without problems (`codegen.graph.support`) on `target`, `window`
    frames in flight; `budget`: bytes of RAM allowed, besides the target's own.

    Raises `ModelError` for what no device computes yet, `OverBudget` when it does not
    fit, `DescriptorError` for float32 on a target without it.
    """
    vlen = target.vector.default if target.vector else 0
    program = lowering.program(graph, vlen, target.xlen)
    if program.floating:
        require_fma(target)
    tensors = _named(program)
    largest = max(WORD * one.words for one in tensors)
    line = sized(window, 0, max(SMALLEST_PAYLOAD, min(PIECE, largest) + RANGE), 0)
    made = fitted(GraphPlan(name, graph, target, line, program, tensors, budget))
    refuse_constants(made)
    return made


def _named(program: GraphProgram) -> tuple[Tensor, ...]:
    given = (replace(t, name=f"in{k}") for k, t in enumerate(program.inputs))
    kept = (replace(t, name=f"state{k}") for k, t in enumerate(program.states))
    told = (replace(t, name=f"out{k}") for k, t in enumerate(program.outputs))
    return tuple(replace(t, index=n) for n, t in enumerate((*given, *kept, *told)))
