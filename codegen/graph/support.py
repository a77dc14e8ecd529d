"""What of a graph is not supported: all of it, not only what comes first."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.graph import declaration, operators
from codegen.graph.description import DTYPES, Graph, Operator, Tensor


def problems(graph: Graph) -> list[str]:
    """Sentences, each of which names the operator and what is supported."""
    found = [*_of_the_model(graph)]
    for operator in graph.operators:
        at = f"{operator}{_giving(operator)}"
        found += [f"{at}: {problem}" for problem in _of(operator)]
    return found


def unknown(graph: Graph) -> bool:
    """Whether there is an operator that is not supported, whatever its types are."""
    return any(one.kind not in operators.known() for one in graph.operators)


def supported() -> str:
    """The names of the operators that are."""
    return ", ".join(sorted(operators.known()))


def _giving(operator: Operator) -> str:
    return f", which gives {operator.outputs[0]}" if operator.outputs else ""


def _of(operator: Operator) -> Iterator[str]:
    known = operators.known().get(operator.kind)
    if known is None:
        yield "this operator is not supported"
    else:
        yield from declaration.problems(known, operator)


def _of_the_model(graph: Graph) -> Iterator[str]:
    """Something goes in, something comes out, and of every tensor it is known how."""
    if not graph.inputs or not graph.outputs:
        yield (
            f"the model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs: "
            "expected at least one of each"
        )
    for way, tensors in (("input", graph.inputs), ("output", graph.outputs)):
        for tensor in tensors:
            yield from (f"an {way} of the model is {one}" for one in _outside(tensor))
    for number, tensor in enumerate(graph.inputs):
        if tensor in graph.inputs[:number]:
            yield (
                f"{tensor} is input {graph.inputs.index(tensor)} and input {number} of the "
                "model: expected a tensor for each input"
            )


def _outside(tensor: Tensor) -> Iterator[str]:
    """What a host cannot give or take."""
    if tensor.type not in DTYPES:
        listed = ", ".join(DTYPES)
        yield f"{tensor}, {tensor.said}: supported are the types {listed}"
    if not tensor.elements:
        yield f"{tensor}, {tensor.said}: supported are sizes of at least 1"
    if tensor.variable:
        yield f"{tensor}, a variable: supported are tensors that are given or computed"


def macs(operator: Operator) -> int:
    """Products that an operator adds up; 0 for one that is not supported."""
    known = operators.known().get(operator.kind)
    if known is None or any(declaration.problems(known, operator)):
        return 0
    return known.macs(operator)
