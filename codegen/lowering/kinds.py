"""What dense layers and convolutions of integers are given without vectors, whatever their
numbers are."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering import filters, scaling, sixteen
from codegen.lowering.composer import GraphComposer
from codegen.program import Operand
from codegen.tensors import Tensor


def named(operator: Operator, kernel: str) -> str:
    """The kernel for its numbers."""
    if sixteen.sixteen(operator):
        return sixteen.named(operator, kernel)
    return filters.named(operator, kernel)


def of_rows(
    c: GraphComposer, operator: Operator, outputs: int, words: Tensor | None = None
) -> dict[str, Operand]:
    """Operands of one whose weights are a row for each output; `words` are these in
    another form."""
    if sixteen.sixteen(operator):
        w = words or sixteen.weights(c, operator, outputs)
        return sixteen.operands(c, operator, outputs, w)
    sums, factors = scaling.row_sums(operator, outputs), sixteen.factors(operator)
    given = scaling.operands(c, operator, sums, factors, words)
    return {**given, **filters.given(operator)}


def of_columns(
    c: GraphComposer, operator: Operator, outputs: int
) -> dict[str, Operand]:
    """The same of a convolution of each channel, whose weights are a column."""
    if sixteen.sixteen(operator):
        return sixteen.operands(c, operator, outputs, c.weights(operator))
    sums, factors = scaling.column_sums(operator, outputs), sixteen.factors(operator)
    given = scaling.operands(c, operator, sums, factors)
    return {**given, **filters.given(operator)}
