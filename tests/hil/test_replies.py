"""A reply that is not to what was asked is no reply."""

from __future__ import annotations

import pytest

from codegen import protocol
from codegen.planning.plan import plan
from codegen.planning.planned import Plan
from codegen.protocol import StepFlag
from codegen.rendering.self_test import FINDINGS
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil.device import replies
from hil.device.replies import Asked
from hil.experiment import Experiment
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare
from targets import load


def planned(**keys: object) -> Plan:
    """Of ten classes: a result has a loss, a digest and ten outputs."""
    return plan_for(prepare(Experiment(network="64-10").override(keys)))


PLAN = planned()
MEANS = plan(
    Spec(
        Network((3, 2), output="softmax"),
        rule=RuleChoice("ncm"),
        inputs=Inputs("f32", 1.0),
    ),
    load("host"),
)
FLOATS = plan(Spec(Network((3, 2)), inputs=Inputs("f32", 1.0)), load("host"))
"""Of samples that may hold what is no number."""
BUDGETED = planned(
    target="qemu-rv64gcv", network="64-3-10", icount=True, gate="row", instructions=900
)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


def reply(step: int, count: int, *row: int, flags: int = 0, reserved: int = 0) -> bytes:
    assert protocol.STEP.reply is not None
    tail = words(*(row or (0,) * 12)) * count
    return protocol.STEP.reply.pack(step, flags, count, reserved, tail=tail)


def asked(
    message: protocol.Message = protocol.STEP, flags: int = 0, **keys: int
) -> Asked:
    """A request of two steps from step 7."""
    return Asked(message, {"step": 7, "count": 2, "flags": flags, **keys})


RESIDENT = asked(protocol.STEP_RESIDENT, count=3, reserved=0)


def test_a_step_reply_gives_its_steps_in_order() -> None:
    found = replies.step_results(asked(), reply(7, 2), PLAN)
    assert [result.step for result in found] == [7, 8]


def test_where_a_budget_steers_a_step_tells_its_signal() -> None:
    payload = reply(7, 2, 0, 0, 0x3F800000, *(0,) * 9, 1234)
    found = replies.step_results(asked(), payload, BUDGETED)
    assert [result.signal for result in found] == [1234, 1234]
    assert found[0].outputs.tolist() == [1.0] + [0.0] * 9


def resident_reply(step: int, count: int) -> bytes:
    assert protocol.STEP_RESIDENT.reply is not None
    fields = (step, 0, 0, count, 99, 1)
    return protocol.STEP_RESIDENT.reply.pack(*fields, tail=words(*(0,) * 12))


def test_a_resident_reply_is_of_its_last_step_and_stands_for_all() -> None:
    found = replies.resident_result(RESIDENT, resident_reply(7, 3), PLAN)
    assert (found.first, found.step, found.steps) == (7, 9, 3)
    assert (found.fold, found.right) == (99, 1)


@pytest.mark.parametrize(
    ("payload", "wrong"),
    [
        (reply(8, 2), "field step is 8, expected 7"),
        (reply(7, 1), "field count is 1, expected 2"),
        (reply(7, 0), "field count is 0, expected 2"),
        (reply(7, 2, flags=4), "field flags is 4, expected 0"),
        (reply(7, 2, flags=StepFlag.DIGEST), "field flags is 1, expected 0"),
        (reply(7, 2, reserved=1), "field reserved is 1, expected 0"),
    ],
)
def test_a_step_reply_about_something_else_is_refused(
    payload: bytes, wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        replies.step_results(asked(), payload, PLAN)


@pytest.mark.parametrize(("step", "count"), [(8, 3), (7, 1), (7, 0)])
def test_a_resident_reply_about_other_steps_is_refused(step: int, count: int) -> None:
    with pytest.raises(ValueError, match=r"expected [37]"):
        replies.resident_result(RESIDENT, resident_reply(step, count), PLAN)


def test_a_digest_that_was_asked_for_and_is_not_told_is_none() -> None:
    """Whatever word stands in its place: the comparison finds it missing."""
    payload = reply(7, 2, 0, 99, *(0,) * 10)
    found = replies.step_results(asked(flags=StepFlag.DIGEST), payload, PLAN)
    assert [result.digest for result in found] == [None, None]


def fault(cause: int, step: int, pc: int, address: int) -> bytes:
    assert protocol.FAULT.reply is not None
    return protocol.FAULT.reply.pack(cause, step, pc, address)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (fault(7, 3, 0x80000010, 8),
         "in step 3: store access fault (cause 0x7; pc 0x80000010; address 0x8)"),
        (fault(2, protocol.NEVER, 0x80000010, 0xFFFFFFFF),
         "outside a step: illegal instruction "
         "(cause 0x2; pc 0x80000010; instruction 0xffffffff)"),
        (fault(0x100, 0, 0, 0), "in step 0: non-finite activation or delta "
         f"(cause 0x100; tensor {PLAN.tensors[0].name})"),
        (fault(0x102, 5, 0, 0),
         "in step 5: watchdog, no end within its limit (cause 0x102)"),
        (fault(0x105, protocol.NEVER, 0, 1002),
         "outside a step: float arithmetic is not what the network needs "
         "(cause 0x105; subnormal numbers become zero)"),
        (fault(0x999, 5, 16, 0),
         "in step 5: unknown cause (cause 0x999; pc 0x10; address 0x0)"),
    ],
)  # fmt: skip
def test_a_fault_is_one_sentence(payload: bytes, sentence: str) -> None:
    assert str(replies.fault(payload, PLAN)) == f"the device stopped {sentence}"


def test_the_hint_for_arithmetic_is_the_cure_of_what_was_found() -> None:
    for one in FINDINGS:
        payload = fault(protocol.Cause.ARITHMETIC, protocol.NEVER, 0, -one.code)
        assert replies.fault(payload, PLAN).hints == (one.cure,)


@pytest.mark.parametrize(
    ("tensor", "step", "hint"),
    [
        ("x", 0, "divided by the scale of the data"),
        ("x", 7, "divided by the scale of the data"),
        ("p", 0, "step 0 has learned nothing yet"),
        ("p", 7, "a smaller learning rate"),
    ],
)
def test_a_value_that_is_not_finite_is_blamed_on_what_caused_it(
    tensor: str, step: int, hint: str
) -> None:
    told = fault(0x100, step, 0, FLOATS.tensor(tensor).index)
    assert hint in replies.fault(told, FLOATS).hints[0]


def test_a_rule_without_a_learning_rate_is_not_advised_a_smaller_one() -> None:
    told = fault(0x100, 7, 0, MEANS.tensor("p").index)
    (hint,) = replies.fault(told, MEANS).hints
    assert "rule 'ncm' has no learning rate" in hint and "--lr" not in hint


def test_with_the_image_at_hand_a_fault_names_its_places() -> None:
    path = build(PLAN).image.path
    found = replies.fault(fault(5, 3, 0x80000000, 0x7FFFFFFF), PLAN, path)
    assert str(found).endswith(
        "(cause 0x5; pc 0x80000000 in the code, _start+0x0; "
        "address 0x7fffffff outside the image)"
    )
