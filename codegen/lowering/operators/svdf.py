"""SVDF. What filters have seen lies in the arena, from one inference to the next."""

from __future__ import annotations

from codegen.formats import F32, I32
from codegen.graph.checks import dims, number
from codegen.graph.description import Operator
from codegen.graph.operators.svdf import STATE
from codegen.lowering import floating
from codegen.lowering.composer import GraphComposer, call, numbers, scale, zero
from codegen.lowering.fixed_point import Factor, binary32
from codegen.lowering.scaling import row_sums, wrapped
from codegen.program import Op, Symbol
from codegen.tensors import Tensor

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all samples."""
    x, state, y = operator.inputs[0], operator.inputs[STATE], operator.outputs[0]
    given = {"x": c.activation(x), "state": c.activation(state), "y": c.activation(y)}
    if y.type == "f32":
        return call(
            "svdf",
            operator,
            by=_floats(c, operator),
            **given,
            **floating.limits(operator),
        )
    return call("svdf", operator, by=_integers(c, operator), **given)


def _sizes(operator: Operator) -> dict[str, int]:
    (images, n_in), (filters, memory) = dims(operator), dims(operator, 2)
    rank = number(operator, "rank")
    sizes = {"images": images, "n_in": n_in, "rank": rank, "memory": memory}
    return {**sizes, "outputs": filters // rank}


def _biases(c: GraphComposer, operator: Operator) -> Tensor:
    """Those of outputs, zeros where there are none."""
    bias, floats = operator.inputs[3], floating.floats(operator)
    none = [0.0] * operator.outputs[0].shape[1]
    values = none if bias is None else numbers(bias)
    return c.constant(operator, "b", F32 if floats else I32, values)


def _floats(c: GraphComposer, operator: Operator) -> Symbol:
    return c.record(
        operator, "hil_f32_svdf_t", w=floating.weights(c, operator),
        t=c.weights(operator, 2), b=_biases(c, operator), **_sizes(operator),
    )  # fmt: skip


def _integers(c: GraphComposer, operator: Operator) -> Symbol:
    """The zero point of the input is in what is added to its products; factors are of
    binary32."""
    x, w, t, _, state = operator.inputs
    fresh = binary32(binary32(scale(x) * scale(w)) / scale(state))
    told = binary32(binary32(scale(state) * scale(t)) / scale(operator.outputs[0]))
    sums = row_sums(operator, dims(operator, 1)[0])
    moved = (wrapped(-zero(x) * int(one)) for one in sums)
    of_x, of_y = Factor.of(fresh), Factor.of(told)
    return c.record(
        operator, "hil_i8_svdf_t", w=c.weights(operator), t=c.weights(operator, 2),
        d=c.constant(operator, "d", I32, moved), b=_biases(c, operator), w_m=of_x.m,
        w_e=of_x.e, m=of_y.m, e=of_y.e, y_zero=zero(operator.outputs[0]), **_sizes(operator),
    )  # fmt: skip
