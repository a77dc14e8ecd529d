"""What depends on constants alone is computed before there is a program."""

from __future__ import annotations

import struct
from dataclasses import replace

from codegen.graph.description import Graph, Operator, Tensor


def folded(graph: Graph) -> Graph:
    """The graph without what depends on constants alone."""
    return _widening(_without_shapes(graph))


def _without_shapes(graph: Graph) -> Graph:
    """The graph without what computes shapes of RESHAPE, which are those of outputs."""
    needed = {one.index for one in graph.outputs}
    kept: list[Operator] = []
    for operator in reversed(graph.operators):
        if any(one.index in needed for one in operator.outputs):
            read = (
                operator.inputs[:1] if operator.kind == "RESHAPE" else operator.inputs
            )
            needed |= {one.index for one in read if one is not None}
            kept.append(replace(operator, inputs=read))
    numbered = enumerate(reversed(kept))
    return replace(graph, operators=tuple(replace(one, index=k) for k, one in numbered))


def _widening(graph: Graph) -> Graph:
    """The graph without DEQUANTIZE of constants of 16 bits, whose results are constants
    of float32."""
    found = {
        one.outputs[0].index: _widened(one) for one in graph.operators if _folds(one)
    }
    if not found:
        return graph

    def known(tensor: Tensor) -> Tensor:
        return found.get(tensor.index, tensor)

    return replace(
        graph,
        tensors=tuple(map(known, graph.tensors)),
        operators=tuple(
            replace(one, index=place, inputs=tuple(t and known(t) for t in one.inputs))
            for place, one in enumerate(o for o in graph.operators if not _folds(o))
        ),
        outputs=tuple(map(known, graph.outputs)),
    )


def _folds(operator: Operator) -> bool:
    x = operator.given(0)
    constant = x is not None and x.type == "f16" and x.data is not None
    return operator.kind == "DEQUANTIZE" and constant


def _widened(operator: Operator) -> Tensor:
    """Each number of binary16 is one of binary32."""
    x, y = operator.inputs[0], operator.outputs[0]
    assert x is not None and x.data is not None
    values = struct.unpack(f"<{x.elements}e", x.data)
    return replace(y, data=memoryview(struct.pack(f"<{x.elements}f", *values)))
