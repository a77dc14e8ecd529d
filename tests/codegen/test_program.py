"""The program of a step: what is derived of it."""

from __future__ import annotations

import numpy as np
import pytest

import targets
from codegen import rules
from codegen.composer import Composer
from codegen.errors import BuildError
from codegen.formats import pointer
from codegen.kernels.cost import Shape
from codegen.planning.arena import arrange, survivors
from codegen.planning.naming import require_said
from codegen.planning.plan import plan
from codegen.program import (
    Carried,
    If,
    Item,
    Life,
    Op,
    Part,
    Program,
    Repeat,
    Set,
    Stage,
    Symbol,
    lives,
    op,
    ops,
)
from codegen.reference import Learner
from codegen.reference.integers import fixed
from codegen.reference.spiking import WholeCells
from codegen.reservoir import Echo, Liquid, Reservoir
from codegen.spec import GOALS, Gate, Inputs, Network, RuleChoice, Spec
from codegen.tensors import Tensor
from tests.kinds import OF_LAYERS, OF_NUMBERS

TARGET = targets.load("qemu-rv64gcv")
POTENTIAL = 17
"""Bits behind the point of a potential, in the network of the last test."""
A, B, C, D = (Tensor(name, (4,)) for name in "abcd")


def suited(rule: str, *layers: int) -> Network:
    """A network of such widths that the rule can teach."""
    return rules.declaration(rule).suited(Network(layers))


def moved(x: Tensor, y: Tensor) -> Op:
    """y made of x."""
    return op("ternary", Shape(1, 4), e=x, q=y, threshold=0.5)


def stage(*body: Item) -> Stage:
    return Stage("look", body)


def test_a_tensor_lives_from_its_first_use_to_its_last() -> None:
    steps = (stage(moved(A, B)), stage(moved(B, C)), stage(moved(C, D)))
    found = lives(steps)
    assert found == {A: Life(1, 1), B: Life(1, 2), C: Life(2, 3), D: Life(3, 3)}


def test_tensors_meet_where_one_dies_as_another_is_born() -> None:
    assert Life(1, 2).meets(Life(2, 3)) and Life(2, 3).meets(Life(1, 2))
    assert not Life(1, 2).meets(Life(3, 4))


def test_results_live_to_the_end() -> None:
    found = lives((stage(moved(A, B)), stage(moved(C, D))), results=(B,))
    assert found[B] == Life(1, 2)


def test_what_crosses_the_border_of_a_repeat_lives_through_all_of_it() -> None:
    """Each round needs what came before, and what comes after needs all rounds."""
    rounds = Repeat(
        "k", 3, (stage(moved(A, B)), stage(moved(B, C)), stage(moved(D, D)))
    )
    found = lives((stage(moved(D, A)), rounds, stage(moved(C, D))))
    assert found[A] == Life(1, 4)
    assert found[C] == Life(2, 5)
    assert found[B] == Life(2, 3), "made and used up in each round"


def test_what_a_round_begins_by_reading_is_kept_for_the_next() -> None:
    found = lives((Repeat("k", 3, (stage(moved(A, B)), stage(moved(C, A)))),))
    assert found[A] == Life(1, 2)


def test_a_result_that_rounds_make_is_there_through_all_of_them() -> None:
    """A row a round: what the first one leaves, no later one may take the place of."""
    rounds = Repeat("k", 3, (stage(moved(A, B)), stage(moved(B, C))))
    found = lives((stage(moved(D, A)), rounds), results=(C,))
    assert found[C] == Life(2, 3) and found[B] == Life(2, 3)


def test_what_is_overwritten_does_not_survive() -> None:
    timeline = {A: Life(1, 1), B: Life(2, 2), C: Life(1, 2)}
    arena = arrange(timeline)
    assert survivors(timeline, arena) == {B, C}


def test_an_operand_that_no_parameter_takes_is_named() -> None:
    with pytest.raises(BuildError, match="'f32_dot' is given z: expected some of x, y"):
        op("dot", Shape(1, 4), x=A, y=B, z=C)
    with pytest.raises(BuildError, match="no kernel for 'dots'"):
        op("dots", Shape(1, 4), x=A)


@pytest.mark.parametrize("rule", OF_LAYERS)
def test_every_operation_gives_its_kernel_all_that_it_takes(rule: str) -> None:
    """Each pointer and scalar is given; only sizes follow from the shape."""
    sizes = {"n", "n_in", "n_out", "n_err", "rows", "axes"}
    gates = rules.declaration(rule).gates
    gate = Gate(
        "block" if "rows" in gates else "none", error=0.1 if "error" in gates else 0
    )
    spec = Spec(suited(rule, 9, 7, 6, 5), RuleChoice(rule), gate=gate)
    for one in plan(spec, TARGET).program.ops():
        wanted = {argument.name for argument in one.kernel.arguments}
        assert wanted - {name for name, _ in one.operands} <= sizes, one.key


@pytest.mark.parametrize(
    ("rule", "goal"),
    [
        (rule, goal)
        for rule in OF_LAYERS
        for goal in GOALS
        if goal == "label" or rule in OF_NUMBERS
    ],
)
def test_what_a_step_reads_of_scratch_was_written_before(rule: str, goal: str) -> None:
    """By an operation that comes first, whatever branch is taken. What is carried
    from round to round is read from the second on, and written in the first."""
    spec = Spec(suited(rule, 9, 7, 6, 9), RuleChoice(rule), goal=goal)
    program = plan(spec, TARGET).program
    there = {tensor for item in program.before for tensor in item.uses}
    for one in ops(program.step):
        carried = [t.tensor for _, t in one.operands if isinstance(t, Carried)]
        for tensor, written in one.tensors():
            if tensor.role == "scratch" and not written and tensor not in carried:
                assert tensor in there, (one.key, tensor.name)
        there |= {tensor for tensor, written in one.tensors() if written}


IN_PASSING = {"drtp", "local", "fg-local", "ottt"}
OWN_LOOK = {"fg-weight", "pc"}
"""Rules whose step keeps, or computes, more than an inference while it looks."""


@pytest.mark.parametrize("rule", OF_LAYERS)
def test_learning_in_passing_is_seen_in_the_program(rule: str) -> None:
    program = plan(Spec(suited(rule, 9, 7, 6, 5), RuleChoice(rule)), TARGET).program
    assert program.in_passing == (rule in IN_PASSING)
    assert program.answers_first == (rule not in IN_PASSING | OWN_LOOK)


@pytest.mark.parametrize("rule", ["generec", "midpoint", "kinase", "eqprop"])
@pytest.mark.parametrize("schedule", ["auto", "fused"])
def test_weights_that_every_cycle_reads_are_read_densely(
    rule: str, schedule: str
) -> None:
    """Layer 1's drive is computed once, and may be listed or fused."""
    spec = Spec(suited(rule, 64, 48, 10), RuleChoice(rule))
    made = plan(spec, TARGET, schedule=schedule, density=0.3)
    first, *others = (layer.way for layer in made.layers)
    assert first == ("fused" if schedule == "fused" else "listed")
    assert set(others) == {"dense"}


def test_a_composer_makes_each_tensor_once() -> None:
    c = Composer(Spec(Network((9, 7, 5))), {})
    assert c.weights(1) is c.weights(1) and c.input(2) is c.result(1)
    assert c.error is c.delta(2) and c.outputs is c.result(2)


def test_an_element_of_a_list_of_rows_is_a_row_of_numbers() -> None:
    rows = Tensor("rows1", (4,), pointer(64))
    made = op("clip", Shape(1, 4), v=Part(rows, "k"), limit=1.0, n=4)
    assert made.kernel.name == "f32_clip"
    with pytest.raises(BuildError, match="'clip' of pointer: expected f32"):
        op("clip", Shape(1, 4), v=rows, limit=1.0, n=4)


def test_a_tensor_that_a_condition_reads_lives_until_then() -> None:
    asked = If("a[k] != 0", (moved(C, D),), uses=(A,))
    found = lives(
        (stage(moved(A, B)), stage(moved(B, C)), stage(Repeat("k", 4, (asked,))))
    )
    assert found[A] == Life(1, 3)


@pytest.mark.parametrize(
    "item",
    [
        If("d[k] != 0", (moved(A, B),)),
        If("true", (If("x > (d[0])", ()),)),
        Repeat("k", "d[0]", (moved(A, B),)),
        Set("float x", "1.0f + d[0]", (A,)),
        Set("d[winner]", "1"),
        op("ternary", Shape(1, 4), e=A, q=B, threshold=Symbol("d[1]")),
        op("ternary", Shape(1, 4), e=A, q=Part(B, "(size_t)d[1]"), threshold=0.5),
        op("dot", Shape(1, 4), x=A, y=B, into="d[0]"),
    ],
)  # fmt: skip
def test_c_that_names_a_tensor_which_its_item_does_not_say_is_refused(
    item: Item,
) -> None:
    """Nothing would keep the tensor's place in the arena."""
    told = op("dot", Shape(1, 4), x=D, y=D)
    with pytest.raises(
        BuildError, match="names tensor 'd': expected it among the uses"
    ):
        require_said(Program((), told, (stage(moved(C, D)), item)))


def test_members_of_the_state_and_longer_names_are_no_scratch() -> None:
    told = op("dot", Shape(1, 4), x=D, y=D)
    kept = If("s->d[0] + net->d + dd + d2 + sub.d1 > 0", ())
    require_said(Program((), told, (stage(moved(C, D)), kept)))


@pytest.mark.parametrize("front", [Echo, Liquid])
@pytest.mark.parametrize("rule", ["bp", "slda", "ncm", "ottt", "pc", "kinase"])
def test_a_rule_and_a_reservoir_have_no_name_in_common(
    rule: str, front: type[Reservoir]
) -> None:
    ones = ((0.0, 1.0),)
    made = front(4, 4, 1, ones * 4, ones * 32, cells=8)
    spec = Spec(suited(rule, 32, 8, 3), RuleChoice(rule), Inputs("u8", 1.0, front=made))
    assert plan(spec, TARGET).program.look


def test_two_tensors_of_one_name_are_refused() -> None:
    c = Composer(Spec(suited("bp", 4, 3)), {})
    assert c.inner("mine", (4,)) is c.inner("mine", (4,))
    with pytest.raises(
        BuildError, match=r"'mine' is f32 \[5\] and f32 \[4\]: expected"
    ):
        c.inner("mine", (5,))


def test_a_threshold_is_rounded_once_to_a_potential() -> None:
    """binary32 lies on the other side of a half: what the program has is what the
    reference compares with."""
    at = 1500000.49
    choice = RuleChoice("ottt", {"theta": at * 2.0**-POTENTIAL})
    spec = Spec(suited("ottt", 9, 7, 4), choice, Inputs("u8", 255.0), format="i16")
    spikes = next(
        one
        for one in plan(spec, TARGET).program.ops()
        if one.kernel.operation == "spike" and one.layer == 1
    )
    assert dict(spikes.operands)["theta"] == int(at)
    machine = Learner(spec)
    u = fixed(np.array([int(at) - 1, int(at)]), "i4", POTENTIAL)
    cells = WholeCells(machine, None)
    assert machine.arithmetic.spiked(u, cells.reached).exact.tolist() == [0, 127]
