"""A part of a graph: all that one tensor is computed from."""

from __future__ import annotations

from dataclasses import replace

from codegen.errors import ModelError
from codegen.graph import arena
from codegen.graph.description import Graph, Operator, Tensor

LAST = "-1"
"""The input of the model's last dense layer, as a cut names it."""
_AFTER_A_HEAD = arena.COPIES | {
    "SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "QUANTIZE", "DEQUANTIZE",
}  # fmt: skip
"""Operators that may follow the last dense layer."""


def head(graph: Graph) -> Operator | None:
    """The dense layer that the model's only output is made of, with nothing but a
    softmax, a sigmoid and changes of shape or type behind it; None where there is none."""
    made = {one.outputs[0].index: one for one in graph.operators if one.outputs}
    if len(graph.outputs) != 1:
        return None
    found = made.get(graph.outputs[0].index)
    while found is not None and found.kind in _AFTER_A_HEAD:
        source = found.given(0)
        found = None if source is None else made.get(source.index)
    return found if found is not None and found.kind == "FULLY_CONNECTED" else None


def tensor(graph: Graph, named: str) -> Tensor:
    """The tensor of a name, or of a number; `LAST`: the input of `head`. Raises
    `ModelError` where there is none."""
    if named == LAST:
        found = head(graph)
        source = None if found is None else found.given(0)
        if source is None:
            raise ModelError(
                "the model does not end with a dense layer: expected the name or the "
                "number of the tensor to cut at",
                "`hil import MODEL.tflite --json -` lists tensors and their names",
            )
        return source
    for one in graph.tensors:
        if named == one.name or named == str(one.index):
            return one
    raise ModelError(
        f"the model has no tensor {named!r}: expected a name, a number from 0 to "
        f"{len(graph.tensors) - 1}, or {LAST} for the input of its last dense layer"
    )


def up_to(graph: Graph, cut: Tensor) -> Graph:
    """The graph of one output, `cut`, with what that is computed from and nothing else.
    An input that the model only quantises to 8 bits is what comes of that. Raises `ModelError` where nothing is computed."""
    needed, kept = {cut.index}, list[Operator]()
    for operator in reversed(graph.operators):
        if any(one.index in needed for one in operator.outputs):
            needed |= {one.index for one in operator.inputs if one is not None}
            kept.append(operator)
    inputs = tuple(one for one in graph.inputs if one.index in needed)
    ordered, inputs = _quantised(tuple(reversed(kept)), inputs)
    if not ordered:
        raise ModelError(
            f"{cut} is not computed of 8 bits or float32: expected what an operator gives"
        )
    return replace(
        graph,
        operators=tuple(replace(one, index=k) for k, one in enumerate(ordered)),
        inputs=inputs,
        outputs=(cut,),
    )


def _quantised(
    operators: tuple[Operator, ...], inputs: tuple[Tensor, ...]
) -> tuple[tuple[Operator, ...], tuple[Tensor, ...]]:
    """The same where an input of float32 is only quantised to 8 bits: without that
    operator, whose output is given then. Whoever gives it quantises as it does."""
    if len(inputs) != 1 or inputs[0].type != "f32":
        return operators, inputs
    readers = [one for one in operators if inputs[0] in one.inputs]
    if [one.kind for one in readers] != ["QUANTIZE"]:
        return operators, inputs
    (quantising,) = readers
    if quantising.outputs[0].type not in ("i8", "u8"):
        return operators, inputs
    return tuple(one for one in operators if one is not quantising), quantising.outputs
