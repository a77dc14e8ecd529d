"""What depends on constants alone is computed before there is a program."""

from __future__ import annotations

import struct
from dataclasses import replace

from codegen.graph.arena import COPIES
from codegen.graph.description import Graph, Operator, Tensor
from codegen.lowering.dropping import dropped


def folded(graph: Graph) -> Graph:
    """The graph without what depends on constants alone."""
    return dropped(_constants(_without_shapes(graph)))


def _without_shapes(graph: Graph) -> Graph:
    """The graph without what computes shapes of RESHAPE and FILL, which are those of
    outputs."""
    needed = {one.index for one in graph.outputs}
    kept: list[Operator] = []
    for operator in reversed(graph.operators):
        if any(one.index in needed for one in operator.outputs):
            read = _read(operator)
            needed |= {one.index for one in read if one is not None}
            kept.append(replace(operator, inputs=read))
    numbered = enumerate(reversed(kept))
    return replace(graph, operators=tuple(replace(one, index=k) for k, one in numbered))


def _read(operator: Operator) -> tuple[Tensor | None, ...]:
    """The inputs that say more than a shape."""
    if operator.kind == "RESHAPE":
        return operator.inputs[:1]
    return (None, *operator.inputs[1:]) if operator.kind == "FILL" else operator.inputs


def _constants(graph: Graph) -> Graph:
    """The graph without operators whose results are constants: DEQUANTIZE of constants of
    16 bits, FILL, and those that give what they get in another shape."""
    found: dict[int, Tensor] = {}
    kept: list[Operator] = []

    def known(tensor: Tensor) -> Tensor:
        return found.get(tensor.index, tensor)

    for operator in graph.operators:
        one = replace(operator, inputs=tuple(t and known(t) for t in operator.inputs))
        data = _data(one)
        if data is None:
            kept.append(replace(one, index=len(kept)))
        else:
            y = one.outputs[0]
            found[y.index] = replace(y, data=data)
    return replace(
        graph,
        tensors=tuple(map(known, graph.tensors)),
        operators=tuple(kept),
        outputs=tuple(map(known, graph.outputs)),
    )


def _data(operator: Operator) -> memoryview | None:
    """What an operator gives, where that is known before there is a program."""
    if operator.kind == "FILL":
        value = operator.inputs[1]
        assert value is not None and value.data is not None
        return memoryview(bytes(value.data) * operator.outputs[0].elements)
    x = operator.given(0)
    if x is None or x.data is None:
        return None
    if operator.kind in COPIES:
        return x.data
    if operator.kind == "DEQUANTIZE" and x.type == "f16":
        return _widened(x.data, x.elements)
    return None


def _widened(data: memoryview, count: int) -> memoryview:
    """Each number of binary16 is one of binary32."""
    return memoryview(struct.pack(f"<{count}f", *struct.unpack(f"<{count}e", data)))
